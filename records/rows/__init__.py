"""Rows on their way in, still text: batches of them, the rules they keep, what is wrong with one."""
