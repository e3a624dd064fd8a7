"""Open figures of places: which small areas there are, and what is published about them (docs/areas.md).

`areas_*.csv` lists the small areas of one edition of the census geography with their wards and boroughs;
`areafigures_*.csv` has the figures; `*.geojson` has outlines of wards and boroughs (`records.readers.outlines`). A
figure's code is held against the list of the edition that its row names, in the home or in the same folder, so that a
file of 2011 is not laid over the areas of 2021 without a word.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from records import delta
from records.area_tables import AREA_FIGURES, AREAS
from records.home import Home
from records.readers.area_codes import CODES, Listed, misshapen, wrong_code
from records.readers.network_csv import FORM, check_heading
from records.readers.outlines import read_outlines
from records.readers.reading import Content, Load, Reader, csv_files, stem
from records.rows.batch import Batch, Broken
from records.table import Table
from records.text.delimited import heading_of, read_bytes, read_sheet
from records.text.sheet import Distinct, FileRefused, Sheet, constant

NAME: Final = "open areas"
_RENAMED: Final = {"known_on": "updated_on"}
LAYOUTS: Final[Mapping[str, tuple[str, ...]]] = {
    AREAS.name: ("area", "edition", "from_date", "name", "ward", "ward_name", "borough", "borough_name", "updated_on"),
    AREA_FIGURES.name: (
        *("area", "level", "edition", "measure", "from_date", "to_date", "count", "among", "publisher", "updated_on"),
        "deleted",
    ),
}
_OUTLINES: Final = ".geojson"

for _table in (AREAS, AREA_FIGURES):
    if _missing := [one.name for one in _table.columns if one.name not in LAYOUTS[_table.name]]:
        raise ValueError(f"no column of the file fills {_table.name}: {_missing}")


def reader(home: Home) -> Reader:
    """Return the reader of open figures, which knows the lists of areas that the home has."""
    return Reader(NAME, partial(_loads, home))


def _loads(home: Home, paths: Sequence[Path], today: date) -> tuple[list[Load], list[Path]]:
    tables = [path for path in csv_files(paths) if stem(path) in LAYOUTS]
    lists = [path for path in tables if stem(path) == AREAS.name]
    outlines = sorted(path for path in paths if path.suffix.lower() == _OUTLINES)
    # Lists first: a summary then tells of them before it tells of what they are asked about.
    ordered = [*lists, *(path for path in tables if path not in lists)]
    found = [Load(path.name, (path,), partial(_read, home, lists)) for path in ordered]
    # A table's rows say when they were published; a GeoJSON file does not, so it is known from the day it came.
    found += [Load(path.name, (path,), partial(_read_outlines, home, lists, today)) for path in outlines]
    return found, [path for path in paths if path not in (*tables, *outlines)]


def _read(home: Home, lists: Sequence[Path], paths: Sequence[Path]) -> Content:
    (path,) = paths
    sheet = _sheet(path)
    if stem(path) == AREAS.name:
        return Content((_batch(sheet, AREAS, tuple(_of_lists(sheet))),))
    return Content((_batch(sheet, AREA_FIGURES, tuple(_of_figures(sheet, _listed(home, lists)))),))


def _read_outlines(home: Home, lists: Sequence[Path], today: date, paths: Sequence[Path]) -> Content:
    (path,) = paths
    return read_outlines(path, _listed(home, lists), today)


def _sheet(path: Path) -> Sheet:
    wanted = LAYOUTS[stem(path)]
    data = read_bytes(path)
    check_heading(heading_of(data, path.name), wanted, path.name)
    return read_sheet(data, file=path.name, heading=wanted)


def _batch(sheet: Sheet, table: Table, broken: tuple[Broken, ...]) -> Batch:
    columns = {column.name: sheet.columns[column.name] for column in table.columns}
    columns["known_on"] = sheet.columns["updated_on"]
    columns["deleted"] = sheet.columns.get("deleted", constant("", sheet.rows))
    rows = np.arange(sheet.rows)
    return Batch(
        table=table, sheet=sheet, form=FORM, rows=rows, columns=columns, headings=_RENAMED, upn=None, broken=broken
    )


def _of_lists(sheet: Sheet) -> Iterable[Broken]:
    """Yield the codes of a list that are not of the kind that their column says."""
    for level, pattern in CODES.items():
        wrong = np.array([pattern.fullmatch(code) is None for code in sheet.columns[level].values], dtype=bool)
        yield _broken(level, wrong[sheet.columns[level].codes], *misshapen(level))


def _of_figures(sheet: Sheet, listed: Listed) -> Iterable[Broken]:
    """Yield the figures whose code is of another kind than their level, or that no list of their edition has."""
    said: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    texts: list[Distinct] = [sheet.columns[name] for name in ("area", "level", "edition")]
    for row, (area, level, edition) in enumerate(zip(*(one.text() for one in texts), strict=True)):
        if level in CODES:
            why = wrong_code(area, level, edition, listed)
            if why is not None:
                said[why].append(row)
    for why, rows in said.items():
        mask = np.zeros(sheet.rows, dtype=bool)
        mask[rows] = True
        yield _broken("area", mask, *why)


def _broken(column: str, rows: npt.NDArray[np.bool_], value_class: str, rule: str, remedy: str) -> Broken:
    return Broken(column=column, rows=rows, value_class=value_class, rule=rule, remedy=remedy)


def _listed(home: Home, lists: Sequence[Path]) -> Listed:
    """Return what codes there are, in the home's records and in the lists that come with the figures."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    names = ["edition", *CODES]
    landed = delta.scan(home.areas, AREAS, None, names).to_pydict()
    rows = list(zip(*(landed[name] for name in names), strict=True))
    for path in lists:
        try:
            sheet = _sheet(path)
        except FileRefused:
            continue  # it is told of by itself
        rows += zip(*(sheet.columns[name].text() for name in names), strict=True)
    for edition, *codes in rows:
        for level, code in zip(CODES, codes, strict=True):
            found[str(edition)][level].add(str(code))
    return found
