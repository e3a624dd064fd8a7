"""The exclusions continuum of a made-up network: at one school suspensions fall while pupils leave the roll."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from casework.continuum import PUPILS, STEPS, UP, Drift, TermRelease, save_term
from casework.places import NETWORK, SCHOOL
from learning.continuum.terms import terms
from records.calendar import calendar_from
from tests.factories import frame, term_calendar

USUAL = {
    "truanted": 40,
    "removed": 90,
    "part_time": 10,
    "off_site": 15,
    "severe": 25,
    "suspended": 30,
    "excluded": 0,
    "moved": 10,
    "left": 15,
}


def save_continuum(session: Session, schools: tuple[int, ...], today: date) -> None:
    """Publish the terms that ended a week before the day; in the newest, the first school moves pupils elsewhere."""
    ended = [one for one in terms(calendar_from(frame("calendars", term_calendar()))) if one.end < today]
    ended = [one for one in ended if one.end + timedelta(days=7) < today]
    for at, term in enumerate(ended):
        newest = at == len(ended) - 1
        counts: dict[tuple[str, str, str], int | None] = {}
        for place, urn in enumerate(schools):
            here = {name: count + 5 * ((at + place) % 2) for name, count in USUAL.items() if count}
            here["excluded"] = 0
            if newest and place == 0:
                here |= {"suspended": 20, "left": 35}
            counts |= {(SCHOOL, str(urn), name): count for name, count in here.items()}
            counts[SCHOOL, str(urn), PUPILS] = 850 + 295 * place
        for measure in (PUPILS, *STEPS):
            counts[NETWORK, "all", measure] = sum(counts[SCHOOL, str(urn), measure] or 0 for urn in schools)
        for group, size in (("female", 1010), ("male", 985)):
            counts |= {("sex", group, name): count for name, count in USUAL.items()}
            counts["sex", group, PUPILS] = size
        for measure in (PUPILS, *STEPS):
            counts["sex", "unknown", measure] = None
        drifts = [Drift(cut=SCHOOL, place=str(schools[0]), step="left", way=UP)] if newest else []
        release = TermRelease(
            term=term.start,
            name=term.name,
            ends_on=term.end,
            known_on=term.end + timedelta(days=8),
            compared=60 if at >= 2 else 0,
        )
        save_term(session, release, counts, drifts)
