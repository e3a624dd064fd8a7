"""The evaluation that is audited: held-out flags and scores, checked, labelled by group and counted."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd

from fairness.findings import LIFT
from fairness.groups import UNKNOWN
from fairness.metrics import BY_NAME, METRICS
from fairness.policy import Attribute, Policy
from fairness.resampling import Floats, Ints
from fairness.sums import Labels, Tally
from records.refusal import Refusal

NOT_KNOWN = "not known"
_TERM_COLUMNS = ("pupil", "school", "phase", "term", "outcome", "flagged", "flagged_any")
_WEEK_COLUMNS = ("pupil", "as_of", "school", "probability", "outcome")


class AuditRefused(Refusal):
    """The evaluation, the groups or the policy cannot be audited; the message says what to do."""


class Evaluation(Protocol):
    """Held-out flags against what happened: see `training.candidate`."""

    @property
    def pupil_terms(self) -> pd.DataFrame:
        """pupil, school, phase, term, outcome, flagged (in time), flagged_any; one row a pupil and term."""

    @property
    def snapshots(self) -> pd.DataFrame:
        """pupil, as_of, school, probability, outcome; one row a pupil and weekly score."""


def check_evaluation(terms: pd.DataFrame, weeks: pd.DataFrame, policy: Policy) -> None:
    """Refuse frames that do not say what they should. Raises AuditRefused."""
    for name, frame, wanted in (("pupil_terms", terms, _TERM_COLUMNS), ("snapshots", weeks, _WEEK_COLUMNS)):
        missing = [column for column in wanted if column not in frame.columns]
        if missing or frame.empty:
            raise AuditRefused(f"{name}: {'no rows' if not missing else 'missing columns ' + ', '.join(missing)}")
    for name, frame, columns in (
        ("pupil_terms", terms, ("outcome", "flagged", "flagged_any")),
        ("snapshots", weeks, ("outcome",)),
    ):
        wrong = [column for column in columns if not frame[column].isin([0, 1]).all()]
        if wrong:
            raise AuditRefused(f"{name}: {', '.join(wrong)} must be 0 or 1 in every row")
    if (terms["flagged"] > terms["flagged_any"]).any():
        raise AuditRefused("pupil_terms: flagged in time implies flagged at all (flagged <= flagged_any)")
    if ((terms["outcome"] == 0) & (terms["flagged"] != terms["flagged_any"])).any():
        raise AuditRefused("pupil_terms: without the outcome no flag is too late (flagged = flagged_any)")
    if terms.duplicated(["pupil", "term"]).any():
        raise AuditRefused("pupil_terms: a pupil stands twice in one term; each pupil-term counts once")
    # A probability of NaN would pass `between` as False, and so would 0 and 1, which no calibrator gives.
    if not weeks["probability"].between(0, 1, inclusive="neither").all():
        raise AuditRefused("snapshots: every probability must be a number between 0 and 1, both excluded")
    for limit in policy.metrics:
        declared = BY_NAME.get(limit.name)
        if declared is None:
            raise AuditRefused(f"policy metric {limit.name!r} is unknown; known: {', '.join(BY_NAME)}")
        if declared.scale != limit.scale:
            raise AuditRefused(
                f"policy metric {limit.name!r} is set on the scale {limit.scale!r}, not {declared.scale!r}"
            )


def labels_of(attribute: Attribute, groups: pd.DataFrame, pupils: Ints) -> Labels:
    """Return each pupil's group; an observed group that the policy does not declare is refused."""
    missing = [column for column in attribute.columns if column not in groups.columns]
    if missing:
        raise AuditRefused(f"groups: attribute {attribute.name!r} needs the column(s) {', '.join(missing)}")
    if groups.index.has_duplicates:
        raise AuditRefused("groups: a pupil stands twice; each belongs to one group of an attribute")
    known = groups.reindex(pupils)
    parts = [known[column].astype("object").fillna(UNKNOWN.get(column, "unknown")) for column in attribute.columns]
    names = parts[0].astype(str)
    for part in parts[1:]:
        names = names + ", " + part.astype(str)
    if len(parts) > 1:
        unknown = np.logical_or.reduce([part.isin(set(UNKNOWN.values())).to_numpy() for part in parts])
        names = names.mask(unknown, NOT_KNOWN)
    declared = (*attribute.groups, *attribute.report_only, *((NOT_KNOWN,) if len(parts) > 1 else ()))
    place = pd.Index(declared).get_indexer(pd.Index(names))
    if (place < 0).any():
        stray = sorted(set(names[place < 0]))
        raise AuditRefused(f"{attribute.name}: observed group(s) {stray} are not in the policy; declare or merge them")
    return Labels(declared, place.astype(np.int64))


def tallies_of(terms: pd.DataFrame, weeks: pd.DataFrame, pupils: Ints, base_rates: Mapping[str, float]) -> list[Tally]:
    """Return every metric's rows, and those of the lift: right flags over the flags' usual chance in their phase."""
    schools = np.unique(np.concatenate([terms["school"].to_numpy(np.int64), weeks["school"].to_numpy(np.int64)]))
    frames = {"pupil_terms": terms, "snapshots": weeks}
    places = {
        name: (
            np.searchsorted(pupils, frame["pupil"].to_numpy(np.int64)).astype(np.int64),
            np.searchsorted(schools, frame["school"].to_numpy(np.int64)).astype(np.int64),
        )
        for name, frame in frames.items()
    }
    tallies = []
    for metric in METRICS:
        frame = frames[metric.rows]
        pupil, school = places[metric.rows]
        base = metric.base(frame)
        rows = base if metric.among else np.ones(len(frame))
        tallies.append(_counted(metric.name, pupil, school, (metric.hits(frame), base, rows)))
    flagged = terms["flagged_any"].to_numpy(np.float64)
    usual = terms["phase"].astype(str).map(dict(base_rates)).to_numpy(np.float64)
    pupil, school = places["pupil_terms"]
    hits = BY_NAME["precision_ratio"].hits(terms)
    tallies.append(_counted(LIFT, pupil, school, (hits, flagged * usual, flagged)))
    return tallies


def _counted(name: str, pupil: Ints, school: Ints, columns: tuple[Floats, Floats, Floats]) -> Tally:
    """Return the tally of hits, base and rows, without the rows that add nothing: for most metrics nearly all."""
    some = np.flatnonzero(np.logical_or.reduce([column != 0 for column in columns]))
    hits, base, rows = (column[some] for column in columns)
    return Tally(name=name, pupil=pupil[some], school=school[some], hits=hits, base=base, rows=rows)


def evaluation_digest(terms: pd.DataFrame, weeks: pd.DataFrame) -> str:
    """Return a digest of the rows audited, whatever their order: it names the data and holds no pupil."""
    digest = hashlib.sha256()
    for frame, columns in ((terms, _TERM_COLUMNS), (weeks, _WEEK_COLUMNS)):
        ordered = frame.sort_values([columns[0], columns[3] if frame is terms else columns[1]])
        for column in columns:
            values = ordered[column]
            numeric = pd.api.types.is_numeric_dtype(values)
            digest.update(column.encode() + b"\0")
            digest.update(
                values.to_numpy(np.float64 if numeric and column == "probability" else np.int64).tobytes()
                if numeric
                else "\n".join(values.astype(str).tolist()).encode()
            )
    return digest.hexdigest()
