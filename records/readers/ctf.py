"""The Common Transfer File: XML in which a school passes on the pupils who move, with their attendance.

The shape is the one that other people's writers and readers agree on; no DfE description of it was found. It
carries no suspensions. Read are a pupil's identity and enrolment at the school that sends it, characteristics,
special educational needs, free meals, being looked after, and the marks of each year; assessments, addresses,
contacts and the history of other schools are not looked at.

- Everything is known from the day in Header/DateTime. `InCare` comes without a date, so it counts from that day.
- A school is found by LEA and Estab among the network's schools, or is the sender, whose URN the header says. The
  marks of any other school are held: its own records are not ours to place.
- AttendanceMarks is one string of one-character marks. What its positions mean is declared in
  `records.readers.ctf_marks`; withdrawn codes (H, J, Y) are read as the codes they were.
- What the school's own system says of a mark stands before what this file repeats of it (`records.precedence`).
- A place is a pupil's number in the file, from 1, and an element; never a name or a UPN.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from records import delta
from records.home import Home
from records.identity.identities import IDENTITIES
from records.protected_tables import CARE, CHARACTERISTICS, FSM_PERIODS, SEN_NEEDS
from records.readers.ctf_marks import Positions, read_positions, spell_out
from records.readers.gathering import Rows, batches
from records.readers.reading import Content, Load, Reader
from records.rows.batch import UNKNOWN_SCHOOL
from records.table import Table
from records.tables import ENROLMENTS, MARKS, SCHOOLS
from records.text.delimited import read_bytes
from records.text.sheet import FileRefused
from records.text.xml_text import XML_CAP_BYTES, elements

ROOT, HEADER, PUPIL = "CTfile", "Header", "Pupil"
# A school that is not proven is held; its missing number must not also be a broken rule.
NOWHERE = "100000"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d\S{0,16})?")

Schools = Mapping[str, str]
"""LEA and Estab, as seven digits → unique reference number."""

_PERSON = {
    "upn": "UPN",
    "former_upn": "BasicDetails/FormerUPN",
    "forename": "Forename",
    "surname": "Surname",
    "date_of_birth": "DOB",
}
_ROLL = {
    "year_group": "BasicDetails/NCyearActual",
    "status": "BasicDetails/EnrolStatus",
    "entry_date": "SchoolHistory/School/EntryDate",
    "leaving_date": "SchoolHistory/School/LeavingDate",
}
_ALWAYS = {"school": "Header/SourceSchool", "known_on": "Header/DateTime", "upn": "UPN"}
_CHARACTERISTICS = {
    "sex": "Sex",
    "ethnicity": "BasicDetails/Ethnicity",
    "language": "BasicDetails/Languages/Type/Language",
    "sen_provision": "SENhistory/SEN/SENprovision",
}
_MEALS = {"start_date": "FSMstartDate", "end_date": "FSMendDate", "country": "UKcountry"}
_NEEDS = {"rank": "SENtypeRank", "type": "SENtype"}
_YEAR = "Attendance/YearData"
_STRING = {
    "school": f"{_YEAR}/LEA+Estab",
    "date": f"{_YEAR}/AttendSessions/AttendanceStartDate",
    "code": f"{_YEAR}/AttendSessions/AttendanceMarks",
    "session": f"{_YEAR}/AttendSessions/session",
}
_HEADINGS: Sequence[tuple[Table, Mapping[str, str]]] = (
    (ENROLMENTS, _ROLL),
    (IDENTITIES, _PERSON | _ROLL),
    (CHARACTERISTICS, _CHARACTERISTICS | {"census_date": "Header/DateTime"}),
    (
        SEN_NEEDS,
        {"census_date": "Header/DateTime", **{n: f"SENhistory/SENneeds/SENneed/{e}" for n, e in _NEEDS.items()}},
    ),
    (FSM_PERIODS, {name: f"FSMhistory/FSMinstance/{element}" for name, element in _MEALS.items()}),
    (CARE, {"status": "LookedAfter/InCare", "start_date": "Header/DateTime"}),
    (MARKS, _STRING),
)


@dataclass(frozen=True)
class _Sender:
    """What the header says: the day, the school that sends, and the schools that are known by LEA and Estab."""

    day: str
    laestab: str
    schools: Schools

    def urn(self, laestab: str) -> tuple[str, tuple[str, ...]]:
        """Return the school's number, and why it is not proven if it is not."""
        found = self.schools.get(laestab)
        return (NOWHERE, (UNKNOWN_SCHOOL,)) if found is None else (found, ())


