"""Periods and folds: no outcome of one may fall among the facts of the next."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.training_factory import SCHOOLS, TODAY, calendar
from training.settings import Settings
from training.splits import TooFewTerms, forward_folds, network_terms, periods, term_label
from training.weeks import as_ofs_for, open_weeks


def test_the_demonstrations_periods_worked_by_hand() -> None:
    when = periods(calendar(), TODAY, Settings())
    assert when.train[0] == date(2024, 1, 8), "year 1 autumn is history only"
    # From 24 February: the weeks of 24 February to 31 March, ended before 7 April. From 3 March the sixth
    # school week would be that of 21 April.
    assert when.train[-1] == date(2025, 2, 24)
    assert when.calibrate[0] == date(2025, 4, 21), "the Monday of the week in which summer term began"
    # 9 June: six weeks end before 21 July; 16 June: before 28 July, its last week opening on Monday and Tuesday.
    assert when.calibrate[-1] == date(2025, 6, 16)
    assert (when.audit[0], when.audit[-1]) == (date(2025, 9, 1), date(2026, 2, 9))
    assert (when.serve[0], when.serve[-1]) == (date(2026, 4, 13), TODAY)
    assert date(2025, 5, 26) not in when.calibrate, "half-term is no school week"


@pytest.mark.parametrize("horizon", [1, 6, 10])
def test_every_horizon_ends_before_the_next_period_begins(horizon: int) -> None:
    schools = calendar()
    when = periods(schools, TODAY, Settings(horizon_weeks=horizon))
    for earlier, later in ((when.train, when.calibrate), (when.calibrate, when.audit), (when.audit, when.serve)):
        ends = [schools.ahead(school, day, horizon) for day in earlier for school in SCHOOLS]
        assert all(end is not None and end <= later[0] for end in ends)


def test_gaps_are_scored_weeks_that_nothing_is_fitted_to() -> None:
    when = periods(calendar(), TODAY, Settings())
    used = {*when.train, *when.calibrate, *when.audit, *when.serve}
    assert not used & set(when.gaps)
    assert date(2025, 3, 3) in when.gaps
    assert date(2026, 2, 23) in when.gaps


def test_too_short_a_history_is_refused_with_what_is_needed() -> None:
    with pytest.raises(TooFewTerms, match="5 terms have begun by 2025-03-03; training needs 6"):
        periods(calendar(), date(2025, 3, 3), Settings())


def test_a_term_is_named_by_its_year_and_season() -> None:
    terms = network_terms(calendar())
    assert [term.label for term in terms[:3]] == ["2023/24 Autumn", "2023/24 Spring", "2023/24 Summer"]
    assert term_label(terms, date(2025, 9, 1)) == "2025/26 Autumn"
    assert term_label(terms, date(2025, 4, 21)) == "2024/25 Summer"
    assert term_label(terms, date(2020, 1, 1)) == ""


def test_weeks_before_a_day_keep_its_weekday_and_pass_over_holidays() -> None:
    schools = calendar()
    assert as_ofs_for(schools, date(2025, 4, 23), 3) == (
        date(2025, 3, 19),
        date(2025, 3, 26),
        date(2025, 4, 2),
        date(2025, 4, 23),
    )
    assert date(2025, 4, 14) not in open_weeks(schools, date(2025, 6, 2))


def test_folds_go_forward_with_a_gap_and_keep_a_pupil_on_one_side() -> None:
    days = pd.date_range("2024-01-01", periods=30, freq="14D", unit="s")
    keys = pd.DataFrame({"pupil": np.repeat(np.arange(40), 30), "as_of": np.tile(days, 40)})
    folds = forward_folds(keys, Settings(folds=2, train_every=2))
    assert len(folds) == 2
    for fold in folds:
        fitted, judged = keys.iloc[fold.fit], keys.iloc[fold.judge]
        assert not set(fitted["pupil"]) & set(judged["pupil"])
        # Dates stand two school weeks apart, so six and one more school weeks are four dates.
        gap = days.get_loc(judged["as_of"].min()) - days.get_loc(fitted["as_of"].max())
        assert gap == 4
