"""What is published of a programme: counts of whom it reached, what a pupil reached cost, and what it did, once known.

Nothing here works a count out: what is stored is rounded and hidden already (`learning.programmes.release`), and the
database takes nothing else. Shares and costs are worked out from rounded counts, so they say nothing that those do not.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.permissions import Person, check_may
from casework.programmes import open_to_answer
from casework.tables_support import ProgrammeCountRow, ProgrammeEffectRow, ProgrammeReleaseRow
from records.refusal import Refusal

# Measure → what one of it is. Pupils are those on roll at the programme's schools on the period's last day.
MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "offered": "pupils to whom the programme's support was offered, or who had it",
        "reached": "of those, pupils who took it up",
        "need": "pupils on a week's list, or away for a tenth of their sessions or more",
        "need_reached": "of those, pupils who took the programme's support up",
    }
)
PARTS: Final = (("reached", "offered"), ("need_reached", "need"), ("need_reached", "reached"))
WHOLE_PERIOD: Final = "The whole programme"


class AlreadyReleased(Refusal):
    """This period's counts are out: a second version could be laid beside the first."""


@dataclass(frozen=True, kw_only=True)
class ProgrammeRelease:
    """One period's publication: its days, the day its counts were known, and what the programme cost in it, pounds.

    The cost is None where it would tell how many hours very few pupils had.
    """

    programme_id: uuid.UUID
    period: str
    start_on: date
    end_on: date
    known_on: date
    cost_pounds: int | None


@dataclass(frozen=True, kw_only=True)
class ReachCounts:
    """One place's or group's counts, by measure; None where a count is not shown."""

    cut: str
    place: str
    counts: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a programme did to an outcome: an optional, published row, for `learning.impact` to write.

    Attributes
    ----------
    outcome
        What was measured, in words: 'sessions missed in the term after'.
    design
        How it was estimated, in words: 'regression discontinuity, taken up'.
    estimate, lower, upper
        The effect and its 95 % interval, in `unit`; below nought is fewer.
    pupils
        How many the estimate rests on, rounded to 5 and at least 10.
    rests_on
        The assumption that it rests on, in plain words.
    """

    programme_id: uuid.UUID
    outcome: str
    published_on: date
    design: str
    estimate: float
    lower: float
    upper: float
    unit: str
    pupils: int
    rests_on: str


def save_programme_release(session: Session, release: ProgrammeRelease, reach: Sequence[ReachCounts]) -> None:
    """Publish a period of a programme, once. Needs the job's role and every school in scope.

    Raises
    ------
    AlreadyReleased
        The period is out.
    """
    if session.get(ProgrammeReleaseRow, (release.programme_id, release.period)) is not None:
        raise AlreadyReleased(f"counts of {release.period} are published for this programme, and are published once")
    session.execute(insert(ProgrammeReleaseRow).values(**asdict(release), published_at=datetime.now(UTC)))
    of = {"programme_id": release.programme_id, "period": release.period}
    rows = [
        {**of, "cut": one.cut, "place": one.place, "measure": measure, "count": count}
        for one in reach
        for measure, count in one.counts.items()
    ]
    if rows:
        session.execute(insert(ProgrammeCountRow), rows)


def programme_releases(session: Session, programme_id: uuid.UUID) -> tuple[ProgrammeRelease, ...]:
    """Return the periods of a programme that row-level security shows, the newest first."""
    rows = session.scalars(
        select(ProgrammeReleaseRow)
        .where(ProgrammeReleaseRow.programme_id == programme_id)
        .order_by(ProgrammeReleaseRow.end_on.desc(), ProgrammeReleaseRow.start_on)
    )
    return tuple(
        ProgrammeRelease(
            programme_id=row.programme_id,
            period=row.period,
            start_on=row.start_on,
            end_on=row.end_on,
            known_on=row.known_on,
            cost_pounds=row.cost_pounds,
        )
        for row in rows
    )


def reach_of(session: Session, person: Person, release: ProgrammeRelease) -> tuple[ReachCounts, ...]:
    """Return the counts of one period, for those who answer for the network. Raises NotAllowed."""
    check_may(person, "see_programmes")
    open_to_answer(session)
    found: dict[tuple[str, str], dict[str, int | None]] = {}
    rows = session.scalars(
        select(ProgrammeCountRow)
        .where(
            ProgrammeCountRow.programme_id == release.programme_id,
            ProgrammeCountRow.period == release.period,
        )
        .order_by(ProgrammeCountRow.cut, ProgrammeCountRow.place)
    )
    for row in rows:
        found.setdefault((row.cut, row.place), {})[row.measure] = row.count
    return tuple(ReachCounts(cut=cut, place=place, counts=counts) for (cut, place), counts in found.items())


def save_effect(session: Session, effect: Effect) -> None:
    """Publish an estimate. A later one of the same outcome stands beside it. Needs the job's role."""
    session.execute(insert(ProgrammeEffectRow).values(**asdict(effect)))


def effects_of(session: Session, person: Person, programme_id: uuid.UUID) -> tuple[Effect, ...]:
    """Return the newest estimate of each outcome; empty while it is not yet known. Raises NotAllowed."""
    check_may(person, "see_programmes")
    open_to_answer(session)
    rows = session.scalars(
        select(ProgrammeEffectRow)
        .where(ProgrammeEffectRow.programme_id == programme_id)
        .order_by(ProgrammeEffectRow.published_on)
    )
    newest = {row.outcome: row for row in rows}
    names = list(Effect.__dataclass_fields__)
    return tuple(Effect(**{name: getattr(newest[outcome], name) for name in names}) for outcome in sorted(newest))
