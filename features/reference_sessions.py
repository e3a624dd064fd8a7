"""The plain engine's forms of a line of sessions: spells of absence or lateness, and the one that is running now."""

import math
from itertools import groupby

from features.feature import Feature
from features.measure import Measure
from features.plain import Pupil


def spells(pupil: Pupil, feature: Feature) -> float:
    """Return the runs of sessions that the measure counts."""
    line = _line(pupil, feature)
    return len(_runs(line)) if line else math.nan


def brief(pupil: Pupil, feature: Feature) -> float:
    """Return those runs that are one session long."""
    line = _line(pupil, feature)
    return sum(length == 1 for length in _runs(line)) if line else math.nan


def longest(pupil: Pupil, feature: Feature) -> float:
    """Return the sessions of the longest such run."""
    line = _line(pupil, feature)
    return max(_runs(line), default=0) if line else math.nan


def run(pupil: Pupil, feature: Feature) -> float:
    """Return the sessions of the run that the newest session ends, 0 when it is not counted."""
    line = _line(pupil, feature)
    if not line:
        return math.nan
    return _runs(line)[-1] if line[-1] else 0


def _line(pupil: Pupil, feature: Feature) -> list[bool]:
    """Return, oldest session first, whether the measure counts each session that `per` counts."""
    counted = _sessions(pupil, feature.measure, feature)
    # AM sorts before PM.
    return [session in counted for session in sorted(_sessions(pupil, feature.per, feature))]


def _sessions(pupil: Pupil, measure: Measure | None, feature: Feature) -> set[tuple[object, str]]:
    rows = pupil.window(measure, feature)
    return set(zip(rows.days, map(str, pupil.values(measure, "session", rows)), strict=True))


def _runs(line: list[bool]) -> list[int]:
    return [len(list(run)) for counted, run in groupby(line) if counted]
