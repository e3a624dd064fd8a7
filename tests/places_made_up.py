"""Counts by place of a made-up network, rounded and hidden as a release has them."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from casework.places import MEASURES, NETWORK, SCHOOL, PlaceCounts, PlaceRelease, save_release
from casework.school_quality import SchoolQuality, save_quality
from tests.factories import HALF_TERMS

GROUPS = ("pupils", "sessions_possible", "sessions_missed", "incidents", "removals", "suspensions")


def made_counts(
    half_term: date, cut: str, place: str, pupils: int, hide: tuple[str, ...] = (), *, measures: tuple[str, ...] = ()
) -> PlaceCounts:
    """Return plausible counts of a place of so many pupils, each a little different in every half-term."""
    more = half_term.month % 4 + len(place) % 3 + pupils % 7 % 3
    counts: dict[str, int | None] = {
        "pupils": pupils,
        "sessions_possible": pupils * 60,
        "sessions_missed": pupils * (4 + more),
        "incidents": pupils + 20 * more,
        "removals": 5 * (2 + pupils // 60 + 2 * more),
        "suspensions": 5 * (2 + pupils // 200 + more),
        "flagged": 5 * (3 + pupils // 100),
        "reviewed": 5 * (2 + pupils // 100),
        "supported": 10,
    }
    kept = {name: None if name in hide else counts[name] for name in measures or MEASURES}
    return PlaceCounts(half_term=half_term, cut=cut, place=place, counts=kept)


def save_places(session: Session, schools: tuple[int, ...], today: date) -> None:
    """Publish the half-terms that ended a week before the day: two schools of 850 and 1,145 pupils."""
    sizes = dict(zip(schools, (850, 1145), strict=False))
    for name, start, end in HALF_TERMS[-6:]:
        if end + timedelta(days=7) >= today:
            continue
        hide = ("supported", "reviewed") if start.month % 2 else ()
        of_schools = [made_counts(start, SCHOOL, str(urn), size) for urn, size in sizes.items()]
        whole = {name: sum(one.counts[name] or 0 for one in of_schools) for name in MEASURES}
        places = [
            PlaceCounts(half_term=start, cut=cut, place=place, counts=whole)
            for cut, place in ((NETWORK, "all"), ("phase", "SS"))
        ]
        places += [made_counts(start, SCHOOL, str(urn), size, hide) for urn, size in sizes.items()]
        places += [made_counts(start, "year_group", str(year), 400) for year in range(7, 12)]
        places += [
            made_counts(start, "deprivation", tenth, size)
            for tenth, size in (*((str(tenth), 285 - 20 * tenth) for tenth in range(1, 11)), ("unknown", 240))
        ]
        for group, size, hidden in (("female", 1010, ()), ("male", 985, ()), ("unknown", 0, GROUPS)):
            places.append(made_counts(start, "sex", group, size, hidden, measures=GROUPS))
        for group, size in (("Asian", 340), ("Black", 420), ("Mixed", 205), ("White", 870), ("unclassified", 160)):
            places.append(made_counts(start, "ethnicity", group, size, ("suspensions",), measures=GROUPS))
        release = PlaceRelease(half_term=start, name=name, ends_on=end, known_on=end + timedelta(days=8))
        save_release(session, release, places)


def save_made_up_quality(session: Session, schools: tuple[int, ...], today: date) -> None:
    """Publish how the records of two schools stand: one with rows put aside and an agreement that ends."""
    for at, urn in enumerate(schools):
        weeks = [
            {
                "week": (today - timedelta(days=7 * back)).isoformat(),
                "owed": 8500,
                "marked": 8500 - 30 * back,
                "bare": back % 3,
                "unexplained": 12 - back,
            }
            for back in range(1, 5)
        ]
        aside = [
            {"fate": "quarantined", "why": "attendance code not in the list", "remedy": "Use a code.", "rows": 14},
            {"fate": "held", "why": "no pupil with this number is on roll", "remedy": "", "rows": 1},
        ]
        ends = {"title": "Attendance and behaviour", "ends": "2026-07-31", "sources": "sims"}
        payload = {"weeks": weeks, "aside": aside if at == 0 else [], "agreements": [ends] if at == 0 else []}
        save_quality(session, SchoolQuality(school=urn, as_of=today, payload=payload))
