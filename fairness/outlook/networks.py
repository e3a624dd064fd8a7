"""Networks drawn in a moment, to ask the gate what it would say: who is in trouble, recorded, flagged, suspended.

Not the simulator of `records.synthetic`, whose years of records take minutes: here a pupil's term is one state,
trouble or none. Trouble leads to incidents; what is recorded of them decides who is flagged, within each
school's capacity; trouble leads to suspension with one and the same chance for everybody. So error rates are
equal for all groups, whatever their base rates, unless one group is passed over: a share of its incidents is
not written down.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from fairness.evaluation import tallies_of
from fairness.findings import EVERYONE, LIFT
from fairness.policy import Attribute, Policy
from fairness.resampling import Floats, Ints
from fairness.sums import Labels, Tally

WEEKS_A_TERM = 13
# Of the term's weekly scores, how many look forward to a suspension that comes: half of the term's weeks.
WEEKS_AHEAD = 6
# A simulated demonstration of 12,000 pupils, two terms audited (docs/decisions.md, 49): what is drawn is set so that
# recall, precision and the share flagged come out near its own.
SUSPENDED_IN_TROUBLE, UNWARNED, IN_TIME = 0.42, 0.08, 0.52
INCIDENTS_IN_TROUBLE, INCIDENTS_OTHERWISE, LEAST_INCIDENTS = 2.0, 0.06, 2
SCHOOL_SPREAD, PUPIL_SHAPE = 0.35, 1.0
PHASE = "all"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A network to draw.

    Attributes
    ----------
    shares
        Column of the groups frame (sex, ethnicity, ...) → group → share of pupils; they need not sum to 1.
    ratios
        The same → the group's base rate over everybody's.
    base_rate
        Pupil-terms with the outcome, of all.
    passed_over
        (column, group, share of its incidents not written down), or None: a fair network.
    """

    pupils: int
    schools: int
    shares: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, Mapping[str, float]]
    base_rate: float
    terms: int = 2
    passed_over: tuple[str, str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A network as the audit counts it; `positives` are each pupil's pupil-terms with the outcome."""

    tallies: tuple[Tally, ...]
    labels: Mapping[str, Labels]
    positives: Floats
    pupils: int
    pupil_terms: int
    schools: int


def draw(setting: Setting, policy: Policy, rng: np.random.Generator) -> Drawn:
    """Return a network with what the policy judges, counted by the audit's own rooms."""
    people = {column: _choose(shares, setting.pupils, rng) for column, shares in setting.shares.items()}
    frame = _pupil_terms(setting, policy, people, rng)
    pupils = np.arange(setting.pupils, dtype=np.int64)
    judged = {metric.name for metric in policy.metrics if metric.gate} | {LIFT}
    rate = float(frame["outcome"].mean())
    # One row stands for a term's weekly scores: as many rows, hits and expectations as those would have.
    weeks = frame.assign(outcome=WEEKS_AHEAD * frame["outcome"], probability=WEEKS_AHEAD * frame["probability"])
    tallies = [
        replace(tally, rows=tally.rows * WEEKS_A_TERM) if tally.name == "oe_ratio" else tally
        for tally in tallies_of(frame, weeks, pupils, {PHASE: rate})
        if tally.name in judged
    ]
    labels = {EVERYONE: Labels((EVERYONE,), np.zeros(setting.pupils, np.int64))}
    labels |= {a.name: _labels(a, setting, people) for a in policy.attributes}
    came = frame["outcome"].to_numpy(np.float64)
    positives = np.bincount(frame["pupil"].to_numpy(np.int64), weights=came, minlength=setting.pupils).astype(
        np.float64
    )
    return Drawn(
        tallies=tuple(tallies),
        labels=labels,
        positives=positives,
        pupils=setting.pupils,
        pupil_terms=len(frame),
        schools=setting.schools,
    )


def _choose(shares: Mapping[str, float], pupils: int, rng: np.random.Generator) -> Ints:
    whole = np.cumsum(list(shares.values()))
    return np.searchsorted(whole / whole[-1], rng.random(pupils), side="right").astype(np.int64)


def _labels(attribute: Attribute, setting: Setting, people: Mapping[str, Ints]) -> Labels:
    """Return each pupil's group by an attribute of the policy; several columns are joined as the audit joins them."""
    names = [""]
    codes = np.zeros(setting.pupils, np.int64)
    for column in attribute.columns:
        own = list(setting.shares[column])
        names = [f"{name}, {group}" if name else group for name in names for group in own]
        codes = codes * len(own) + people[column]
    declared = (*attribute.groups, *(name for name in names if name not in attribute.groups))
    place = np.array([declared.index(name) for name in names])
    return Labels(declared, place[codes])


def _pupil_terms(
    setting: Setting, policy: Policy, people: Mapping[str, Ints], rng: np.random.Generator
) -> pd.DataFrame:
    """Return pupil, school, phase, outcome, flagged, flagged_any, probability: one row a pupil and term."""
    pupils, terms = setting.pupils, setting.terms
    school = rng.integers(0, setting.schools, pupils)
    ratio = np.ones(pupils)
    for column, codes in people.items():
        ratio *= np.array([setting.ratios[column].get(group, 1.0) for group in setting.shares[column]])[codes]
    own = ratio * np.exp(rng.normal(0, SCHOOL_SPREAD, setting.schools))[school]
    own *= rng.gamma(PUPIL_SHAPE, 1 / PUPIL_SHAPE, pupils)
    warned = setting.base_rate * (1 - UNWARNED)
    chance = np.minimum(own * (warned / SUSPENDED_IN_TROUBLE / own.mean()), 0.95)
    chance = np.repeat(chance, terms)
    trouble = rng.random(pupils * terms) < chance
    outcome = rng.random(pupils * terms) < np.where(
        trouble, SUSPENDED_IN_TROUBLE, setting.base_rate * UNWARNED / (1 - chance)
    )
    written = np.ones(pupils)
    if setting.passed_over is not None:
        column, group, share = setting.passed_over
        written[people[column] == list(setting.shares[column]).index(group)] = 1 - share
    means = np.where(trouble, INCIDENTS_IN_TROUBLE, INCIDENTS_OTHERWISE) * np.repeat(written, terms)
    incidents = rng.poisson(means)
    rows = pd.DataFrame(
        {
            "pupil": np.repeat(np.arange(pupils, dtype=np.int64), terms),
            "school": np.repeat(school, terms),
            "phase": PHASE,
            "outcome": outcome.astype(np.int8),
        }
    )
    any_flag = _flagged(setting, policy, rows["school"].to_numpy(), incidents, rng)
    in_time = any_flag & (~outcome | (rng.random(pupils * terms) < IN_TIME))
    rows["flagged_any"], rows["flagged"] = any_flag.astype(np.int8), in_time.astype(np.int8)
    rows["probability"] = _probability(setting, chance, incidents)
    return rows


def capacity(policy: Policy, roll: float) -> float:
    """Return how many pupils a school of this roll can look at in a term; parts of one are carried over."""
    rule = policy.capacity
    return min(max(rule.share_of_roll * roll, rule.min), rule.max) * WEEKS_A_TERM


def _flagged(
    setting: Setting, policy: Policy, school: Ints, incidents: Ints, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Flag the pupils with the most recorded incidents in each school and term, within its capacity."""
    asked = np.flatnonzero(incidents >= LEAST_INCIDENTS)
    place = (school * setting.terms + np.arange(len(school)) % setting.terms)[asked]
    order = np.lexsort((rng.random(len(asked)), -incidents[asked], place))
    ranked = place[order]
    first = np.searchsorted(ranked, ranked)
    rolls = np.bincount(school, minlength=setting.schools) / setting.terms
    limits = np.array([capacity(policy, float(roll)) for roll in rolls])
    kept = np.arange(len(ranked)) - first < limits[ranked // setting.terms]
    flagged = np.zeros(len(school), np.bool_)
    flagged[asked[order[kept]]] = True
    return flagged


def _probability(setting: Setting, chance: Floats, incidents: Ints) -> Floats:
    """Return what a model that knows pupils' chances and recorded incidents, but no group, would say."""
    likely = chance * _poisson(INCIDENTS_IN_TROUBLE)[incidents]
    other = (1 - chance) * _poisson(INCIDENTS_OTHERWISE)[incidents]
    unwarned = setting.base_rate * UNWARNED / (1 - chance)
    return np.asarray((SUSPENDED_IN_TROUBLE * likely + unwarned * other) / (likely + other))


@lru_cache(maxsize=4)
def _poisson(mean: float) -> Floats:
    counts = np.arange(100)
    return np.asarray(np.exp(counts * math.log(mean) - mean - np.array([math.lgamma(n + 1) for n in counts])))
