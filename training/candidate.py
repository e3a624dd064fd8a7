"""A candidate: a bundle, its held-out flags and what they were worth. The gate has not seen it yet."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from records.home import Home
from training.bundle import Bundle, read_verified
from training.evaluate import Evaluation

_FRAMES = ("allocation", "comparison", "variants")
_EVALUATION_FRAMES = ("pupil_terms", "snapshots", "bands")


class NoCandidate(Exception):
    """The home holds no candidate with this digest."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What training ends at.

    Attributes
    ----------
    bundle
        What would be signed and deployed, byte for byte.
    allocation
        The allocation log of the audit period (columns `flags.ALLOCATION`).
    evaluation
        The model's flags against what came.
    comparison
        One row per approach: 'model' first, then the rules it must beat.
    variants
        The same numbers for the model with other flag rules: to read, never to choose by.
    periods
        Period → first date, last date, number of as-of dates.
    data
        Delta versions read, and the digest of the training rows.
    run_id
        The MLflow run, '' when none was logged.
    trained_by
        Person ids of those who trained it: none of them may sign its approval.
    """

    bundle: Bundle
    allocation: pd.DataFrame
    evaluation: Evaluation
    comparison: pd.DataFrame
    variants: pd.DataFrame
    periods: Mapping[str, list[str]]
    data: Mapping[str, Any]
    run_id: str = ""
    trained_by: tuple[str, ...] = ()


def save_candidate(home: Home, candidate: Candidate) -> Path:
    """Write the candidate to `home.candidates/<digest>/` and return the folder."""
    folder = candidate.bundle.write(home.candidates / candidate.bundle.digest)
    for name in _FRAMES:
        getattr(candidate, name).to_parquet(folder / f"{name}.parquet", index=False)
    for name in _EVALUATION_FRAMES:
        getattr(candidate.evaluation, name).to_parquet(folder / f"{name}.parquet", index=False)
    said = asdict(candidate.evaluation)
    record = {
        "summary": said["summary"],
        "lead_days": said["lead_days"],
        "periods": dict(candidate.periods),
        "data": dict(candidate.data),
        "run_id": candidate.run_id,
        "trained_by": list(candidate.trained_by),
    }
    (folder / "candidate.json").write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    return folder


def load_candidate(home: Home, digest: str) -> Candidate:
    """Return the candidate with this digest.

    Raises
    ------
    NoCandidate
        There is none; the message lists those there are.
    DigestMismatch
        Its bytes are not those the digest names.
    """
    folder = home.candidates / digest
    if not (folder / "candidate.json").exists():
        held = sorted(path.name[:16] for path in home.candidates.glob("*") if path.is_dir())
        raise NoCandidate(f"no candidate {digest[:16]}; the home holds {', '.join(held) or 'none'}. Run `belong train`")
    frames = {name: _read(folder / f"{name}.parquet") for name in (*_FRAMES, *_EVALUATION_FRAMES)}
    record = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
    evaluation = Evaluation(
        summary=record["summary"],
        lead_days=record["lead_days"],
        **{name: frames[name] for name in _EVALUATION_FRAMES},
    )
    return Candidate(
        bundle=read_verified(folder, digest),
        evaluation=evaluation,
        periods=record["periods"],
        data=record["data"],
        run_id=record["run_id"],
        trained_by=tuple(record["trained_by"]),
        **{name: frames[name] for name in _FRAMES},
    )


def _read(file: Path) -> pd.DataFrame:
    """Return the frame with its dates in seconds, which Parquet cannot say."""
    frame = pd.read_parquet(file)
    dates = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(dates, "datetime64[s]"))
