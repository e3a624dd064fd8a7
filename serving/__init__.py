"""Every door: the pages, the scoring endpoint, the command line and the nightly jobs."""
