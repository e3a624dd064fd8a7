"""What Belong thinks of a flagged pupil, in words: read only once a person's own view is recorded."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from casework.tables_cases import DeploymentRow
from casework.tables_flags import ChangeRow, FlagRow, LeverRow, PublicationRow, ReasonRow, ScoreRow

VIEW_FIRST: Final = "Record your own view first. What Belong found, and why, is shown after that."
WITHDRAWN: Final = "The model behind this flag was withdrawn, so its result is no longer shown."
SCHOOL_HELD: Final = (
    "The school's records are in doubt, so what Belong found is not shown until that is settled. "
    "What is recorded above may have gaps."
)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason in words. `share` says how much of the pattern it is ('most', 'some')."""

    position: int
    group: str
    sentence: str
    share: str
    changeable: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change since the pupil was last at ease, in words. `way` is the figure's: 'up' or 'down'."""

    way: str
    group: str
    sentence: str
    share: str
    changeable: bool


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A condition in words ('If punctuality were again as before 13 April'), and the figure the model then gives.

    An estimate, not a promise: it says nothing of how to get there.
    """

    group: str
    sentence: str
    probability_words: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A flag's probability beside the base rate, and its reasons on both sides.

    Attributes
    ----------
    probability, base_rate
        Shares of 1, for the horizon; the base rate is that of pupils of the school's phase. None where
        Belong could not say (`abstain` says why), or has no base rate.
    outcome_words
        What the probability is of, as said of pupils: 'suspended or excluded'.
    eased_on, eased_words
        The day when the pupil was last at ease, and the figure then; None where the past is too short to say.
    changes, levers
        What moved the figure since, and what would lower it.
    too_short
        Too few earlier weeks are known to say whether the figure is rising.
    check_sample
        The pupil was drawn at random, whatever the score.
    """

    probability: float | None
    probability_words: str
    base_rate: float | None
    base_rate_words: str
    horizon_weeks: int
    outcome_words: str
    as_of: date
    rising_since: date | None
    too_short: bool
    check_sample: bool
    abstain: str | None
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    eased_on: date | None
    eased_words: str
    changes: tuple[Change, ...]
    levers: tuple[Lever, ...]
    bundle_digest: str


def in_a_hundred(share: float | None) -> str:
    """Return a share of 1 as people say it: 'about 29 in 100', 'fewer than 1 in 100'."""
    if share is None:
        return "cannot be calculated"
    if share < 0.01:
        return "fewer than 1 in 100"
    if share > 0.99:
        return "more than 99 in 100"
    return f"about {round(share * 100)} in 100"


def latest_flag(session: Session, pupil_id: uuid.UUID) -> FlagRow | None:
    """Return the pupil's newest flag in scope, or None."""
    return session.execute(
        select(FlagRow).where(FlagRow.pupil_id == pupil_id).order_by(FlagRow.as_of.desc(), FlagRow.id).limit(1)
    ).scalar_one_or_none()


def reasons_of(session: Session, flag_id: uuid.UUID) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Return a flag's reasons for and against, in order."""
    rows = session.scalars(select(ReasonRow).where(ReasonRow.flag_id == flag_id).order_by(ReasonRow.position))
    return _sides(rows)


def _sides(rows: Iterable[ReasonRow]) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    sides: dict[str, list[Reason]] = {"for": [], "against": []}
    for row in rows:
        sides[row.side].append(
            Reason(
                position=row.position,
                group=row.group,
                sentence=row.sentence,
                share=row.share,
                changeable=row.changeable,
            )
        )
    return tuple(sides["for"]), tuple(sides["against"])


def changes_of(session: Session, flag_id: uuid.UUID) -> tuple[Change, ...]:
    """Return what moved a flag's figure since the pupil was last at ease, in order."""
    return _changed(session.scalars(select(ChangeRow).where(ChangeRow.flag_id == flag_id).order_by(ChangeRow.position)))


def _changed(rows: Iterable[ChangeRow]) -> tuple[Change, ...]:
    return tuple(
        Change(way=row.way, group=row.group, sentence=row.sentence, share=row.share, changeable=row.changeable)
        for row in rows
    )


