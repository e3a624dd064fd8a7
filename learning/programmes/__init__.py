"""Whom a programme of support reaches, and whether those with most need are among them: counted, never named."""
