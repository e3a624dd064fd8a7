"""Bytes of a file as text in columns, or a refusal that names the place: nothing is guessed."""
