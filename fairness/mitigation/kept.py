"""A search that was made, kept in the home: training one of its points does not make it again."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from fairness.mitigation.trying import Point
from fairness.policy import Policy
from features.catalogue import fingerprint
from records.home import Home
from records.protected import ProtectedStore
from records.store import Store
from training.bundle import scoring_digest, sha256
from training.settings import Settings

FILE = "fair.json"


def key_of(home: Home, settings: Settings, policy: Policy, today: date) -> str:
    """Return a digest of all that a search depends on: records, settings, limits, features, code and the day."""
    depends = {
        "records": dict(Store(home).versions()),
        "protected": dict(ProtectedStore(home).versions()),
        "settings": asdict(settings),
        "policy": policy.digest,
        "features": fingerprint(),
        "code": scoring_digest(),
        "today": today.isoformat(),
    }
    return sha256(json.dumps(depends, sort_keys=True, default=str).encode())


def keep(folder: Path, key: str, points: Sequence[Point]) -> None:
    """Write a search's points into a folder that exists."""
    said = {"of": key, "points": [asdict(point) for point in points]}
    (folder / FILE).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def kept(folder: Path, key: str) -> tuple[Point, ...]:
    """Return the points of a search of this key; none where there is no such search, or its file is damaged."""
    try:
        said = json.loads((folder / FILE).read_bytes())
        return tuple(Point(**point) for point in said["points"]) if said["of"] == key else ()
    except (OSError, ValueError, KeyError, TypeError):
        return ()
