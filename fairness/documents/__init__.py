"""Documents for people: one source each, written as pages, Markdown and PDF."""
