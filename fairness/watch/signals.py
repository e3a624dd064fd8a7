"""Signals that need no outcome: whom flags fall on, drift, gaps in the records, and how people review.

They raise an alarm and never a verdict: only outcomes can say that a group is treated worse. Shares of a
small group are hidden with what would give them away, and the alarm is said in words all the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from fairness.disclosure import Key, hidden_counts
from fairness.groups import UNKNOWN
from fairness.policy import Attribute, Disclosure, Policy
from fairness.words import attribute_words, group_words

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Siddiqi, Credit Risk Scorecards (2006): under 0.1 no change worth a word, from 0.25 a shift.
DRIFT = 0.25
BINS = 10
SEASON_WEEKS = 3
# How many points more of a feature's values may be missing than in the reference.
MISSING_POINTS = 0.10
# How far a group's share of flags may move against everybody's, either way, before somebody should look.
SELECTION_MOVES = 1.5
# More agreement, or quicker reading, than this is no review (docs/decisions.md, 58).
MOST_AGREEMENT = 0.95
LEAST_SECONDS = 10.0
LEAST_REVIEWS = 20
_SMALLEST = 1e-4
SCORE = "score"


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One thing watched. `value` None: hidden, or nothing to work it out from; the sentence says which."""

    name: str
    sentence: str
    alarm: bool
    value: float | None = None


