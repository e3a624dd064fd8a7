"""The one value that carries the future out of `training.outcomes`."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class MaturedOutcomes:
    """What happened to pupils after as-of dates whose whole horizon has passed.

    `frame` has one row for each (pupil, as_of) at risk and observed to the horizon's end (or to its own
    suspension, when that came first): `pupil` int64, `as_of` datetime64[s], `outcome` int8 (1: what
    settings count as the outcome starts in [as_of, as_of + horizon)), `suspended` and `permanent`
    int8 likewise for each alone, `starts_on` datetime64[s] (the first such day, NaT when none).
    Rows censored by the end of enrolment, and pupils not at risk, are absent.
    """

    frame: pd.DataFrame
    horizon_weeks: int


def _nobody(*columns: str) -> pd.DataFrame:
    kinds = {"pupil": "int64", "school": "int32", "as_of": "datetime64[s]", "event_on": "datetime64[s]"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "bool")) for name in columns})


def _none_missed() -> pd.DataFrame:
    return _nobody("pupil", "school", "event_on")


def _none_helped() -> pd.DataFrame:
    return _nobody("pupil", "as_of", "listed")


@dataclass(frozen=True)
class Hindsight:
    """What else is known of the same pupils only later. Models are measured with it, and none learns from it.

    `missed` has one row for each exclusion or long suspension that no list of Belong's came before: `pupil`, `school`,
    `event_on` (the record table of that name).

    `helped` has one row for each as-of date of a pupil to whom nothing happened within the horizon and who had support
    in it, whenever it began: `pupil`, `as_of`, and `listed`, whether a list of Belong's had them in the half year
    before the horizon's end. Support may have changed these outcomes.
    """

    missed: pd.DataFrame = field(default_factory=_none_missed)
    helped: pd.DataFrame = field(default_factory=_none_helped)
