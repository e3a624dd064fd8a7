"""Programmes: who has need, who is offered and reached, by hand; what is hidden; and the job, from records on."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.database import connect, scoped
from casework.permissions import NotAllowed, Role
from casework.places import NETWORK
from casework.programme_figures import (
    WHOLE_PERIOD,
    Effect,
    effects_of,
    programme_releases,
    reach_of,
    save_effect,
)
from casework.programmes import Programme, ProgrammeSaid, add_programme, every_programme
from casework.support import SupportSaid, offer_support
from fairness.policy import read_policy
from learning.programmes.reached import SUPPORT_COLUMNS, Period, hours_in, with_reach
from learning.programmes.release import releases_of
from records.home import Home
from serving.jobs.programmes import cost_of, publish_programmes
from serving.pages.programmes import effect_words, sentences
from tests.database import TODAY, job_session, make_person, publication, publish_now, pupil_id
from tests.deployed import clear
from tests.factories import SCHOOL as THERE
from tests.unit.test_serving_nightly import put_records

MAY = Period(start=date(2026, 5, 1), end=date(2026, 5, 31))


def supports(*rows):
    frame = pd.DataFrame(rows, columns=list(SUPPORT_COLUMNS))
    days = {name: pd.to_datetime(frame[name]).astype("datetime64[s]") for name in ("offered_on", "start_on", "end_on")}
    return frame.assign(**days).astype({"pupil": "int64", "school": "int64", "hours": "float64"})


def test_need_offer_and_reach_of_each_pupil_by_hand():
    """1: listed and reached. 2: away for a tenth, not offered. 3: offered, declined. 4: ended before. 5: elsewhere."""
    pupils = pd.DataFrame(
        {
            "pupil": [1, 2, 3, 4, 5, 6],
            "school": 7,
            "sessions_possible": [50, 50, 50, 50, 50, 0],
            "sessions_missed": [0, 5, 4, 0, 0, 0],
        }
    )
    listed = pd.DataFrame({"pupil": [1, 5], "school": [7, 8]})
    found = with_reach(
        pupils,
        listed,
        supports(
            (1, 7, "2026-03-01", "2026-03-08", None, None),
            (3, 7, "2026-05-03", None, None, None),
            (4, 7, "2026-03-01", "2026-03-02", "2026-04-30", 5),
            (5, 8, "2026-05-03", "2026-05-03", None, 5),
        ),
        MAY,
    ).set_index("pupil")
    assert found["need"].tolist() == [1, 1, 0, 0, 0, 0]
    assert found["offered"].tolist() == [1, 0, 1, 0, 0, 0]
    assert found["reached"].tolist() == [1, 0, 0, 0, 0, 0]
    assert found["need_reached"].tolist() == [1, 0, 0, 0, 0, 0]


def test_hours_of_a_course_are_spread_over_its_days():
    """Ten days from 27 April, six of them in May: 6 of 10 hours. From 1 May, 62 days up to 1 July: 31 of 62 hours."""
    rows = supports(
        (1, 7, "2026-04-27", "2026-04-27", "2026-05-06", 10),
        (2, 7, "2026-05-01", "2026-05-01", None, 62),
        (3, 7, "2026-05-01", None, None, None),
    )
    assert hours_in(rows, MAY, date(2026, 7, 1)) == pytest.approx(6 + 31)
    assert hours_in(rows[2:], MAY, date(2026, 7, 1)) == 0


def made_pupils(seed, schools=("1", "2"), size=160):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "pupil": np.arange(size),
            "school": rng.choice(schools, size),
            "deprivation": rng.choice(["1", "2", "3"], size, p=[0.45, 0.45, 0.1]),
            "sex": rng.choice(["female", "male"], size),
            "phase": "SS",
            "year_group": "8",
            **dict.fromkeys(("ethnicity", "sen", "fsm", "eal", "care"), "unknown"),
        }
    )
    need, offered = rng.random(size) < 0.3, rng.random(size) < 0.3
    reached = offered & (rng.random(size) < 0.6)
    return frame.assign(
        need=need.astype(int),
        offered=offered.astype(int),
        reached=reached.astype(int),
        need_reached=(need & reached).astype(int),
    )


@pytest.mark.parametrize("seed", range(3))
def test_small_counts_are_hidden_and_what_one_programme_hides_of_need_no_other_at_its_schools_shows(seed):
    one = made_pupils(seed)
    other = one.assign(offered=1, reached=1, need_reached=one["need"])
    tables = {"one": one, "other": other}
    shown = releases_of(tables, read_policy())
    counts = {
        (name, cut, place, measure): int(tables[name].loc[tables[name][cut] == place, measure].sum())
        for name, release in shown.items()
        for cut, place, measure in release
        if cut != NETWORK
    }
    for (name, *key), true in counts.items():
        count = shown[name][tuple(key)]
        assert count is None or count == 5 * round(true / 5)
        assert count is None or not 0 < true < 8
    hidden = [{key for key, count in shown[name].items() if count is None and key[2] == "need"} for name in shown]
    assert hidden[0] == hidden[1]
    assert not [key for key in shown["one"] if key[0] == "school" and key[2].startswith("need")]


def programme(**changes):
    given = {
        "id": uuid.UUID(int=1),
        "version": 1,
        "name": "Mentors",
        "funder": "A trust",
        "start_on": date(2026, 1, 1),
        "end_on": date(2026, 12, 31),
        "kinds": ("mentoring",),
        "schools": (THERE,),
        "budget_pounds": 36_500,
        "hour_pence": None,
        **changes,
    }
    return Programme(**given)


def test_the_cost_of_a_period_is_its_days_of_the_budget_or_its_hours_and_no_hours_of_a_few():
    """31 of 365 days of 36,500 pounds are 3,100. 37 hours are rounded to 35, at 20 pounds: 700."""
    rows = supports((1, 7, "2026-05-01", "2026-05-01", "2026-05-31", 37))
    for shown, hourly in ((20, 700), (None, None)):
        counts = {(NETWORK, "all", "reached"): shown}
        assert cost_of(programme(), MAY, rows, counts, TODAY) == 3100
        assert cost_of(programme(budget_pounds=None, hour_pence=2000), MAY, rows, counts, TODAY) == hourly


def test_what_a_panel_reads_first_and_what_cannot_be_said():
    whole = {"offered": 120, "reached": 90, "need": 150, "need_reached": 60}
    assert sentences(whole, 9000) == [
        "About 120 pupils were offered its support, and about 90 took it up (75%).",
        "It cost £9,000 in this period, about £100 for each pupil reached.",
        "Of about 150 pupils with most need, it reached about 60: 40% of them.",
    ]
    assert "not shown" in " ".join(sentences(dict.fromkeys(whole), None))
    assert sentences(dict.fromkeys(whole, 0), 100)[:2] == [
        "Nobody was offered its support in this period.",
        "What it cost for each pupil reached is not known.",
    ]


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of one school with 60 pupils in two shards; it is 22 June, two weeks into the sixth half-term."""
    home = replace(casework_home, shards=2)
    put_records(home, range(1, 61))
    publish_now(home, publication(dict.fromkeys(range(1, 61), THERE)))
    yield home
    clear(home)


