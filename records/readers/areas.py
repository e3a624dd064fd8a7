"""Open figures of places: which small areas there are, and what is published about them (docs/areas.md).

`areas_*.csv` lists the small areas of one edition of the census geography with their wards and boroughs;
`areafigures_*.csv` has the figures. A figure's code is held against the list of the edition that its row names, in
the home or in the same folder, so that a file of 2011 is not laid over the areas of 2021 without a word.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from records import delta
from records.area_tables import AREA_FIGURES, AREA_TABLES, AREAS
from records.home import Home
from records.readers.network_csv import FORM, check_heading
from records.readers.reading import Content, Load, Reader, csv_files, stem
from records.rows.batch import Batch, Broken
from records.rows.row_rules import NO_LIST_SAYS
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
_CODES: Final[Mapping[str, re.Pattern[str]]] = {
    "area": re.compile(r"E01\d{6}"),
    "ward": re.compile(r"E05\d{6}"),
    "borough": re.compile(r"E0[6-9]\d{6}"),
}
_SHAPES: Final = {"area": "E01 and six digits", "ward": "E05 and six digits", "borough": "E06 to E09 and six digits"}
_LIST: Final = "areas_{edition}.csv"

# Edition → level → the codes that its list has.
Listed = Mapping[str, Mapping[str, set[str]]]

for _table in AREA_TABLES.values():
    if _missing := [one.name for one in _table.columns if one.name not in LAYOUTS[_table.name]]:
        raise ValueError(f"no column of the file fills {_table.name}: {_missing}")


def reader(home: Home) -> Reader:
    """Return the reader of open figures, which knows the lists of areas that the home has."""
    return Reader(NAME, partial(_loads, home))


def _loads(home: Home, paths: Sequence[Path], today: date) -> tuple[list[Load], list[Path]]:
    del today  # Every row of this format says when it was published.
    mine = [path for path in csv_files(paths) if stem(path) in LAYOUTS]
    lists = [path for path in mine if stem(path) == AREAS.name]
    # Lists first: a summary then tells of them before it tells of what they are asked about.
    ordered = [*lists, *(path for path in mine if path not in lists)]
    return [Load(path.name, (path,), partial(_read, home, lists)) for path in ordered], [
        path for path in paths if path not in mine
    ]


def _read(home: Home, lists: Sequence[Path], paths: Sequence[Path]) -> Content:
    (path,) = paths
    sheet = _sheet(path)
    if stem(path) == AREAS.name:
        return Content((_batch(sheet, AREAS, tuple(_of_lists(sheet))),))
    return Content((_batch(sheet, AREA_FIGURES, tuple(_of_figures(sheet, _listed(home, lists)))),))


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
    for level, pattern in _CODES.items():
        wrong = np.array([pattern.fullmatch(code) is None for code in sheet.columns[level].values], dtype=bool)
        yield _broken(level, wrong[sheet.columns[level].codes], *_misshapen(level))


def _of_figures(sheet: Sheet, listed: Listed) -> Iterable[Broken]:
    """Yield the figures whose code is of another kind than their level, or that no list of their edition has."""
    said: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    texts: list[Distinct] = [sheet.columns[name] for name in ("area", "level", "edition")]
    for row, (area, level, edition) in enumerate(zip(*(one.text() for one in texts), strict=True)):
        if level in _CODES:
            why = _wrong(area, level, edition, listed)
            if why is not None:
                said[why].append(row)
    for why, rows in said.items():
        mask = np.zeros(sheet.rows, dtype=bool)
        mask[rows] = True
        yield _broken("area", mask, *why)


def _wrong(area: str, level: str, edition: str, listed: Listed) -> tuple[str, str, str] | None:
    """Return what kind of value stands there, the rule that it breaks and what to do; None where it is in order."""
    if _CODES[level].fullmatch(area) is None:
        return _misshapen(level)
    if area in listed.get(edition, {}).get(level, ()):
        return None
    rule = f"a code of edition {edition} {NO_LIST_SAYS}"
    if edition not in listed:
        brought = _LIST.format(edition=edition)
        return "code of an edition without a list", rule, f"bring {brought} (docs/areas.md) and ingest this file again"
    others = [other for other in listed if other != edition and area in listed[other].get(level, ())]
    if others:
        remedy = (
            f"take the publisher's file by areas of {edition}; a figure of {others[0]} is of another place, so write "
            f"{others[0]} as its edition only where the whole file is of {others[0]}"
        )
        return f"code of edition {others[0]}", rule, remedy
    return "code of no list", rule, f"correct the code, or bring the whole list of {edition}, with its {level}"


def _misshapen(level: str) -> tuple[str, str, str]:
    remedy = "give the code of the Office for National Statistics, not the name"
    return "another kind of code", f"the code of a place of level {level} must be {_SHAPES[level]}", remedy


def _broken(column: str, rows: npt.NDArray[np.bool_], value_class: str, rule: str, remedy: str) -> Broken:
    return Broken(column=column, rows=rows, value_class=value_class, rule=rule, remedy=remedy)


def _listed(home: Home, lists: Sequence[Path]) -> Listed:
    """Return what codes there are, in the home's records and in the lists that come with the figures."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    names = ["edition", *_CODES]
    landed = delta.scan(home.areas, AREAS, None, names).to_pydict()
    rows = list(zip(*(landed[name] for name in names), strict=True))
    for path in lists:
        try:
            sheet = _sheet(path)
        except FileRefused:
            continue  # it is told of by itself
        rows += zip(*(sheet.columns[name].text() for name in names), strict=True)
    for edition, *codes in rows:
        for level, code in zip(_CODES, codes, strict=True):
            found[str(edition)][level].add(str(code))
    return found
