"""Random histories of three pupils whose dates lie on the edges where engines go wrong.

Uniformly drawn dates missed an off-by-one that edges catch at once: so days are drawn around the first
days of windows and around as_of, and `known_on` around as_of and just after the day itself.
"""

import random
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.spans import span_days
from records.calendar import calendar_from
from records.history import History
from records.tables import TABLES
from tests.factories import frame, history, term_calendar

SCHOOLS = (900001, 900002)
PUPILS = (11, 12, 13)
# A Monday in term, a Wednesday after a half-term, the middle of a holiday, a Saturday, the start of a year.
AS_OFS = (date(2025, 3, 24), date(2025, 2, 26), date(2025, 4, 14), date(2025, 3, 22), date(2025, 9, 8))
_CALENDAR = calendar_from(frame("calendars", term_calendar(SCHOOLS[0])))
_SPANS = sorted({f.span for f in CATALOGUE} - {"weeks"})
_WINDOWS = sorted({weeks for f in CATALOGUE for weeks in (f.window_weeks, f.window_weeks + f.before_weeks) if weeks})


@cache
def edges(as_of: date) -> list[date]:
    """Return the days on, just before and just after the first day of every window, and around as_of."""
    starts = {_CALENDAR.back(SCHOOLS[0], as_of, weeks) for weeks in _WINDOWS} | {as_of}
    starts |= {day for span in _SPANS for day in span_days(_CALENDAR, SCHOOLS[0], as_of, span)}
    around = {start + timedelta(days=step) for start in starts for step in (-1, 0, 1)}
    return sorted(around | {as_of - timedelta(days=step) for step in range(2, 12)})


RARE_TYPES = (
    "Damage - Property",
    "Smoking",
    "Uniform/Jewellery etc",
    "Missed Detention",
    "Persistent Lateness to School",
)
RARE_OUTCOMES = ("Daily Report", "Refer to Head Teacher", "Letter to Parent/Guardian")
_COUNTS = {
    "marks": 240,
    "lesson_marks": 40,
    "alternative_provision": 5,
    "behaviour": 70,
    "positives": 25,
    "suspensions": 10,
    "enrolments": 3,
}
_VALUES: dict[str, dict[str, list[Any]]] = {
    "marks": {"session": ["AM", "PM"], "code": [*"//\\\\OOOLLUUINRGE", "C2", "C2", "B", "Y5"]},
    "lesson_marks": {"period": [1, 2, 5], "code": ["/", "O", "O", "L", "E"], "minutes_late": [5, None]},
    "alternative_provision": {"leaving_date": [None], "setting": ["NFE", "OTH"], "sessions_a_week": [2, 10]},
    "behaviour": {
        "event_id": [f"e{number}" for number in range(50)],
        "period": [1, 5, None],
        "type": [*("Disruption", "Fighting", "Truancy", "Verbal Abuse", "Accident") * 2, *RARE_TYPES],
        "severity": [1, 3, 5],
        "points": [0, 3, None],
        "location": ["Classroom", "Corridor", None],
        "role": ["Participant", "Aggressor", "Target"],
        "outcome": [*("Isolation", "Detention", "Suspended from School", None) * 2, *RARE_OUTCOMES],
    },
    "positives": {"event_id": [f"p{number}" for number in range(18)], "points": [1, None]},
    "suspensions": {"sessions": [1, 4, 20, None], "category": ["SUSP", "SUSP", "LNCH", "PERM"]},
    "enrolments": {"year_group": ["9", "R", "12"], "leaving_date": [None, None, -1, 0]},
}


def _row(rng: random.Random, table: str, as_of: date, days: list[date]) -> dict[str, Any]:
    """Return a row of the table whose day lies on an edge, known then, late, or on as_of itself: just too late."""
    row: dict[str, Any] = {name: rng.choice(values) for name, values in _VALUES[table].items()}
    row |= {"pupil": rng.choice(PUPILS), "school": rng.choice((SCHOOLS[0], SCHOOLS[0], SCHOOLS[1]))}
    if table == "enrolments":
        leaving = row["leaving_date"]
        row["leaving_date"] = None if leaving is None else as_of + timedelta(days=leaving)
        row["entry_date"] = as_of - timedelta(days=rng.choice((0, 1, 15, 21, 22, 200)))
        return row | {"known_on": as_of - timedelta(days=rng.choice((250, 1, 0)))}
    # Half of the days are recent: the long windows would otherwise take nearly all.
    day = rng.choice(days if rng.random() < 0.5 else [day for day in days if day >= as_of - timedelta(days=98)])
    late = rng.choice((0, 0, 0, 1, 2, 8, -3, None))
    known_on = as_of if late is None else day + timedelta(days=late)
    return row | {TABLES[table].happened_on: day, "known_on": known_on, "deleted": rng.random() < 0.1}


def _again(rng: random.Random, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a later version of the row: corrected, or deleted."""
    keys = {*TABLES[table].key, TABLES[table].happened_on, "pupil"}
    other = {name: rng.choice(values) for name, values in _VALUES[table].items() if name not in keys}
    known_on = row["known_on"] + timedelta(days=rng.choice((0, 1, 7, 30)))
    return row | other | {"known_on": known_on, "deleted": rng.random() < 0.3}


def made(seed: int, as_of: date) -> tuple[History, date]:
    """Return the history of a seed and the day it is about: every table, rows late, corrected, moved and deleted."""
    rng, days = random.Random(seed), edges(as_of)
    found = {table: [_row(rng, table, as_of, days) for _ in range(count)] for table, count in _COUNTS.items()}
    for table in set(found) - {"enrolments"}:
        found[table] += [_again(rng, table, row) for row in found[table] if rng.random() < 0.2]
    found["enrolments"] += [
        {"pupil": pupil, "school": school, "entry_date": date(2023, 9, 4)}
        for pupil, school in ((11, SCHOOLS[0]), (12, SCHOOLS[1]))
    ]
    closed = {"school": SCHOOLS[1], "kind": "closure", "name": "Flood"}
    closed |= {"start_date": as_of - timedelta(days=14), "end_date": as_of - timedelta(days=8)}
    known_on = as_of - timedelta(days=rng.choice((1, 0)))
    found["calendars"] = [*term_calendar(SCHOOLS[0]), *term_calendar(SCHOOLS[1]), {**closed, "known_on": known_on}]
    return history(**found), as_of


def cases() -> st.SearchStrategy[tuple[History, date]]:
    """Return histories by seed: drawn row by row they were nearly empty and nearly the same, and faults went by."""
    return st.builds(made, st.integers(0, 2**32 - 1), st.sampled_from(AS_OFS))