def stability_index(reference: Floats, now: Floats) -> float:
    """Return the population stability index: sum of (now - then) ln(now / then) over the reference's tenths.

    Missing values are a bin of their own. Source: Siddiqi (2006); two halves of one distribution give about
    (bins - 1)(1/n + 1/m), so small schools wander.
    """
    known = reference[np.isfinite(reference)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    then, since = (_shares(values, edges) for values in (reference, now))
    return float(np.sum((since - then) * np.log(since / then)))


def same_season(days: pd.Series, day: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the `SEASON_WEEKS` of these days that lie nearest in the school year to a day, ascending.

    What counts from the start of a school year is empty in September and long in June; held against another season it
    would seem to drift.
    """
    unique = pd.DatetimeIndex(days).unique().sort_values()
    apart = np.abs(_into_the_year(unique) - _into_the_year(pd.DatetimeIndex([day])))
    nearest = np.argsort(apart, kind="stable")[:SEASON_WEEKS]
    return [unique[at] for at in sorted(nearest.tolist())]


def _into_the_year(days: pd.DatetimeIndex) -> Ints:
    """Return how many days each lies after the last 1 September, when school years begin."""
    starts = pd.to_datetime({"year": days.year - (days.month < 9), "month": 9, "day": 1})
    return (days - pd.DatetimeIndex(starts)).days.to_numpy(np.int64)


def _shares(values: Floats, edges: Floats) -> Floats:
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    whole = np.append(counts, len(values) - len(known)) / max(len(values), 1)
    return np.maximum(whole, _SMALLEST)


def drift(reference: pd.DataFrame, now: pd.DataFrame) -> list[Signal]:
    """Return the stability of each column, and of how much of it is missing; the furthest first.

    Both frames have the same columns, one row a pupil (the reference may hold several weeks). A column with one
    value for everybody now is the calendar's, such as the half-term, and says nothing of pupils.
    """
    found = []
    for name in reference.columns:
        then, since = (frame[name].to_numpy(np.float64) for frame in (reference, now))
        if len(since) and (since == since[0]).all():
            continue
        known = np.isfinite(since)
        index = stability_index(then, since) if known.any() else 0.0
        missing = float(np.isnan(since).mean() - np.isnan(then).mean()) if len(then) and len(since) else 0.0
        found.append(
            Signal(
                name=f"drift:{name}",
                value=round(index, 4),
                alarm=index >= DRIFT,
                sentence=f"{_named(name)} {'have shifted' if index >= DRIFT else 'are steady'} (index {index:.2f}).",
            )
        )
        if abs(missing) >= MISSING_POINTS:
            way = "more" if missing > 0 else "fewer"
            sentence = f"{abs(missing):.0%} {way} of the values of {name} are missing than in the reference."
            found.append(Signal(name=f"missing:{name}", value=round(missing, 4), alarm=True, sentence=sentence))
    return sorted(found, key=lambda one: (not one.alarm, -abs(one.value or 0.0)))


def _named(column: str) -> str:
    return "Scores" if column == SCORE else f"Values of {column}"


def selection(now: pd.DataFrame, reference: pd.DataFrame, groups: pd.DataFrame, policy: Policy) -> list[Signal]:
    """Return each group's share of flags beside everybody's, and how that ratio moved since the audit.

    `now` and `reference`: `pupil` and `flagged`, one row a pupil and week.
    """
    found = []
    for attribute in policy.attributes:
        if attribute.gate != "full":
            continue
        then, since = (_by_group(rows, attribute, groups) for rows in (reference, now))
        names = [name for name in attribute.groups if name in since.index and name in then.index]
        hidden = _hidden(attribute.name, since.loc[names], policy.disclosure)
        found += [_selected(attribute, name, (then, since), (attribute.name, name) in hidden) for name in names]
    return found


def _by_group(rows: pd.DataFrame, attribute: Attribute, groups: pd.DataFrame) -> pd.DataFrame:
    column = attribute.columns[0]
    named = rows["pupil"].map(groups[column].astype("object")).fillna(UNKNOWN.get(column, "unknown"))
    counted = (
        rows.assign(group=named.astype("str"))
        .groupby("group")
        .agg(pupils=("pupil", "nunique"), flags=("flagged", "sum"), n=("flagged", "size"))
    )
    whole = pd.DataFrame(
        {"pupils": [rows["pupil"].nunique()], "flags": [rows["flagged"].sum()], "n": [len(rows)]}, index=["all"]
    )
    return pd.concat([counted, whole])


def _hidden(attribute: str, rows: pd.DataFrame, rule: Disclosure) -> frozenset[Key]:
    counts = rows[["pupils", "flags"]].astype(int)
    named = zip(rows.index.astype(str), counts["pupils"], counts["flags"], strict=True)
    return hidden_counts([((attribute, name), {"pupils": p, "flags": f}) for name, p, f in named], rule)


def _selected(attribute: Attribute, name: str, frames: tuple[pd.DataFrame, pd.DataFrame], hide: bool) -> Signal:
    then, since = (_ratio(frame, name) for frame in frames)
    who = f"{group_words(attribute.name, name)} ({attribute_words(attribute.name)})"
    key = f"selection:{attribute.name}:{name}"
    if hide or then is None or since is None:
        return Signal(name=key, alarm=False, sentence=f"Flags of {who}: too few to show.")
    moved = since / then
    alarm = not 1 / SELECTION_MOVES <= moved <= SELECTION_MOVES
    sentence = (
        f"{who.capitalize() if who.islower() else who}: flagged {since:.2f} times as often as all pupils; "
        f"{then:.2f} in the audit{', which has moved' if alarm else ''}."
    )
    return Signal(name=key, value=round(since, 4), alarm=alarm, sentence=sentence)


def _ratio(frame: pd.DataFrame, name: str) -> float | None:
    group, everyone = frame.loc[name], frame.loc["all"]
    if not group["n"] or not everyone["flags"] or not group["flags"]:
        return None
    return float((group["flags"] / group["n"]) / (everyone["flags"] / everyone["n"]))


def reviewing(cases: pd.DataFrame, groups: pd.DataFrame, policy: Policy) -> list[Signal]:
    """Return how people review: agreement, seconds over the reasons, and days to the first view by group.

    `cases`: as `casework.served.REVIEWS` names them. A single group's days are shown for the least count
    of the policy's disclosure rule or more.
    """
    decided = cases[cases["decided_on"].notna()]
    if len(decided) < LEAST_REVIEWS:
        sentence = f"Fewer than {LEAST_REVIEWS} flags were decided on: too few to say how they are reviewed."
        return [Signal(name="reviews", alarm=False, sentence=sentence)]
    agreed = float(decided["agreed"].astype("float64").mean())
    seconds = float(decided["seconds"].median())
    known = math.isfinite(seconds)
    found = [
        Signal(
            name="agreement",
            value=round(agreed, 4),
            alarm=agreed > MOST_AGREEMENT,
            sentence=f"Support was offered after {agreed:.0%} of decisions"
            + ("; so much agreement suggests that flags are not questioned." if agreed > MOST_AGREEMENT else "."),
        ),
        Signal(
            name="seconds",
            value=round(seconds, 1) if known else None,
            alarm=known and seconds < LEAST_SECONDS,
            sentence=f"Half of the decisions came within {seconds:.0f} seconds of the person's own view."
            if known
            else "No decision followed a view, so nothing is known of the time.",
        ),
    ]
    viewed = cases[cases["viewed_on"].notna()]
    days = (viewed["viewed_on"] - viewed["opened_on"]).dt.days.to_numpy(np.float64)
    everyone = float(np.median(days)) if len(days) else math.nan
    for attribute in policy.attributes:
        if attribute.gate == "full":
            found += _waiting(attribute, viewed.assign(days=days), groups, (everyone, policy.disclosure))
    return found


def _waiting(
    attribute: Attribute, viewed: pd.DataFrame, groups: pd.DataFrame, held: tuple[float, Disclosure]
) -> list[Signal]:
    everyone, rule = held
    column = attribute.columns[0]
    named = viewed["pupil"].map(groups[column].astype("object")).fillna(UNKNOWN.get(column, "unknown")).astype("str")
    counts: Mapping[str, int] = {str(name): int(count) for name, count in named.value_counts().items()}
    names = [name for name in attribute.groups if counts.get(name)]
    hidden = hidden_counts([((attribute.name, name), {"reviewed": counts[name]}) for name in names], rule)
    made = []
    for name in names:
        who, key = group_words(attribute.name, name), f"waiting:{attribute.name}:{name}"
        if (attribute.name, name) in hidden:
            made.append(Signal(name=key, alarm=False, sentence=f"Days until a view, {who}: too few to show."))
            continue
        days = float(viewed.loc[(named == name).to_numpy(), "days"].median())
        late = days - everyone >= 2
        sentence = f"Days until somebody looked, {who}: {days:.0f} in the middle; all pupils {everyone:.0f}."
        made.append(Signal(name=key, value=days, alarm=late, sentence=sentence))
    return made
