"""Opening look-backs: the nightly job holds what is open against what the records say now. Safe to run again."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from casework.lookback_words import DUE_DAYS, KINDS, NOT_SCORED, SAME_DAYS, STEPS
from casework.tables_flags import PublicationRow, ScoreRow
from casework.tables_lookbacks import LookbackRow, LookbackStepRow
from casework.tables_people import PupilRow

_LOCK = 8471


@dataclass(frozen=True, kw_only=True)
class Happened:
    """A permanent exclusion, or a suspension over five school days, as the records have it now."""

    pupil: int
    school: int
    kind: str
    on: date

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """How many look-backs were opened, and how many answered a correction, a deletion or its reversal."""

    opened: int
    redated: int
    withdrawn: int
    restored: int


@dataclass(frozen=True)
class Standing:
    """A look-back as its steps leave it; `days` is its first day as it was known first, and as it was corrected."""

    row: LookbackRow
    pupil: int
    steps: int
    state: str
    days: tuple[date, ...]

    @property
    def on(self) -> date:
        """Its first day as it stands now."""
        return self.days[-1]


Weeks = Mapping[tuple[int, int, date], Sequence[dict[str, Any]]]


def first_list(session: Session) -> date | None:
    """Return the day of the first list of the home; before it Belong could have missed nobody."""
    return session.scalars(select(PublicationRow.as_of).order_by(PublicationRow.as_of).limit(1)).first()


def to_open(session: Session, events: Iterable[Happened]) -> list[Happened]:
    """Return the events that no look-back is about: those whose weeks are worth working out."""
    known = {_key(one) for one in standings(session)}
    return [one for one in events if (one.pupil, one.school, one.on) not in known]


def reconcile(session: Session, events: Sequence[Happened], weeks: Weeks, today: date) -> Reconciled:
    """Open a look-back for each event without one, and answer what was corrected or deleted since.

    Needs the job's role and every school in scope. Pupils without an identity here are passed over.

    Parameters
    ----------
    events
        Everything the records hold from the first list on.
    weeks
        (pupil, school, day) → the weeks before an event that is to be opened, as they were known.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    standing = {_key(one): one for one in standings(session)}
    there = {(one.pupil, one.school, one.on): one for one in events}
    gone = {key: one for key, one in standing.items() if key not in there}
    fresh = {key: one for key, one in there.items() if key not in standing}
    redated = 0
    for key, one in sorted(gone.items(), key=lambda item: item[0]):
        moved = _moved_to(key, fresh)
        if moved is not None and one.state != "withdrawn":
            _take(session, one, "redate", today, on=moved[2])
            del fresh[moved]
            redated += 1
        elif one.state != "withdrawn":
            _take(session, one, "withdraw", today)
    withdrawn = sum(one.state != "withdrawn" for one in gone.values()) - redated
    back = [one for key, one in standing.items() if key in there and one.state == "withdrawn"]
    for one in back:
        _take(session, one, "restore", today)
    opened = sum(_open(session, one, weeks.get(key, ()), today) for key, one in sorted(fresh.items()))
    return Reconciled(opened=opened, redated=redated, withdrawn=withdrawn, restored=len(back))


def lists_before(session: Session, pupil: int, until: date) -> dict[date, str]:
    """Return day of each list → what Belong did with the pupil, as `LISTS` has it, up to the day and not on it."""
    rows = session.execute(
        select(ScoreRow)
        .join(PupilRow, PupilRow.id == ScoreRow.pupil_id)
        .where(PupilRow.pseudonym == pupil, ScoreRow.as_of < until)
        .order_by(ScoreRow.as_of)
    ).scalars()
    return {row.as_of: list_code(row) for row in rows}


def list_code(row: ScoreRow) -> str:
    """Return what Belong did with a pupil on one list."""
    if row.abstain:
        return f"{NOT_SCORED}:{row.abstain}"
    if row.flagged:
        return "flagged"
    if row.snoozed:
        return "snoozed"
    if row.eligible:
        return "beyond_capacity"
    if row.rise_margin is None:
        return "too_short"
    return "no_rise" if row.rise_margin < 0 else "below_level"


def standings(session: Session) -> list[Standing]:
    """Return every look-back in scope as its steps leave it."""
    steps: dict[uuid.UUID, list[LookbackStepRow]] = {}
    for step in session.scalars(select(LookbackStepRow).order_by(LookbackStepRow.lookback_id, LookbackStepRow.number)):
        steps.setdefault(step.lookback_id, []).append(step)
    found = []
    rows = session.execute(select(LookbackRow, PupilRow.pseudonym).join(PupilRow, PupilRow.id == LookbackRow.pupil_id))
    for row, pupil in rows:
        mine = steps.get(row.id, [])
        days = (row.event_on, *(step.event_on for step in mine if step.event_on))
        state = states_through([step.step for step in mine])[-1]
        found.append(Standing(row=row, pupil=pupil, steps=len(mine), state=state, days=days))
    return found


def states_through(steps: Iterable[str]) -> list[str]:
    """Return the states that the steps lead through, from 'waiting' on."""
    states = ["waiting"]
    for name in steps:
        states.append(STEPS[name].end or states[-1])
    return states


def _key(one: Standing) -> tuple[int, int, date]:
    return (one.pupil, one.row.school_urn, one.on)


def _moved_to(
    key: tuple[int, int, date], fresh: Mapping[tuple[int, int, date], Happened]
) -> tuple[int, int, date] | None:
    """Return the event that is this one with another first day: the nearest of the same pupil and school."""
    near = [one for one in fresh if one[:2] == key[:2] and abs((one[2] - key[2]).days) <= SAME_DAYS]
    return min(near, key=lambda one: abs((one[2] - key[2]).days), default=None)


def _take(session: Session, one: Standing, step: str, today: date, on: date | None = None) -> None:
    session.execute(
        insert(LookbackStepRow).values(
            lookback_id=one.row.id,
            number=one.steps + 1,
            school_urn=one.row.school_urn,
            person_id=None,
            step=step,
            event_on=on,
            taken_on=today,
            recorded_at=datetime.now(UTC),
        )
    )


def _open(session: Session, one: Happened, weeks: Sequence[dict[str, Any]], today: date) -> bool:
    pupil_id = session.execute(select(PupilRow.id).where(PupilRow.pseudonym == one.pupil)).scalar_one_or_none()
    if pupil_id is None:
        return False
    session.execute(
        insert(LookbackRow).values(
            pupil_id=pupil_id,
            school_urn=one.school,
            kind=one.kind,
            event_on=one.on,
            opened_on=today,
            due_on=today + timedelta(days=DUE_DAYS),
            payload={"weeks": list(weeks)},
        )
    )
    return True
