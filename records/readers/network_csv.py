"""The network's own CSV format: one file for each school and kind of record, UTF-8, ISO dates, gzip or not.

`weeks` files are the compact form of marks: a row for a pupil's week (`records.readers.weeks`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from records.identity.identities import IDENTITIES
from records.protected_tables import CARE, NEIGHBOURHOODS
from records.readers.reading import Content, Load, Reader, packed_csv_files, stem
from records.readers.weeks import WeekColumns, week_batches
from records.rows.batch import Batch, Form
from records.table import Table
from records.tables import (
    ALTERNATIVE_PROVISION,
    BEHAVIOUR,
    CALENDARS,
    ENROLMENTS,
    EXCLUSION_REVIEWS,
    LESSON_MARKS,
    MARKS,
    POSITIVES,
    SCHOOLS,
    SUPPORT,
    SUSPENSIONS,
)
from records.text.delimited import digest_of, heading_of, read_bytes, read_sheet
from records.text.sheet import FileRefused, Sheet, constant
from records.text.unpacking import GZIP, unpacked

FORM = Form(dates="%Y-%m-%d", whole_numbers=r"([+-]?\d+)")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One kind of file: its heading, exactly, and the tables its rows go to.

    A column goes to the declared column of its own name, or of the name in `RENAMED`.
    """

    heading: tuple[str, ...]
    tables: tuple[Table, ...]

    def __post_init__(self) -> None:
        # The proof that no declared column was forgotten, made when the module is imported.
        for table in self.tables:
            missing = [name for name in _text_columns(table) if RENAMED.get(name, name) not in self.heading]
            if missing:
                raise ValueError(f"no column of the file fills {table.name}: {missing}")

    @property
    def pupils(self) -> bool:
        """Whether the rows are about pupils."""
        return "upn" in self.heading


RENAMED: Mapping[str, str] = {"school": "urn", "known_on": "updated_on"}


def _text_columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.kind != "pupil"]


def _layout(heading: str, *tables: Table) -> Layout:
    return Layout(heading=tuple(heading.split(",")), tables=tables)


LAYOUTS: Mapping[str, Layout] = {
    "schools": _layout("urn,laestab,name,phase,open_date,updated_on", SCHOOLS),
    "calendars": _layout("urn,kind,name,start_date,end_date,updated_on", CALENDARS),
    "enrolments": _layout(
        "upn,former_upn,forename,surname,date_of_birth,urn,year_group,status,entry_date,leaving_date,updated_on",
        ENROLMENTS,
        IDENTITIES,
    ),
    "marks": _layout("upn,urn,date,session,code,updated_on", MARKS),
    "behaviour": _layout(
        "event_id,upn,urn,date,period,type,severity,points,location,role,outcome,updated_on,deleted", BEHAVIOUR
    ),
    "positives": _layout("event_id,upn,urn,date,type,points,updated_on,deleted", POSITIVES),
    "suspensions": _layout(
        "upn,urn,start_date,sessions,category,reason1,reason2,reason3,updated_on,deleted", SUSPENSIONS
    ),
    "lessons": _layout("upn,urn,date,period,code,minutes_late,updated_on,deleted", LESSON_MARKS),
    "reviews": _layout("upn,urn,start_date,category,reviewed_on,result,updated_on,deleted", EXCLUSION_REVIEWS),
    "provision": _layout(
        "upn,urn,entry_date,leaving_date,setting,sessions_a_week,pattern,updated_on,deleted", ALTERNATIVE_PROVISION
    ),
    "support": _layout("support_id,upn,urn,type,start_date,end_date,updated_on,deleted", SUPPORT),
    "care": _layout("upn,status,start_date,end_date,updated_on,deleted", CARE),
    "neighbourhoods": _layout("upn,start_date,area,deprivation,updated_on,deleted", NEIGHBOURHOODS),
}
# Not a layout of a table: ten marks stand in one of its columns.
WEEKS = "weeks"
WEEKS_HEADING = ("upn", "urn", "week_start", "marks", "updated_on")


def claims(file: str) -> bool:
    """Return whether a file of this name says that it is of this format."""
    path = Path(file)
    return bool(packed_csv_files([path])) and stem(path) in (*LAYOUTS, WEEKS)


def loads(paths: Sequence[Path], today: date) -> tuple[list[Load], list[Path]]:
    """Return a load for each file whose name says it is of this format, and the files left."""
    del today  # Every row of this format says when it was recorded.
    mine = [path for path in packed_csv_files(paths) if claims(path.name)]
    return [Load(path.name, (path,), read, names=stem(path) == ENROLMENTS.name) for path in mine], [
        path for path in paths if path not in mine
    ]


def read(paths: Sequence[Path]) -> Content:
    """Return the rows of one file of this format.

    Raises
    ------
    FileRefused
        The heading is not this format's, or the file is damaged.
    """
    (path,) = paths
    if stem(path) == WEEKS:
        sheet = _sheet(path, WEEKS_HEADING)
        return Content(week_batches(sheet, FORM, _weeks(sheet)))
    return Content(batches_of(_sheet(path, LAYOUTS[stem(path)].heading), stem(path)))


def batches_of(sheet: Sheet, kind: str) -> tuple[Batch, ...]:
    """Return the rows of a sheet that holds a file of this kind (a key of LAYOUTS), for each of its tables."""
    return tuple(_batch(sheet, LAYOUTS[kind], table) for table in LAYOUTS[kind].tables)


def _sheet(path: Path, wanted: tuple[str, ...]) -> Sheet:
    packed = path.suffix.lower() == GZIP
    data = unpacked(path) if packed else read_bytes(path)
    check_heading(heading_of(data, path.name), wanted, path.name)
    sheet = read_sheet(data, file=path.name, heading=wanted)
    # A row's source is the digest of the file as it came.
    return replace(sheet, source=digest_of(path)[:16]) if packed else sheet


def _weeks(sheet: Sheet) -> WeekColumns:
    columns = sheet.columns
    return WeekColumns(
        week_start=columns["week_start"],
        marks=columns["marks"],
        school=columns["urn"],
        known_on=columns["updated_on"],
        upn=columns["upn"],
        headings={"week_start": "week_start", "marks": "marks", **RENAMED},
    )


def check_heading(found: tuple[str, ...], wanted: tuple[str, ...], file: str) -> None:
    """Raise FileRefused unless the heading is exactly the format's, naming what is missing or unexpected."""
    if found == wanted:
        return
    missing = [name for name in wanted if name not in found]
    extra = sum(name not in wanted for name in found)
    told = [f"missing: {', '.join(missing)}"] * bool(missing)
    told += [f"unexpected: {', '.join(name for name in found if name not in wanted)}"] * bool(extra)
    raise FileRefused(
        file=file,
        place="line 1",
        what=f"the heading is not this format's ({'; '.join(told) or 'the order differs'})",
        remedy=f"export exactly {','.join(wanted)}",
    )


def _batch(sheet: Sheet, layout: Layout, table: Table) -> Batch:
    columns = {name: sheet.columns[RENAMED.get(name, name)] for name in (*_text_columns(table), "known_on")}
    columns["deleted"] = sheet.columns["deleted"] if "deleted" in layout.heading else constant("", sheet.rows)
    return Batch(
        table=table,
        sheet=sheet,
        form=FORM,
        rows=np.arange(sheet.rows),
        columns=columns,
        headings=RENAMED,
        upn=sheet.columns["upn"] if layout.pupils else None,
    )


READER = Reader("network CSV", loads)
