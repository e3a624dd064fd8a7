"""Counts by week that the first notebook draws, worked by hand."""

import pandas as pd
import pytest

from records.home import Home
from training import network_weeks
from training.network_pictures import attendance, before_suspension, events
from training.network_weeks import before_suspensions, records_by_week

TODAY = pd.Timestamp("2026-06-22")
WEEK = pd.Timedelta(weeks=1)
MONDAY = pd.Timestamp("2026-03-02")  # with 16 weeks of records to come


def rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def event(pupil: int, day: pd.Timestamp, role: str = "Participant", kind: str = "Disruption") -> dict[str, object]:
    return {"pupil": pupil, "date": day, "role": role, "type": kind}


def tables(
    behaviour: list[dict[str, object]], suspended: list[tuple[int, pd.Timestamp, str]]
) -> dict[str, pd.DataFrame]:
    """Return one shard: pupils 1 to 4 are in Year 8 and on roll all along, pupil 5 is in Year 9."""
    return {
        "enrolments": rows(
            pupil=[1, 2, 3, 4, 5],
            entry_date=pd.to_datetime(["2024-09-02"] * 5),
            leaving_date=pd.Series([pd.NaT] * 5, dtype="datetime64[s]"),
            year_group=["8", "8", "8", "8", "9"],
        ),
        "behaviour": pd.DataFrame(behaviour, columns=["pupil", "date", "role", "type"]).astype(
            {"date": "datetime64[s]"}
        ),
        "suspensions": pd.DataFrame(suspended, columns=["pupil", "start_date", "category"]).astype(
            {"start_date": "datetime64[s]"}
        ),
        "marks": rows(
            date=[MONDAY, MONDAY, MONDAY + pd.Timedelta(days=4), MONDAY + 2 * WEEK],
            code=["/", "O", "I", "#"],
        ),
    }


@pytest.fixture
def shards(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, pd.DataFrame]]:
    """The shards that the rooms under test read in place of a home's."""
    held: list[dict[str, pd.DataFrame]] = []
    monkeypatch.setattr(network_weeks, "shards", lambda home, until: iter(held))
    return held


def test_a_suspended_pupil_stands_beside_others_of_the_same_age(
    shards: list[dict[str, pd.DataFrame]], home: Home
) -> None:
    """Pupil 1 has three events the week before; of the three others in Year 8 one has one. Year 9 has many."""
    start = MONDAY + 14 * WEEK
    week_before = start - WEEK
    shards.append(
        tables(
            [
                event(2, MONDAY),
                *[event(1, week_before + pd.Timedelta(days=day)) for day in (0, 2, 4)],
                event(1, start),  # what the pupil was suspended for
                event(1, week_before, role="Witness"),
                event(3, week_before + pd.Timedelta(days=1)),
                *[event(5, week_before)] * 9,
            ],
            [(1, start + pd.Timedelta(days=1), "SUSP"), (2, start, "LNCH")],
        )
    )
    found = before_suspensions(home, TODAY)
    assert found.suspensions == 1
    assert found.events.loc[1].to_dict() == {"suspended": 3.0, "others": pytest.approx(1 / 3)}
    assert found.events.loc[2].to_dict() == {"suspended": 0.0, "others": 0.0}


def test_pupils_count_only_while_on_roll(shards: list[dict[str, pd.DataFrame]], home: Home) -> None:
    """Two of the three others left ten weeks before: one alone is left to compare with, in the other shard too."""
    start = MONDAY + 14 * WEEK
    shard = tables([event(2, MONDAY), event(3, start - WEEK)], [(1, start, "PERM")])
    shard["enrolments"].loc[[1, 3], "leaving_date"] = start - 10 * WEEK
    none = tables([], [])
    shards += [shard, {name: frame.iloc[:0] for name, frame in none.items()}]
    found = before_suspensions(home, TODAY)
    assert found.events.loc[1, "others"] == 1.0


def test_weeks_are_counted_as_the_department_counts_sessions(shards: list[dict[str, pd.DataFrame]], home: Home) -> None:
    """A school holiday (#) is no possible session; illness (I) is absence, and only O is without permission."""
    shards += [tables([event(2, MONDAY), event(3, MONDAY)], [])] * 2
    counts = records_by_week(home, TODAY)
    assert counts.to_dict("index") == {MONDAY: {"possible": 6, "missed": 4, "without_permission": 2, "events": 4}}


def test_pictures_of_a_small_network_show_no_small_number(shards: list[dict[str, pd.DataFrame]], home: Home) -> None:
    shards.append(tables([event(2, MONDAY)], [(1, MONDAY + 14 * WEEK, "SUSP")]))
    counts = records_by_week(home, TODAY)
    assert "Too few" in before_suspension(home, TODAY).axes[0].texts[0].get_text()
    line = events(counts).axes[0].lines[0]
    assert pd.isna(line.get_ydata()).all()
    assert len(attendance(counts).axes[0].lines) == 2


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that nothing reads: its shards are replaced."""
    return Home(path=tmp_path_factory.mktemp("home"), network="", demo=True, today=TODAY.date(), shards=1)