def levers_of(session: Session, flag_id: uuid.UUID) -> tuple[Lever, ...]:
    """Return what would lower a flag's figure, in order."""
    return _lowering(session.scalars(select(LeverRow).where(LeverRow.flag_id == flag_id).order_by(LeverRow.position)))


def _lowering(rows: Iterable[LeverRow]) -> tuple[Lever, ...]:
    return tuple(
        Lever(group=row.group, sentence=row.sentence, probability_words=in_a_hundred(row.probability)) for row in rows
    )


def is_withdrawn(session: Session, digest: str) -> bool:
    """Whether the bundle was deployed and then revoked."""
    revoked = select(DeploymentRow.digest).where(DeploymentRow.digest == digest, DeploymentRow.revoked_at.is_not(None))
    return session.execute(revoked).first() is not None


def explanation_of(session: Session, flag: FlagRow, phase: str) -> Explanation:
    """Return the explanation of a flag. Callers first make sure that the person's own view is recorded."""
    return explanations_of(session, {flag: phase})[flag.id]


def explanations_of(session: Session, phases: Mapping[FlagRow, str]) -> dict[uuid.UUID, Explanation]:
    """Return the explanations of many flags (flag → its school's phase) by the flags' ids, in five queries in all."""
    flags = list(phases)
    if not flags:
        return {}
    keys = [(flag.bundle_digest, flag.as_of) for flag in flags]
    published = {
        (row.bundle_digest, row.as_of): row
        for row in session.scalars(
            select(PublicationRow).where(tuple_(PublicationRow.bundle_digest, PublicationRow.as_of).in_(keys))
        )
    }
    pupils = [flag.pupil_id for flag in flags]
    scored = {
        (row.pupil_id, row.bundle_digest, row.as_of): row
        for row in session.scalars(
            select(ScoreRow).where(
                ScoreRow.pupil_id.in_(pupils), tuple_(ScoreRow.bundle_digest, ScoreRow.as_of).in_(keys)
            )
        )
    }
    reasons, changes, levers = (_by_flag(session, rows, flags) for rows in (ReasonRow, ChangeRow, LeverRow))
    return {
        flag.id: _explanation(
            flag,
            published[flag.bundle_digest, flag.as_of],
            scored.get((flag.pupil_id, flag.bundle_digest, flag.as_of)),
            phase,
            (_sides(reasons[flag.id]), _changed(changes[flag.id]), _lowering(levers[flag.id])),
        )
        for flag, phase in phases.items()
    }


_Said = tuple[tuple[tuple[Reason, ...], tuple[Reason, ...]], tuple[Change, ...], tuple[Lever, ...]]


def _by_flag(session: Session, rows: Any, flags: Sequence[FlagRow]) -> defaultdict[uuid.UUID, list[Any]]:
    mine = select(rows).where(rows.flag_id.in_([flag.id for flag in flags])).order_by(rows.flag_id, rows.position)
    found: defaultdict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in session.scalars(mine):
        found[row.flag_id].append(row)
    return found


def _explanation(
    flag: FlagRow, published: PublicationRow, score: ScoreRow | None, phase: str, said: _Said
) -> Explanation:
    (reasons_for, reasons_against), changes, levers = said
    probability = score.probability if score else None
    base_rate = published.base_rates.get(phase)
    return Explanation(
        probability=probability,
        probability_words=in_a_hundred(probability),
        base_rate=base_rate,
        base_rate_words=in_a_hundred(base_rate),
        horizon_weeks=published.horizon_weeks,
        outcome_words=published.outcome_words,
        as_of=flag.as_of,
        rising_since=flag.rising_since,
        too_short=score is not None and score.probability is not None and score.rise is None,
        check_sample=flag.check_sample,
        abstain=score.abstain if score else "not scored",
        reasons_for=reasons_for,
        reasons_against=reasons_against,
        eased_on=flag.eased_on,
        eased_words=in_a_hundred(flag.eased),
        changes=changes,
        levers=levers,
        bundle_digest=flag.bundle_digest,
    )
