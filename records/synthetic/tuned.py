"""What was tuned until the published figures came out: `tuned.json`, made by `python -m benchmarks.tune_network`.

The numbers belong to the process, not to a run: every network, small or large, whole or in clusters, uses the
same. So a small network strays from the published figures by chance, as a real one does.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read() -> Mapping[str, Any]:
    """Return all of them, as they stand in the file."""
    text = files("records.synthetic").joinpath("tuned.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def mean_weight(name: str) -> Sequence[float]:
    """Return the mean weight of a `sanctions.Weights` field in each of `published.BANDS`."""
    found: Sequence[float] = read()["means"].get(name, (1.0, 1.0, 1.0))
    return found


def factor(band: str, code: str) -> float:
    """Return what multiplies the rate at which an attendance code starts in a band."""
    return float(read()["codes"][band].get(code, 1.0))


def centre(band: str, attribute: str) -> float:
    """Return the mean log ratio (`published.log_ratios`) of London's pupils of a band."""
    return float(read()["centres"].get(band, {}).get(attribute, 0.0))
