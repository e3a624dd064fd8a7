"""Which features a bundle's score can depend on."""

from training.bundle import Bundle
from training.rules import RULES


def inputs_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the names of the features that were open to the model, or that the rule reads, in the bundle's order."""
    said = bundle.manifest
    if said["kind"] == "rule":
        read = {condition.feature for condition in RULES[str(said["approach"])].conditions}
    else:
        read = set(said["settings"].get("inputs") or said["feature_names"])
    return tuple(name for name in said["feature_names"] if name in read)
