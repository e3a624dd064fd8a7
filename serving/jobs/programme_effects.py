"""What each programme did, worked out once: when it is over and what followed for the last of its pupils is settled."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.programme_figures import Effect, save_effect
from casework.programmes import Programme, programmes
from casework.tables_support import ProgrammeEffectRow
from learning.impact.discontinuity import TooFew
from learning.programmes.compared import compared
from learning.programmes.effect import LEAST_REACHED, Found, effect_on_reached
from records.clock import clock_of
from records.home import Home
from serving.jobs.impact import answer_on, beside, followed, newest_calendar, served_weeks
from serving.jobs.programmes import offers
from training.calibration import logit
from training.settings import Settings

# Outcome → what it is in words, and the unit of a hundred times its size.
OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "suspended": ("suspended or excluded in the {weeks} school weeks after it began", "pupils in 100"),
    "missed": ("sessions missed in the {weeks} school weeks after it began", "sessions in 100"),
    "incidents": ("incidents in the {weeks} school weeks after it began", "for every 100 pupils"),
}
DESIGN: Final = "Pupils reached beside pupils of the same schools who were alike before (weights and regression)"
ROUND: Final = 5


def publish_programme_effects(home: Home) -> dict[str, str]:
    """Publish what each programme that is due did; return, by programme, how many outcomes were or why none was.

    A programme is looked at once: whoever looks every week finds an effect in the end.
    """
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            out = set(session.scalars(select(ProgrammeEffectRow.programme_id)))
            over = [one for one in programmes(session) if one.id not in out and one.end_on < today]
            if not over:
                return {}
            calendar = newest_calendar(home, today)
            due = [one for one in over if answer_on(calendar, one.end_on, Settings()) <= today]
            return {one.name: _publish(home, session, one, today) for one in due}
    finally:
        engine.dispose()


def _publish(home: Home, session: Session, programme: Programme, today: date) -> str:
    supports = offers(session, programme.id)
    taken = int(supports.loc[supports["start_on"].notna(), "pupil"].nunique())
    if taken < LEAST_REACHED:  # known before any record is read
        return f"fewer than {LEAST_REACHED} pupils took it up, so nothing can be said of what it did"
    served = served_weeks(home, session, (programme.start_on, programme.end_on), newest_calendar(home, today))
    if served is None:
        return "no list was published while it ran, so nobody can be compared"
    rows = compared(served.log[served.log["school"].isin(programme.schools)], supports)
    if not rows["reached"].any():
        return "none of those who took it up was on a list's roll when it began"
    after, known = followed(home, rows[["pupil", "as_of", "school"]], served.settings, today)
    outcomes, before = beside(rows, after), beside(rows, known)
    before["figure"] = logit(rows["probability"].to_numpy(np.float64))
    before["year group"] = pd.to_numeric(rows["year_group"], errors="coerce").to_numpy(np.float64)
    made, why_not = 0, ""
    for name in OUTCOMES:
        try:
            found = effect_on_reached(rows, outcomes[name], before, outcomes=len(OUTCOMES))
        except TooFew as few:
            why_not = f"; {OUTCOMES[name][0].split(' in ')[0]}: {few}"
            continue
        save_effect(session, effect_of(programme.id, name, found, served.settings.horizon_weeks, today))
        made += 1
    return f"{made} outcomes are published, once and for good{why_not}"


def effect_of(programme: UUID, outcome: str, found: Found, weeks: int, today: date) -> Effect:
    """Return the row that is published, in units of a hundred."""
    words, unit = OUTCOMES[outcome]
    return Effect(
        programme_id=programme,
        outcome=words.format(weeks=weeks),
        published_on=today,
        design=f"{DESIGN}. With so many pupils, {100 * found.findable:.1f} {unit} are found four times in five",
        estimate=100 * found.estimate,
        lower=100 * found.lower,
        upper=100 * found.upper,
        unit=unit,
        pupils=ROUND * round(found.reached / ROUND),
        rests_on=found.rests_on,
    )
