"""Both engines on a year of dense, messy records: every feature comes alive and the engines agree."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features import compiled
from features.catalogue import CATALOGUE
from features.engine import build
from features.reference import reference
from records.history import History, known
from records.tables import TABLES
from tests.factories import HALF_TERMS, history, term_calendar
from tests.property.histories import RARE_OUTCOMES, RARE_TYPES

SEED = 20261122
SCHOOLS = (900001, 900002)
AS_OFS = (date(2025, 1, 13), date(2025, 5, 7), date(2025, 11, 17), date(2026, 3, 2))


def _school_days() -> np.ndarray:
    spans = [np.arange(np.datetime64(start), np.datetime64(end) + 1) for _, start, end in HALF_TERMS]
    days = np.concatenate(spans)
    return days[np.is_busday(days)]


def _versions(rng: np.random.Generator, rows: pd.DataFrame, happened: str, correct: dict[str, list]) -> pd.DataFrame:
    """Return the rows with a tenth known late and a tenth corrected, or deleted, later still."""
    late = np.where(rng.random(len(rows)) < 0.1, rng.integers(1, 15, len(rows)), 0)
    first = rows.assign(
        known_on=rows[happened] + pd.to_timedelta(late, unit="D").astype("timedelta64[s]"), deleted=False
    )
    again = first[rng.random(len(rows)) < 0.1].copy()
    again["known_on"] += pd.to_timedelta(rng.integers(0, 40, len(again)), unit="D").astype("timedelta64[s]")
    again["deleted"] = rng.random(len(again)) < 0.3
    for column, values in correct.items():
        again[column] = rng.choice(np.array(values, dtype=object), len(again))
    return pd.concat([first, again], ignore_index=True)


def _finish(rows: pd.DataFrame, table: str) -> pd.DataFrame:
    declared = TABLES[table]
    rows = rows.assign(source="test", row=np.arange(2, len(rows) + 2))
    for column in declared.columns:
        if column.name not in rows:
            rows[column.name] = None
        if column.codes is not None:
            rows[column.name] = rows[column.name].astype(pd.CategoricalDtype(list(column.codes.codes)))
        elif column.kind == "integer":
            rows[column.name] = rows[column.name].astype("Int32")
    return rows


@pytest.fixture(scope="module")
def messy() -> History:
    rng = np.random.default_rng(SEED)
    days = _school_days()
    pupils = np.arange(101, 113)
    school = dict(zip(pupils, rng.choice(SCHOOLS, len(pupils)), strict=True))

    def some(count: int, happened: str, **columns: list) -> pd.DataFrame:
        who = rng.choice(pupils, count)
        when = rng.choice(days, count).astype("datetime64[s]")
        rows = pd.DataFrame({"pupil": who, "school": [school[pupil] for pupil in who], happened: when})
        return rows.assign(
            **{name: rng.choice(np.array(values, dtype=object), count) for name, values in columns.items()}
        )

    who, when, session = (part.ravel() for part in np.meshgrid(pupils, days.astype("datetime64[s]"), ["AM", "PM"]))
    codes = ["/"] * 30 + ["\\"] * 30 + ["L", "L", "O", "O", "U", "C2", "B", "N", "I", "E", "R", "D", "G"]
    marks = pd.DataFrame({"pupil": who, "school": [school[p] for p in who], "date": when, "session": session})
    marks["code"] = rng.choice(codes, len(marks))
    behaviour = some(
        900,
        "date",
        period=[1, 2, 3, 4, 5, None],
        type=["Disruption", "Fighting", "Truancy", "Verbal Abuse", "Accident", "Homework", *RARE_TYPES],
        severity=[1, 2, 3, 4, 5],
        points=[0, 1, 5, None],
        location=["Classroom", "Corridor", "Playground", None],
        role=["Participant", "Aggressor", "Target"],
        outcome=["Isolation", "Detention", "Suspended from School", None, *RARE_OUTCOMES],
    )
    behaviour["event_id"] = [f"b{n}" for n in range(len(behaviour))]
    positives = some(500, "date", type=["Excellent Effort"], points=[1, 2, None]).assign(
        event_id=lambda rows: [f"p{n}" for n in range(len(rows))]
    )
    suspensions = some(30, "start_date", sessions=[1, 2, 6, None], category=["SUSP", "SUSP", "LNCH"])
    suspensions = suspensions.drop_duplicates(["pupil", "start_date"])
    lessons = some(
        3000, "date", period=[1, 2, 3, 4, 5], code=["/", "/", "/", "O", "N", "L", "U", "I"], minutes_late=[5, 20, None]
    ).drop_duplicates(["pupil", "date", "period"])
    placements = some(6, "entry_date", setting=["NFE", "OTH"], sessions_a_week=[2, 10])
    placements = placements.drop_duplicates(["pupil", "entry_date"])
    enrolments = [
        {"pupil": pupil, "school": school[pupil], "entry_date": date(2023, 9, 4), "year_group": str(pupil % 7 + 5)}
        for pupil in pupils[:-2]
    ]
    enrolments += [
        {
            "pupil": pupils[-2],
            "school": SCHOOLS[0],
            "entry_date": date(2024, 11, 20),
            "leaving_date": date(2025, 4, 30),
        },
        {"pupil": pupils[-2], "school": SCHOOLS[1], "entry_date": date(2025, 5, 1)},
        {"pupil": pupils[-1], "school": SCHOOLS[0], "entry_date": date(2025, 4, 22), "year_group": "R"},
    ]
    small = history(enrolments=enrolments, calendars=[row for at in SCHOOLS for row in term_calendar(at)])
    messed = {
        "marks": _versions(rng, marks, "date", {"code": ["/", "O", "I"]}),
        "behaviour": _versions(rng, behaviour, "date", {"severity": [1, 5], "role": ["Participant", "Witness"]}),
        "positives": _versions(rng, positives, "date", {}),
        "suspensions": _versions(rng, suspensions, "start_date", {"sessions": [2, 10]}),
        "lesson_marks": _versions(rng, lessons, "date", {"code": ["/", "O"]}),
        "alternative_provision": _versions(rng, placements, "entry_date", {"sessions_a_week": [4]}),
    }
    return History(0, {**small.tables, **{name: _finish(rows, name) for name, rows in messed.items()}}, {})


def test_the_engines_agree_on_a_messy_year(messy):
    fast = build(messy, AS_OFS)
    for day in AS_OFS:
        slow = reference(known(messy, day))
        mine = fast.where((fast.keys["as_of"] == pd.Timestamp(day)).to_numpy())
        pd.testing.assert_frame_equal(mine.keys, slow.keys)
        np.testing.assert_allclose(mine.values, slow.values, rtol=0, atol=1e-9)


def test_machine_code_gives_what_the_plain_loops_give(messy):
    """The web process runs the loops as they are written, training and the nightly run as machine code."""
    plain, quick = build(messy, AS_OFS), compiled.build(messy, AS_OFS)
    pd.testing.assert_frame_equal(quick.keys, plain.keys)
    np.testing.assert_allclose(quick.values, plain.values, rtol=0, atol=1e-12)


def test_every_feature_takes_more_than_one_value(messy):
    """A feature that is always the same would pass every law."""
    fast = build(messy, AS_OFS)
    dead = [f.name for column, f in enumerate(CATALOGUE) if len(np.unique(fast.values[:, column])) < 2]
    assert dead == []
    assert set(fast.keys["abstain"]) >= {"", "too_new"}


def test_keys_have_the_promised_types_and_order(messy):
    keys = build(messy, AS_OFS[::-1]).keys
    assert {name: str(kind) for name, kind in keys.dtypes.items()} == {
        "pupil": "int64",
        "as_of": "datetime64[s]",
        "school": "int32",
        "year_group": "str",
        "abstain": "str",
    }
    assert keys.equals(keys.sort_values(["as_of", "pupil"], ignore_index=True))


def test_a_network_with_no_records_yet_gives_no_rows():
    assert len(build(history(), [date(2025, 3, 24)])) == 0
    assert len(reference(known(history(), date(2025, 3, 24)))) == 0


def test_records_of_pupils_who_are_on_no_roll_that_day_give_no_rows(messy):
    """A shard can hold only pupils who have left, or have not come yet."""
    day = date(2019, 5, 6)
    slow = reference(known(messy, day))
    for fast in (build(messy, [day]), compiled.build(messy, [day])):
        assert len(fast) == 0
        pd.testing.assert_frame_equal(fast.keys, slow.keys)


def test_a_school_without_a_calendar_gives_unknown_and_zero_and_no_crash():
    given = history(enrolments=[{"pupil": 1}], marks=[{"pupil": 1, "date": "2025-03-20"}])
    for matrix in (build(given, [date(2025, 3, 24)]), reference(known(given, date(2025, 3, 24)))):
        found = dict(zip(matrix.names, matrix.values[0], strict=True))
        assert found["incidents_4w"] == 0
        assert np.isnan(found["missed_rate_4w"])
        assert np.isnan(found["half_term"])


def test_days_between_as_ofs_do_not_matter(messy):
    """Daily as-of dates around a correction: each equals the reference alone."""
    days = [AS_OFS[1] + timedelta(days=step) for step in range(5)]
    fast = build(messy, days, CATALOGUE[:14])
    slow = [reference(known(messy, day), CATALOGUE[:14]).values for day in days]
    np.testing.assert_allclose(fast.values, np.concatenate(slow), rtol=0, atol=1e-9)
