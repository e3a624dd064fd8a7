"""Whether it helped. Its rooms come with their own issue; the floor is here so that its contract is."""
