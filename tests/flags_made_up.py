"""Audits of made-up pupils, counted here: for what is published of them, not for how they are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from fairness.exhibits import Evidence, TermCells
from fairness.findings import EVERYONE, Audit, Cell
from fairness.gate import judge
from fairness.policy import Policy

METRICS = {
    "recall": ("found", "positives"),
    "false_alarms": ("wrong", "positives"),
    "fpr_ratio": ("wrong", "negatives"),
    "precision_ratio": ("found", "flagged"),
    "oe_ratio": ("weeks", "weeks"),
    "selection_ratio": ("flagged", "terms"),
    "false_omission": ("missed", "not_found"),
}
COUNTS = ("pupils", "terms", "positives", "found", "late", "wrong")
_SKEW = {"sex": 5.0, "fsm": 3.0, "eal": 3.0}


@dataclass(frozen=True)
class MadePupils:
    """Pupils with groups, and by term whether each was suspended: the same whatever model is audited."""

    groups: Mapping[str, np.ndarray]
    suspended: Mapping[str, np.ndarray]


def made_pupils(seed: int, pupils: int, terms: tuple[str, ...], policy: Policy, unknown: float = 0.0) -> MadePupils:
    """Return pupils of a network of any size; `unknown` is the share whose group is not known, by attribute."""
    rng = np.random.default_rng(seed)
    groups = {}
    for attribute in (one for one in policy.attributes if len(one.columns) == 1):
        share = rng.dirichlet([_SKEW.get(attribute.name, 1.0)] * len(attribute.groups)) * (1 - unknown)
        labels = (*attribute.groups, attribute.report_only[0])
        groups[attribute.name] = rng.choice(labels, pupils, p=[*share, unknown])
    rate = rng.uniform(0.02, 0.2) * np.where(groups["sen"] == "none", 0.7, 2.0)
    return MadePupils(groups, {term: rng.random(pupils) < rate for term in terms})


def made_audit(made: MadePupils, terms: tuple[str, ...], policy: Policy, *, seed: int) -> tuple[Audit, dict[str, int]]:
    """Return the audit of a model's flags over these terms, and everybody's counts by the name of the flags' model."""
    rng = np.random.default_rng(seed)
    caught, early, alarms = rng.uniform(0.2, 0.7), rng.uniform(0.5, 1.0), rng.uniform(0.01, 0.12)
    of_term = {}
    for term in terms:
        suspended = made.suspended[term]
        flagged = rng.random(len(suspended)) < np.where(suspended, caught, alarms)
        late = suspended & flagged & (rng.random(len(suspended)) > early)
        of_term[term] = {
            "pupils": np.ones(len(suspended), int),
            "terms": np.ones(len(suspended), int),
            "positives": suspended.astype(int),
            "found": (suspended & flagged & ~late).astype(int),
            "late": late.astype(int),
            "wrong": (flagged & ~suspended).astype(int),
        }
    counted = {name: sum(one[name] for one in of_term.values()) for name in COUNTS}
    counted["pupils"] = np.ones(len(made.groups["sex"]), int)
    both = np.char.add(np.char.add(made.groups["sex"].astype(str), ", "), made.groups["sen"].astype(str))
    both[(made.groups["sex"] == "unknown") | (made.groups["sen"] == "unknown")] = "not known"
    cells = _cells(made, policy, counted, both)
    alone = tuple(
        TermCells(term=term, newest=term == terms[-1], cells=judge(_cells(made, policy, one, both), policy))
        for term, one in of_term.items()
    )
    audit = Audit(
        bundle_digest=f"{seed:064x}",
        policy_digest=policy.digest,
        period=(date(2025, 9, 1), date(2026, 3, 1)),
        created_on=date(2026, 3, 20),
        terms=terms,
        pupils=len(both),
        pupil_terms=int(counted["terms"].sum()),
        schools=9,
        cells=tuple(cells),
        comparison=(
            {"approach": "model", "recall": 0.5, "precision": 0.2},
            *(
                {"approach": name, "recall": 0.3, "precision": 0.1}
                for name in ("rule_of_thumb", "prior_suspensions", "school_year_rate")
            ),
        ),
        practice=(),
        base_rates={"SS": 0.05},
        evaluation_digest="e" * 64,
        made_with={"seed": "1"},
        evidence=Evidence(terms=alone),
    )
    return audit, {name: int(values.sum()) for name, values in counted.items()}


def _cells(made: MadePupils, policy: Policy, counted: Mapping[str, np.ndarray], both: np.ndarray) -> list[Cell]:
    cells = [_cell(EVERYONE, EVERYONE, name, counted, np.full(len(both), True)) for name in METRICS]
    for attribute in policy.attributes:
        labels = both if len(attribute.columns) > 1 else made.groups[attribute.name]
        for group in (*attribute.groups, *attribute.report_only, "not known"):
            mine = labels == group
            if group in attribute.groups or mine.any():
                cells += [_cell(attribute.name, group, name, counted, mine) for name in METRICS]
    return cells


def counts_of(counted: Mapping[str, np.ndarray], mine: np.ndarray) -> dict[str, int]:
    """Return a group's counts, with those that follow from them."""
    said = {name: int(values[mine].sum()) for name, values in counted.items()}
    said["flagged"] = said["found"] + said["late"] + said["wrong"]
    said["missed"] = said["positives"] - said["found"]
    said["negatives"] = said["terms"] - said["positives"]
    said["not_found"] = said["terms"] - said["found"]
    said["weeks"] = 10 * said["terms"]
    return said


def _cell(attribute: str, group: str, metric: str, counted: Mapping[str, np.ndarray], mine: np.ndarray) -> Cell:
    own, rest = counts_of(counted, mine), counts_of(counted, ~mine)
    hits, base = METRICS[metric]
    cell = Cell(
        attribute=attribute,
        group=group,
        metric=metric,
        gate="report",
        pupils=own["pupils"],
        n=own[base],
        positives=own["positives"],
        rest_positives=rest["positives"],
    )
    if not own[base]:
        return Cell(**{**cell.__dict__, "why": "nothing of this group to count"})
    share = own[hits] / own[base]
    if not rest[base] or (metric != "recall" and not rest[hits]):
        return Cell(**{**cell.__dict__, "estimate": share, "why": "nothing to compare with"})
    other = rest[hits] / rest[base]
    gap = other - share if metric in {"recall", "false_omission"} else share / other
    return Cell(
        **{
            **cell.__dict__,
            "estimate": share,
            "rest_estimate": other,
            "harm": gap,
            "lower": gap - 0.2,
            "upper": gap + 0.2,
            "p_outside": 0.5,
            "effective_n": float(own[base]),
        }
    )
