"""Posted pupils as a History: the engine that scores the network at night scores them, not a second one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import pandas as pd

from records.history import History, empty_frame, typed
from records.table import ORIGIN
from records.tables import TABLES
from serving.api.schemas import BehaviourEvent, PositiveEvent, PupilRecords, SchoolCalendar, ScoresRequest
from serving.school_days import SchoolDays

# What belongs to no file: schools and calendars are held to have been known from the start.
ALWAYS = date(1990, 1, 1)

Rows = list[dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A request's records, ready for the engine.

    Attributes
    ----------
    history
        Every row is known on the day it happened (a suspension: the day it was recorded). Pupils are
        numbered 1, 2, ... in the request's order, so nothing of the caller's ids reaches the engine.
    first_mark
        The day of each pupil's first mark (the request's order); None where there is none. Weeks before
        it say nothing about the pupil.
    phases
        School → phase, of the network and of the request.
    """

    history: History
    first_mark: tuple[date | None, ...]
    phases: dict[int, str]


def posted(request: ScoresRequest, network: SchoolDays | None) -> Posted:
    """Return the request's records as a History with the network's (or the request's) school calendars."""
    phases = dict(network.phases) if network is not None else {}
    own = {pupil.school: pupil.phase for pupil in request.pupils if pupil.school not in phases}
    phases |= {school: phase for school, phase in own.items() if phase is not None}
    rows: dict[str, Rows] = {name: [] for name in ("enrolments", "behaviour", "positives", "suspensions")}
    marks: list[tuple[int, int, date, str, str]] = []
    first: list[date | None] = []
    for number, pupil in enumerate(request.pupils, start=1):
        _add_records(rows, number, pupil)
        mine = _marks(pupil)
        marks += [(number, pupil.school, day, session, code) for day, session, code in mine]
        first.append(min((day for day, _, _ in mine), default=None))
    tables = _empty_tables() | {name: _table(name, frame_rows) for name, frame_rows in rows.items()}
    tables["marks"] = _marks_table(marks)
    tables["schools"] = _schools(request.pupils, network, phases)
    tables["calendars"] = _calendars(request.calendars, network)
    return Posted(
        history=History(shard=0, tables=tables, versions={}),
        first_mark=tuple(first),
        phases=phases,
    )


@cache
def _empty_tables() -> dict[str, pd.DataFrame]:
    """Return every unprotected table without rows: what nobody posts is there and empty."""
    return {name: empty_frame(table) for name, table in TABLES.items() if not table.protected}


def _marks(pupil: PupilRecords) -> list[tuple[date, str, str]]:
    from_string = pupil.marks_string.sessions() if pupil.marks_string is not None else []
    return [*from_string, *((mark.date, mark.session, mark.code) for mark in pupil.marks)]


def _add_records(rows: dict[str, Rows], number: int, pupil: PupilRecords) -> None:
    mine: dict[str, object] = {"pupil": number, "school": pupil.school}
    rows["enrolments"].append(
        mine
        | {"entry_date": pupil.entry_date, "leaving_date": pupil.leaving_date, "known_on": pupil.entry_date}
        | {"year_group": pupil.year_group, "status": "C"}
    )
    rows["behaviour"] += [mine | _event(event, f"{number}-{at}") for at, event in enumerate(pupil.behaviour)]
    rows["positives"] += [mine | _event(event, f"{number}-{at}") for at, event in enumerate(pupil.positives)]
    for suspension in pupil.suspensions:
        said = suspension.model_dump(exclude={"recorded_on"})
        known_on = min(suspension.recorded_on or suspension.start_date, suspension.start_date)
        rows["suspensions"].append(mine | said | {"known_on": known_on})


def _event(event: BehaviourEvent | PositiveEvent, event_id: str) -> dict[str, object]:
    return event.model_dump() | {"event_id": event_id, "known_on": event.date}


def _table(name: str, rows: Rows) -> pd.DataFrame:
    table = TABLES[name]
    if not rows:
        return empty_frame(table)
    columns = [column.name for column in (*table.columns, *ORIGIN)]
    frame = pd.DataFrame(rows, columns=columns).assign(deleted=False, source="posted", row=range(len(rows)))
    for column in (*table.columns, *ORIGIN):
        if column.kind == "date":
            frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[s]")
    return typed(frame, table)


def _marks_table(marks: list[tuple[int, int, date, str, str]]) -> pd.DataFrame:
    if not marks:
        return empty_frame(TABLES["marks"])
    frame = pd.DataFrame(marks, columns=["pupil", "school", "date", "session", "code"])
    frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[s]")
    frame = frame.assign(known_on=frame["date"], deleted=False, source="posted", row=range(len(frame)))
    return typed(frame, TABLES["marks"])


def _schools(pupils: Sequence[PupilRecords], network: SchoolDays | None, phases: dict[int, str]) -> pd.DataFrame:
    rows = _plain(network.schools) if network is not None else []
    held = {row["school"] for row in rows}
    rows += [
        {"school": school, "name": "", "laestab": "", "phase": phases[school], "open_date": ALWAYS}
        for school in dict.fromkeys(pupil.school for pupil in pupils)
        if school not in held
    ]
    return _table("schools", [row | {"known_on": ALWAYS} for row in rows])


def _calendars(given: Sequence[SchoolCalendar], network: SchoolDays | None) -> pd.DataFrame:
    rows = _plain(network.calendars) if network is not None else []
    named = {calendar.school for calendar in given}
    rows = [row for row in rows if row["school"] not in named]
    for calendar in given:
        for term in calendar.half_terms:
            rows.append({"school": calendar.school, "kind": "half_term"} | term.model_dump())
        for day in calendar.days_closed:
            rows.append(
                {"school": calendar.school, "kind": "closure", "name": "Closed", "start_date": day, "end_date": day}
            )
    return _table("calendars", [row | {"known_on": ALWAYS} for row in rows])


def _plain(frame: pd.DataFrame) -> Rows:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
