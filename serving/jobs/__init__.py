"""What runs out of sight of a request: deploying, scoring a week, the demonstration."""
