"""Who a pupil is: numbers that are one pupil, how their rows are joined, and who must never come back."""
