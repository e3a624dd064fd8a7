"""What a programme did: a useless one is not praised, one that helps is found at its size, and few are told so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from casework.database import connect, scoped
from casework.deployments import record_deployment
from casework.permissions import Role
from casework.programme_figures import effects_of
from casework.programmes import ProgrammeSaid, add_programme
from casework.support import SupportSaid, offer_support
from fairness.trust import create_demo_trust
from learning.impact.discontinuity import TooFew
from learning.programmes.compared import LONGEST_DAYS, compared
from learning.programmes.effect import FEW_SCHOOLS, effect_on_reached
from records.home import Home
from serving.jobs import programme_effects
from serving.jobs.nightly import score_network
from serving.jobs.programme_effects import publish_programme_effects
from serving.pages.programmes import effect_words
from tests.database import make_person, pupil_id
from tests.deployed import clear, put_deployed
from tests.factories import SCHOOL
from tests.journey.api import as_job
from tests.unit.test_serving_nightly import BUNDLE, put_records

DRAWS = 16
FIRST = date(2026, 4, 20)


def network(seed: int, helped: float, schools: int = 12, pupils: int = 200):
    """Schools whose terms differ; staff choose by what is known before, pupils with most trouble first.

    `helped` is the share of suspensions that the programme prevents. Returns rows, outcome, what was known, the truth.
    """
    made = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), pupils)
    need, tone = made.normal(size=len(school)), made.normal(0, 0.3, schools)[school]
    incidents = made.poisson(np.exp(-0.5 + 0.6 * need + 0.3 * tone)).astype(float)
    figure = -2.6 + 1.1 * need
    reached = made.random(len(school)) < sigmoid(-3.35 + 0.9 * need + 0.3 * (incidents - 1))
    chance = sigmoid(figure + 0.15 * (incidents - 1) + tone)
    truth = np.where(reached, -chance * helped, 0.0)
    outcome = (made.random(len(school)) < chance + truth).astype(float)
    rows = pd.DataFrame({"pupil": np.arange(len(school)), "school": school, "term": "2025/26 Spring"})
    return rows.assign(reached=reached), outcome, {"figure": figure, "incidents": incidents}, truth[reached].mean()


def sigmoid(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


@pytest.fixture(scope="module")
def drawn():
    """Effects found and true, in draws of a programme that is useless and of one that prevents half."""
    found: dict[float, list[tuple]] = {0.0: [], 0.5: []}
    for helped, mine in found.items():
        for seed in range(DRAWS):
            rows, outcome, before, truth = network(seed, helped)
            mine.append((effect_on_reached(rows, outcome, before), truth))
    return found


def test_a_useless_programme_is_not_praised(drawn):
    """Those reached are suspended 15 in 100 more often than the others, whom nobody had to help: none of it is told."""
    rows, outcome, _, _ = network(0, 0.0)
    assert outcome[rows["reached"]].mean() - outcome[~rows["reached"]].mean() > 0.1
    wrong = sum(one.upper < 0 or one.lower > 0 for one, _ in drawn[0.0])
    assert wrong <= 3, "5 in 100 of 16 are one; 4 or more happen once in 150 times"
    assert abs(np.mean([one.estimate for one, _ in drawn[0.0]])) < 0.03


def test_one_that_helps_is_found_at_the_size_that_was_promised(drawn):
    """The effect is a little over the smallest that is promised to be found four times in five."""
    found, truth = zip(*drawn[0.5], strict=True)
    assert np.mean([one.findable for one in found]) < -np.mean(truth)
    assert sum(one.upper < 0 for one in found) >= 9
    assert np.mean([one.estimate for one in found]) == pytest.approx(np.mean(truth), abs=0.03)
    assert sum(one.lower <= right <= one.upper for one, right in drawn[0.5]) >= 0.8 * DRAWS


def test_intervals_of_several_outcomes_are_wider_and_few_schools_are_said():
    rows, outcome, before, _ = network(3, 0.5)
    one, three = (effect_on_reached(rows, outcome, before, outcomes=count) for count in (1, 3))
    assert three.estimate == one.estimate
    assert three.upper - three.lower > one.upper - one.lower
    assert one.schools == 12
    assert FEW_SCHOOLS not in one.rests_on
    few, outcome, before, _ = network(3, 0.0, schools=4, pupils=500)
    assert effect_on_reached(few, outcome, before).rests_on.endswith(FEW_SCHOOLS)


def test_too_few_are_told_so_in_words():
    rows, outcome, before, _ = network(1, 0.0, schools=2)
    with pytest.raises(TooFew, match="fewer than 30 pupils took the programme up and have an outcome"):
        effect_on_reached(rows, outcome, before)
    rows, outcome, before, _ = network(1, 0.0)
    with pytest.raises(TooFew, match="the same for everybody"):
        effect_on_reached(rows, np.zeros(len(rows)), before)
    parted = {"figure": rows["reached"].to_numpy(float) + np.random.default_rng(1).normal(0, 0.01, len(rows))}
    with pytest.raises(TooFew, match="nearly everybody like them took it up"):
        effect_on_reached(rows, outcome, parted)


def week(day: int, *pupils: int) -> pd.DataFrame:
    frame = pd.DataFrame({"pupil": pupils, "as_of": pd.Timestamp(2026, 4, day), "school": 1, "term": "Summer"})
    return frame.assign(year_group="9", probability=0.1)


def test_whoever_took_it_up_stands_in_the_week_before_beside_those_who_were_never_asked():
    """Pupil 1 begins on the 22nd, in the week of the 20th; 2 declines; 3 begins long after any list; 4 and 5 stay."""
    log = pd.concat([week(13, 1, 2, 3, 4), week(20, 1, 2, 3, 4, 5), week(27, 1, 2, 3, 4, 5)], ignore_index=True)
    log.loc[log["pupil"] == 5, "probability"] = [0.1, np.nan]
    late = pd.Timestamp(2026, 4, 27) + pd.Timedelta(days=LONGEST_DAYS + 1)
    supports = pd.DataFrame(
        {
            "pupil": [1, 1, 2, 3],
            "school": 1,
            "offered_on": pd.Timestamp(2026, 4, 14),
            "start_on": [pd.Timestamp(2026, 4, 29), pd.Timestamp(2026, 4, 22), pd.NaT, late],
        }
    )
    found = compared(log, supports)
    assert found[["pupil", "reached"]].values.tolist() == [[1, True], [4, False], [5, False]]
    assert set(found["as_of"]) == {pd.Timestamp(2026, 4, 20)}


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of one school with 120 pupils, scored on 20 April 2026."""
    home = replace(casework_home, shards=2, today=date(2026, 6, 22))
    put_records(home, range(1, 121))
    put_deployed(home, BUNDLE, create_demo_trust(home))
    with as_job(home) as session:
        record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
    score_network(home, FIRST)
    yield home
    clear(casework_home)


