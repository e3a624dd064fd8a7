"""A model's inputs as reasons say them, each with a number that could be."""

from features.feature import Feature


def example(feature: Feature) -> str:
    """Return the input's sentence: 'missed 25% of sessions in the last 4 school weeks'."""
    shares = feature.kind in ("share", "top_share") or (feature.per is not None and "share" in feature.unit)
    return feature.sentence(0.25 if shares else 3.0)
