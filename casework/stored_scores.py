"""The published score of pupils whom Belong holds already, for a system that may read scores; each one a look."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.audit_log import Looked, look_at_all
from casework.callers import Integration
from casework.explanation import Explanation, explanations_of
from casework.freshness import Withheld, freshness
from casework.tables_flags import FeatureRow, FlagRow, PublicationRow, ScoreRow
from casework.tables_people import PupilRow, SchoolRow


@dataclass(frozen=True, kw_only=True)
class StoredScore:
    """What the newest list up to the day says of a pupil.

    Attributes
    ----------
    as_of
        The list's day; None: there is none yet by this bundle, or the pupil is not in it.
    abstain, withheld
        Why there is no probability, or why it is not shown.
    rising
        None where the past is too short to say.
    features
        The pupil's inputs on that day by name, None where another day's are kept.
    explanation
        Of the flag of that day; None where the pupil was not flagged then.
    """

    pupil_id: uuid.UUID
    school: int
    phase: str
    as_of: date | None
    probability: float | None
    abstain: str | None
    withheld: Withheld | None
    rising: bool | None
    rising_since: date | None
    features: Mapping[str, Any] | None
    explanation: Explanation | None


def read_stored(
    session: Session, caller: Integration, pupils: Sequence[uuid.UUID], bundle_digest: str, as_of: date, today: date
) -> dict[uuid.UUID, StoredScore]:
    """Return the pupils' scores by the bundle, as published for the newest day up to `as_of`, and log every look.

    A pupil who is not at the caller's schools is missing from the answer, and logged as not found: leave the
    transaction's block before answering 404.
    """
    rows = session.execute(
        select(PupilRow.id, PupilRow.school_urn, SchoolRow.phase, SchoolRow.up_to_date)
        .join(SchoolRow, SchoolRow.urn == PupilRow.school_urn)
        .where(PupilRow.id.in_(pupils), PupilRow.school_urn.in_(caller.schools))
    ).all()
    day = session.execute(
        select(func.max(PublicationRow.as_of)).where(
            PublicationRow.bundle_digest == bundle_digest, PublicationRow.as_of <= as_of
        )
    ).scalar_one()
    ids = [row.id for row in rows]
    of_day = {name: _of_day(session, table, ids, bundle_digest, day) for name, table in _TABLES.items()}
    phases = {row.id: row.phase for row in rows}
    explained = explanations_of(session, {flag: phases[pupil] for pupil, flag in of_day["flags"].items()})
    fresh = freshness(session, today)
    found = {}
    for row in rows:
        score, kept, flag = (of_day[name].get(row.id) for name in ("scores", "features", "flags"))
        withheld = fresh.withheld(bundle_digest, up_to_date=row.up_to_date)
        rising = None if score is None or score.rise_margin is None else score.rise_margin >= 0
        found[row.id] = StoredScore(
            pupil_id=row.id,
            school=row.school_urn,
            phase=row.phase,
            as_of=day if score else None,
            probability=score.probability if score and not withheld else None,
            abstain=score.abstain if score else None,
            withheld=withheld,
            rising=rising,
            rising_since=score.rising_since if score and rising else None,
            features=kept.features if kept else None,
            explanation=explained.get(flag.id) if flag else None,
        )
    looks = [
        Looked(action="score_stored", pupil_id=pupil, school=found[pupil].school, detail=f"by {bundle_digest[:12]}")
        if pupil in found
        else Looked(action="score_stored", pupil_id=pupil, detail="no such pupil in scope")
        for pupil in pupils
    ]
    look_at_all(session, caller, looks)
    return found


_TABLES: Mapping[str, Any] = {"scores": ScoreRow, "features": FeatureRow, "flags": FlagRow}


def _of_day(
    session: Session, table: Any, pupils: Sequence[uuid.UUID], bundle_digest: str, day: date | None
) -> dict[uuid.UUID, Any]:
    mine = select(table).where(table.pupil_id.in_(pupils), table.bundle_digest == bundle_digest, table.as_of == day)
    return {row.pupil_id: row for row in session.scalars(mine)}
