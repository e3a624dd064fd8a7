"""Ways to a model that serves groups more alike without knowing them: what is tried, and what it costs."""
