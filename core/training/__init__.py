"""One run: trained, packed for the store, and checked afterwards."""
