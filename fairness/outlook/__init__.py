"""What the gate will be able to say, before there is anything to audit: drawn networks, chances, feasible limits."""
