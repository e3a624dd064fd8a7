"""Learning reviews: what a school reads of its look-backs, and what its people write in one.

A closed event is past, but a case that is open is not: while the pupil has one and the reader has recorded no view of
their own this week, what Belong did in any week stays hidden here as everywhere else.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework import rules, states
from casework.audit_log import Looked, look, look_at_all
from casework.lookback_opening import states_through
from casework.lookback_words import KINDS, NOTES, OPEN, STATES, STEPS, THEMES
from casework.names import master_key, shown, unseal
from casework.permissions import Person, check_may
from casework.pupils import active_case, own_view
from casework.rules import RuleBroken, StaleCase
from casework.support_read import supports_of
from casework.tables_cases import CaseRow, DecisionRow
from casework.tables_lookbacks import LookbackNoteRow, LookbackRow, LookbackStepRow
from casework.tables_people import PersonRow, PupilKeyRow, PupilRow, SchoolRow
from casework.voices import Voice, check_said, voices_of

ELSEWHERE = "A pupil who is not at this school now"
LAST_WEEK_DAYS = 7
_WEEKS_AFTER = timedelta(weeks=26)


class NoSuchLookback(Exception):
    """Nothing of this id at this person's schools: answer 404."""


@dataclass(frozen=True, kw_only=True)
class KnownWeek:
    """One school week before the event, as it was known on the next list's day; counts as on the pupil's page.

    Attributes
    ----------
    later
        Incidents and removals of this week that were written down only afterwards.
    belong
        What Belong did on the list of this week, as `lookback_words.LISTS` has it; None while it may not be shown.
    """

    start: date
    possible: int
    missed: int
    late: int
    incidents: int
    removals: int
    suspended: bool
    later: int
    belong: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Help that was decided on, and how many days before the event (below nought: after it)."""

    on: date
    words: str
    days_before: int


@dataclass(frozen=True, kw_only=True)
class Note:
    """What somebody wrote, with the themes it was coded by. `said` None: others' words wait for one's own view."""

    kind: str
    said: str | None
    themes: tuple[str, ...]
    on: date
    by: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step that was taken, by whom ('' for the nightly job)."""

    says: str
    on: date
    by: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A look-back as a list shows it."""

    id: uuid.UUID
    pupil_id: uuid.UUID
    name: str
    year_group: str
    school: int
    school_name: str
    kind_words: str
    event_on: date
    due_on: date
    state: str
    owner: str

    @property
    def state_words(self) -> str:
        """Where it stands, in words."""
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look back."""
        return self.state in OPEN


@dataclass(frozen=True, kw_only=True)
class Lookback:
    """One look-back whole.

    Attributes
    ----------
    withheld
        Whether what Belong did is hidden, because the pupil has an open case that the reader has no view of yet.
    version
        How many steps and notes there are: it goes into the form and back with it.
    """

    line: Line
    weeks: tuple[KnownWeek, ...]
    withheld: bool
    offers: tuple[Offer, ...]
    voices: tuple[Voice, ...]
    notes: tuple[Note, ...]
    steps: tuple[Taken, ...]
    version: int

    @property
    def first_flag(self) -> date | None:
        """The Monday of the first week before the event in which the pupil was flagged, if it may be shown."""
        return next((week.start for week in self.weeks if week.belong == "flagged"), None)


@dataclass(frozen=True, kw_only=True)
class NewNote:
    """What somebody writes, as the form gives it."""

    kind: str
    said: str
    themes: tuple[str, ...]
    idempotency_key: str


def lookbacks(session: Session, person: Person) -> tuple[Line, ...]:
    """Return the look-backs of the person's schools: the open ones by the day they are due, then the others."""
    check_may(person, "see_lookbacks")
    found = _lines(session, person, true())
    look_at_all(
        session,
        person,
        [
            Looked(action="see_lookbacks"),
            *(Looked(action="listed_lookback", pupil_id=one.pupil_id, school=one.school) for one in found),
        ],
    )
    return tuple(sorted(found, key=lambda one: (not one.is_open, one.due_on if one.is_open else date.max, one.name)))


