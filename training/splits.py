"""Which as-of dates are for training, calibration, audit and service, and the folds inside training.

Terms in order: the first is history only, the last one begun is served, the two before it are audited,
the one before those calibrates, and everything between trains. The end of each period is cut so that
the whole horizon of its last as-of date lies before the first as-of date of the next: no outcome of one
period falls among the facts of the next (docs/decisions.md, 12).

A transparent rule has nothing to train: two terms before the one that is served suffice, one to say how
likely its conditions make a suspension and one to audit; from three on, two are audited
(docs/decisions.md, 18).
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold

from records.calendar import Calendar
from records.refusal import Refusal
from training.settings import Settings
from training.weeks import open_weeks

NEEDED_TERMS = 6
NEEDED_FOR_A_RULE = 3
_NAMES = ("Autumn", "Spring", "Summer")


class TooFewTerms(Refusal):
    """The network's calendar and today leave no room for history, training, calibration and audit."""


@dataclass(frozen=True)
class NetworkTerm:
    """One term of the network, for example '2025/26 Autumn': the first and last day any school is open."""

    label: str
    start: date
    end: date


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Weekly as-of dates, Mondays of open school weeks, ascending.

    `gaps` are the dates cut away between training and service: they are scored, so that a pupil's own
    past is known on the first day of the next period, but nothing is fitted to them or judged by them.
    `train` is empty where only a rule is calibrated.
    """

    train: tuple[date, ...]
    calibrate: tuple[date, ...]
    audit: tuple[date, ...]
    serve: tuple[date, ...]
    gaps: tuple[date, ...]

    def as_dict(self) -> dict[str, list[str]]:
        """Return first and last date of each period and its number of dates, for records and reports."""
        parts = {"train": self.train, "calibrate": self.calibrate, "audit": self.audit, "serve": self.serve}
        return {
            name: [days[0].isoformat(), days[-1].isoformat(), str(len(days))] if days else ["", "", "0"]
            for name, days in parts.items()
        }


def network_terms(calendar: Calendar) -> tuple[NetworkTerm, ...]:
    """Return the network's terms, ascending, each the union of its schools' half-terms."""
    spans: dict[str, tuple[date, date]] = {}
    for halves in calendar.terms.values():
        for half in halves:
            label = _label(half.name, half.start)
            start, end = spans.get(label, (half.start, half.end))
            spans[label] = (min(start, half.start), max(end, half.end))
    terms = [NetworkTerm(label, start, end) for label, (start, end) in spans.items()]
    return tuple(sorted(terms, key=lambda term: term.start))


def _label(name: str, start: date) -> str:
    year = start.year if start.month >= 8 else start.year - 1
    said = next((word for word in _NAMES if name.strip().lower().startswith(word.lower())), None)
    # Only a name that says no season falls back on the month in which the half-term begins.
    season = said or ("Autumn" if start.month >= 8 else "Spring" if start.month <= 3 else "Summer")
    return f"{year}/{(year + 1) % 100:02d} {season}"


def term_label(terms: tuple[NetworkTerm, ...], day: date) -> str:
    """Return the label of the term whose first week has begun by the day; '' before the first."""
    begun = [term for term in terms if monday(term.start) <= day]
    return begun[-1].label if begun else ""


def monday(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def periods(calendar: Calendar, today: date, settings: Settings, *, trained: bool = True) -> Periods:
    """Return the as-of dates of each period; with nothing to train, `train` may be empty.

    Raises
    ------
    TooFewTerms
        Fewer than six terms have begun by today (three for a rule), or a gap leaves a period empty.
    """
    terms = tuple(term for term in network_terms(calendar) if monday(term.start) <= today)
    chosen = _terms_of([term.label for term in terms], today, trained)
    weeks = open_weeks(calendar, monday(today))
    of = {week: term_label(terms, week) for week in weeks}
    cut: dict[str, tuple[date, ...]] = {"train": ()}
    following = today
    for name in reversed(chosen):
        days = tuple(week for week in weeks if of[week] in chosen[name])
        if name != "serve":
            days = tuple(day for day in days if _ends_by(calendar, day, following, settings.horizon_weeks))
        if not days:
            raise TooFewTerms(f"no as-of date is left to {name} before {following.isoformat()}; load earlier exports")
        cut[name], following = days, days[0]
    used = {day for days in cut.values() for day in days}
    gaps = tuple(week for week in weeks if min(used) < week < cut["serve"][0] and week not in used)
    return Periods(gaps=gaps, **cut)


def _terms_of(labels: list[str], today: date, trained: bool) -> dict[str, list[str]]:
    """Return the terms of each period, in order of time, of those that have begun."""
    if len(labels) >= NEEDED_TERMS:
        return {"train": labels[1:-4], "calibrate": labels[-4:-3], "audit": labels[-3:-1], "serve": labels[-1:]}
    begun = f"{len(labels)} terms have begun by {today.isoformat()}"
    if trained:
        raise TooFewTerms(
            f"{begun}; training needs {NEEDED_TERMS}: one of history, one to train, one to calibrate, two to audit, "
            "one to serve. Load earlier exports, or begin with a transparent rule: "
            "belong train --approach rule_of_thumb"
        )
    if len(labels) < NEEDED_FOR_A_RULE:
        raise TooFewTerms(
            f"{begun}; a rule needs {NEEDED_FOR_A_RULE}: one to calibrate, one to audit, one to serve. "
            "Load earlier exports"
        )
    audited = 1 if len(labels) == NEEDED_FOR_A_RULE else 2
    return {"calibrate": labels[-2 - audited : -1 - audited], "audit": labels[-1 - audited : -1], "serve": labels[-1:]}


def _ends_by(calendar: Calendar, as_of: date, following: date, horizon_weeks: int) -> bool:
    """Whether the horizon of every school that is open around the day ends by the first day of the next period.

    A school that opens later, or has closed, has no pupil on roll then and is not asked.
    """
    day = np.datetime64(as_of, "D")
    there = [school for school, days in calendar.open_days.items() if len(days) and days[0] < day <= days[-1]]
    ends = [calendar.ahead(school, as_of, horizon_weeks) for school in there]
    return bool(ends) and all(end is not None and end <= following for end in ends)


@dataclass(frozen=True)
class Fold:
    """Row numbers to fit on and row numbers to judge by."""

    fit: npt.NDArray[np.intp]
    judge: npt.NDArray[np.intp]


def forward_folds(keys: pd.DataFrame, settings: Settings) -> tuple[Fold, ...]:
    """Return folds that go forward in time and keep all weeks of a pupil on one side.

    The as-of dates are cut into `folds + 1` blocks; fold i judges block i + 1 for one group of pupils,
    fitted on the other pupils' earlier dates, a horizon's gap before the block.
    """
    days = np.unique(keys["as_of"].to_numpy())
    blocks = np.array_split(np.arange(len(days)), settings.folds + 1)
    position = np.searchsorted(days, keys["as_of"].to_numpy())
    groups = _pupil_groups(keys, settings)
    found = []
    for at, block in enumerate(blocks[1:]):
        if not len(block):
            continue
        # Dates stand `train_every` school weeks apart; one week more, because schools' holidays differ.
        early = (block[0] - position) * settings.train_every >= settings.horizon_weeks + 1
        theirs = groups == at
        judged = (position >= block[0]) & (position <= block[-1]) & theirs
        fitted = early & ~theirs
        if fitted.any() and judged.any():
            found.append(Fold(np.flatnonzero(fitted), np.flatnonzero(judged)))
    return tuple(found)


def _pupil_groups(keys: pd.DataFrame, settings: Settings) -> npt.NDArray[np.int64]:
    splitter = GroupKFold(n_splits=max(4, settings.folds), shuffle=True, random_state=settings.seed)
    groups = np.zeros(len(keys), np.int64)
    for number, (_, rows) in enumerate(splitter.split(keys, groups=keys["pupil"])):
        groups[rows] = number
    return groups
