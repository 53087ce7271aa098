"""The networks, and what their outputs mean."""