def lookback(session: Session, person: Person, lookback_id: uuid.UUID, today: date) -> Lookback:
    """Return one look-back of the person's schools, and log the look.

    Raises
    ------
    NoSuchLookback, NotAllowed
    """
    check_may(person, "see_lookbacks")
    rules.check_trained(person, today)
    line = next(iter(_lines(session, person, LookbackRow.id == lookback_id)), None)
    if line is None:
        raise NoSuchLookback("no such look-back in this person's schools")
    row = session.get_one(LookbackRow, lookback_id)
    case = active_case(session, row.pupil_id)
    withheld = case is not None and own_view(session, person, case.id, today) is None
    notes, steps = _notes(session, lookback_id, person, withheld), _steps(session, lookback_id)
    look(session, person, "see_lookback", pupil_id=row.pupil_id, school=row.school_urn)
    return Lookback(
        line=line,
        weeks=tuple(_week(said, withheld) for said in row.payload["weeks"]),
        withheld=withheld,
        offers=_offers(session, row.pupil_id, line.event_on),
        voices=tuple(one for one in voices_of(session, row.pupil_id) if one.asked_on >= line.event_on - _WEEKS_AFTER),
        notes=notes,
        steps=tuple(Taken(says=STEPS[step.step].says, on=step.taken_on, by=by or "") for step, by in steps),
        version=len(notes) + len(steps),
    )


def take_on(session: Session, person: Person, found: Lookback, today: date) -> None:
    """Make the person the owner. Raises RuleBroken, StaleCase, NotAllowed."""
    _step(session, person, found, "take", today)


def reopen(session: Session, person: Person, found: Lookback, today: date) -> None:
    """Open a concluded look-back again; the person becomes its owner."""
    _step(session, person, found, "reopen", today)


def add_note(session: Session, person: Person, found: Lookback, new: NewNote, today: date) -> None:
    """Write down what an adult says, or what would have been needed, which concludes it.

    The same form sent twice makes one entry. Raises RuleBroken, StaleCase, NotAllowed.
    """
    check_may(person, "record_lookback", found.line.school)
    if _repeated(session, person, found, new.idempotency_key):
        return
    if new.kind not in NOTES:
        raise RuleBroken("Select what you are writing down.", "kind")
    if found.line.state not in OPEN:
        raise RuleBroken("This look-back is not open. Open it again first.")
    said = check_said(new.said, "Write it down in a sentence or two.")
    themes = tuple(name for name in THEMES if name in new.themes)
    if set(new.themes) - THEMES.keys():
        raise RuleBroken("Select themes from the list.", "themes")
    if new.kind == "needed" and not themes:
        raise RuleBroken("Select at least one theme, so that the network can learn from it.", "themes")
    if new.kind == "needed":
        if found.line.state == "waiting":
            raise RuleBroken("Take this look-back on first, so that it is known who concludes it.")
        _step(session, person, found, "conclude", today)
    session.execute(
        insert(LookbackNoteRow).values(
            lookback_id=found.line.id,
            school_urn=found.line.school,
            person_id=person.id,
            kind=new.kind,
            said=said,
            themes=list(themes) if new.kind == "needed" else [],
            recorded_on=today,
            recorded_at=datetime.now(UTC),
            idempotency_key=new.idempotency_key,
        )
    )
    look(session, person, "record_lookback", pupil_id=found.line.pupil_id, school=found.line.school, detail=new.kind)


def _step(session: Session, person: Person, found: Lookback, name: str, today: date) -> None:
    check_may(person, "record_lookback", found.line.school)
    if found.line.state not in STEPS[name].starts:
        raise RuleBroken("This look-back changed since you opened it. Read it again, then go on.")
    number = len(found.steps) + 1
    try:
        with session.begin_nested():
            session.execute(
                insert(LookbackStepRow).values(
                    lookback_id=found.line.id,
                    number=number,
                    school_urn=found.line.school,
                    person_id=person.id,
                    step=name,
                    taken_on=today,
                    recorded_at=datetime.now(UTC),
                )
            )
    except IntegrityError as error:
        raise StaleCase("Someone saved at the same moment. Your text is kept below: read theirs first.") from error
    look(session, person, f"{name}_lookback", pupil_id=found.line.pupil_id, school=found.line.school)


def _repeated(session: Session, person: Person, found: Lookback, key: str) -> bool:
    if not 1 <= len(key) <= 100 or "\x00" in key:
        raise RuleBroken("The form has lost its number. Go back to the look-back and try again.")
    row = session.execute(
        select(LookbackNoteRow.lookback_id, LookbackNoteRow.person_id).where(LookbackNoteRow.idempotency_key == key)
    ).one_or_none()
    if row is not None and tuple(row) != (found.line.id, person.id):
        raise RuleBroken("This form was already used for another look-back. Go back and try again.")
    return row is not None


