"""What becomes of a model after its deployment: audits on what was really served, and signals that need no outcome."""
