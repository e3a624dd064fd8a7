"""Practice: Mantel-Haenszel ratios against statsmodels, pupils as clusters, and injustices that were planted."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from fairness.evidence.practice import practice_slices, recording
from fairness.evidence.ratios import ratio_of
from fairness.policy import read_policy

POLICY = read_policy()
QUICK = POLICY.model_copy(
    update={
        "attributes": (POLICY.attribute("sex"), POLICY.attribute("ethnicity")),
        "inference": POLICY.inference.model_copy(update={"replicates": 400}),
    }
)


def drawn(*, pupils=4000, twice="", unwritten="", schools=12, seed=1, school_of=None, strict=None):
    """A year's incidents and suspensions of a network in which all behave alike.

    `twice`: an ethnic group suspended twice as often for the same; `unwritten`: half of whose incidents nobody
    writes down, suspensions included; `strict`: a school that suspends three times as often, `school_of` the
    group that mostly goes there.
    """
    rng = np.random.default_rng(seed)
    ids = np.arange(pupils)
    ethnicity = rng.choice(["White", "Black", "Asian", "Mixed", "Other"], pupils, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    groups = pd.DataFrame(
        {"sex": rng.choice(["female", "male"], pupils), "ethnicity": ethnicity}, index=pd.Index(ids, name="pupil")
    )
    school = rng.integers(0, schools, pupils)
    if school_of:
        school = np.where((ethnicity == school_of) & (rng.random(pupils) < 0.8), strict, school)
    number = rng.poisson(rng.gamma(1.0, 2.0, pupils))
    pupil = np.repeat(ids, number)
    severity = rng.integers(1, 6, len(pupil))
    chance = 0.03 * severity * np.where(ethnicity[pupil] == twice, 2.0, 1.0)
    chance = chance * (np.where(school[pupil] == strict, 3.0, 1.0) if strict is not None else 1.0)
    suspended = rng.random(len(pupil)) < chance
    rows = pd.DataFrame(
        {
            "pupil": pupil,
            "school": 900_000 + school[pupil],
            "date": pd.Timestamp("2025-09-08") + pd.to_timedelta(rng.integers(0, 180, len(pupil)), unit="D"),
            "severity": severity,
            "role": "Aggressor",
            # Most removals are the school's own isolation, just towards everyone: they would hide the suspensions.
            "outcome": np.where(
                suspended, "Suspended from School", np.where(rng.random(len(pupil)) < 0.4, "Isolation", "Detention")
            ),
        }
    ).astype({"date": "datetime64[s]"})
    ends = rows[suspended].rename(columns={"date": "start_date"})[["pupil", "school", "start_date"]]
    kept = ~((ethnicity[pupil] == unwritten) & (rng.random(len(pupil)) < 0.5))
    return rows[kept].reset_index(drop=True), ends.assign(category="SUSP").reset_index(drop=True), groups


def of(slices, group, against, school=None, sanction="suspension"):
    asked = (group, against, school, sanction)
    return next(one for one in slices if (one.group, one.against, one.school, one.sanction) == asked)


def test_the_ratio_is_statsmodels_own():
    rows, _, groups = drawn(pupils=800, twice="Black")
    mine = (rows["pupil"].map(groups["ethnicity"]) == "Black").to_numpy(float)
    sanctioned = (rows["outcome"] == "Suspended from School").to_numpy(float)
    tables = []
    for severity in range(1, 6):
        at = (rows["severity"] == severity).to_numpy()
        counts = [[(m * s)[at].sum() for s in (sanctioned, 1 - sanctioned)] for m in (mine, 1 - mine)]
        tables.append(np.array(counts))
    found = ratio_of(mine, sanctioned, rows["severity"].to_numpy(), rows["pupil"].to_numpy())
    assert found.value == pytest.approx(StratifiedTable(tables).riskratio_pooled)


def test_the_error_is_that_of_pupils_drawn_whole():
    """Against drawing pupils again a thousand times; incidents taken as apart would be too sure of themselves."""
    rng = np.random.default_rng(2)
    pupil = np.repeat(np.arange(150), 8)
    mine = (pupil < 50).astype(float)
    sanctioned = (rng.random(1200) < np.repeat(rng.beta(0.6, 1.4, 150), 8)).astype(float)
    stratum = rng.integers(0, 3, 1200)
    found = ratio_of(mine, sanctioned, stratum, pupil)
    logs = []
    for _ in range(1000):
        rows = np.concatenate([np.flatnonzero(pupil == who) for who in rng.integers(0, 150, 150)])
        logs.append(np.log(ratio_of(mine[rows], sanctioned[rows], stratum[rows], pupil[rows]).value))
    assert found.error == pytest.approx(np.std(logs), rel=0.12)
    alone = ratio_of(mine, sanctioned, stratum, np.arange(1200))
    assert found.error > 1.5 * alone.error


def test_a_group_suspended_twice_as_often_for_the_same_is_seen():
    rows, _, groups = drawn(twice="Black")
    slices = practice_slices(rows, groups, QUICK)
    for against in ("network", "school"):
        black = of(slices, "Black", against)
        assert black.lower < 2.0 < black.upper
        assert black.over
        assert black.notable
    assert black.expected == pytest.approx(black.sanctions / black.ratio)
    assert not of(slices, "male", "network").notable
    among_removals = of(slices, "Black", "network", sanction="removal")
    assert among_removals.ratio < 0.75 * black.ratio


def test_where_all_are_treated_alike_nothing_is_notable():
    rows, _, groups = drawn(seed=5)
    assert not any(one.notable for one in practice_slices(rows, groups, QUICK))


def test_a_strict_school_is_not_read_as_something_done_to_its_pupils_group():
    """Black pupils mostly go to a school that suspends everybody three times as often."""
    rows, _, groups = drawn(school_of="Black", strict=3, seed=1)
    slices = practice_slices(rows, groups, QUICK)
    assert of(slices, "Black", "network").notable
    within = of(slices, "Black", "school")
    assert within.lower < 1 < within.upper
    school = of(slices, "all", "network", 900_003)
    assert school.notable
    assert school.lower < 3 < school.upper


def test_a_group_whose_incidents_nobody_writes_down_is_told_from_one_sanctioned_more():
    """Both raise sanctions for each incident; only one raises suspensions that come out of nowhere."""
    rows, ends, groups = drawn(unwritten="Black")
    unwritten = {one.group: one for one in recording(ends, rows, groups, QUICK)}
    assert unwritten["Black"].over
    assert unwritten["Black"].share > 3 * unwritten["Black"].rest_share
    rows, ends, groups = drawn(twice="Black")
    twice = {one.group: one for one in recording(ends, rows, groups, QUICK)}
    assert not twice["Black"].over


def test_incidents_before_a_suspension_by_hand():
    """Seven days count, the eighth does not; another pupil's, and one only suffered, do not."""
    day = pd.Timestamp("2025-10-08")
    ends = pd.DataFrame({"pupil": [1, 2, 3, 4, 5], "school": 9, "start_date": day, "category": "SUSP"})
    ends.loc[4, "category"] = "LNCH"
    rows = pd.DataFrame(
        {
            "pupil": [1, 2, 4],
            "date": [day - pd.Timedelta(days=7), day - pd.Timedelta(days=8), day],
            "role": ["Aggressor", "Aggressor", "Target"],
        }
    )
    both = {"start_date": "datetime64[s]"}, {"date": "datetime64[s]"}
    groups = pd.DataFrame({"sex": "male", "ethnicity": "White"}, index=pd.Index([1, 2, 3, 4, 5], name="pupil"))
    found = {one.group: one for one in recording(ends.astype(both[0]), rows.astype(both[1]), groups, QUICK)}
    assert (found["male"].suspensions, found["male"].without_incident) == (4, 3)
    assert (found["female"].suspensions, found["female"].share, found["female"].lower) == (0, None, None)


def test_nothing_recorded_says_nothing():
    rows, ends, groups = drawn(pupils=50)
    assert practice_slices(rows.head(0), groups, QUICK) == ()
    assert recording(ends.head(0), rows, groups, QUICK) == ()
    few = practice_slices(rows.head(12), groups, QUICK)
    assert {one.ratio for one in few} == {None}


def test_a_school_beside_all_others_is_what_looking_at_every_incident_gives():
    """Pupils who were at two schools as well: their incidents at the other are the rest's."""
    rows, _, groups = drawn(strict=3)
    moved = rows["pupil"] % 7 == 0
    rows.loc[moved & (rows.index % 2 == 0), "school"] = 900_005
    slices = practice_slices(rows, groups, QUICK)
    sanctioned = (rows["outcome"] == "Suspended from School").to_numpy(float)
    severity, pupil = rows["severity"].to_numpy(), rows["pupil"].to_numpy()
    for school in rows["school"].unique():
        found = of(slices, "all", "network", school)
        expected = ratio_of((rows["school"] == school).to_numpy(float), sanctioned, severity, pupil)
        assert found.ratio == pytest.approx(expected.value)
        assert (found.lower, found.upper) == pytest.approx(expected.limits(QUICK.inference.alpha))
