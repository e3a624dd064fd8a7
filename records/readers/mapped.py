"""Any school system's CSV, read by a mapping: one TOML file says what stands where and in which words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from records.home import Home
from records.readers.claims import Claim, claims_on, known_mappings
from records.readers.filling import Filled, filled
from records.readers.mapping import Export
from records.readers.network_csv import claims as network_claims
from records.readers.reading import Content, Load, Reader
from records.readers.weeks import WeekColumns, week_batches
from records.rows.batch import Batch, Broken, Form
from records.table import Table
from records.tables import ENROLMENTS
from records.text.delimited import digest_of, heading_of, read_sheet
from records.text.encoding import to_utf8
from records.text.sheet import Distinct, FileRefused, Sheet, constant
from records.text.unpacking import unpacked

PLAIN_NUMBERS = r"([+-]?\d+)"
DECIMAL_ZEROS = r"([+-]?\d+)(?:\.0+)?"


def reader(home: Home) -> Reader:
    """Return the reader of everything that the home's mappings, and those Belong brings, claim.

    Raises
    ------
    MappingRefused
        A mapping cannot be used: nothing is read until it is mended, as its files would be left out.
    """
    known = known_mappings(home)

    def loads(paths: Sequence[Path], today: date) -> tuple[list[Load], list[Path]]:
        made, left = [], []
        for path in paths:
            claims = claims_on(path.name, known)
            if not claims:
                left.append(path)
            elif len(claims) > 1 or network_claims(path.name):
                made.append(Load(path.name, (path,), _quarrel(path.name, claims)))
            else:
                mine = partial(read, claim=claims[0], today=today)
                names = claims[0].export.table == ENROLMENTS.name
                made.append(Load(path.name, (path,), mine, source=claims[0].known.mapping.system, names=names))
        return made, left

    return Reader("mapped CSV", loads)


def read(paths: Sequence[Path], *, claim: Claim, today: date) -> Content:
    """Return the rows of one file, as its mapping reads it.

    Raises
    ------
    FileRefused
        The bytes contradict the declared encoding, the heading has something that the mapping does not
        name or lacks something it reads, or the file is damaged.
    """
    (path,) = paths
    export, mapping = claim.export, claim.known.mapping
    delimiter = export.delimiter or mapping.delimiter
    data = to_utf8(unpacked(path), export.encoding or mapping.encoding, path.name)
    heading = heading_of(data, path.name, delimiter)
    _check_heading(heading, claim, path.name)
    whole = read_sheet(data, file=path.name, heading=heading, delimiter=delimiter)
    # What is passed over is not kept anywhere, quarantine included; the digest is that of the file as it came.
    read_here = {name: column for name, column in whole.columns.items() if name not in export.passed_over}
    sheet = replace(whole, columns=read_here, source=digest_of(path)[:16])
    form = Form(
        dates=export.dates or mapping.dates, whole_numbers=DECIMAL_ZEROS if export.decimal_zeros else PLAIN_NUMBERS
    )
    given = _Given(sheet, export, form, today)
    if export.form == "week":
        return Content(week_batches(sheet, form, given.week()))
    return Content(tuple(given.batch(table) for table in export.tables))


@dataclass(frozen=True)
class _Given:
    """One sheet, its export, how its values are written, and the day of ingest."""

    sheet: Sheet
    export: Export
    form: Form
    today: date

    def filled(self, name: str) -> Filled:
        """Return one declared column."""
        if name == "known_on" and self.export.known_on == "file":
            return Filled(constant(self.today.strftime(self.form.dates), self.sheet.rows))
        filling = self.export.columns.get(name)
        return (
            Filled(constant("", self.sheet.rows)) if filling is None else filled(name, filling, self.sheet, self.form)
        )

    def headings(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the headings that faults in these columns name."""
        fillings = self.export.columns
        told = {name: fillings[name].heading for name in names if name in fillings}
        return {name: heading for name, heading in told.items() if heading is not None}

    def batch(self, table: Table) -> Batch:
        """Return the rows for one table."""
        names = [*(column.name for column in table.columns if column.kind != "pupil"), "known_on", "deleted"]
        found = {name: self.filled(name) for name in names}
        return Batch(
            table=table,
            sheet=self.sheet,
            form=self.form,
            rows=np.arange(self.sheet.rows),
            columns={name: one.column for name, one in found.items()},
            headings=self.headings(names),
            upn=self.filled("upn").column if self.export.pupils else None,
            broken=_told(found),
        )

    def week(self) -> WeekColumns:
        """Return the columns of a sheet of weeks."""
        # A week's faults are told of the marks that would have come of it.
        names = {"school": "school", "week_start": "date", "marks": "code", "known_on": "known_on"}
        found = {name: self.filled(name) for name in names}
        columns: dict[str, Distinct] = {name: one.column for name, one in found.items()}
        return WeekColumns(
            **columns,
            upn=self.filled("upn").column,
            headings={name: self.headings([name]).get(name, name) for name in names},
            width=self.export.width,
            broken=_told({names[name]: one for name, one in found.items()}),
        )


def _told(found: Mapping[str, Filled]) -> tuple[Broken, ...]:
    return tuple(
        Broken(column=name, rows=one.broken, value_class=one.value_class, rule=one.rule, remedy=one.remedy)
        for name, one in found.items()
        if one.broken is not None
    )


def _check_heading(heading: tuple[str, ...], claim: Claim, file: str) -> None:
    """Raise FileRefused unless every heading is read or knowingly passed over, and none is missing or stands twice."""
    export = claim.export
    read_here = {filling.heading for filling in export.columns.values() if filling.heading is not None}
    missing = sorted(read_here - set(heading))
    unexpected = [name for name in heading if name not in read_here and name not in export.passed_over]
    twice = sorted({name for name in heading if heading.count(name) > 1})
    told = [
        f"{what}: {', '.join(name or 'a heading without a name' for name in names)}"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("twice", twice))
        if names
    ]
    if told:
        raise FileRefused(
            file=file,
            place="line 1",
            what=f"the heading is not that of the mapping's export {claim} ({'; '.join(told)})",
            remedy="export the mapped columns, or put a heading that is not to be read under passed_over",
        )


def _quarrel(file: str, claims: Sequence[Claim]) -> Callable[[Sequence[Path]], Content]:
    told = [str(claim) for claim in claims]
    if network_claims(file):
        told.append("the network's own CSV format")

    def refused(paths: Sequence[Path]) -> Content:
        del paths
        raise FileRefused(
            file=file,
            place="name",
            what=f"more than one format claims a file of this name: {' and '.join(told)}",
            remedy="make the glob of one of them narrower, or rename the file",
        )

    return refused
