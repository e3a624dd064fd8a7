"""The simulated network: its schools, their size, phase, calendar and ways. None of them exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from records.synthetic.calendars import SchoolDays, school_days

FIRST_URN = 900001
_SIZES = {"PS": 420.0, "SS": 1200.0, "AT": 1480.0, "SP": 160.0}
# One of each phase first, so that the smallest network holds all four; then the mix of a London trust.
_ORDER = ("SS", "PS", "AT", "SP", "PS", "SS", "PS", "SS", "PS", "AT", "PS", "SS", "PS", "SS")
_YEARS = {"PS": (0, 6), "SS": (7, 11), "AT": (0, 11), "SP": (0, 11)}
_PLACES = (
    "Northfield Eastbrook Southmere Westhill Ashgrove Birchway Cedarside Elmbank Fernlea Hazelwood Ivybridge Juniper "
    "Larchfield Maplewood Oakham Pinehurst Rowanside Sycamore Thornfield Willowbank"
)
_KINDS = {"PS": "Primary School", "SS": "Academy", "AT": "All-through School", "SP": "Special School"}
# London's local authority numbers; establishment numbers below 1000 belong to no real school.
LONDON = (*range(201, 214), *range(301, 321))


@dataclass(frozen=True, kw_only=True)
class School:
    """A school: who it is, how many places each year group has, when it is open, and its ways.

    `places` maps a year group (0 is reception) to its number of pupils. The effects are natural
    logarithms around 0: how much it sanctions, records incidents, praises, and how much its pupils miss.
    """

    urn: int
    laestab: str
    name: str
    phase: str
    places: dict[int, int]
    days: SchoolDays
    sanctions: float
    recording: float
    praise: float
    absence: float
    deprivation: float


def build_schools(
    *, pupils: int, schools: int, years: Sequence[int], until: date, rng: np.random.Generator
) -> tuple[School, ...]:
    """Return the network's schools, sized so that about `pupils` are on roll at any time."""
    phases = [_ORDER[i] if i < len(_ORDER) else _ORDER[i % len(_ORDER)] for i in range(schools)]
    scale = pupils / sum(_SIZES[phase] for phase in phases)
    built: list[School] = []
    places = _PLACES.split()
    for number, phase in enumerate(phases):
        size = _SIZES[phase] * scale * float(rng.uniform(0.88, 1.12))
        place = places[number % len(places)] + (f" {number // len(places) + 1}" if number >= len(places) else "")
        sanctions, recording, praise, absence, deprivation = rng.normal(0.0, (0.35, 0.3, 0.35, 0.1, 0.5))
        built.append(
            School(
                urn=FIRST_URN + number,
                laestab=f"{LONDON[(7 * number) % len(LONDON)]}{number + 1:04d}",
                name=f"Example {place} {_KINDS[phase]}",
                phase=phase,
                places=_places(phase, size),
                days=school_days(years, until, rng),
                sanctions=float(sanctions),
                recording=float(recording),
                praise=float(praise),
                absence=float(absence),
                deprivation=float(deprivation),
            )
        )
    return tuple(built)


def _places(phase: str, size: float) -> dict[int, int]:
    first, last = _YEARS[phase]
    # All-through schools take in a large Year 7 beside their own Year 6.
    weights = {year: 2.5 if phase == "AT" and year >= 7 else 1.0 for year in range(first, last + 1)}
    whole = sum(weights.values())
    return {year: max(1, round(size * weight / whole)) for year, weight in weights.items()}
