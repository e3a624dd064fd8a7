"""Reading the log of looks: who looked at this pupil, what a person opened, a day; unusual volumes; whether it holds.

Whoever reads it sees no pupil: opaque ids, times and people. Reading it is a look like any other.
"""

import statistics
import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, text
from sqlalchemy.orm import Session

from casework.audit_log import head, look
from casework.permissions import ROLES, Person, check_may
from casework.tables_cases import LookRow
from casework.tables_people import IntegrationRow, PersonRoleRow, PersonRow, SchoolRow
from casework.tables_staff import LookCheckRow

AT_ONCE: Final = 50
WEEK: Final = timedelta(days=7)
# A person stands out above this many pupils in seven days, and this many times what is usual.
STANDS_OUT_PUPILS: Final = 20
STANDS_OUT_TIMES: Final = 3
WEEKS_BEFORE: Final = 8
SHOWN_VOLUMES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Question:
    """What of the log is asked for. `pupils` None: looks at anybody; an empty set: at nobody, so nothing is found."""

    pupils: frozenset[uuid.UUID] | None = None
    person: uuid.UUID | None = None
    day: date | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class LookLine:
    """One look: when, by whom, at what. `person` or `system` is known; `pupil` is the opaque id."""

    seq: int
    at: datetime
    person_id: uuid.UUID | None
    who: str
    action: str
    pupil: uuid.UUID | None
    school: str | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class Volume:
    """How many different pupils somebody looked at in seven days, and what is usual for them and for their role.

    The usual is the median of the eight weeks before, those without a look left out; None where there is none.
    """

    person_id: uuid.UUID
    name: str
    roles: tuple[str, ...]
    pupils: int
    own_usual: float | None
    role_usual: float | None

    @property
    def stands_out(self) -> bool:
        """Whether it is at least twenty pupils, and over three times both what is usual for them and for the role."""
        usual = max(self.own_usual or 0.0, self.role_usual or 0.0)
        return self.pupils >= STANDS_OUT_PUPILS and self.pupils > STANDS_OUT_TIMES * usual


@dataclass(frozen=True, kw_only=True)
class LogState:
    """The newest check of the whole chain (None: none yet), and how many looks there are now."""

    looks: int
    checked_at: datetime | None
    holds: bool
    checked_looks: int
    head: str
    sentence: str


def read_log(session: Session, reader: Person, asked: Question) -> tuple[tuple[LookLine, ...], bool]:
    """Return fifty looks, newest first, and whether older ones follow; one query, and the look that this is.

    Raises
    ------
    NotAllowed
        The reader may not read the log.
    """
    check_may(reader, "see_looks")
    log_scope(session)
    found = session.execute(looks_query(asked).limit(AT_ONCE + 1)).all()
    lines = tuple(_line(row) for row in found[:AT_ONCE])
    one = next(iter(asked.pupils)) if asked.pupils and len(asked.pupils) == 1 else None
    look(session, reader, "see_looks", pupil_id=one, detail=_detail(asked))
    return lines, len(found) > AT_ONCE


def pupils_known_as(session: Session, reader: Person, pseudonyms: Iterable[int]) -> frozenset[uuid.UUID]:
    """Return by which ids the log knows these numbers; nothing else of a pupil is told. Raises NotAllowed."""
    check_may(reader, "see_looks")
    log_scope(session)
    known = text("SELECT belong_pupils_known_as(:numbers)")
    return frozenset(session.scalars(known, {"numbers": list(pseudonyms)}))


def volumes(session: Session, reader: Person, now: datetime) -> tuple[Volume, ...]:
    """Return who looked at most pupils in the last seven days, those who stand out first, twenty at most. Two queries.

    Raises
    ------
    NotAllowed
        The reader may not read the log.
    """
    check_may(reader, "see_looks")
    log_scope(session)
    weeks: dict[uuid.UUID, dict[int, int]] = defaultdict(dict)
    for row in session.execute(_WEEKS, {"now": now, "since": now - WEEK * (WEEKS_BEFORE + 1)}):
        weeks[row.person_id][row.back] = row.pupils
    people = _people(session, weeks)
    by_role = _by_role(people, weeks)
    found = [_volume(who, people[who], weeks[who], by_role) for who in people if 0 in weeks[who]]
    found.sort(key=lambda one: (not one.stands_out, -one.pupils, one.name))
    look(session, reader, "see_volumes")
    return tuple(found[:SHOWN_VOLUMES])


def log_state(session: Session, reader: Person) -> LogState:
    """Return what the newest check found, and how many looks there are now. Raises NotAllowed."""
    check_may(reader, "see_looks")
    row = session.scalars(select(LookCheckRow).order_by(LookCheckRow.seq.desc()).limit(1)).one_or_none()
    now = head(session).seq
    if row is None:
        return LogState(looks=now, checked_at=None, holds=False, checked_looks=0, head="", sentence="")
    return LogState(
        looks=now,
        checked_at=row.checked_at,
        holds=row.holds,
        checked_looks=row.looks,
        head=row.head,
        sentence=row.sentence,
    )


def log_scope(session: Session) -> None:
    """Let this transaction read the log of every school, and nothing else."""
    session.execute(text("SELECT set_config('belong.log', 'yes', true)"))


