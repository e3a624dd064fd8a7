"""A simulated network as Common Transfer Files: one for each school, on the last day of its records.

A CTF carries pupils, their newest enrolment and their final marks; no suspensions, behaviour or earlier versions.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import pandas as pd

from records.synthetic.exported import Exported
from records.synthetic.formats.choosing import dicts, newest

# One character stands in a position: the codes of August 2024 with two fall back on what they grew out of.
ONE_CHARACTER: Mapping[str, str] = {"C1": "C", "C2": "C", "J1": "J", **{f"Y{n}": "Y" for n in range(1, 8)}}
UNKNOWN = "?"
NO_MARK = "-"
SCHOOL_YEAR_STARTS = 9


def one_character(code: str) -> str:
    """Return the character that a CTF writes for an attendance code."""
    known = ONE_CHARACTER.get(code, code)
    return known if len(known) == 1 else UNKNOWN


def write_ctf(exported: Exported, out: Path) -> int:
    """Write a file for each school; return the number of pupils and marks in them."""
    out.mkdir(parents=True, exist_ok=True)
    pupils = newest(exported["enrolments"], "enrolments")
    pupils = pupils.sort_values("entry_date", kind="stable").drop_duplicates(["upn", "urn"], keep="last")
    marks = newest(exported["marks"], "marks")
    written = 0
    for school in dicts(exported["schools"]):
        here = pupils[pupils["urn"] == school["urn"]].sort_values("upn")
        theirs = marks[marks["urn"] == school["urn"]]
        if here.empty and theirs.empty:
            continue
        day = max([*here["updated_on"], *theirs["updated_on"]])
        root = Element("CTfile")
        _header(root, school, day)
        data = SubElement(root, "CTFpupilData")
        by_pupil = dict(iter(theirs.groupby("upn")))
        for pupil in dicts(here):
            element = _pupil(data, pupil, school)
            own = by_pupil.get(pupil["upn"])
            if own is not None:
                _attendance(element, own, school)
        indent(root)
        name = f"{school['laestab']}_CTF_LLLLLLL_{day.replace('-', '')}.xml"
        ElementTree(root).write(out / name, encoding="utf-8", xml_declaration=True)
        written += len(here) + int(theirs["upn"].isin(here["upn"]).sum())
    return written


def _header(root: Element, school: Mapping[str, str], day: str) -> None:
    header = SubElement(root, "Header")
    for name, text in (
        ("DocumentName", "Common Transfer File"),
        ("CTFversion", "25.0"),
        ("DateTime", f"{day}T18:00:00"),
    ):
        SubElement(header, name).text = text
    source = SubElement(header, "SourceSchool")
    _place(source, school)
    SubElement(source, "URN").text = school["urn"]
    SubElement(source, "SchoolName").text = school["name"]


def _place(element: Element, school: Mapping[str, str]) -> None:
    SubElement(element, "LEA").text = school["laestab"][:3]
    SubElement(element, "Estab").text = school["laestab"][3:]


def _pupil(data: Element, pupil: Mapping[str, str], school: Mapping[str, str]) -> Element:
    element = SubElement(data, "Pupil")
    for name, column in (("UPN", "upn"), ("Surname", "surname"), ("Forename", "forename"), ("DOB", "date_of_birth")):
        SubElement(element, name).text = pupil[column]
    details = SubElement(element, "BasicDetails")
    for name, column in (("FormerUPN", "former_upn"), ("NCyearActual", "year_group"), ("EnrolStatus", "status")):
        if pupil[column]:
            SubElement(details, name).text = pupil[column]
    spell = SubElement(SubElement(element, "SchoolHistory"), "School")
    _place(spell, school)
    SubElement(spell, "EntryDate").text = pupil["entry_date"]
    if pupil["leaving_date"]:
        SubElement(spell, "LeavingDate").text = pupil["leaving_date"]
    return element


def _attendance(pupil: Element, marks: pd.DataFrame, school: Mapping[str, str]) -> None:
    attendance = SubElement(pupil, "Attendance")
    by_year: dict[int, dict[tuple[date, str], str]] = {}
    for day, session, code in zip(marks["date"], marks["session"], marks["code"], strict=True):
        try:
            when = date.fromisoformat(day)
        except ValueError:
            continue  # A day that cannot be has no position.
        year = when.year - (when.month < SCHOOL_YEAR_STARTS)
        if when.weekday() < 5 and session in ("AM", "PM"):
            by_year.setdefault(year, {})[when, session] = one_character(code)
    for year, found in sorted(by_year.items()):
        data = SubElement(attendance, "YearData")
        SubElement(data, "Year").text = str(year)
        _place(data, school)
        SubElement(data, "SchoolName").text = school["name"]
        sessions = SubElement(data, "AttendSessions")
        first, last = min(day for day, _ in found), max(day for day, _ in found)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        SubElement(sessions, "AttendanceStartDate").text = first.isoformat()
        SubElement(sessions, "AttendanceMarks").text = "".join(
            found.get((day, session), NO_MARK) for day in days if day.weekday() < 5 for session in ("AM", "PM")
        )
