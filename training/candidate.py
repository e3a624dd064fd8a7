"""A candidate: a bundle, its held-out flags and what they were worth. The gate has not seen it yet."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from records.home import Home
from records.refusal import Refusal
from training.bundle import Bundle, read_verified, sha256
from training.evaluate import Evaluation

_FRAMES = ("allocation", "comparison", "variants", "ground", "roll")
_EVALUATION_FRAMES = ("pupil_terms", "snapshots", "first_flags", "schools", "bands")


class NoCandidate(Refusal):
    """The home holds no candidate with this digest."""


class CandidateDamaged(Refusal):
    """A file of a candidate's folder, other than its bundle, is missing or not what was saved."""


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
        One row per approach, the candidate's own first (`comparison.compare`).
    variants
        The same numbers for the same scores with other flag rules: to read, never to choose by.
    ground, roll
        What every approach was judged on (`evaluate.Ground.rows`), and each school's roll by as-of date:
        with them other scores can be judged beside this candidate (`belong evaluate`).
    periods
        Period → first date, last date, number of as-of dates.
    data
        Delta versions read, the digest of the training rows, who trained (`trained_by`), and how many of the
        audit's pupil-weeks were not judged and why (`abstained`), and which labels support may have changed
        (`helped.labels`).
    run_id
        The MLflow run, '' when none was logged.
    """

    bundle: Bundle
    allocation: pd.DataFrame
    evaluation: Evaluation
    comparison: pd.DataFrame
    variants: pd.DataFrame
    ground: pd.DataFrame
    roll: pd.DataFrame
    periods: Mapping[str, list[str]]
    data: Mapping[str, Any]
    run_id: str = ""

    @property
    def trained_by(self) -> tuple[str, ...]:
        """Person ids of those who trained it, as the bundle itself names them: none may sign its approval."""
        return tuple(self.bundle.manifest["data"].get("trained_by", ()))


def save_candidate(home: Home, candidate: Candidate) -> Path:
    """Write the candidate to `home.candidates/<digest>/` and return the folder."""
    folder = candidate.bundle.write(home.candidates / candidate.bundle.digest)
    for name in _FRAMES:
        getattr(candidate, name).to_parquet(folder / f"{name}.parquet", index=False)
    for name in _EVALUATION_FRAMES:
        getattr(candidate.evaluation, name).to_parquet(folder / f"{name}.parquet", index=False)
    files = {name: sha256((folder / f"{name}.parquet").read_bytes()) for name in (*_FRAMES, *_EVALUATION_FRAMES)}
    said = asdict(candidate.evaluation)
    record = {
        "summary": said["summary"],
        "lead_days": said["lead_days"],
        "periods": dict(candidate.periods),
        "data": dict(candidate.data),
        "run_id": candidate.run_id,
        "files_sha256": files,
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
    CandidateDamaged
        What was recorded beside them cannot be read.
    """
    folder = home.candidates / digest
    if not (folder / "candidate.json").exists():
        held = sorted(path.name[:16] for path in home.candidates.glob("*") if path.is_dir())
        raise NoCandidate(f"no candidate {digest[:16]}; the home holds {', '.join(held) or 'none'}. Run `belong train`")
    bundle = read_verified(folder, digest)
    try:
        record = json.loads((folder / "candidate.json").read_text(encoding="utf-8"))
        _check_files(folder, record.get("files_sha256", {}))
        frames = {name: _read(folder / f"{name}.parquet") for name in (*_FRAMES, *_EVALUATION_FRAMES)}
        return Candidate(
            bundle=bundle,
            evaluation=Evaluation(
                summary=record["summary"],
                lead_days=record["lead_days"],
                **{name: frames[name] for name in _EVALUATION_FRAMES},
            ),
            periods=record["periods"],
            data=record["data"],
            run_id=record["run_id"],
            **{name: frames[name] for name in _FRAMES},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CandidateDamaged(
            f"the folder of candidate {digest[:12]} is damaged ({type(error).__name__}); run `belong train` again, "
            "which makes the same candidate from the same records"
        ) from error


def _check_files(folder: Path, said: Mapping[str, str]) -> None:
    """Refuse frames that are not those saved: pupils taken out of an evaluation would be out of its audit."""
    other = sorted(name for name, digest in said.items() if sha256((folder / f"{name}.parquet").read_bytes()) != digest)
    if other:
        raise CandidateDamaged(
            f"{', '.join(other)} of candidate {folder.name[:12]} are not as they were saved; run `belong train` again, "
            "which makes the same candidate from the same records"
        )


def _read(file: Path) -> pd.DataFrame:
    """Return the frame with its dates in seconds, which Parquet cannot say."""
    frame = pd.read_parquet(file)
    dates = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(dates, "datetime64[s]"))
