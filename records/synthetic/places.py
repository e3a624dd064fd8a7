"""Made-up wards and boroughs around the simulated schools: where pupils live, and open figures of it.

Drawn beside the simulation and not from it: no figure here has anything to do with what a pupil did, so a page that
lays the two side by side shows how it looks and no truth about places.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from records.readers.areas import LAYOUTS as AREA_LAYOUTS
from records.readers.network_csv import LAYOUTS
from records.synthetic.deliveries import stamp_of
from records.synthetic.outlines import collections_of

FOLDER: Final = "places"
AREAS_IN_WARD: Final = 5
_NAMES: Final = (
    *("Abbey", "Bridge", "Castle", "Dockside", "Elm Park", "Fairfield", "Grange", "Heath", "Ivy Lane", "Junction"),
    *("Kingsmead", "Lakeside", "Market", "Northgate", "Old Town", "Parkway", "Quarry", "Riverside", "Southway"),
)
_BOROUGHS: Final = {"E09990001": "Exampleham", "E09990002": "Testborough"}
# How many pupils live in the ward of their school; the others anywhere.
_NEAR: Final = 0.65
_RESIDENTS: Final = 9_000
_FROM, _TO, _OUT = date(2024, 1, 1), date(2024, 12, 31), date(2025, 2, 1)


@dataclass(frozen=True, kw_only=True)
class _Ward:
    """A ward and its small areas, each with its tenth of deprivation."""

    code: str
    name: str
    borough: str
    areas: tuple[str, ...]
    tenths: tuple[int, ...]

    @property
    def middle(self) -> float:
        return sum(self.tenths) / len(self.tenths)


def write_places(exports: Path, seed: int) -> int:
    """Write the list, the figures and the outlines into a folder of the exports, and where each enrolled pupil lives.

    One ward for each school, in which most of its pupils live. Where a pupil lives is sent with the first enrolment.
    Returns how many rows and outlines were written.
    """
    rng = np.random.default_rng([seed, 108])
    enrolled = _first_enrolments(exports)
    schools = sorted(enrolled["urn"].unique())
    wards = [_ward(number, rng) for number in range(len(schools))]
    own = np.array([schools.index(urn) for urn in enrolled["urn"]])
    lives = np.where(rng.random(len(own)) < _NEAR, own, rng.integers(0, len(wards), len(own)))
    place = rng.integers(0, AREAS_IN_WARD, len(own))
    homes = pd.DataFrame(
        [
            (upn, entered, wards[ward].areas[at], wards[ward].tenths[at], entered, "false")
            for upn, entered, ward, at in zip(enrolled["upn"], enrolled["entry_date"], lives, place, strict=True)
        ],
        columns=list(LAYOUTS["neighbourhoods"].heading),
    )
    for stamp, mine in homes.groupby(enrolled["stamp"].to_numpy()):
        mine.to_csv(exports / f"neighbourhoods_network_{stamp}.csv", index=False, lineterminator="\n")
    folder = exports / FOLDER
    folder.mkdir()
    written = (
        ("areas_2021.csv", AREA_LAYOUTS["areas"], list(_listed(wards))),
        ("areafigures_2024.csv", AREA_LAYOUTS["areafigures"], list(_figures(wards, rng))),
    )
    for name, heading, rows in written:
        pd.DataFrame(rows, columns=list(heading)).to_csv(folder / name, index=False, lineterminator="\n")
    return len(homes) + sum(len(rows) for _, _, rows in written) + _write_outlines(folder, wards, seed)


def _first_enrolments(exports: Path) -> pd.DataFrame:
    """Return the first enrolment of each number that was sent, with the stamp of the file that sent it."""
    read = [
        pd.read_csv(file, dtype=str, keep_default_na=False).assign(stamp=stamp_of(file.name))
        for file in sorted(exports.glob("enrolments_*.csv*"))
    ]
    ordered = pd.concat(read).sort_values("stamp", kind="stable")
    return ordered.drop_duplicates("upn")[["upn", "urn", "entry_date", "stamp"]]


def _write_outlines(folder: Path, wards: Sequence[_Ward], seed: int) -> int:
    borough_of, names = {one.code: one.borough for one in wards}, {one.code: one.name for one in wards}
    made = collections_of(_BOROUGHS, borough_of, names, seed)
    for name, whole in made.items():
        (folder / f"{name}_2022.geojson").write_text(json.dumps(whole) + "\n", encoding="utf-8")
    return sum(len(whole["features"]) for whole in made.values())


def _ward(number: int, rng: np.random.Generator) -> _Ward:
    """Return a ward whose areas lie around one tenth of deprivation, as neighbours do."""
    again = number // len(_NAMES)
    tenths = np.clip(rng.integers(1, 11) + rng.integers(-2, 3, AREAS_IN_WARD), 1, 10)
    return _Ward(
        code=f"E0599{number:04}",
        name=_NAMES[number % len(_NAMES)] + (f" {again + 1}" if again else ""),
        borough=list(_BOROUGHS)[number % len(_BOROUGHS)],
        areas=tuple(f"E0199{number * AREAS_IN_WARD + at:04}" for at in range(AREAS_IN_WARD)),
        tenths=tuple(int(tenth) for tenth in tenths),
    )


def _listed(wards: Sequence[_Ward]) -> Iterator[tuple[object, ...]]:
    for ward in wards:
        for at, area in enumerate(ward.areas):
            inside = (ward.code, ward.name, ward.borough, _BOROUGHS[ward.borough])
            yield (area, "2021", _FROM, f"{ward.name} {at + 1}", *inside, _OUT)


def _figures(wards: Sequence[_Ward], rng: np.random.Generator) -> Iterator[tuple[object, ...]]:
    """Yield every figure: more violence and less safety where deprivation is greater, and a good deal of chance."""

    def row(code: str, level: str, measure: str, count: int, among: int) -> tuple[object, ...]:
        said = (_FROM, _TO, count, among, "Made up for the demonstration", _OUT, "false")
        return (code, level, "2021", measure, *said)

    for ward in wards:
        violence = int(rng.poisson(_RESIDENTS * (0.045 - 0.003 * ward.middle)))
        yield row(ward.code, "ward", "violence", violence, _RESIDENTS)
        yield row(ward.code, "ward", "safety", int(rng.binomial(400, 0.55 + 0.03 * ward.middle)), 400)
        for area, tenth in zip(ward.areas, ward.tenths, strict=True):
            yield row(area, "area", "deprivation", tenth, 10)
    for code in _BOROUGHS:
        yield row(code, "borough", "admissions", int(rng.poisson(95)), 210_000)