def reader(home: Home | None = None) -> Reader:
    """Return the reader: with a home, its schools are known and its `mappings/keys/ctf.toml` is heeded.

    Raises
    ------
    KeysRefused
        That file cannot be used.
    """
    schools = partial(schools_of, home) if home is not None else dict
    positions = read_positions(home.mappings if home is not None else None)
    return Reader("Common Transfer File", partial(loads, schools=schools, positions=positions), second_hand=True)


def schools_of(home: Home) -> Schools:
    """Return the schools of the home's records."""
    rows, _ = delta.read(home.history, SCHOOLS, None)
    return {laestab: str(urn) for laestab, urn in zip(rows["laestab"], rows["school"], strict=True)}


def loads(
    paths: Sequence[Path], today: date, *, schools: Callable[[], Schools], positions: Positions
) -> tuple[list[Load], list[Path]]:
    """Return a load for each XML file, and the files left."""
    del today  # Every file says when it was made.
    mine = [path for path in paths if path.suffix.lower() == ".xml"]
    made = [Load(path.name, (path,), partial(read, schools=schools, positions=positions)) for path in sorted(mine)]
    return made, [path for path in paths if path not in mine]


def read(paths: Sequence[Path], *, schools: Callable[[], Schools], positions: Positions) -> Content:
    """Return the rows of one file.

    Raises
    ------
    FileRefused
        It is no Common Transfer File, or its header does not say when it was made and by which school.
    """
    (path,) = paths
    data = read_bytes(path, XML_CAP_BYTES)
    rows = {table.name: Rows(table, {**_ALWAYS, **headings}) for table, headings in _HEADINGS}
    sender: _Sender | None = None
    number = 0
    for element in elements(data, path.name, root=ROOT, names=frozenset({HEADER, PUPIL})):
        if element.tag == HEADER:
            sender = _sender(element, path.name, schools())
            continue
        number += 1
        if sender is None:
            raise _refusal(path.name, PUPIL, "a pupil stands before the header")
        _take_person(element, number, sender, rows)
        _take_lists(element, number, sender, rows)
        _take_marks(element, number, sender, rows[MARKS.name], positions)
    if sender is None:
        raise _refusal(path.name, HEADER, "there is no header")
    return Content(batches(path.name, hashlib.sha256(data).hexdigest()[:16], list(rows.values())))


def _sender(header: Element, file: str, known: Schools) -> _Sender:
    moment = _MOMENT.fullmatch(_text(header, "DateTime"))
    if moment is None:
        raise _refusal(file, "Header/DateTime", "it is not a date and time like 2025-07-01T09:30:00")
    urn, laestab = _text(header, "SourceSchool/URN"), _laestab(header.find("SourceSchool"))
    if not laestab:
        raise _refusal(file, "Header/SourceSchool", "it has no LEA of three digits and Estab of four")
    if urn and known.get(laestab, urn) != urn:
        raise _refusal(
            file, "Header/SourceSchool", "its URN is not that of the network's school with this LEA and Estab"
        )
    return _Sender(moment[1], laestab, {**known, laestab: urn} if urn else known)


