"""What changed and what would lower the figure: sentences and numbers worked by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.catalogue import CATALOGUE, fingerprint
from features.matrix import Matrix
from tests.deployed import tiny_bundle
from training.changes import Moment, changes_of_row, then_and_now
from training.ease import at_ease
from training.flags import rule_from
from training.levers import factors, levers
from training.reasons import harder
from training.scorer import Scorer
from training.why import why

NAMES = [feature.name for feature in CATALOGUE]
BY_NAME = {feature.name: feature for feature in CATALOGUE}
THEN = date(2026, 4, 13)
NOW = date(2026, 6, 22)


def row(**values: float) -> np.ndarray:
    made = np.zeros(len(NAMES))
    for name, value in values.items():
        made[NAMES.index(name)] = value
    return made


def matrix(values: np.ndarray, pupils: list[int], as_of: date) -> Matrix:
    keys = pd.DataFrame(
        {
            "pupil": pupils,
            "as_of": np.array([as_of] * len(pupils), "datetime64[s]"),
            "school": np.int32(900001),
            "year_group": "9",
            "abstain": "",
        }
    )
    return Matrix(keys, values, tuple(NAMES), fingerprint())


@pytest.mark.parametrize(
    ("name", "now", "then", "says"),
    [
        ("removals_4w", 3, 0, "Removals from lessons: 3 in the last 4 school weeks, 0 in the 4 before 13 April"),
        (
            "unauthorised_rate_2w",
            0.25,
            0.05,
            "Sessions missed without permission: 25% in the last 2 school weeks, 5% in the 2 before 13 April",
        ),
        (
            "incidents_1w",
            2,
            1,
            "Behaviour events the pupil took part in: 2 in the last school week, 1 in the week before 13 April",
        ),
        (
            "days_since_incident_39w",
            2,
            195,
            "The last incident was 2 school days ago. Before 13 April: no incident in the last year",
        ),
    ],
)
def test_then_and_now_in_one_sentence(name: str, now: float, then: float, says: str) -> None:
    assert then_and_now(BY_NAME[name], now, then, THEN) == says


def test_what_changed_by_hand() -> None:
    """Up: time in lessons .6 - .1 = .5, punctuality .2; down: attendance -.1 + .3 = .2, and it alone.

    Incidents weigh more but fell, so they cannot speak for a rise: behaviour is left unsaid.
    """
    now = Moment(
        row(removals_4w=3, late_rate_4w=0.2, missed_rate_4w=0.02, incidents_4w=1),
        row(removals_4w=0.6, late_rate_4w=0.2, missed_rate_4w=-0.3, incidents_4w=0.9),
    )
    then = Moment(row(missed_rate_4w=0.1, incidents_4w=2), row(removals_4w=0.1, missed_rate_4w=-0.1))
    found = changes_of_row(now, then, THEN, CATALOGUE)
    assert [(c.way, c.group, c.share, c.changeable) for c in found] == [
        ("up", "Time in lessons", "some", True),
        ("up", "Punctuality", "some", True),
        ("down", "Attendance", "most", True),
    ]
    assert found[0].sentence.startswith("Removals from lessons: 3 in the last 4 school weeks, 0 in")
    assert "10%" not in found[0].sentence


def test_what_people_can_change_comes_before_what_they_cannot() -> None:
    now = Moment(row(suspensions_39w=2, late_rate_4w=0.2), row(suspensions_39w=0.9, late_rate_4w=0.2))
    found = changes_of_row(now, Moment(row(), row()), THEN, CATALOGUE)
    assert [(c.group, c.share) for c in found] == [("Punctuality", "some"), ("Earlier suspensions", "most")]


def test_a_count_speaks_before_a_trend_and_an_unknown_value_never_does() -> None:
    now = Moment(row(incidents_4w=5, incidents_slope_6w=0.5), row(incidents_4w=0.1, incidents_slope_6w=0.8))
    (said,) = changes_of_row(now, Moment(row(), row()), THEN, CATALOGUE)
    assert said.sentence.startswith("Behaviour events the pupil took part in: 5")
    unknown = Moment(row(late_rate_4w=np.nan), row(late_rate_4w=0.5))
    assert changes_of_row(unknown, Moment(row(), row()), THEN, CATALOGUE) == ()


def test_what_would_be_said_with_the_same_words_is_not_said() -> None:
    """Afternoons were missed less than mornings both times, and 2.1 % and 1.9 % are both '2%'."""
    now = Moment(row(afternoon_gap_8w=-0.01, late_rate_4w=0.021), row(afternoon_gap_8w=0.3, late_rate_4w=0.3))
    then = Moment(row(afternoon_gap_8w=-0.05, late_rate_4w=0.019), row())
    assert changes_of_row(now, then, THEN, CATALOGUE) == ()


def test_what_weighed_as_much_before_is_no_change() -> None:
    """Lateness doubled, but the model makes as much of it as before."""
    now = Moment(row(late_rate_4w=0.4, removals_4w=1), row(late_rate_4w=0.6, removals_4w=0.1))
    then = Moment(row(late_rate_4w=0.2), row(late_rate_4w=0.6))
    assert [change.group for change in changes_of_row(now, then, THEN, CATALOGUE)] == ["Time in lessons"]


def test_the_time_of_year_can_speak_either_way_but_not_when_it_is_the_same() -> None:
    before = Moment(row(half_term=3, year=9), row())
    for part, way in ((0.4, "up"), (-0.4, "down")):
        now = Moment(row(half_term=4, year=9), row(half_term=part, year=part / 2))
        (said,) = changes_of_row(now, before, THEN, CATALOGUE)
        assert (said.way, said.changeable) == (way, False)
        assert said.sentence == "It is half-term 4 of 6. Before 13 April: it is half-term 3 of 6"
    assert changes_of_row(Moment(row(year=9), row(year=0.4)), Moment(row(year=9), row()), THEN, CATALOGUE) == ()


def test_every_window_of_a_measure_goes_back_together() -> None:
    found = factors(CATALOGUE)
    assert "Earlier suspensions" not in found
    assert "Year group and time of year" not in found
    for at in found.values():
        measures = {m.name for a in at if (m := CATALOGUE[a].measure)}
        assert all(CATALOGUE[a].changeable for a in at)
        same = {n for n, f in enumerate(CATALOGUE) if f.changeable and f.measure and f.measure.name in measures}
        assert same <= set(at)


def test_a_measure_that_two_groups_count_goes_back_with_either() -> None:
    """The same measure, another window, told under another heading; and one beside it that cannot be changed."""
    counted = BY_NAME["removals_4w"]
    elsewhere = replace(BY_NAME["removals_12w"], group="Behaviour")
    fixed = replace(BY_NAME["removals_2w"], changeable=False)
    found = factors([counted, elsewhere, fixed, BY_NAME["late_rate_4w"]])
    assert found == {"Time in lessons": [0, 1], "Punctuality": [3], "Behaviour": [0, 1]}


class Asked:
    """A model in the shape of a scorer: its probability is what the test's own rule says."""

    def __init__(self, *weights: tuple[str, float]) -> None:
        self.weights = weights

    def probabilities(self, rows: Matrix) -> np.ndarray:
        return self.chances(rows.values, rows.fingerprint)

    def chances(self, values: np.ndarray, fingerprint: str) -> np.ndarray:
        assert fingerprint == matrix(row()[None], [7], NOW).fingerprint
        return 0.05 + sum(weight * np.nan_to_num(values[:, NAMES.index(name)]) for name, weight in self.weights)

    def contributions(self, rows: Matrix) -> np.ndarray:
        parts = np.zeros((len(rows), len(NAMES) + 1))
        for name, weight in self.weights:
            parts[:, NAMES.index(name)] = weight * rows.values[:, NAMES.index(name)]
        return parts


