"""An objection to being scored: from the next run the pupil has no score, and stays in every count."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import pandas as pd
from sqlalchemy import Engine, insert

from casework.database import scoped
from casework.privacy.request import Asked, CannotAnswer, check_note, find, officer
from casework.tables_people import RightsDecisionRow
from records import delta
from records.history import latest
from records.home import Home
from records.tables import OBJECTIONS
from records.written import append

GROUND: Final = "right to object (UK GDPR, Article 21)"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an officer did about an objection: whose, by whom, and the note that says why."""

    asked: Asked
    decided_by: str
    note: str
    withdrawn: bool = False


def objection(engine: Engine, home: Home, answer: Answer, today: date) -> bool:
    """Write an objection, or its end, and return whether anything changed.

    Old flags stay as they are. The row is written before the decision's transaction ends: where that
    fails, the pupil is not scored although no decision was kept, and the command says so again.

    Raises
    ------
    CannotAnswer
        The officer may not, the note will not do, or there is no objection to end.
    NoSuchPupil
        Nobody on our rolls is asked about.
    """
    with scoped(engine, None) as session:
        person = officer(session, answer.decided_by, today)
        found = find(session, home, answer.asked)
        note = check_note(answer.note, found.subject)
        if found.pupil_id is None:
            raise CannotAnswer("no such pupil is on our rolls, so nothing scores them")
        standing = standing_since(home, found.subject.pseudonyms, today)
        if answer.withdrawn and standing is None:
            raise CannotAnswer("no objection of this pupil stands, so none can be withdrawn")
        if not answer.withdrawn and standing is not None:
            return False
        session.execute(
            insert(RightsDecisionRow).values(
                pupil_id=found.pupil_id,
                asked="withdrawal" if answer.withdrawn else "objection",
                ground=GROUND,
                outcome="granted",
                note=note,
                decided_by=person.id,
                decided_on=today,
                recorded_at=datetime.now(UTC),
            )
        )
        made_on = standing or today
        row = {
            "pupil": found.subject.pseudonyms[0],
            "made_on": made_on,
            "ended_on": today if answer.withdrawn else None,
        }
        append(home, OBJECTIONS, [row], today)
    return True


def standing_since(home: Home, pseudonyms: tuple[int, ...], today: date) -> date | None:
    """Return the day since which the pupil's objection stands; None: none does."""
    rows, _ = delta.read(home.history, OBJECTIONS, None)
    # Written today included: what is asked is what stands now, not what was known this morning.
    said = latest(rows[rows["pupil"].isin(pseudonyms)], OBJECTIONS, (pd.Timestamp(today) + pd.Timedelta(days=1)).date())
    stands = said[said["ended_on"].isna()]
    return None if stands.empty else stands["made_on"].min().date()
