"""Counts by place of a made-up network, rounded and hidden as a release has them."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from casework.areas import Area, Figure, Standing, save_areas
from casework.outlines import Outline, Polygons, save_outlines
from casework.places import ELSEWHERE, MEASURES, NETWORK, SCHOOL, PlaceCounts, PlaceRelease, save_release
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


BOROUGHS = {"E09000091": "Exampleham", "E09000092": "Testborough"}
# Code → name, borough, our pupils, tenths of its small areas, violence for each 1,000 residents, support on a list.
WARDS = {
    "E05000901": ("Riverside", "E09000091", 320, (1, 1, 2, 4), 62, 10),
    "E05000902": ("Hilltop", "E09000091", 280, (7, 8, 9), 18, 15),
    "E05000903": ("Old Dock", "E09000091", 240, (2, 3, 3, 5), 55, 10),
    "E05000904": ("St Anne's", "E09000092", 310, (4, 5, 6), 31, 20),
    "E05000905": ("Market", "E09000092", 260, (1, 3, 6), 71, None),
    "E05000906": ("Long Meadow and Parkside", "E09000092", 205, (8, 9, 10), 12, 10),
}

# A ward of the list where hardly any of our pupils live: the table leaves it out.
LEFT_OUT = ("E05000907", "Far Fields", "E09000092")
# Code → corners of its outline, on a grid of a hundredth of a degree east and north of a place in the Wash.
CORNERS = {
    "E05000901": ((0, 0), (3, 0), (4, 2), (3, 4), (0, 4)),
    "E05000902": ((3, 0), (7, 0), (6, 2), (4, 2)),
    "E05000903": ((4, 2), (6, 2), (7, 4), (3, 4)),
    "E05000904": ((0, 4), (3, 4), (4, 7), (0, 8)),
    "E05000905": ((3, 4), (7, 4), (6, 6), (4, 7)),
    "E05000906": ((4, 7), (6, 6), (8, 8), (0, 8)),
    "E05000907": ((7, 4), (9, 5), (8, 8), (6, 6)),
    "E09000091": ((0, 0), (7, 0), (6, 2), (7, 4), (0, 4)),
    "E09000092": ((0, 4), (7, 4), (9, 5), (8, 8), (0, 8)),
}


def made_by_home(half_term: date) -> list[PlaceCounts]:
    """Return counts by ward and borough: more need where wards are deprived, and support where it is not."""
    found = []
    for code, (_, _, pupils, tenths, _, supported) in WARDS.items():
        made = made_counts(half_term, "ward", code, pupils, ("supported",) if supported is None else ())
        counts = dict(made.counts) | {"flagged": 20 + 5 * sum(tenth <= 3 for tenth in tenths)}
        counts["suspensions"] = 10 + 5 * sum(tenth <= 3 for tenth in tenths)
        counts["supported"] = supported
        found.append(PlaceCounts(half_term=half_term, cut="ward", place=code, counts=counts))
    for code, size in (*zip(BOROUGHS, (880, 805), strict=True), ("unknown", 90)):
        found.append(made_counts(half_term, "borough", code, size))
    return [*found, made_counts(half_term, "ward", ELSEWHERE, 170), made_counts(half_term, "ward", "unknown", 90)]


def figure(code: str, measure: str, count: int, among: int, today: date) -> Figure:
    """Return last year's figure of a place."""
    return Figure(
        code=code,
        measure=measure,
        from_on=date(today.year - 1, 1, 1),
        to_on=date(today.year - 1, 12, 31),
        count=count,
        among=among,
        publisher="Example Office (OGL v3.0)",
    )


def save_made_up_areas(session: Session, today: date) -> None:
    """Publish two boroughs of six wards, with figures of deprivation, violence, admissions and safety."""
    areas = [Area(code=code, level="borough", name=name) for code, name in BOROUGHS.items()]
    areas.append(Area(code=LEFT_OUT[0], level="ward", name=LEFT_OUT[1], borough=LEFT_OUT[2]))
    figures = [
        figure(code, measure, count, among, today)
        for code in BOROUGHS
        for measure, count, among in (("admissions", 90 + int(code[-1]) * 20, 210_000), ("safety", 690, 1_000))
    ]
    for at, (code, (name, borough, _, tenths, violence, _)) in enumerate(WARDS.items()):
        areas.append(Area(code=code, level="ward", name=name, borough=borough))
        figures.append(figure(code, "violence", 10 * violence, 10_000, today))
        for number, tenth in enumerate(tenths):
            area = f"E0103{at}{number:02}0"
            words = f"{BOROUGHS[borough]} 00{at + 1}{'ABCD'[number]}"
            areas.append(Area(code=area, level="area", name=words, ward=code, borough=borough))
            figures.append(figure(area, "deprivation", tenth, 10, today))
    standing = Standing(edition="2021", known_on=today, unlisted=True, figures_left_out=3)
    figures.append(figure(LEFT_OUT[0], "violence", 990, 10_000, today))
    save_areas(session, standing, areas, figures)
    save_outlines(session, [made_outline(code) for code in CORNERS])


def made_outline(code: str) -> Outline:
    """Return the outline of a ward or borough from its corners."""
    ring = [(round(0.3 + east / 100, 2), round(53 + north / 100, 2)) for east, north in CORNERS[code]]
    polygons: Polygons = [[[*ring, ring[0]]]]
    level = "ward" if code.startswith("E05") else "borough"
    return Outline(code=code, level=level, from_on=date(2022, 1, 1), publisher="Example Office", polygons=polygons)


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
        places += made_by_home(start)
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
