"""The simulated network: its schools, their size, phase, calendar and ways. None of them exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from records.synthetic.calendars import SchoolDays, school_days

FIRST_URN = 900001
_SIZES = {"PS": 420.0, "SS": 1200.0, "AT": 1480.0, "SP": 160.0}
# One of each phase first, so that a network of four holds them all; then the mix of a London trust.
_ORDER = ("SS", "PS", "AT", "SP", "PS", "SS", "PS", "SS", "PS", "AT", "PS", "SS", "PS", "SS")
_YEARS = {"PS": (0, 6), "SS": (7, 11), "AT": (0, 11), "SP": (0, 11)}
_SIXTH_FORM = (12, 13)
SIXTH_FORM_SHARE = 0.6  # of secondary and all-through schools; set by hand, near London's share
_PLACES = (
    "Northfield Eastbrook Southmere Westhill Ashgrove Birchway Cedarside Elmbank Fernlea Hazelwood Ivybridge Juniper "
    "Larchfield Maplewood Oakham Pinehurst Rowanside Sycamore Thornfield Willowbank"
)
_KINDS = {"PS": "Primary School", "SS": "Academy", "AT": "All-through School", "SP": "Special School"}
# Local authority numbers: DfE, Get Information about Schools (Open Government Licence v3.0).
CITY_OF_LONDON = 201
BOROUGHS: Mapping[int, str] = {
    202: "Camden", 203: "Greenwich", 204: "Hackney", 205: "Hammersmith and Fulham", 206: "Islington",
    207: "Kensington and Chelsea", 208: "Lambeth", 209: "Lewisham", 210: "Southwark", 211: "Tower Hamlets",
    212: "Wandsworth", 213: "Westminster", 301: "Barking and Dagenham", 302: "Barnet", 303: "Bexley", 304: "Brent",
    305: "Bromley", 306: "Croydon", 307: "Ealing", 308: "Enfield", 309: "Haringey", 310: "Harrow", 311: "Havering",
    312: "Hillingdon", 313: "Hounslow", 314: "Kingston upon Thames", 315: "Merton", 316: "Newham", 317: "Redbridge",
    318: "Richmond upon Thames", 319: "Sutton", 320: "Waltham Forest",
}  # fmt: skip
LONDON = (CITY_OF_LONDON, *BOROUGHS)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A school before it is filled: its number in the network, phase, mean size, authority and establishment number.

    Establishment numbers below 1000 belong to no real school.
    """

    number: int
    phase: str
    size: float
    authority: int
    establishment: int


@dataclass(frozen=True, kw_only=True)
class School:
    """A school: who it is, how many places each year group has, when it is open, and its ways.

    `borough` is the name of the authority that `laestab` begins with. `places` maps a year group (0 is
    reception, 12 and 13 a sixth form) to its number of pupils. The effects are natural logarithms around
    0: how much it sanctions, records incidents, praises, and how much its pupils miss.
    """

    urn: int
    laestab: str
    name: str
    borough: str
    phase: str
    places: dict[int, int]
    days: SchoolDays
    sanctions: float
    recording: float
    praise: float
    absence: float
    deprivation: float


def sites(*, pupils: int, schools: int, phase: str | None, groups: int) -> list[tuple[Site, ...]]:
    """Return the network's sites in `groups` of neighbours, sized so that about `pupils` are on roll at any time."""
    phases = [phase or _ORDER[number % len(_ORDER)] for number in range(schools)]
    scale = pupils / sum(_SIZES[name] for name in phases)
    taken: dict[int, int] = {}
    found = []
    for group in range(groups):
        mine = range(schools * group // groups, schools * (group + 1) // groups)
        authorities = _neighbours(group, groups)
        built = []
        for place, number in enumerate(mine):
            authority = authorities[7 * place % len(authorities)]
            taken[authority] = taken.get(authority, 0) + 1
            built.append(
                Site(
                    number=number,
                    phase=phases[number],
                    size=_SIZES[phases[number]] * scale,
                    authority=authority,
                    establishment=taken[authority],
                )
            )
        found.append(tuple(built))
    return found


def _neighbours(group: int, groups: int) -> tuple[int, ...]:
    """Return the boroughs of a group: one group has all, many groups share one."""
    names = tuple(BOROUGHS)
    first, last = len(names) * group // groups, len(names) * (group + 1) // groups
    return names[first : max(last, first + 1)]


def build_schools(
    chosen: Sequence[Site], *, years: Sequence[int], until: date, rng: np.random.Generator
) -> tuple[School, ...]:
    """Return the schools on these sites."""
    built: list[School] = []
    places = _PLACES.split()
    for site in chosen:
        number = site.number
        size = site.size * float(rng.uniform(0.88, 1.12))
        place = places[number % len(places)] + (f" {number // len(places) + 1}" if number >= len(places) else "")
        sanctions, recording, praise, absence, deprivation = rng.normal(0.0, (0.35, 0.3, 0.35, 0.1, 0.5))
        days = school_days(years, until, rng)
        sixth_form = float(rng.random()) < SIXTH_FORM_SHARE and site.phase in ("SS", "AT")
        built.append(
            School(
                urn=FIRST_URN + number,
                laestab=f"{site.authority}{site.establishment:04d}",
                name=f"Example {place} {_KINDS[site.phase]}",
                borough=BOROUGHS[site.authority],
                phase=site.phase,
                places=_places(site.phase, size, sixth_form=sixth_form),
                days=days,
                sanctions=float(sanctions),
                recording=float(recording),
                praise=float(praise),
                absence=float(absence),
                deprivation=float(deprivation),
            )
        )
    return tuple(built)


def _places(phase: str, size: float, *, sixth_form: bool) -> dict[int, int]:
    first, last = _YEARS[phase]
    # All-through schools take in a large Year 7 beside their own Year 6.
    weights = {year: 2.5 if phase == "AT" and year >= 7 else 1.0 for year in range(first, last + 1)}
    if sixth_form:
        weights |= dict.fromkeys(_SIXTH_FORM, 0.6 * weights[last])
    whole = sum(weights.values())
    return {year: max(1, round(size * weight / whole)) for year, weight in weights.items()}
