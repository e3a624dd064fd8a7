"""The `spec` fixture: records, a day, and what a feature is for each pupil, on both engines."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from features.catalogue import CATALOGUE
from features.engine import build
from features.matrix import Matrix
from features.reference import reference
from records.history import History, known
from tests.factories import history, term_calendar

PUPILS = {"ann": 1, "bob": 2, "cat": 3, "dan": 4}
BY_NAME = {feature.name: feature for feature in CATALOGUE}
ENGINES = {
    "reference": lambda records, as_of, features: reference(known(records, as_of), features),
    "engine": lambda records, as_of, features: build(records, [as_of], features),
}


def records(**tables: list[dict[str, Any]]) -> History:
    """Return a history of rows whose pupils are words; every pupil without an enrolment is on roll from 2 September."""
    rows = {
        name: [{**row, "pupil": PUPILS[row["pupil"]]} if "pupil" in row else row for row in given]
        for name, given in tables.items()
    }
    enrolled = {row["pupil"] for row in rows.get("enrolments", [])}
    rows["enrolments"] = rows.get("enrolments", []) + [
        {"pupil": number} for number in PUPILS.values() if number not in enrolled
    ]
    rows.setdefault("calendars", term_calendar())
    return history(**rows)


def marks(pupil: str, first: str, codes: str, **more: Any) -> list[dict[str, Any]]:
    """Return marks from a day on, two a school day: 'a' stands for the present mark of either session."""
    rows, day = [], date.fromisoformat(first)
    for number, code in enumerate(codes.split()):
        session = ("AM", "PM")[number % 2]
        present = {"AM": "/", "PM": "\\"}[session]
        rows.append({"pupil": pupil, "date": day, "session": session, "code": present if code == "a" else code, **more})
        if session == "PM":
            day += timedelta(days=3 if day.weekday() == 4 else 1)
    return rows


def incident(pupil: str, day: str, **more: Any) -> dict[str, Any]:
    """Return a behaviour event; two of a pupil on one day differ in `type`."""
    return {"pupil": pupil, "date": day, "event_id": f"{pupil} {day} {more.get('type')}", **more}


class Spec:
    """One engine, asked as the manual asks."""

    def __init__(self, engine: str) -> None:
        self._run = ENGINES[engine]

    def matrix(self, given: History, as_of: str, *names: str) -> Matrix:
        return self._run(given, date.fromisoformat(as_of), tuple(BY_NAME[name] for name in names))

    def __call__(self, feature: str, given: History, *, as_of: str, expect: Mapping[str, float | None]) -> None:
        matrix = self.matrix(given, as_of, feature)
        found = dict(zip(matrix.keys["pupil"], matrix.values[:, 0], strict=True))
        for name, value in expect.items():
            wanted = np.nan if value is None else value
            assert found[PUPILS[name]] == pytest.approx(wanted, abs=1e-9, nan_ok=True), f"{feature} of {name}"

    def abstain(self, given: History, *, as_of: str, expect: Mapping[str, str | None]) -> None:
        """Check why a pupil cannot be scored; None: not on roll at all."""
        keys = self.matrix(given, as_of).keys
        found = dict(zip(keys["pupil"], keys["abstain"], strict=True))
        assert {name: found.get(PUPILS[name]) for name in expect} == dict(expect)


@pytest.fixture(params=sorted(ENGINES))
def spec(request: pytest.FixtureRequest) -> Spec:
    return Spec(request.param)
