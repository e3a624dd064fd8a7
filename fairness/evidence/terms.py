"""Each audited term alone: whether what the terms say together hides one that says otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from fairness.audit import cells_of
from fairness.cells import Cell
from fairness.evaluation import Evaluation
from fairness.exhibits import TermCells
from fairness.gate import judge
from fairness.policy import Policy


@dataclass(frozen=True)
class _OneTerm:
    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame


def cells_by_term(
    evaluation: Evaluation, groups: pd.DataFrame, policy: Policy, term_of: Mapping[pd.Timestamp, str]
) -> dict[str, tuple[Cell, ...]]:
    """Return term → its cells of the judged metrics, with the gate's verdict on that term by itself, oldest first.

    Parameters
    ----------
    term_of
        As-of day → the term it lies in, as the pupil-terms name it. A term without a weekly score is left out.
    """
    judged = policy.model_copy(
        update={
            "metrics": tuple(metric for metric in policy.metrics if metric.gate),
            "attributes": tuple(one for one in policy.attributes if one.gate != "report"),
        }
    )
    days = evaluation.snapshots["as_of"].map(dict(term_of))
    found = {}
    for term in _in_time(map(str, evaluation.pupil_terms["term"].unique()), term_of):
        rows = evaluation.pupil_terms[evaluation.pupil_terms["term"] == term]
        weeks = evaluation.snapshots[days == term]
        if len(weeks):
            found[term] = judge(cells_of(_OneTerm(rows, weeks), groups, judged, whole=False), policy)
    return found


def _in_time(terms: Iterable[str], term_of: Mapping[pd.Timestamp, str]) -> list[str]:
    """Return the terms by their first as-of day; the label of a term does not sort by time."""
    first: dict[str, pd.Timestamp] = {}
    for day, term in term_of.items():
        first[term] = min(day, first.get(term, day))
    return sorted((term for term in terms if term in first), key=first.__getitem__)


def terms_alone(
    evaluation: Evaluation, groups: pd.DataFrame, policy: Policy, term_of: Mapping[pd.Timestamp, str]
) -> tuple[TermCells, ...]:
    """Return each term's cells as an exhibit, the newest marked."""
    found = cells_by_term(evaluation, groups, policy, term_of)
    newest = list(found)[-1] if found else ""
    return tuple(TermCells(term=term, newest=term == newest, cells=cells) for term, cells in found.items())