def test_the_night_publishes_what_a_programme_did_once(home):
    """Forty of a school's 120 pupils took it up; nobody was suspended, so that outcome tells nothing and says so."""
    lead, staff = (
        make_person(home, role) for role in (Role(name="network_lead"), Role(name="school_staff", school=SCHOOL))
    )
    said = ProgrammeSaid(
        name="Mentors",
        funder="A trust",
        start_on=FIRST,
        end_on=date(2026, 4, 24),
        kinds=("mentoring",),
        schools=(SCHOOL,),
        budget_pounds=100,
    )
    offer = SupportSaid(
        kind="mentoring", provider="", offered_on=FIRST, standing="taken_up", start_on=date(2026, 4, 21)
    )
    app = connect(home, "app")
    with scoped(app, None) as session:
        offer = replace(offer, programme_id=add_programme(session, lead, said, FIRST))
    with scoped(app, staff.schools) as session:
        for pupil in range(1, 41):
            offer_support(session, staff, pupil_id(home, 3 * pupil), offer, f"k{pupil}", date(2026, 4, 21))
    assert publish_programme_effects(replace(home, today=date(2026, 6, 1))) == {}, "not settled yet"
    told = publish_programme_effects(home)
    assert told["Mentors"].startswith("2 outcomes are published, once and for good; suspended or excluded: ")
    assert publish_programme_effects(home) == {}
    with scoped(app, lead.schools) as session:
        found = effects_of(session, lead, offer.programme_id)
    app.dispose()
    assert [one.outcome.split()[0] for one in found] == ["incidents", "sessions"]
    for one in found:
        assert one.pupils == 40
        assert one.lower < one.estimate < one.upper
        assert one.rests_on.endswith(FEW_SCHOOLS)
        assert "found four times in five" in one.design
        assert effect_words(one)["settled"] == "We cannot tell yet: the interval holds no effect as well."


def test_a_small_programme_is_told_so_before_any_record_is_read(home, monkeypatch):
    lead = make_person(home, Role(name="network_lead"))
    app = connect(home, "app")
    said = ProgrammeSaid(
        name="Two mentors",
        funder="A trust",
        start_on=FIRST,
        end_on=FIRST,
        kinds=("mentoring",),
        schools=(SCHOOL,),
        budget_pounds=0,
    )
    with scoped(app, None) as session:
        add_programme(session, lead, said, FIRST)
    app.dispose()
    monkeypatch.setattr(programme_effects, "served_weeks", None)
    assert publish_programme_effects(home) == {
        "Two mentors": "fewer than 30 pupils took it up, so nothing can be said of what it did"
    }
