"""Random small histories whose dates lie on the edges where engines go wrong.

Uniformly drawn dates missed an off-by-one that edges catch at once: so days are drawn around the first
days of windows and around as_of, and `known_on` around as_of and just after the day itself.
"""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from features.catalogue import CATALOGUE
from features.spans import span_days
from records.calendar import calendar_from
from records.history import History
from tests.factories import frame, history, term_calendar

SCHOOLS = (900001, 900002)
PUPILS = (11, 12, 13)
# A Monday in term, a Wednesday after a half-term, the middle of a holiday, a Saturday, the start of a year.
AS_OFS = (date(2025, 3, 24), date(2025, 2, 26), date(2025, 4, 14), date(2025, 3, 22), date(2025, 9, 8))
_CALENDAR = calendar_from(frame("calendars", term_calendar(SCHOOLS[0])))
_SPANS = sorted({f.span for f in CATALOGUE} - {"weeks"})
_WINDOWS = sorted({weeks for f in CATALOGUE for weeks in (f.window_weeks, f.window_weeks + f.before_weeks) if weeks})


def edges(as_of: date) -> list[date]:
    """Return the days on, just before and just after the first day of every window, and around as_of."""
    starts = {_CALENDAR.back(SCHOOLS[0], as_of, weeks) for weeks in _WINDOWS} | {as_of}
    starts |= {day for span in _SPANS for day in span_days(_CALENDAR, SCHOOLS[0], as_of, span)}
    around = {start + timedelta(days=step) for start in starts for step in (-1, 0, 1)}
    return sorted(around | {as_of - timedelta(days=step) for step in range(2, 12)})


def _dated(as_of: date, happened: str) -> st.SearchStrategy[dict[str, Any]]:
    def place(day: date, late: int | None, pupil: int, school: int, deleted: bool) -> dict[str, Any]:
        known_on = day + timedelta(days=late) if late is not None else as_of
        return {happened: day, "known_on": known_on, "pupil": pupil, "school": school, "deleted": deleted}

    return st.builds(
        place,
        st.sampled_from(edges(as_of)),
        st.sampled_from([0, 0, 0, 1, 2, 8, -3, None]),  # None: known on as_of itself, just too late
        st.sampled_from(PUPILS),
        st.sampled_from((SCHOOLS[0], SCHOOLS[0], SCHOOLS[1])),
        st.sampled_from([False] * 7 + [True]),
    )


def _rows(
    base: st.SearchStrategy[dict[str, Any]], most: int, **values: list[Any]
) -> st.SearchStrategy[list[dict[str, Any]]]:
    more = st.fixed_dictionaries({name: st.sampled_from(given) for name, given in values.items()})
    return st.lists(st.builds(lambda one, two: one | two, base, more), max_size=most)


@st.composite
def rows(draw: st.DrawFn, as_of: date) -> dict[str, list[dict[str, Any]]]:
    """Return short rows of every table; keys repeat, so rows are corrected, moved and deleted."""
    drawn = {
        "marks": _rows(
            _dated(as_of, "date"),
            30,
            session=["AM", "PM"],
            code=["/", "O", "L", "U", "I", "E", "C2", "B", "N", "R", "Y5", "G"],
        ),
        "lesson_marks": _rows(
            _dated(as_of, "date"), 8, period=[1, 2, 5], code=["/", "O", "L", "E"], minutes_late=[5, None]
        ),
        "alternative_provision": _rows(
            _dated(as_of, "entry_date"), 3, leaving_date=[None], setting=["NFE", "OTH"], sessions_a_week=[2, 10]
        ),
        "behaviour": _rows(
            _dated(as_of, "date"),
            14,
            event_id=["a", "b", "c", "d", "e", "f"],
            period=[1, 5, None],
            type=["Disruption", "Fighting", "Truancy", "Verbal Abuse", "Accident"],
            severity=[1, 3, 5],
            points=[0, 3, None],
            location=["Classroom", "Corridor", None],
            role=["Participant", "Aggressor", "Target"],
            outcome=["Isolation", "Detention", "Suspended from School", "Daily Report", None],
        ),
        "positives": _rows(_dated(as_of, "date"), 6, event_id=["a", "b", "c"], points=[1, None]),
        "suspensions": _rows(
            _dated(as_of, "start_date"), 6, sessions=[1, 4, 20, None], category=["SUSP", "SUSP", "LNCH", "PERM"]
        ),
        "enrolments": _rows(
            st.fixed_dictionaries(
                {
                    "pupil": st.sampled_from(PUPILS),
                    "school": st.sampled_from(SCHOOLS),
                    "entry_date": st.sampled_from([as_of - timedelta(days=days) for days in (0, 1, 15, 21, 22, 200)]),
                    "leaving_date": st.sampled_from([None, None, as_of - timedelta(days=1), as_of]),
                    "known_on": st.sampled_from([as_of - timedelta(days=250), as_of - timedelta(days=1), as_of]),
                }
            ),
            3,
            year_group=["9", "R", "12"],
        ),
    }
    found = {table: draw(strategy) for table, strategy in drawn.items()}
    found["enrolments"] += [
        {"pupil": pupil, "school": school, "entry_date": date(2023, 9, 4)}
        for pupil, school in ((11, SCHOOLS[0]), (12, SCHOOLS[1]))
    ]
    closed = {"school": SCHOOLS[1], "kind": "closure", "name": "Flood"}
    closed |= {"start_date": as_of - timedelta(days=14), "end_date": as_of - timedelta(days=8)}
    known_on = draw(st.sampled_from([as_of - timedelta(days=1), as_of]))
    found["calendars"] = [*term_calendar(SCHOOLS[0]), *term_calendar(SCHOOLS[1]), {**closed, "known_on": known_on}]
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[History, date]:
    """Return a history and the day it is about."""
    as_of = draw(st.sampled_from(AS_OFS))
    return history(**draw(rows(as_of))), as_of
