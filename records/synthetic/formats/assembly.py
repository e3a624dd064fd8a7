"""A simulated network as Assembly's interface answers: a folder for each school, in it a folder for each pull.

Assembly says neither when a record was made nor that one was withdrawn: a pull's folder bears its day, and a
suspension that was withdrawn stays as it was. Behaviour is not among its endpoints that Belong reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from records.synthetic.exported import Exported
from records.synthetic.formats.choosing import KEYS, dicts, newest, pull_days
from records.synthetic.formats.pages import or_none, whole, write_json, write_pages

NOT_LEFT = "2079-06-06T23:59:00.000Z"
CARRIED = ("enrolments", "marks", "suspensions")


def write_assembly(exported: Exported, out: Path, *, daily: bool = False) -> int:
    """Write the pages; return the number of records in them. `daily`: as `write_wonde`."""
    days = pull_days(exported.tables, daily=daily)
    written = 0
    for school in dicts(exported["schools"]):
        written += _write_school(school, exported, out / school["urn"], days)
    return written


def _write_school(school: Mapping[str, str], exported: Exported, folder: Path, days: Sequence[str]) -> int:
    rows = {name: exported[name][exported[name]["urn"] == school["urn"]] for name in CARRIED}
    enrolled = rows["enrolments"][["upn", "entry_date"]].drop_duplicates()
    pairs = list(zip(enrolled["upn"], enrolled["entry_date"], strict=True))
    stays = {pair: int(school["urn"]) * 100_000 + number for number, pair in enumerate(pairs)}
    people = {upn: stays[upn, entry] for upn, entry in reversed(pairs)}
    about = {"object": "school_details", "id": int(school["urn"]), "name": school["name"], "urn": school["urn"]}
    write_json(folder / "school_details.json", {"data": [about]})
    numbers = {
        table: {key: number for number, key in enumerate(dict.fromkeys(_keys(rows[table], table)), start=1)}
        for table in ("marks", "suspensions")
    }
    written, before = 0, ""
    for day in days:
        changed = {table: newest(found, table, after=before, by=day) for table, found in rows.items()}
        stayed = dicts(changed["enrolments"])
        written += write_pages(folder / day, "students", (_student(row, stays) for row in stayed))
        made = dicts(changed["marks"])
        marks = ({"id": numbers["marks"][_key(row, "marks")], **_mark(row, people)} for row in made)
        written += write_pages(folder / day, "attendances", marks)
        stands = changed["suspensions"]
        left = dicts(stands[stands["deleted"] != "true"])
        away = ({"id": numbers["suspensions"][_key(row, "suspensions")], **_exclusion(row, people)} for row in left)
        written += write_pages(folder / day, "exclusions", away)
        before = day
    return written


def _keys(rows: Any, table: str) -> Iterator[tuple[str, ...]]:
    return zip(*(rows[name] for name in KEYS[table]), strict=True)


def _key(row: Mapping[str, str], table: str) -> tuple[str, ...]:
    return tuple(row[name] for name in KEYS[table])


def _student(row: Mapping[str, str], stays: Mapping[tuple[str, str], int]) -> Mapping[str, Any]:
    return {
        "object": "student",
        "id": stays[row["upn"], row["entry_date"]],
        "first_name": row["forename"],
        "last_name": row["surname"],
        "dob": row["date_of_birth"],
        "year_code": row["year_group"],
        "upn": row["upn"],
        "former_upn": or_none(row["former_upn"]),
        "start_date": _moment(row["entry_date"]),
        "end_date": _moment(row["leaving_date"]) if row["leaving_date"] else NOT_LEFT,
        "enrolment_status": row["status"],
        "demographics": None,
    }


def _mark(row: Mapping[str, str], people: Mapping[str, int]) -> Mapping[str, Any]:
    said = {"object": "attendance", "student_id": people.get(row["upn"], 0), "session_date": _moment(row["date"])}
    return {**said, "session_name": row["session"], "attendance_mark": row["code"], "minutes_late": None}


def _exclusion(row: Mapping[str, str], people: Mapping[str, int]) -> Mapping[str, Any]:
    return {
        "object": "exclusion",
        "student_id": people.get(row["upn"], 0),
        "exclusion_type": row["category"],
        "exclusion_reason": or_none(row["reason1"]),
        "exclusion_reason_2": or_none(row["reason2"]),
        "exclusion_reason_3": or_none(row["reason3"]),
        "start_date": row["start_date"],
        "start_session": "AM",
        "exclusion_length": whole(row["sessions"]),
    }


def _moment(day: str) -> str:
    return f"{day}T00:00:00.000Z"
