"""The programming interface, version 1: scores under an approval, health, and its own description."""

from serving.api.routes import router

__all__ = ["router"]
