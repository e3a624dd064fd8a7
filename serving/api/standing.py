"""What the school days say of one as-of date, kept by the process for the next request of that date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from features.grid import Kept
from records.calendar import Calendar, calendar_from
from records.history import typed
from records.tables import TABLES
from serving.api.schemas import SchoolCalendar
from serving.school_days import SchoolDays
from training.weeks import as_ofs_for

# What belongs to no file: schools and calendars are held to have been known from the start.
ALWAYS = date(1990, 1, 1)
_AS_OFS, _SCHOOLS = 8, 256


@dataclass(frozen=True)
class Standing:
    """Calendars on one as-of date.

    Attributes
    ----------
    calendars
        The table's rows, of the network or of the request.
    calendar
        What they say.
    kept
        What the engine asked it, by dates and schools (`features.grid`).
    """

    as_of: date
    calendars: pd.DataFrame
    calendar: Calendar
    kept: Kept = field(default_factory=dict)
    _weeks: dict[int, tuple[date, ...]] = field(default_factory=dict)

    def as_ofs(self, weeks_back: int) -> tuple[date, ...]:
        """Return the as-of date and so many school weeks before it, ascending."""
        if weeks_back not in self._weeks:
            self._weeks[weeks_back] = as_ofs_for(self.calendar, self.as_of, weeks_back)
        if len(self.kept) > _SCHOOLS:
            self.kept.clear()
        return self._weeks[weeks_back]


def standing(network: SchoolDays | None, as_of: date, given: Sequence[SchoolCalendar] = ()) -> Standing:
    """Return what the network's school days say on the day; calendars `given` with a request replace its schools'."""
    if network is not None and not given:
        return _of_network(network, as_of)
    rows: list[Mapping[Any, Any]] = [] if network is None else [*network.calendars.to_dict("records")]
    named = {calendar.school for calendar in given}
    return _standing([*(row for row in rows if row["school"] not in named), *_rows(given)], as_of)


@lru_cache(maxsize=_AS_OFS)
def _of_network(network: SchoolDays, as_of: date) -> Standing:
    return _standing(network.calendars.to_dict("records"), as_of)


def _standing(rows: Sequence[Mapping[Any, Any]], as_of: date) -> Standing:
    table = TABLES["calendars"]
    frame = pd.DataFrame(rows, columns=[column.name for column in table.columns])
    frame = frame.assign(known_on=ALWAYS, deleted=False, source="posted", row=range(len(frame)))
    for column in ("start_date", "end_date", "known_on"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")
    frame = typed(frame, table)
    return Standing(as_of, frame, calendar_from(frame))


def _rows(given: Sequence[SchoolCalendar]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for calendar in given:
        for term in calendar.half_terms:
            found.append({"school": calendar.school, "kind": "half_term"} | term.model_dump())
        for day in calendar.days_closed:
            found.append(
                {"school": calendar.school, "kind": "closure", "name": "Closed", "start_date": day, "end_date": day}
            )
    return found
