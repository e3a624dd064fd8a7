"""What is counted of places, and what of it may be shown."""
