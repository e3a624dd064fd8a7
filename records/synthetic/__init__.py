"""A simulated network of schools whose true risk is known. No child in it exists."""