def _lines(session: Session, person: Person, which: ColumnElement[bool]) -> list[Line]:
    rows = session.execute(
        select(LookbackRow, SchoolRow.name, PupilRow, PupilKeyRow.wrapped)
        .join(SchoolRow, SchoolRow.urn == LookbackRow.school_urn)
        .outerjoin(PupilRow, PupilRow.id == LookbackRow.pupil_id)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == LookbackRow.pupil_id)
        .where(which)
    ).all()
    mine = [row for row in rows if person.schools is None or row[0].school_urn in person.schools]
    steps: dict[uuid.UUID, list[tuple[LookbackStepRow, str | None]]] = {}
    for step, by in _taken(session, [row.id for row, *_ in mine]):
        steps.setdefault(step.lookback_id, []).append((step, by))
    key = master_key(session) if mine else b""
    return [
        _line(
            row, school, (pupil, shown(unseal(key, pupil.pseudonym, pupil.identity, wrapped)) if pupil else ""), steps
        )
        for row, school, pupil, wrapped in mine
    ]


def _line(
    row: LookbackRow,
    school: str,
    who: tuple[PupilRow | None, str],
    steps: dict[uuid.UUID, list[tuple[LookbackStepRow, str | None]]],
) -> Line:
    pupil, name = who
    mine = steps.get(row.id, [])
    owners = [by for step, by in mine if step.step in ("take", "reopen") and by]
    days = [row.event_on, *(step.event_on for step, _ in mine if step.event_on)]
    return Line(
        id=row.id,
        pupil_id=row.pupil_id,
        name=name or ELSEWHERE,
        year_group=pupil.year_group if pupil else "",
        school=row.school_urn,
        school_name=school,
        kind_words=KINDS[row.kind],
        event_on=days[-1],
        due_on=row.due_on,
        state=states_through([step.step for step, _ in mine])[-1],
        owner=owners[-1] if owners else "",
    )


def _taken(session: Session, ids: Sequence[uuid.UUID]) -> list[tuple[LookbackStepRow, str | None]]:
    rows = session.execute(
        select(LookbackStepRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == LookbackStepRow.person_id)
        .where(LookbackStepRow.lookback_id.in_(ids))
        .order_by(LookbackStepRow.lookback_id, LookbackStepRow.number)
    )
    return [(row[0], row[1]) for row in rows]


def _steps(session: Session, lookback_id: uuid.UUID) -> list[tuple[LookbackStepRow, str | None]]:
    return _taken(session, [lookback_id])


def _notes(session: Session, lookback_id: uuid.UUID, person: Person, withheld: bool) -> tuple[Note, ...]:
    rows = session.execute(
        select(LookbackNoteRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == LookbackNoteRow.person_id)
        .where(LookbackNoteRow.lookback_id == lookback_id)
        .order_by(LookbackNoteRow.recorded_at)
    )

    def note(row: LookbackNoteRow, by: str) -> Note:
        # Who read what Belong did may have written it down.
        hidden = withheld and row.person_id != person.id
        said, themes = (None, ()) if hidden else (row.said, tuple(row.themes))
        return Note(kind=row.kind, said=said, themes=themes, on=row.recorded_on, by=by)

    return tuple(note(row, by) for row, by in rows)


def _offers(session: Session, pupil_id: uuid.UUID, event_on: date) -> tuple[Offer, ...]:
    """Return what was decided for the pupil in the half year before the event and after it, the oldest first."""
    rows = session.execute(
        select(DecisionRow.recorded_on, DecisionRow.action)
        .join(CaseRow, CaseRow.id == DecisionRow.case_id)
        .where(
            CaseRow.pupil_id == pupil_id,
            DecisionRow.recorded_on >= event_on - _WEEKS_AFTER,
            DecisionRow.recorded_on <= event_on + _WEEKS_AFTER,
        )
        .order_by(DecisionRow.recorded_at)
    )
    found = [(on, f"Decided: {states.ACTIONS[action]}") for on, action in rows]
    found += [
        (one.offered_on, f"Offered: {one.kind.words}")
        for one in supports_of(session, pupil_id)
        if abs(one.offered_on - event_on) <= _WEEKS_AFTER
    ]
    return tuple(Offer(on=on, words=words, days_before=(event_on - on).days) for on, words in sorted(found))


def _week(said: dict[str, object], withheld: bool) -> KnownWeek:
    def number(name: str) -> int:
        return int(str(said[name]))

    return KnownWeek(
        start=date.fromisoformat(str(said["start"])),
        possible=number("possible"),
        missed=number("missed"),
        late=number("late"),
        incidents=number("incidents"),
        removals=number("removals"),
        suspended=bool(said["suspended"]),
        later=number("later"),
        belong=None if withheld else str(said["belong"]),
    )
