"""Doubts about whole tables: which schools' records cannot be scored yet, and what to ask."""
