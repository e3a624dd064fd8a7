"""Timings: each script runs alone and ends with one line of figures."""
