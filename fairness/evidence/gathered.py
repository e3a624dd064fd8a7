"""All the evidence of one audit on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from fairness.cells import Cell
from fairness.evidence.coverage import coverage
from fairness.evidence.discretion import tipping_points
from fairness.evidence.material import Material
from fairness.evidence.outcomes import other_outcomes
from fairness.evidence.practice import practice_slices, recording
from fairness.evidence.proxies import ALERT, proxy_tests
from fairness.evidence.schools import funnels
from fairness.evidence.sentences import sentences
from fairness.evidence.terms import terms_alone
from fairness.exhibits import Coverage, Evidence, LeftOut
from fairness.policy import Policy
from features.catalogue import CATALOGUE
from training.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose evidence: a candidate's flags, the cells that the gate judges, the groups of its pupils, the limits."""

    candidate: Candidate
    cells: Sequence[Cell]
    groups: pd.DataFrame
    policy: Policy
    first: date


def covered(material: Material, candidate: Candidate, groups: pd.DataFrame, policy: Policy) -> tuple[Coverage, ...]:
    """Return who was evaluated of those whom the records have on roll."""
    return coverage(candidate.evaluation, material.on_roll, material.suspended, groups, policy)


def gather(
    asked: Asked, material: Material, coverage_rows: tuple[Coverage, ...], left_out: tuple[LeftOut, ...] = ()
) -> Evidence:
    """Return the evidence, with sentences on what stands out and notes on what was not made."""
    candidate, policy, groups = asked.candidate, asked.policy, asked.groups
    evaluation = candidate.evaluation
    days = candidate.ground[["as_of", "term"]].drop_duplicates()
    risks = {feature.name: feature.proxy_risk.of for feature in CATALOGUE if feature.proxy_risk is not None}
    matrix = material.matrix
    found = Evidence(
        funnels=funnels(evaluation, policy),
        terms=terms_alone(evaluation, groups, policy, dict(zip(days["as_of"], days["term"], strict=True))),
        proxies=() if matrix is None else proxy_tests(matrix, material.outcomes, groups, policy, risks),
        proxy_alert=ALERT,
        left_out=left_out,
        other_outcomes=other_outcomes(material.others, evaluation, asked.cells, groups, policy),
        tipping=tipping_points(asked.cells, evaluation, groups, policy),
        practice=practice_slices(material.during(asked.first), groups, policy),
        recording=recording(material.suspensions, material.behaviour, groups, policy),
        coverage=coverage_rows,
        notes=tuple(_notes(material, left_out)),
    )
    return replace(found, sentences=sentences(found, policy))


def _notes(material: Material, left_out: tuple[LeftOut, ...]) -> list[str]:
    notes = []
    if material.matrix is None:
        notes.append("No proxy tests: a rule reads what it says and nothing else.")
    if material.drawn < 1:
        share = f"{material.drawn:.0%} of the pupils, drawn by pseudonym"
        notes.append(f"Proxy tests and severe absence are of {share}: the rest would take long and change little.")
    if not left_out:
        notes.append(
            "No feature was left out and the model trained again: belong audit --leave-one-out risk does it for "
            "features with a declared risk and for each family, --leave-one-out all for every feature."
        )
    return notes