def test_what_would_lower_the_figure_by_hand() -> None:
    """Now .05 + 4 x .05 + 2 x .02 = .29. Removals as before, 1: .14. Lateness as before, 0: .25.

    Incidents are as they were, suspensions cannot be changed, absence was worse before, a detention weighs too little.
    """
    model = Asked(
        ("removals_4w", 0.05),
        ("late_rate_4w", 0.4),
        ("suspensions_39w", 0.02),
        ("missed_rate_4w", 0.1),
        ("detentions_4w", 0),
    )
    now = matrix(row(removals_4w=4, late_rate_4w=0.1, detentions_4w=2, incidents_4w=3)[None], [7], NOW)
    then = matrix(row(removals_4w=1, missed_rate_4w=0.2, incidents_4w=3)[None], [7], THEN)
    (found,) = levers(model, now.fingerprint, now.values, then.values, [THEN], CATALOGUE)  # type: ignore[arg-type]  # as much of a scorer as is asked
    assert [(lever.group, round(lever.probability, 9)) for lever in found] == [
        ("Time in lessons", 0.14),
        ("Punctuality", 0.25),
    ]
    assert found[0].sentence == (
        "If time in lessons (removals from lessons; detentions given) were again as before 13 April"
    )


def test_nothing_is_promised_where_nothing_lowers_the_figure() -> None:
    model = Asked(("removals_4w", 0.05), ("late_rate_4w", -0.4))
    worse_then = matrix(row(removals_4w=9)[None], [7], THEN)
    now = matrix(row(removals_4w=1, late_rate_4w=0.1)[None], [7], NOW)
    assert levers(model, now.fingerprint, now.values, worse_then.values, [THEN], CATALOGUE) == ((),)  # type: ignore[arg-type]  # see above
    # A strength that was lower then is not put back, whatever the model makes of it.
    odd = Asked(("positives_4w", 0.1))
    had = matrix(row(positives_4w=2)[None], [7], NOW)
    assert levers(odd, had.fingerprint, had.values, row()[None], [THEN], CATALOGUE) == ((),)  # type: ignore[arg-type]  # see above