def test_the_job_publishes_each_period_once_for_those_who_answer_for_the_network(home):
    """Of 60 pupils 40 are offered a mentor and 30 take it up: shown. By half-term, and never again."""
    lead = make_person(home, Role(name="network_lead"))
    staff = make_person(home, Role(name="school_staff", school=THERE))
    said = ProgrammeSaid(
        name="Mentors",
        funder="A trust",
        start_on=date(2026, 4, 13),
        end_on=date(2026, 6, 10),
        kinds=("mentoring",),
        schools=(THERE,),
        budget_pounds=5900,
    )
    app = connect(home, "app")
    with scoped(app, None) as session:
        made = add_programme(session, lead, said, TODAY)
    offer = SupportSaid(
        kind="mentoring", provider="", offered_on=date(2026, 4, 20), standing="waiting", programme_id=made
    )
    with scoped(app, staff.schools) as session:
        for pupil in range(1, 41):
            told = replace(offer, standing="taken_up") if pupil <= 30 else offer
            offer_support(session, staff, pupil_id(home, pupil), told, f"k{pupil}", TODAY)
    assert publish_programmes(home) == 2  # the fifth half-term, and the whole, over since 10 June
    assert publish_programmes(home) == 0
    board = make_person(home, Role(name="board_member"))
    with scoped(app, board.schools) as session:
        assert [one.name for one in every_programme(session, board)] == ["Mentors"]
        out = {one.period: one for one in programme_releases(session, made)}
        assert set(out) == {"2025/26 Summer 1", WHOLE_PERIOD}
        assert out[WHOLE_PERIOD].cost_pounds == 5900
        counts = {(one.cut, one.place): one.counts for one in reach_of(session, board, out["2025/26 Summer 1"])}
        assert counts["school", str(THERE)] == {"offered": 40, "reached": 30}
        assert effects_of(session, board, made) == ()
    with job_session(home) as session:
        found = Effect(
            programme_id=made,
            outcome="Sessions missed in the term after",
            published_on=TODAY,
            design="Comparison of matched pupils",
            estimate=-1.5,
            lower=-4.0,
            upper=1.0,
            unit="sessions",
            pupils=30,
            rests_on="Pupils alike in what is recorded would have fared alike.",
        )
        save_effect(session, found)
    with scoped(app, board.schools) as session:
        (effect,) = effects_of(session, board, made)
    assert effect == found
    assert effect_words(effect)["settled"].startswith("We cannot tell yet")
    with scoped(app, staff.schools) as session:
        assert session.execute(text("SELECT count(*) FROM programme_counts")).scalar_one() == 0
        with pytest.raises(NotAllowed, match="programmes of support"):
            every_programme(session, staff)
    app.dispose()
    for statement in ("UPDATE programme_counts SET count = 10", "DELETE FROM programme_releases"):
        with pytest.raises(DBAPIError), job_session(home) as session:
            session.execute(text(statement))
    with pytest.raises(DBAPIError, match="programme_counts_count_check"), job_session(home) as session:
        session.execute(
            text(
                "INSERT INTO programme_counts SELECT programme_id, period, 'x', 'y', 'need', 3 FROM programme_releases"
            )
        )
