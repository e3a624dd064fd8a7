"""What a schema cannot see: dates against `as_of`, pupils against the roll, one thing said twice."""

from collections.abc import Iterator, Mapping
from datetime import date

from serving.api.problems import FieldFault
from serving.api.schemas import PupilRecords, ScoresRequest

NOT_ON_ROLL = "the pupil is not on roll on as_of"
TOO_LATE = "is on or after as_of: it was not known then, so it cannot be scored from"


def faults(request: ScoresRequest, *, today: date, phases: Mapping[int, str]) -> list[FieldFault]:
    """Return every fault of the request, in order of place.

    Parameters
    ----------
    request
        As parsed; its fields have already been held against their own rules.
    today
        The home's clock: nothing after it is known to anyone.
    phases
        Phase of each school that the deployed network knows; a school that is not here needs a
        calendar and a phase in the request.
    """
    return [FieldFault(field=field, fault=fault) for field, fault in _all(request, today, phases)]


def _all(request: ScoresRequest, today: date, phases: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    if request.as_of > today:
        yield "as_of", "is after today; Belong scores from what is already recorded"
    given = [calendar.school for calendar in request.calendars]
    for at, calendar in enumerate(request.calendars):
        if given.index(calendar.school) < at:
            yield f"calendars[{at}].school", "has a calendar earlier in this list"
        for half, term in enumerate(calendar.half_terms):
            if term.end_date < term.start_date:
                yield f"calendars[{at}].half_terms[{half}].end_date", "is before start_date"
    for at, stored in enumerate(request.stored):
        if request.stored.index(stored) < at:
            yield f"stored[{at}]", "stands twice in this request"
    seen: set[str] = set()
    for at, pupil in enumerate(request.pupils):
        where = f"pupils[{at}]"
        if pupil.id in seen:
            yield f"{where}.id", "stands twice in this request"
        seen.add(pupil.id)
        if pupil.school not in phases and pupil.school not in given:
            yield f"{where}.school", "has no school calendar in Belong; give it in calendars"
        if pupil.school not in phases and pupil.phase is None:
            yield f"{where}.phase", "is required for a school that the deployed network does not hold"
        yield from _of_roll(where, pupil, request.as_of)
        yield from _of_marks(where, pupil, request.as_of)
        yield from _of_events(where, pupil, request.as_of)


def _of_roll(where: str, pupil: PupilRecords, as_of: date) -> Iterator[tuple[str, str]]:
    if pupil.entry_date >= as_of:
        yield f"{where}.entry_date", f"is on or after as_of: {NOT_ON_ROLL}"
    if pupil.leaving_date is not None and pupil.leaving_date < pupil.entry_date:
        yield f"{where}.leaving_date", "is before entry_date"
    elif pupil.leaving_date is not None and pupil.leaving_date < as_of:
        yield f"{where}.leaving_date", f"is before as_of: {NOT_ON_ROLL}"


def _of_marks(where: str, pupil: PupilRecords, as_of: date) -> Iterator[tuple[str, str]]:
    seen: set[tuple[date, str]] = set()
    if pupil.marks_string is not None:
        early = pupil.marks_string.start_date < pupil.entry_date
        # Day by day only where it matters: most strings begin after the entry, and stand alone.
        from_string = pupil.marks_string.sessions() if early or pupil.marks else []
        seen = {(day, session) for day, session, _ in from_string}
        if pupil.marks_string.last_day() >= as_of:
            yield f"{where}.marks_string.marks", "reaches as_of or a later day"
        if early and any(day < pupil.entry_date for day, _, _ in from_string):
            yield f"{where}.marks_string.start_date", "is before entry_date, and the string has marks there"
    for at, mark in enumerate(pupil.marks):
        place = f"{where}.marks[{at}]"
        if mark.date >= as_of:
            yield f"{place}.date", TOO_LATE
        elif mark.date < pupil.entry_date:
            yield f"{place}.date", "is before entry_date"
        if (mark.date, mark.session) in seen:
            yield place, "gives a session that already has a mark"
        seen.add((mark.date, mark.session))


def _of_events(where: str, pupil: PupilRecords, as_of: date) -> Iterator[tuple[str, str]]:
    events = [(f"behaviour[{at}]", event.date) for at, event in enumerate(pupil.behaviour)]
    events += [(f"positives[{at}]", event.date) for at, event in enumerate(pupil.positives)]
    for name, day in events:
        if day >= as_of:
            yield f"{where}.{name}.date", TOO_LATE
        elif day < pupil.entry_date:
            yield f"{where}.{name}.date", "is before entry_date"
    starts: set[date] = set()
    for at, suspension in enumerate(pupil.suspensions):
        place = f"{where}.suspensions[{at}]"
        # A suspension at an earlier school is part of the pupil's history, so one before entry_date stands.
        if suspension.recorded_on is not None and suspension.recorded_on >= as_of:
            yield f"{place}.recorded_on", TOO_LATE
        elif suspension.recorded_on is None and suspension.start_date >= as_of:
            yield f"{place}.start_date", f"{TOO_LATE}, unless recorded_on is before as_of"
        if suspension.start_date in starts:
            yield f"{place}.start_date", "has a suspension earlier in this list"
        starts.add(suspension.start_date)
