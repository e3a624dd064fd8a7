"""Posted pupils as a History: the engine that scores the network at night scores them, not a second one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from records import codes
from records.columns import Columns
from records.given import Given, columns_of
from records.history import History
from records.table import Table
from records.tables import BEHAVIOUR, ENROLMENTS, MARKS, POSITIVES, SUSPENSIONS
from serving.api.schemas import BehaviourEvent, MarksString, PositiveEvent, PupilRecords, ScoresRequest
from serving.api.standing import Standing, standing
from serving.school_days import SchoolDays

T = TypeVar("T")
Event = BehaviourEvent | PositiveEvent
Small = npt.NDArray[np.int32]
_EPOCH = date(1970, 1, 1).toordinal()
_CODES = {code: place for place, code in enumerate(codes.ATTENDANCE.codes)}
_SESSIONS = {code: place for place, code in enumerate(codes.SESSION.codes)}
# The place of a one-character code by its number in ASCII; -1 for 'no mark' and all others.
_PLACE = np.array([_CODES.get(chr(number), -1) for number in range(128)], dtype=np.int32)


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A request's records, ready for the engine.

    Attributes
    ----------
    history
        Every row is known on the day it happened (a suspension: the day it was recorded). Pupils are
        numbered 1, 2, ... in the request's order, so nothing of the caller's ids reaches the engine.
    standing
        The school days on the request's as-of date.
    first_mark
        The day of each pupil's first mark (the request's order); None where there is none. Weeks before
        it say nothing about the pupil.
    phases
        School → phase, of the network and of the request.
    """

    history: History
    standing: Standing
    first_mark: tuple[date | None, ...]
    phases: dict[int, str]


def posted(request: ScoresRequest, network: SchoolDays | None) -> Posted:
    """Return the request's records as a History with the network's (or the request's) school calendars."""
    phases = dict(network.phases) if network is not None else {}
    own = {pupil.school: pupil.phase for pupil in request.pupils if pupil.school not in phases}
    phases |= {school: phase for school, phase in own.items() if phase is not None}
    pupils = request.pupils
    marks, first = _marks(pupils)
    tables = {
        ENROLMENTS.name: _enrolments(pupils),
        MARKS.name: marks,
        BEHAVIOUR.name: _events(BEHAVIOUR, pupils, lambda pupil: pupil.behaviour, _OF_BEHAVIOUR),
        POSITIVES.name: _events(POSITIVES, pupils, lambda pupil: pupil.positives, _OF_POSITIVES),
        SUSPENSIONS.name: _suspensions(pupils),
    }
    stands = standing(network, request.as_of, request.calendars)
    given = Given({name: rows for name, rows in tables.items() if len(rows)}, {"calendars": stands.calendars})
    return Posted(
        history=History(shard=0, tables=given, versions={}, calendar=stands.calendar),
        standing=stands,
        first_mark=first,
        phases=phases,
    )


def _enrolments(pupils: Sequence[PupilRecords]) -> Columns:
    entry = [pupil.entry_date for pupil in pupils]
    return columns_of(
        ENROLMENTS,
        len(pupils),
        {
            "pupil": np.arange(1, len(pupils) + 1),
            "school": [pupil.school for pupil in pupils],
            "entry_date": entry,
            "leaving_date": [pupil.leaving_date for pupil in pupils],
            "year_group": [pupil.year_group for pupil in pupils],
            "status": ["C"] * len(pupils),
            "known_on": entry,
        },
    )


def _marks(pupils: Sequence[PupilRecords]) -> tuple[Columns, tuple[date | None, ...]]:
    """Return every mark, and the day of each pupil's first."""
    parts = [_marks_of(pupil) for pupil in pupils]
    day, session, code = (np.concatenate([part[column] for part in parts]) for column in range(3))
    lengths = [len(part[0]) for part in parts]
    number = np.repeat(np.arange(1, len(pupils) + 1), lengths)
    school = np.repeat(np.array([pupil.school for pupil in pupils], dtype=np.int32), lengths)
    first = tuple(
        date.fromordinal(int(part[0].min()) + _EPOCH) if length else None
        for part, length in zip(parts, lengths, strict=True)
    )
    given: dict[str, Any] = {
        "pupil": number,
        "school": school,
        "date": day,
        "session": session,
        "code": code,
        "known_on": day,
    }
    return columns_of(MARKS, len(number), given), first


def _marks_of(pupil: PupilRecords) -> tuple[Small, Small, Small]:
    """Return day, session and code of a pupil's marks, as numbers."""
    rows = [(mark.date.toordinal() - _EPOCH, _SESSIONS[mark.session], _CODES[mark.code]) for mark in pupil.marks]
    listed = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    if pupil.marks_string is None:
        return listed[0], listed[1], listed[2]
    written = _written(pupil.marks_string)
    if not rows:
        return written
    day, session, code = np.concatenate([np.stack(written), listed], axis=1)
    return day, session, code


def _written(string: MarksString) -> tuple[Small, Small, Small]:
    """Return day, session and code of every mark of a string."""
    place = _PLACE[np.frombuffer(string.marks.encode("ascii"), dtype=np.uint8)]
    at = np.flatnonzero(place >= 0).astype(np.int32)
    day = at >> 1
    if string.days == "monday_to_friday":
        day = day + (string.start_date.weekday() + day) // 5 * 2
    return day + (string.start_date.toordinal() - _EPOCH), _TURN[at & 1], place[at]


_TURN = np.array([_SESSIONS["AM"], _SESSIONS["PM"]], dtype=np.int32)
_OF_BEHAVIOUR = ("type", "severity", "role", "outcome", "location", "period", "points")
_OF_POSITIVES = ("type", "points")


def _of_pupils(
    pupils: Sequence[PupilRecords], of: Callable[[PupilRecords], Sequence[T]]
) -> tuple[list[T], Small, Small]:
    """Return something of all pupils in one list, with each one's pupil and school."""
    lengths = [len(of(pupil)) for pupil in pupils]
    number = np.repeat(np.arange(1, len(pupils) + 1, dtype=np.int32), lengths)
    school = np.repeat(np.array([pupil.school for pupil in pupils], dtype=np.int32), lengths)
    return list(chain.from_iterable(of(pupil) for pupil in pupils)), number, school


def _events(
    table: Table, pupils: Sequence[PupilRecords], of: Callable[[PupilRecords], Sequence[Event]], fields: Sequence[str]
) -> Columns:
    found, number, school = _of_pupils(pupils, of)
    days = [event.date for event in found]
    given: dict[str, Any] = {name: [getattr(event, name) for event in found] for name in fields}
    # No two events are one: each has a number of its own.
    given |= {"pupil": number, "school": school, "event_id": np.arange(len(found)), "date": days, "known_on": days}
    return columns_of(table, len(found), given)


def _suspensions(pupils: Sequence[PupilRecords]) -> Columns:
    found, number, school = _of_pupils(pupils, lambda pupil: pupil.suspensions)
    given: dict[str, Any] = {
        "pupil": number,
        "school": school,
        "start_date": [one.start_date for one in found],
        "category": [one.category for one in found],
        "sessions": [one.sessions for one in found],
        "known_on": [min(one.recorded_on or one.start_date, one.start_date) for one in found],
    }
    return columns_of(SUSPENSIONS, len(found), given)