def looks_query(asked: Question) -> Select[*tuple[Any, ...]]:
    """Return the query of a question, newest look first; each question has an index of its own."""
    rows: Select[*tuple[Any, ...]] = (
        select(
            LookRow.seq,
            LookRow.at,
            LookRow.person_id,
            func.coalesce(PersonRow.name, IntegrationRow.name, LookRow.integration_id, "Somebody").label("who"),
            LookRow.action,
            LookRow.pupil_id,
            SchoolRow.name.label("school"),
            LookRow.detail,
        )
        .outerjoin(PersonRow, PersonRow.id == LookRow.person_id)
        .outerjoin(IntegrationRow, IntegrationRow.client_id == LookRow.integration_id)
        .outerjoin(SchoolRow, SchoolRow.urn == LookRow.school_urn)
        .order_by(LookRow.seq.desc())
    )
    if asked.pupils is not None:
        rows = rows.where(LookRow.pupil_id.in_(asked.pupils))
    if asked.person is not None:
        rows = rows.where(LookRow.person_id == asked.person)
    if asked.before is not None:
        rows = rows.where(LookRow.seq < asked.before)
    if asked.day is not None:
        # Numbers follow time, so a day is a range of numbers: its ends are found by the index on time.
        start = datetime.combine(asked.day, time.min, UTC)
        first = select(LookRow.seq).where(LookRow.at >= start).order_by(LookRow.at).limit(1)
        after = select(LookRow.seq).where(LookRow.at >= start + timedelta(days=1)).order_by(LookRow.at).limit(1)
        rows = rows.where(
            LookRow.seq >= first.scalar_subquery(),
            LookRow.seq < func.coalesce(after.scalar_subquery(), 2**62),
        )
    return rows


def _line(row: Any) -> LookLine:
    return LookLine(
        seq=row.seq,
        at=row.at.astimezone(UTC),
        person_id=row.person_id,
        who=row.who,
        action=row.action,
        pupil=row.pupil_id,
        school=row.school,
        detail=row.detail,
    )


def _detail(asked: Question) -> str:
    parts = [
        "one pupil" if asked.pupils is not None else "",
        f"person {asked.person}" if asked.person else "",
        f"day {asked.day.isoformat()}" if asked.day else "",
        f"before {asked.before}" if asked.before else "",
    ]
    return ", ".join(part for part in parts if part)


# Seven days back from now are week 0, the seven before them week 1, and so on.
_WEEKS: Final = text(
    "SELECT person_id, back, count(*) AS pupils FROM ("
    "SELECT DISTINCT person_id, pupil_id, floor(extract(epoch FROM :now - at) / 604800)::integer AS back "
    "FROM looks WHERE at > :since AND at <= :now AND person_id IS NOT NULL AND pupil_id IS NOT NULL "
    "AND action <> 'see_looks'"  # who asks who looked at a pupil has not seen the pupil
    ") AS seen GROUP BY person_id, back"
).bindparams(bindparam("now"), bindparam("since"))


def _people(session: Session, who: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[str, tuple[str, ...]]]:
    """Return name and roles of people; roles that are over count too, since they looked under them."""
    rows = (
        select(PersonRow.id, PersonRow.name, func.array_agg(PersonRoleRow.role.distinct()).label("roles"))
        .outerjoin(PersonRoleRow, PersonRoleRow.person_id == PersonRow.id)
        .where(PersonRow.id.in_(list(who)))
        .group_by(PersonRow.id)
    )
    return {row.id: (row.name, tuple(role for role in ROLES if role in row.roles)) for row in session.execute(rows)}


def _by_role(
    people: Mapping[uuid.UUID, tuple[str, Sequence[str]]], weeks: Mapping[uuid.UUID, Mapping[int, int]]
) -> dict[str, list[int]]:
    """Return, for each role, the pupils of every earlier week of everybody who holds it, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for who, (_, roles) in people.items():
        for role in roles:
            found[role] += _earlier(weeks[who])
    return {role: sorted(pupils) for role, pupils in found.items()}


def _earlier(weeks: Mapping[int, int]) -> list[int]:
    return [pupils for back, pupils in weeks.items() if back > 0]


def _without(ordered: Sequence[int], own: Iterable[int]) -> float | None:
    """Return the median of numbers in order once one's own are taken out; None where nothing is left."""
    rest = list(ordered)
    for one in own:
        rest.pop(bisect_left(rest, one))
    middle = len(rest) // 2
    if not rest:
        return None
    return float(rest[middle]) if len(rest) % 2 else (rest[middle - 1] + rest[middle]) / 2


def _volume(
    who: uuid.UUID, person: tuple[str, Sequence[str]], weeks: Mapping[int, int], by_role: Mapping[str, Sequence[int]]
) -> Volume:
    (name, roles), own = person, _earlier(weeks)
    usual = [median for role in roles if (median := _without(by_role[role], own)) is not None]
    return Volume(
        person_id=who,
        name=name,
        roles=tuple(ROLES[role] for role in roles),
        pupils=weeks[0],
        own_usual=statistics.median(own) if own else None,
        # Of several roles, the one under which most is usual.
        role_usual=max(usual) if usual else None,
    )
