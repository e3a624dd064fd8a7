"""A made-up learning review: a long suspension that Belong flagged late, after weeks without a rise."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from casework.lookback_opening import Happened, reconcile

LISTS = ("no_rise", "no_rise", "below_level", "beyond_capacity", "flagged", "snoozed")


def made_weeks(on: date) -> list[dict[str, object]]:
    """Return twelve weeks before the day and its own: incidents grow, and two were written down only later."""
    monday = on - timedelta(days=on.weekday())
    return [
        {
            "start": (monday - timedelta(weeks=12 - at)).isoformat(),
            "possible": 10,
            "missed": at // 3,
            "late": at % 2,
            "incidents": at // 4,
            "removals": at // 6,
            "suspended": at == 12,
            "later": 2 if at == 9 else 0,
            "belong": LISTS[at - 7] if at >= 7 and at < 13 else "",
        }
        for at in range(13)
    ]


def save_lookbacks(session: Session, pupil: int, school: int, today: date) -> None:
    """Open a look-back of a suspension of seven days that began a month ago."""
    on = today - timedelta(days=32)
    event = Happened(pupil=pupil, school=school, kind="long", on=on)
    reconcile(session, [event], {(pupil, school, on): made_weeks(on)}, today)
