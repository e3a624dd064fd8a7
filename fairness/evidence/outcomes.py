"""The same flags against other outcomes: whether a group fares as well where staff's discretion weighs less."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from fairness.audit import cells_of
from fairness.cells import Cell
from fairness.evaluation import Evaluation
from fairness.exhibits import OtherOutcome, OutcomeReading, Reads
from fairness.gate import judge
from fairness.policy import Policy
from training.outcomes import OTHERS

METRICS = ("recall", "false_alarms")


@dataclass(frozen=True)
class _Flags:
    pupil_terms: pd.DataFrame
    snapshots: pd.DataFrame


def other_outcomes(
    terms: Mapping[str, pd.DataFrame],
    evaluation: Evaluation,
    cells: Sequence[Cell],
    groups: pd.DataFrame,
    policy: Policy,
) -> tuple[OtherOutcome, ...]:
    """Return one exhibit for each outcome, in the order of `training.outcomes.OTHERS`.

    Parameters
    ----------
    terms
        Outcome → pupil-terms of the same flags against it (`training.evaluate.flagged_terms`); maybe of a drawn share
        of the pupils only.
    cells
        Of the policy's own outcome, to read the others against.
    """
    asked = policy.model_copy(
        update={
            "metrics": tuple(metric for metric in policy.metrics if metric.name in METRICS),
            "attributes": tuple(one for one in policy.attributes if len(one.columns) == 1),
        }
    )
    # No metric here is of weekly scores: one for each pupil says who was scored.
    weeks = evaluation.snapshots.drop_duplicates("pupil")
    return tuple(_exhibit(name, terms[name], weeks, cells, (groups, policy, asked)) for name in OTHERS if name in terms)


def _exhibit(
    name: str,
    terms: pd.DataFrame,
    weeks: pd.DataFrame,
    cells: Sequence[Cell],
    context: tuple[pd.DataFrame, Policy, Policy],
) -> OtherOutcome:
    groups, policy, asked = context
    positives = int(terms["outcome"].sum()) if len(terms) else 0
    pupils = int(terms["pupil"].nunique()) if len(terms) else 0
    bare = OtherOutcome(
        name=name,
        means=OTHERS[name],
        pupils=pupils,
        pupil_terms=len(terms),
        positives=positives,
        cells=(),
        readings=(),
    )
    least = policy.inference.min_positives
    if positives < least:
        few = f"under {least} pupil-terms with this outcome in the period, so nothing is said of any group"
        return replace(bare, why=few)
    there = weeks[weeks["pupil"].isin(set(terms["pupil"]))]
    found = cells_of(_Flags(terms, there), groups, asked, whole=False)
    # Judged by a policy in which nothing is judged: the cells are there to be looked at.
    shown = judge(found, asked.model_copy(update={"metrics": ()}))
    return replace(bare, cells=shown, readings=tuple(_readings(cells, shown, policy)))


def _readings(own: Sequence[Cell], other: Sequence[Cell], policy: Policy) -> Iterator[OutcomeReading]:
    by_place = {(cell.attribute, cell.group): cell for cell in other if cell.metric == "recall"}
    judged = {attribute.name for attribute in policy.attributes if attribute.gate == "full"}
    for cell in own:
        there = by_place.get((cell.attribute, cell.group))
        if cell.metric != "recall" or cell.attribute not in judged or there is None:
            continue
        if cell.group in policy.attribute(cell.attribute).groups:
            yield OutcomeReading(
                attribute=cell.attribute, group=cell.group, reads=_reads(cell, there, policy.inference.min_positives)
            )


def _reads(own: Cell, other: Cell, least: int) -> Reads:
    if any(min(cell.positives, cell.rest_positives) < least for cell in (own, other)):
        return "too_few"
    if own.lower is None or own.upper is None or other.lower is None or other.upper is None:
        return "too_few"
    if other.lower > own.upper:
        return "worse"
    return "better" if other.upper < own.lower else "agrees"
