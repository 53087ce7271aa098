"""Numbers and sentences made of what the store holds."""
