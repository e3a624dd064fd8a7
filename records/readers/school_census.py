"""A School Census as a folder of CSV tables, linked by their identifiers.

Children of a pupil row (`senneeds`, exclusions ...) name it by table identifier and NativeId; a pupil
row names its school's row in `schoolcensus`. What cannot be linked is held, not guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.identity.identities import IDENTITIES
from records.protected_tables import CHARACTERISTICS, FSM_PERIODS, SEN_NEEDS
from records.readers.census_columns import PASSED_OVER, READ
from records.readers.linking import Places, at, find, keys, nowhere, where, year_by_age
from records.readers.reading import Content, Load, PassedOver, Reader, csv_files
from records.rows.batch import NO_SCHOOL, UNLINKED, Batch, Form
from records.table import Table
from records.tables import ENROLMENTS, SUSPENSIONS
from records.text.delimited import heading_of, read_bytes, read_sheet
from records.text.sheet import Distinct, FileRefused, Sheet, constant, distinct

# 2025-Feb-14 00:00:00; numbers pass through a float on their way: '10.0'.
FORM = Form(dates="%Y-%b-%d %H:%M:%S", whole_numbers=r"([+-]?\d+)(?:\.0+)?")
ON_ROLL = ("pupilonroll", "pupilonrolltableid")
OFF_ROLL = ("pupilnolongeronroll", "pupilnolongeronrolltableid")


@dataclass(frozen=True, kw_only=True)
class Target:
    """Rows of one census table that go to one of ours: declared column → heading, or '' for nothing."""

    census: str
    table: Table
    headings: Mapping[str, str]
    parent: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        wrong = [name for name in self.headings.values() if name and name not in READ[self.census].needed]
        filled = {*self.headings, "school", "census_date", "pupil", "upn", "former_upn", "year_group", "status"}
        missing = [column.name for column in self.table.columns if column.name not in filled]
        if wrong or missing:
            raise ValueError(f"{self.census} to {self.table.name}: {wrong} not read, {missing} not filled")


_PERSON = {
    "upn": "upn",
    "former_upn": "formerupn",
    "forename": "forename",
    "surname": "surname",
    "date_of_birth": "dob",
    "entry_date": "entrydate",
}
_SANCTION = {"start_date": "startdate", **{n: n for n in ("sessions", "category", "reason1", "reason2", "reason3")}}
_FREE_MEALS = {"start_date": "fsmstartdate", "end_date": "fsmenddate", "country": "ukcountry"}
_ROLL = {"entry_date": "entrydate", "leaving_date": "", "year_group": "ncyearactual", "status": "enrolstatus"}
_CHARACTERISTICS = {"sex": "sex", "ethnicity": "ethnicity", "language": "language", "sen_provision": "senprovision"}
_FROM_CENSUS = {
    "known_on": "schoolcensus.datetime",
    "census_date": "schoolcensus.referencedate",
    "school": "schoolcensus.urn",
}
# Leavers' rows carry no SEN provision: their characteristics stay those of the censuses before they left.
TARGETS: tuple[Target, ...] = (
    Target(census="pupilonroll", table=ENROLMENTS, headings=_ROLL),
    Target(
        census="pupilonroll", table=IDENTITIES, headings={**_PERSON, "leaving_date": "", "year_group": "ncyearactual"}
    ),
    Target(census="pupilonroll", table=CHARACTERISTICS, headings=_CHARACTERISTICS),
    Target(
        census="pupilnolongeronroll",
        table=ENROLMENTS,
        headings={"entry_date": "entrydate", "leaving_date": "leavingdate"},
    ),
    Target(census="pupilnolongeronroll", table=IDENTITIES, headings={**_PERSON, "leaving_date": "leavingdate"}),
    Target(census="senneeds", table=SEN_NEEDS, headings={"rank": "sentyperank", "type": "sentype"}, parent=ON_ROLL),
    Target(census="fsmperiod", table=FSM_PERIODS, headings=_FREE_MEALS, parent=ON_ROLL),
    Target(census="termlyexclusionsonroll", table=SUSPENSIONS, headings=_SANCTION, parent=ON_ROLL),
    Target(census="termlyexclusionsoffroll", table=SUSPENSIONS, headings=_SANCTION, parent=OFF_ROLL),
)


@dataclass(frozen=True)
class _Census:
    """The sheets of one folder, and what pupils' rows inherit from their school's row."""

    sheets: Mapping[str, Sheet]
    today: date

    def schools(self, name: str) -> pd.DataFrame:
        """Return urn, known_on and census_date (text) of each row of a pupils' table, and whether it is linked."""
        pupils, schools = self.sheets[name], self.sheets.get("schoolcensus")
        arrived = self.today.strftime(FORM.dates)
        if schools is None:
            # Without the census's own heading row we learn it on the day it arrives, and not from where.
            rows = {"urn": "", "known_on": arrived, "census_date": arrived, "linked": False}
            return pd.DataFrame(rows, index=range(pupils.rows))
        place = find(keys(pupils, "schoolcensustableid"), keys(schools, "schoolcensustableid"))
        linked = place >= 0
        found = {
            "urn": schools.columns["urn"].text()[place],
            "known_on": np.array([_day(text) for text in schools.columns["datetime"].text()], dtype=object)[place],
            "census_date": schools.columns["referencedate"].text()[place],
        }
        blank = {"urn": "", "known_on": arrived, "census_date": arrived}
        filled = {name: np.where(linked, values, blank[name]) for name, values in found.items()}
        return pd.DataFrame({**filled, "linked": linked})


