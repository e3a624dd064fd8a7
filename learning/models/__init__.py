"""What each model was trained on and tested against, as a page shows it."""
