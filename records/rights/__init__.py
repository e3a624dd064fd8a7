"""A pupil's rights over records: what is held, told in words, corrected, kept no longer than allowed, erased."""
