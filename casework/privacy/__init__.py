"""A pupil's rights: a copy of what is held, objection, retention and erasure. The last reader of protected records."""
