"""A programme of a made-up network, entered on its page, with one period published and nothing known of its effect."""

import uuid
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from casework.places import NETWORK, SCHOOL
from casework.programme_figures import ProgrammeRelease, ReachCounts, save_programme_release

_GROUPS = {
    "deprivation": {str(tenth): (60 - 4 * tenth, 30 - 2 * tenth, 40 - 2 * tenth, 20 - tenth) for tenth in range(1, 6)},
    "sex": {"female": (60, 45, 70, 35), "male": (75, 60, 85, 30)},
    "sen": {"none": (80, 65, 90, 45), "support": (40, 30, 45, 15), "ehcp": (15, 10, 20, None)},
}
_MEASURES = ("offered", "reached", "need", "need_reached")


def save_made_up_release(session: Session, programme: uuid.UUID, schools: tuple[int, ...]) -> None:
    """Publish a half-term of the programme."""
    period = ("2025/26 Spring 2", date(2026, 2, 23), date(2026, 3, 27))
    release = ProgrammeRelease(
        programme_id=programme,
        period=period[0],
        start_on=period[1],
        end_on=period[2],
        known_on=date(2026, 4, 4),
        cost_pounds=3998,
    )
    reach = [ReachCounts(cut=NETWORK, place="all", counts=_counts((135, 105, 155, 65)))]
    reach += [
        ReachCounts(cut=SCHOOL, place=str(urn), counts={"offered": 60 + at, "reached": None if at else 50})
        for urn, at in zip(schools, (0, 15), strict=False)
    ]
    reach += [
        ReachCounts(cut=cut, place=place, counts=_counts(counts))
        for cut, groups in _GROUPS.items()
        for place, counts in groups.items()
    ]
    save_programme_release(session, release, reach)


def _counts(values: tuple[int | None, ...]) -> dict[str, int | None]:
    found = {
        name: None if value is None else 5 * round(value / 5) for name, value in zip(_MEASURES, values, strict=True)
    }
    return {name: None if value is not None and 0 < value < 10 else value for name, value in found.items()}


def entered(session: Session) -> str:
    """Return the programme that was entered first."""
    query = text("SELECT id FROM programmes ORDER BY made_at LIMIT 1")
    return str(session.execute(query).scalar_one())
