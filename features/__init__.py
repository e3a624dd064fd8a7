"""What was known about a pupil on a day, as numbers with a meaning."""