def _take_person(pupil: Element, number: int, sender: _Sender, rows: Mapping[str, Rows]) -> None:
    school, unproven = sender.urn(sender.laestab)
    texts = {"school": school, "known_on": sender.day}
    texts |= {name: _text(pupil, path) for name, path in _PERSON.items()}
    texts |= {name: _text(pupil, _ROLL[name]) for name in ("year_group", "status")}
    spell = _newest_spell(pupil, sender.laestab)
    texts |= {name: _text(spell, _ROLL[name].rsplit("/", 1)[1]) for name in ("entry_date", "leaving_date")}
    for table in (ENROLMENTS, IDENTITIES):
        rows[table.name].add(number, texts, unproven=unproven)
    characteristics = {
        "sex": _text(pupil, "Sex") or _text(pupil, "Gender"),
        "ethnicity": _text(pupil, "BasicDetails/Ethnicity"),
        "language": _language(pupil),
        "sen_provision": _newest_provision(pupil),
    }
    if any(characteristics.values()):
        said = {"upn": texts["upn"], "census_date": sender.day, "known_on": sender.day}
        rows[CHARACTERISTICS.name].add(number, said | characteristics)


def _take_lists(pupil: Element, number: int, sender: _Sender, rows: Mapping[str, Rows]) -> None:
    said = {"upn": _text(pupil, "UPN"), "known_on": sender.day, "census_date": sender.day}
    for need in pupil.iterfind("SENhistory/SENneeds/SENneed"):
        rows[SEN_NEEDS.name].add(number, said | {name: _text(need, element) for name, element in _NEEDS.items()})
    for meals in pupil.iterfind("FSMhistory/FSMinstance"):
        rows[FSM_PERIODS.name].add(number, said | {name: _text(meals, element) for name, element in _MEALS.items()})
    if (in_care := _text(pupil, "LookedAfter/InCare").lower()) not in ("", "false", "0"):
        # Any other word than true is no status, and is quarantined as what it is.
        status = "CLA" if in_care in ("true", "1") else in_care
        rows[CARE.name].add(number, said | {"status": status, "start_date": sender.day})


def _take_marks(pupil: Element, number: int, sender: _Sender, rows: Rows, positions: Positions) -> None:
    upn = _text(pupil, "UPN")
    for year in pupil.iterfind(_YEAR):
        school, unproven = sender.urn(_laestab(year))
        for sessions in year.iterfind("AttendSessions"):
            # The marks are not stripped: a blank is a position.
            string = sessions.findtext("AttendanceMarks") or ""
            marks = spell_out(_text(sessions, "AttendanceStartDate"), string, positions)
            texts: dict[str, Sequence[str] | str] = {"upn": upn, "school": school, "known_on": sender.day}
            texts |= {"date": marks.dates, "session": marks.sessions, "code": marks.codes}
            rows.extend([number] * len(marks.codes), texts, wrong=marks.wrong, unproven=unproven)


def _newest_spell(pupil: Element, laestab: str) -> Element | None:
    # Only the newest stay at the sender: the year group that the file gives is today's, not that of years ago.
    here = [school for school in pupil.iterfind("SchoolHistory/School") if _laestab(school) == laestab]
    return max(here, key=lambda school: _text(school, "EntryDate"), default=None)


def _newest_provision(pupil: Element) -> str:
    newest = max(pupil.iterfind("SENhistory/SEN"), key=lambda sen: _text(sen, "StartDate"), default=None)
    return _text(newest, "SENprovision")


def _language(pupil: Element) -> str:
    types = list(pupil.iterfind("BasicDetails/Languages/Type"))
    # F is the first language; a file that gives only one need not say so.
    first = [one for one in types if _text(one, "LanguageType") == "F"] or types
    return _text(first[0], "Language") if first else ""


def _laestab(element: Element | None) -> str:
    joined = _text(element, "LEA") + _text(element, "Estab")
    return joined if re.fullmatch(r"\d{7}", joined, re.ASCII) else ""


def _text(element: Element | None, path: str) -> str:
    return "" if element is None else (element.findtext(path) or "").strip()


def _refusal(file: str, place: str, what: str) -> FileRefused:
    return FileRefused(file=file, place=f"element {place}", what=what, remedy="export it again")
