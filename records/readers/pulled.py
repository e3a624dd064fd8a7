"""From the pages of one pull to rows of our tables: pupils linked by the supplier's numbers, versions compared.

What a supplier calls a record by stays its own; a pupil's number is found through the pupils' pages of this
pull and those before it. A record that comes again with another key (a suspension moved to another day, an
event with one pupil fewer) takes its former rows back, or both would stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from records.identity.identities import IDENTITIES
from records.protected_tables import CHARACTERISTICS
from records.readers.gathering import Rows, Wrong, batches
from records.readers.json_keys import Endpoint, Keys
from records.readers.json_rows import JsonForm, RecordReader, Said
from records.readers.pulls import Page, Pull, read_json, read_page
from records.readers.reading import Content, PassedOver
from records.rows.batch import UNLINKED, Batch
from records.table import Table
from records.tables import ENROLMENTS, MARKS
from records.text.sheet import FileRefused

STUDENTS = "students"
NOT_HERE = (
    "it also deletes records that no pull of this school holds: made and deleted between two pulls, "
    "or an earlier pull is gone"
)


@dataclass(frozen=True, kw_only=True)
class Supplier:
    """What one supplier's interface is like.

    Attributes
    ----------
    school
        The endpoint, in the table of keys, of the file that says which school it is.
    form
        How days and moments are written.
    tables
        Endpoint → the tables its records go to; the first decides what must have a key.
    codes, deletions
        The endpoints of attendance codes and of deleted records; None: it has none.
    """

    name: str
    school: str
    form: JsonForm
    tables: Mapping[str, tuple[Table, ...]]
    codes: str | None = None
    deletions: str | None = None

    @property
    def endpoints(self) -> frozenset[str]:
        """Every endpoint whose pages are read."""
        return frozenset({*self.tables, *(name for name in (self.codes, self.deletions) if name)})


@dataclass(frozen=True)
class PullReader:
    """Reads one pull of one school, with the pulls before it at hand."""

    supplier: Supplier
    keys: Keys
    pull: Pull
    earlier: Sequence[Pull]
    today: date

    def content(self) -> Content:
        """Return the pull's rows, page by page.

        Raises
        ------
        FileRefused
            A page is damaged or of another shape than the table of keys says; nothing of the pull lands.
        """
        made: list[Batch] = []
        passed: list[PassedOver] = []
        for endpoint in self.supplier.tables:
            for page, reader in self._pages(self.pull, endpoint):
                made += batches(page.file, page.source, self._rows(endpoint, page, reader))
        if self.supplier.deletions is not None:
            for page, reader in self._pages(self.pull, self.supplier.deletions):
                rows, missing = self._tombstones(page, reader)
                made += batches(page.file, page.source, rows)
                if missing:
                    passed.append(PassedOver(f"{self.pull.name}/{page.file}", NOT_HERE))
        return Content(tuple(made), tuple(passed))

    @cached_property
    def school(self) -> str:
        """The school's unique reference number, as its file writes it."""
        found, _ = read_json(self.pull.school)
        data = found.get("data") if isinstance(found, dict) else None
        if isinstance(data, list) and len(data) == 1:
            (data,) = data
        reader = self._reader(self.pull.school.name, self.supplier.school, frozenset({"school"}))
        (said,) = reader.entries(data, 0)
        if not said.texts["school"].isdecimal():
            raise FileRefused(
                file=self.pull.school.name,
                place=f"data.{reader.heading('school')}",
                what="the school's unique reference number is not six digits",
                remedy="save the school as the interface returns it",
            )
        return said.texts["school"]

    @cached_property
    def people(self) -> Mapping[str, str]:
        """The supplier's number of a pupil → the pupil's number, by the newest page that says it."""
        return self._lookup(STUDENTS, "upn")

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """The supplier's number of an attendance code → the code."""
        return self._lookup(self.supplier.codes, "code") if self.supplier.codes else {}

    def _lookup(self, endpoint: str, name: str) -> Mapping[str, str]:
        found = {}
        for pull in (*self.earlier, self.pull):
            for page, reader in self._pages(pull, endpoint):
                for place, record in enumerate(page.records):
                    number = reader.number(record, place)
                    for said in reader.entries(record, place):
                        found[number] = said.texts[name]
        return found

    def _pages(self, pull: Pull, endpoint: str) -> Iterator[tuple[Page, RecordReader]]:
        files = pull.of(endpoint)
        needed = {"student", "known_on", "upn", "code", "type"}
        for table in self.supplier.tables.get(endpoint, ())[:2]:
            needed |= {column.name for column in table.columns if column.required}
        for file in files:
            page = read_page(file, last=file == files[-1])
            yield page, self._reader(page.file, endpoint, frozenset(needed))

    def _reader(self, file: str, endpoint: str, needed: frozenset[str]) -> RecordReader:
        return RecordReader(file, self.keys[endpoint], self.supplier.form, needed)

    def _rows(self, endpoint: str, page: Page, reader: RecordReader) -> list[Rows]:
        tables = self.supplier.tables[endpoint]
        rows = {table.name: Rows(table, self._headings(reader, table)) for table in tables}
        for place, record in enumerate(page.records):
            number = reader.number(record, place)
            now = list(reader.entries(record, place))
            for said in now:
                for table in tables:
                    if table is not CHARACTERISTICS or _any_said(said, CHARACTERISTICS):
                        self._add(rows[table.name], place, said, number)
            for said in self._taken_back(endpoint, number, now):
                when = now[0].texts.get("known_on", "") if now else said.texts.get("known_on", "")
                self._add(rows[tables[0].name], place, said, number, deleted_on=when)
        return list(rows.values())

    def _add(self, rows: Rows, place: int, said: Said, number: str, *, deleted_on: str | None = None) -> None:
        texts = dict(said.texts)
        wrong = [one for one in said.wrong if one.column in {*rows.columns, "student"}]
        unproven: tuple[str, ...] = ()
        known_on = texts.get("known_on", (self.pull.day or self.today).isoformat())
        texts |= {"school": self.school, "known_on": known_on, "census_date": known_on}
        if "student" in texts:
            upn = self.people.get(texts["student"])
            texts["upn"] = upn or ""
            unproven = (UNLINKED,) if upn is None else ()
            texts["event_id"] = f"{number}/{texts['student']}"
        if rows.table is MARKS and self.supplier.codes is not None:
            wrong += self._resolve_code(texts)
        if deleted_on is not None:
            texts |= {"deleted": "true", "known_on": deleted_on or known_on}
        rows.add(place, texts, wrong=wrong, unproven=unproven)

    def _resolve_code(self, texts: dict[str, str]) -> list[Wrong]:
        number = texts["code"]
        texts["code"] = self.codes.get(number, number)
        if number in self.codes or not number:
            return []
        return [
            Wrong(
                column="code",
                value_class="number of no attendance code",
                rule="an attendance code must be in the pages of attendance codes",
                remedy=f"pull {self.supplier.codes} with it",
            )
        ]

    def _headings(self, reader: RecordReader, table: Table) -> Mapping[str, str]:
        named = {column.name: reader.heading(column.name) for column in table.columns}
        named |= {"known_on": reader.heading("known_on"), "event_id": reader.endpoint.id}
        return named | {"census_date": named["known_on"], "upn": "upn"}

    def _taken_back(self, endpoint: str, number: str, now: Sequence[Said]) -> Iterator[Said]:
        """Yield the earlier rows of a record that it no longer says under the same key."""
        if self.supplier.tables[endpoint][0] is MARKS or not self.earlier:
            return  # A mark is called by its pupil, day and session: it comes again under the same key.
        key = _key(self.keys[endpoint])
        still = {tuple(said.texts.get(name, "") for name in key) for said in now}
        for said in self._before(endpoint).get(number, ()):
            left = endpoint == STUDENTS and said.texts.get("leaving_date")
            # A pupil who left and came back starts again on another day; the first time still was.
            if tuple(said.texts.get(name, "") for name in key) not in still and not left:
                yield said

    def _before(self, endpoint: str) -> Mapping[str, Sequence[Said]]:
        if endpoint not in self._remembered:
            self._remembered[endpoint] = self._versions(endpoint, self.earlier)
        return self._remembered[endpoint]

    @cached_property
    def _remembered(self) -> dict[str, Mapping[str, Sequence[Said]]]:
        return {}

    def _versions(self, endpoint: str, pulls: Sequence[Pull]) -> Mapping[str, Sequence[Said]]:
        found: dict[str, Sequence[Said]] = {}
        for pull in pulls:
            for page, reader in self._pages(pull, endpoint):
                for place, record in enumerate(page.records):
                    found[reader.number(record, place)] = list(reader.entries(record, place))
        return found

    def _tombstones(self, page: Page, reader: RecordReader) -> tuple[list[Rows], bool]:
        """Return a deleted version of every row that a deletion names, and whether one names none."""
        rows: dict[str, Rows] = {}
        known: dict[str, Mapping[str, Sequence[Said]]] = {}
        missing = False
        for place, record in enumerate(page.records):
            number = reader.number(record, place)
            (deletion,) = reader.entries(record, place)
            endpoint = deletion.texts["type"]
            if endpoint not in self.supplier.tables:
                continue  # A deleted timetable or contact: nothing that we keep.
            table = self.supplier.tables[endpoint][0]
            known.setdefault(endpoint, self._versions(endpoint, (*self.earlier, self.pull)))
            missing |= not known[endpoint].get(number)
            for said in known[endpoint].get(number, ()):
                headings = self._headings(self._reader(page.file, endpoint, frozenset()), table)
                there = rows.setdefault(endpoint, Rows(table, {**headings, "known_on": reader.heading("known_on")}))
                self._add(there, place, said, number, deleted_on=deletion.texts["known_on"])
        return list(rows.values()), missing


def _key(endpoint: Endpoint) -> Sequence[str]:
    if endpoint.each is not None:
        return ("student",)
    return [name for name in ("upn", "student", "entry_date", "start_date") if name in endpoint.columns]


def _any_said(said: Said, table: Table) -> bool:
    return any(said.texts.get(column.name) for column in table.columns)


ROLL = (ENROLMENTS, IDENTITIES, CHARACTERISTICS)
