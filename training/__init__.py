"""From known facts to a flag: outcomes, the model, its rule and its reasons."""
