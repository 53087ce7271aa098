"""The seven networks, and what their outputs mean."""
