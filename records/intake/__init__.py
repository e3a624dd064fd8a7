"""The way of a file into the store: what may be read, what fate each row meets, what lands and lands once."""
