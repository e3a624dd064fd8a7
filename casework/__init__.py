"""What people do about a flag: who may see it, what they think of it, what they offer."""
