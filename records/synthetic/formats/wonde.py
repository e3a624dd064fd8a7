"""A simulated network as Wonde's interface answers: a folder for each school, in it a folder for each pull.

A pull brings what was changed since the one before, in its newest version; what was withdrawn comes as a
deletion that names the record and no more.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from records.synthetic.exported import Exported
from records.synthetic.formats.choosing import KEYS, dicts, newest, pull_days
from records.synthetic.formats.pages import or_none, whole, write_json, write_pages

ENDPOINTS: Mapping[str, str] = {
    "marks": "attendance",
    "behaviour": "behaviours",
    "positives": "achievements",
    "suspensions": "exclusions",
}


def write_wonde(exported: Exported, out: Path, *, daily: bool = False) -> int:
    """Write the pages; return the number of records in them.

    `daily` pulls on every day that anything was recorded, so that no version is missed; else monthly.
    """
    days = pull_days(exported.tables, daily=daily)
    written = 0
    for school in dicts(exported["schools"]):
        written += _School(school, exported).write(out / school["urn"], days)
    return written


class _School:
    """One school's rows and the numbers that Wonde gives them."""

    def __init__(self, school: Mapping[str, str], exported: Exported) -> None:
        self.school = school
        self.rows = {name: exported[name][exported[name]["urn"] == school["urn"]] for name in KEYS}
        enrolled = self.rows["enrolments"][["upn", "entry_date"]].drop_duplicates()
        pairs = list(zip(enrolled["upn"], enrolled["entry_date"], strict=True))
        # A pupil who comes back is a new record of students; every other record names the first.
        self.stays = {pair: f"A{school['urn']}{number:05d}" for number, pair in enumerate(pairs)}
        self.people = {upn: self.stays[upn, entry] for upn, entry in reversed(pairs)}
        codes = dict.fromkeys(self.rows["marks"]["code"])
        self.codes = {code: f"C{school['urn']}{number:03d}" for number, code in enumerate(codes)}

    def write(self, folder: Path, days: Sequence[str]) -> int:
        """Write the school's pulls; return the number of records."""
        name, laestab = self.school["name"], self.school["laestab"]
        about = {"id": f"S{self.school['urn']}", "name": name, "urn": int(self.school["urn"])}
        write_json(folder / "school.json", {"data": {**about, "la_code": laestab[:3]}})
        written, before = 0, ""
        for number, day in enumerate(days):
            pull = folder / day
            if not number:
                codes = [{"id": id_, "code": code, "description": code, "type": ""} for code, id_ in self.codes.items()]
                written += write_pages(pull, "attendance-codes", codes)
            for endpoint, records in self._changed(before, day):
                written += write_pages(pull, endpoint, records)
            before = day
        return written

    def _changed(self, after: str, by: str) -> Iterator[tuple[str, Iterator[Mapping[str, Any]]]]:
        stayed = newest(self.rows["enrolments"], "enrolments", after=after, by=by)
        yield "students", (self._student(row) for row in dicts(stayed))
        gone: list[Mapping[str, Any]] = []
        for table, endpoint in ENDPOINTS.items():
            rows = newest(self.rows[table], table, after=after, by=by)
            if "deleted" in rows:
                withdrawn = rows[rows["deleted"] == "true"]
                for row in dicts(withdrawn):
                    deleted = {"id": self._id(table, row), "type": endpoint.removesuffix("s")}
                    gone.append({**deleted, "deleted_at": _moment(row["updated_on"])})
                rows = rows[rows["deleted"] != "true"]
            make = getattr(self, f"_{table}")
            yield (
                endpoint,
                (
                    {"id": self._id(table, row), **make(row), "updated_at": _moment(row["updated_on"])}
                    for row in dicts(rows)
                ),
            )
        yield "deletions", iter(gone)

    def _id(self, table: str, row: Mapping[str, str]) -> str:
        if "event_id" in row:
            return row["event_id"]
        return "-".join([self.person(row), *(row[name] for name in KEYS[table] if name not in ("upn", "urn"))])

    def person(self, row: Mapping[str, str]) -> str:
        """Return Wonde's number of the row's pupil, one of nobody where the school enrolled none."""
        return self.people.get(row["upn"], f"X{row['upn']}")

    def _student(self, row: Mapping[str, str]) -> Mapping[str, Any]:
        details = {
            "upn": row["upn"],
            "former_upn": or_none(row["former_upn"]),
            "admission_date": _day(row["entry_date"]),
            "leaving_date": _day(row["leaving_date"]),
            "current_nc_year": or_none(row["year_group"]),
            "enrolment_status": or_none(row["status"]),
        }
        return {
            "id": self.stays[row["upn"], row["entry_date"]],
            "forename": row["forename"],
            "surname": row["surname"],
            "gender": None,
            "date_of_birth": _day(row["date_of_birth"]),
            "education_details": {"data": details},
            "updated_at": _moment(row["updated_on"]),
        }

    def _marks(self, row: Mapping[str, str]) -> Mapping[str, Any]:
        code = self.codes[row["code"]]
        said = {"student": self.person(row), "date": _day(row["date"]), "session": row["session"]}
        return {**said, "attendance_code_id": code, "comment": None, "minutes_late": None}

    def _behaviour(self, row: Mapping[str, str]) -> Mapping[str, Any]:
        entry = {"student_id": self.person(row), "role": row["role"], "action": or_none(row["outcome"])}
        return {
            "students": [{**entry, "points": whole(row["points"])}],
            "date": _day(row["date"]),
            "type": row["type"],
            "location": or_none(row["location"]),
            "severity": whole(row["severity"]),
            "period": whole(row["period"]),
        }

    def _positives(self, row: Mapping[str, str]) -> Mapping[str, Any]:
        entry = {"student_id": self.person(row), "points": whole(row["points"])}
        return {"students": [entry], "date": _day(row["date"]), "type": row["type"]}

    def _suspensions(self, row: Mapping[str, str]) -> Mapping[str, Any]:
        said = {"student": self.person(row), "start_date": _day(row["start_date"]), "type": row["category"]}
        reasons = {"reason": row["reason1"], "reason_2": row["reason2"], "reason_3": row["reason3"]}
        return {**said, "sessions": whole(row["sessions"]), **{name: or_none(text) for name, text in reasons.items()}}


def _day(text: str) -> Mapping[str, Any] | None:
    return _written(f"{text} 00:00:00.000000") if text else None


def _moment(day: str) -> Mapping[str, Any]:
    return _written(f"{day} 18:00:00.000000")


def _written(moment: str) -> Mapping[str, Any]:
    return {"date": moment, "timezone_type": 3, "timezone": "Europe/London"}