def loads(paths: Sequence[Path], today: date) -> tuple[list[Load], list[Path]]:
    """Return a load for each folder that holds census tables, and the files left."""
    known = {*READ, *PASSED_OVER}
    mine = [path for path in csv_files(paths) if path.stem.lower() in known]
    folders: dict[Path, list[Path]] = {}
    for path in mine:
        folders.setdefault(path.parent, []).append(path)
    made = [Load(folder.name, tuple(files), partial(read, today=today)) for folder, files in sorted(folders.items())]
    return made, [path for path in paths if path not in mine]


def read(paths: Sequence[Path], *, today: date) -> Content:
    """Return the rows of one census folder.

    Raises
    ------
    FileRefused
        A table lacks a column that Belong reads or has one that no census has, or is damaged.
    """
    passed = tuple(
        PassedOver(path.name, PASSED_OVER[path.stem.lower()]) for path in paths if path.stem.lower() in PASSED_OVER
    )
    read_here = {path.stem.lower(): path for path in paths if path.stem.lower() in READ}
    census = _Census({name: _sheet(path, name) for name, path in read_here.items()}, today)
    targets = [target for target in TARGETS if target.census in census.sheets]
    return Content(tuple(_batch(census, target) for target in targets), passed)


def _sheet(path: Path, name: str) -> Sheet:
    data = read_bytes(path)
    heading = heading_of(data, path.name)
    table = READ[name]
    missing = [column for column in table.needed if column not in heading]
    unexpected = [column for column in heading if column not in (*table.needed, *table.passed_by)]
    if missing or unexpected or len(set(heading)) != len(heading):
        raise FileRefused(
            file=path.name,
            place="line 1",
            what=f"the heading is not the census table's (missing: {', '.join(missing) or 'none'}; "
            f"unexpected or twice: {', '.join(unexpected) or 'none'})",
            remedy="export the School Census tables with their own columns",
        )
    return read_sheet(data, file=path.name, heading=heading)


def _batch(census: _Census, target: Target) -> Batch:
    sheet = census.sheets[target.census]
    unproven: dict[str, npt.NDArray[np.bool_]] = {}
    if target.parent is None:
        place = np.arange(sheet.rows)
        parent = target.census
    else:
        parent, key = target.parent
        place = find(keys(sheet, key), keys(census.sheets[parent], key)) if parent in census.sheets else nowhere(sheet)
        unproven[UNLINKED] = place < 0
    columns, linked = _columns(census, target, parent, place)
    if any(column.name == "school" for column in target.table.columns):
        unproven[NO_SCHOOL] = ~linked & (place >= 0)
        # An unproven school is held, so its missing URN is not also a broken rule.
        columns["school"] = where(linked, columns["school"], "100000")
    pupils = census.sheets.get(parent)
    upn = at(pupils.columns["upn"], place) if pupils is not None else constant("", sheet.rows)
    return Batch(
        table=target.table,
        sheet=sheet,
        form=FORM,
        rows=np.arange(sheet.rows),
        columns=columns,
        headings=_FROM_CENSUS | {name: heading for name, heading in target.headings.items() if heading},
        upn=upn,
        unproven=unproven,
    )


def _columns(
    census: _Census, target: Target, parent: str, place: Places
) -> tuple[dict[str, Distinct], npt.NDArray[np.bool_]]:
    sheet = census.sheets[target.census]
    arrived = census.today.strftime(FORM.dates)
    if parent in census.sheets:
        school = census.schools(parent)
        inherited = {name: distinct(school[name].to_numpy(dtype=object)) for name in ("urn", "known_on", "census_date")}
        school_of = {name: where(place >= 0, at(column, place), arrived) for name, column in inherited.items()}
        linked = school["linked"].to_numpy()[place] & (place >= 0) if len(school) else np.zeros(len(place), dtype=bool)
    else:
        school_of = {name: constant(arrived, sheet.rows) for name in ("urn", "known_on", "census_date")}
        linked = np.zeros(sheet.rows, dtype=bool)
    everything = {
        "known_on": school_of["known_on"],
        "deleted": constant("", sheet.rows),
        "school": school_of["urn"],
        "census_date": school_of["census_date"],
        "status": constant("P", sheet.rows),
        **{name: sheet.columns[h] if h else constant("", sheet.rows) for name, h in target.headings.items()},
    }
    if (target.census, target.table.name) == ("pupilonroll", ENROLMENTS.name):
        # A census says who was on roll on its reference date, and is often sent weeks later. As a version of the day
        # it was sent it would put everyone who left in between back on the roll.
        everything["known_on"] = school_of["census_date"]
    if target.census == OFF_ROLL[0]:
        everything["year_group"] = year_by_age(sheet.columns["dob"], school_of["census_date"], FORM.dates)
    wanted = [column.name for column in target.table.columns if column.kind != "pupil"]
    return {name: everything[name] for name in (*wanted, "known_on", "deleted")}, linked


def _day(text: str) -> str:
    # The census was made at this moment; it is known from that day.
    return f"{text[:11]} 00:00:00"


READER = Reader("School Census", loads, second_hand=True)
