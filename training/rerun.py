"""What a run changed since the one before it, in words: records, settings, code, and what they made of the model."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from records.home import Home
from training.bundle import Bundle, BundleRefused, DigestMismatch
from training.candidate import Candidate, CandidateDamaged, load_candidate

SHOWN = ("recall", "precision", "average_precision")


def last_run(home: Home) -> Candidate | None:
    """Return the candidate saved last; None: there is none, or none that this version can read."""
    saved = sorted(home.candidates.glob("*/candidate.json"), key=lambda file: file.stat().st_mtime_ns)
    try:
        return load_candidate(home, saved[-1].parent.name) if saved else None
    except (CandidateDamaged, DigestMismatch, BundleRefused):
        return None


def since(old: Candidate, new: Candidate) -> tuple[str, ...]:
    """Return a sentence for each thing that differs between two runs, causes first; the same digest is one sentence."""
    if old.bundle.digest == new.bundle.digest:
        return ("The same bundle, byte for byte.",)
    causes = tuple(_causes(old.bundle.manifest, new.bundle.manifest))
    return (*causes, *_effects(old.bundle, new.bundle), *_figures(old, new))


def _causes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["approach"] != new["approach"]:
        yield f"Approach: {old['approach']} → {new['approach']}"
    for name, said in _differing(old["settings"], new["settings"]):
        yield f"Setting {name}: {said}"
    for name, said in _differing(old["data"].get("tables", {}), new["data"].get("tables", {})):
        yield f"Records, {name}: version {said}"
    for name, said in _differing(_spans(old), _spans(new)):
        yield f"Weeks, {name}: {said}"
    before, after = old["feature_names"], new["feature_names"]
    for words, names in (("new", set(after) - set(before)), ("gone", set(before) - set(after))):
        if names:
            yield f"Features {words}: {', '.join(sorted(names))}"
    if set(before) == set(after) and old["feature_fingerprint"] != new["feature_fingerprint"]:
        yield "Features: declared in another way, or another order"
    if old["scoring_digest"] != new["scoring_digest"]:
        yield "The code that scores and explains"
    for name, said in _differing(old.get("made_with", {}), new.get("made_with", {})):
        yield f"{name}: {said}"


def _spans(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{first} to {last} ({number})" for name, (first, last, number) in manifest["periods"].items()}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield name, f"{_plain(before)} → {_plain(after)}"


def _plain(value: object) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)


def _effects(old: Bundle, new: Bundle) -> Iterator[str]:
    before, after = old.manifest, new.manifest
    rows = {side: said["data"].get("training_rows", 0) for side, said in (("before", before), ("after", after))}
    if before["data"].get("training_sha256") == after["data"].get("training_sha256"):
        yield f"Training rows: the same {rows['after']}"
    else:
        yield f"Training rows: {rows['before']} → {rows['after']}"
    yield "Model: the same bytes" if old.model == new.model else "Model: other bytes"
    for name, words in (("calibrator", "Calibration"), ("flag_rule", "Flag rule"), ("base_rates", "Base rates")):
        differing = dict(_differing(before[name], after[name]))
        yield f"{words}: {'; '.join(f'{key} {said}' for key, said in differing.items()) or 'the same'}"


def _figures(old: Candidate, new: Candidate) -> Iterator[str]:
    before, after = (one.evaluation.summary.get("all", {}) for one in (old, new))
    for name in SHOWN:
        if name in before and name in after:
            yield f"Held-out {name.replace('_', ' ')}: {before[name]:.3f} → {after[name]:.3f}"
