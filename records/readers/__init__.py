"""One module for each export format that a school's system can send."""
