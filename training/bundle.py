"""What is signed and deployed: one manifest and the model's text, known by the manifest's digest.

The digest of the bytes is checked before anything is parsed: a truncated LightGBM text kills the
process that reads it, and one edited leaf would load in silence and change scores.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import rfc8785

SCHEMA = "belong-bundle/2"
# Approach → the kind of model that its bundle holds (training/kinds.py).
APPROACHES: Mapping[str, str] = {
    "model": "booster",
    "logistic": "logistic",
    "rule_of_thumb": "rule",
    "prior_suspensions": "rule",
}
MANIFEST_FILE = "bundle.json"
MODEL_FILE = "model.txt"
# The modules whose code decides a score, a flag or a reason; every file of features/ is one.
SCORING_MODULES: Mapping[str, tuple[str, ...]] = {
    "records": ("history.py", "calendar.py", "codes.py", "table.py", "tables.py", "protected_tables.py"),
    "training": (
        "model.py",
        "kinds.py",
        "linear.py",
        "rules.py",
        "calibration.py",
        "rise.py",
        "flags.py",
        "reasons.py",
        "changes.py",
        "levers.py",
        "ease.py",
        "why.py",
        "trees.py",
        "leaves.py",
        "bunches.py",
        "contributions.py",
        "scorer.py",
        "single_row.py",
        "week.py",
        "weeks.py",
        "bundle.py",
    ),
}
NEEDED = (
    "schema",
    "approach",
    "kind",
    "model_sha256",
    "calibrator",
    "flag_rule",
    "horizon_weeks",
    "feature_names",
    "feature_fingerprint",
    "scoring_digest",
    "base_rates",
    "settings",
    "settings_digest",
    "data",
    "periods",
)


class DigestMismatch(Exception):
    """The bytes are not those that the digest names; nothing was parsed."""


class BundleRefused(ValueError):
    """A manifest that lacks something, or holds what canonical JSON cannot say."""


@dataclass(frozen=True)
class Bundle:
    """The manifest, as plain values, and the model's text, as bytes. See `NEEDED` for what a manifest says.

    `approach` is a key of `APPROACHES`, `kind` what the model's text is: trees, coefficients or a rule.
    """

    manifest: Mapping[str, Any]
    model: bytes

    def __post_init__(self) -> None:
        missing = [name for name in NEEDED if name not in self.manifest]
        if missing:
            raise BundleRefused(f"the manifest lacks {', '.join(missing)}; make bundles with training.run.train")
        if self.manifest["schema"] != SCHEMA:
            raise BundleRefused(f"bundle schema {self.manifest['schema']!r}; this program reads {SCHEMA!r}")
        approach, kind = self.manifest["approach"], self.manifest["kind"]
        if APPROACHES.get(approach) != kind:
            raise BundleRefused(
                f"approach {approach!r} with a model of kind {kind!r}; there are "
                + ", ".join(f"{name} ({its})" for name, its in APPROACHES.items())
            )
        if self.manifest["model_sha256"] != sha256(self.model):
            raise DigestMismatch("the model's text is not the one its manifest names; fetch the bundle again")

    @cached_property
    def manifest_bytes(self) -> bytes:
        """The canonical JSON (RFC 8785) of the manifest."""
        try:
            return rfc8785.dumps(dict(self.manifest))
        except (rfc8785.CanonicalizationError, ValueError) as error:
            raise BundleRefused(f"the manifest has no canonical JSON: {error}") from error

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of the canonical manifest, which names the model's own."""
        return sha256(self.manifest_bytes)

    def write(self, folder: Path) -> Path:
        """Write `bundle.json` and `model.txt` into the folder, made if need be, and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MODEL_FILE).write_bytes(self.model)
        (folder / MANIFEST_FILE).write_bytes(self.manifest_bytes)
        return folder


def sha256(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def verified(manifest: bytes, model: bytes, digest: str) -> Bundle:
    """Return the bundle of these bytes, once they are proven to be those the digest names.

    Raises
    ------
    DigestMismatch
        The manifest's or the model's bytes differ; raised before either is parsed as a model.
    """
    if sha256(manifest) != digest:
        raise DigestMismatch(f"bundle.json is not the one with digest {digest[:16]}...; fetch the bundle again")
    said = json.loads(manifest)
    bundle = Bundle(said, model)
    if bundle.manifest_bytes != manifest:
        raise DigestMismatch("bundle.json is not canonical JSON; make bundles with training.run.train")
    return bundle


def read_verified(folder: Path, digest: str) -> Bundle:
    """Return the bundle in the folder, its bytes read once and checked before they are parsed.

    Raises
    ------
    DigestMismatch
        A file is missing or its bytes are not those the digest names.
    """
    try:
        manifest, model = (folder / MANIFEST_FILE).read_bytes(), (folder / MODEL_FILE).read_bytes()
    except FileNotFoundError as error:
        raise DigestMismatch(f"{Path(str(error.filename)).name} is missing from the bundle; fetch it again") from None
    return verified(manifest, model, digest)


def scoring_digest() -> str:
    """Return the SHA-256 of the source of every module that a score, a flag or a reason depends on."""
    taken: list[tuple[str, bytes]] = []
    for package, names in SCORING_MODULES.items():
        taken += [(f"{package}/{name}", files(package).joinpath(name).read_bytes()) for name in names]
    for folder in ("features", "features.definitions"):
        found = [item for item in files(folder).iterdir() if item.name.endswith(".py")]
        taken += [(f"{folder.replace('.', '/')}/{item.name}", item.read_bytes()) for item in found]
    whole = hashlib.sha256()
    for name, content in sorted(taken):
        # Line endings are a matter of how the code was fetched, not of what it says.
        whole.update(f"{name}\0{sha256(content.replace(bytes([13, 10]), bytes([10])))}\n".encode())
    return whole.hexdigest()
