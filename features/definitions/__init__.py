"""The declared features, one module for each kind of record."""
