"""The windowed features of `benchmarks.features` in Polars and in DuckDB, each as its expert would write them.

Both do what the engine does, on the calendar that every school of the made network shares, so that a window is so
many rows of a pupil's weeks: a version that was known by the end of its own week and is still the newest is counted
into that week; sums along the weeks and their differences give every window; the few other versions are spread over
the as-of dates at which those sums are wrong, and added there. Measures come from the declarations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.feature import Feature
from features.measure import Measure
from records.table import Table

ALWAYS = 1 << 30


@dataclass(frozen=True)
class Asked:
    """The features, the as-of dates (Mondays after each school week) and each table's Parquet files."""

    features: Sequence[Feature]
    as_ofs: Sequence[date]
    files: Mapping[str, Sequence[str]]

    @property
    def tables(self) -> dict[str, dict[str, Measure]]:
        """Table → its measures by name."""
        found: dict[str, dict[str, Measure]] = {}
        for feature in self.features:
            for measure in feature.measures:
                found.setdefault(measure.table, {})[measure.name] = measure
        return found

    @property
    def needs(self) -> dict[str, list[int]]:
        """Measure → the numbers of weeks it is added up over."""
        found: dict[str, set[int]] = {}
        for feature in self.features:
            both = {feature.window_weeks, feature.window_weeks + feature.before_weeks}
            for measure in feature.measures:
                found.setdefault(measure.name, set()).update(both)
        return {name: sorted(weeks) for name, weeks in found.items()}

    @property
    def first_day(self) -> int:
        """The Monday before the first as-of date, as days since 1970."""
        return int(np.datetime64(self.as_ofs[0], "D").astype(int)) - 7

    def week_from(self) -> npt.NDArray[np.int16]:
        """Return for each day from `first_day` on the first as-of date, by number, that is not before it."""
        ends = np.array(self.as_ofs, dtype="datetime64[D]").astype(int) - self.first_day
        return np.searchsorted(ends, np.arange(ends[-1] + 400)).astype(np.int16)


def others(table: Table) -> list[str]:
    """Return what a version's key holds beside pupil and day."""
    return [name for name in table.key if name not in ("pupil", table.happened_on)]


def weekday_of(measure: Measure) -> Iterator[int]:
    """Yield the ISO days of the week that count, none for all of them."""
    yield from (day + 1 for day in sorted(measure.weekdays))
