"""What MLflow runs to load a bundle: it copies this file beside the model, so it says nothing but whose it is."""

from training.registry import declare_model

declare_model()