def test_an_unknown_earlier_value_leaves_what_is_known_now() -> None:
    model = Asked(("late_rate_4w", 0.4), ("late_rate_12w", 0.4))
    now = matrix(row(late_rate_4w=0.5, late_rate_12w=0.25)[None], [7], NOW)
    then = matrix(row(late_rate_4w=np.nan)[None], [7], THEN)
    (found,) = levers(model, now.fingerprint, now.values, then.values, [THEN], CATALOGUE)  # type: ignore[arg-type]  # see above
    assert [round(lever.probability, 9) for lever in found] == [0.25]


def test_each_pupil_is_told_of_their_own_past() -> None:
    """Pupil 30: now .05 + 4 x .05 + .02 = .27, put back .05 + 1 x .05 + .02 = .12; pupil 10: put back .05 + 3 x .02."""
    model = Asked(("removals_4w", 0.05), ("suspensions_39w", 0.02))
    rows = [row(removals_4w=removals, suspensions_39w=away) for removals, away in ((4, 1), (3, 3), (2, 0))]
    flagged = matrix(np.stack(rows), [30, 10, 20], NOW)
    eased = matrix(np.stack([row(removals_4w=n) for n in (0, 1, 9)]), [10, 30, 99], THEN)
    found = why(model, flagged, eased, explain=Asked.contributions)  # type: ignore[arg-type]  # see above
    assert list(found) == [30, 10, 20]
    said = {
        pupil: (one.eased_on, one.eased, [round(lever.probability, 2) for lever in one.levers])
        for pupil, one in found.items()
    }
    assert said == {
        30: (THEN, pytest.approx(0.1), [0.12]),
        10: (THEN, pytest.approx(0.05), [0.11]),
        20: (None, None, []),
    }
    assert "4 in the last 4 school weeks, 1 in" in found[30].changes[0].sentence
    assert found[20].reasons
    assert found[20].changes == ()


def test_what_is_told_adds_up_and_comes_from_the_model_itself() -> None:
    """With a real booster: the changes' contributions add up to the scores' difference; levers are its own figures."""
    scorer, rng = Scorer(tiny_bundle()), np.random.default_rng(8)
    values = rng.normal(size=(40, len(NAMES))) * 3
    now, then = matrix(values[:20], list(range(20)), NOW), matrix(values[20:], list(range(20)), THEN)
    difference = scorer.contributions(now)[:, :-1] - scorer.contributions(then)[:, :-1]
    np.testing.assert_allclose(difference.sum(axis=1), scorer.raw(now) - scorer.raw(then), atol=1e-9)
    found = why(scorer, now, then)
    assert any(said.levers for said in found.values())
    put_back = factors(CATALOGUE)
    for pupil, said in found.items():
        for lever in said.levers:
            changed = now.values[pupil].copy()
            changed[put_back[lever.group]] = then.values[pupil][put_back[lever.group]]
            one = replace(now.where(np.arange(20) == pupil), values=changed[None])
            assert lever.probability == pytest.approx(scorer.probabilities(one)[0])
            assert lever.probability < scorer.probabilities(now)[pupil]


def test_only_who_may_be_flagged_has_a_week_at_ease() -> None:
    """Pupil 1 rises to .2 from .01, pupil 2 stays below the level, pupil 3 has two earlier weeks only."""
    rule = rule_from(dict(tiny_bundle().manifest["flag_rule"]))
    days = [date(2026, 5, 18), date(2026, 5, 25), date(2026, 6, 1), date(2026, 6, 8), date(2026, 6, 15), NOW]
    parts = [matrix(np.full((3, len(NAMES)), float(week)), [1, 2, 3], day) for week, day in enumerate(days)]
    whole = Matrix(
        pd.concat([part.keys for part in parts], ignore_index=True),
        np.concatenate([part.values for part in parts]),
        tuple(NAMES),
        fingerprint(),
    )
    chances = np.array(
        [[0.02, 0.01, 0.2], [0.01, 0.01, 0.2], [0.05, 0.01, 0.2], [0.01, 0.01, 0.2], [0.1, 0.01, 0.2], [0.2, 0.01, 0.4]]
    )
    chances[:3, 2] = np.nan
    found = at_ease(whole, whole.keys.assign(probability=chances.ravel()), rule, NOW)
    assert found.keys["pupil"].tolist() == [1]
    assert found.keys["as_of"].dt.date.tolist() == [date(2026, 6, 8)]
    assert found.values[0, 0] == 3.0


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("incidents_4w", 1),
        ("missed_rate_4w", 1),
        ("days_since_incident_39w", -1),
        ("incidents_gap_39w", -1),
        ("incidents_gap_change_39w", -1),
        ("positives_4w", -1),
        ("days_since_positive_39w", 1),  # long without an achievement
        ("missed_same_weekday_share_12w", 0),
        ("half_term", 0),
    ],
)
def test_which_way_is_harder(name: str, way: int) -> None:
    assert harder(BY_NAME[name]) == way
