"""'What we missed': what lands and is taken back, that nothing can learn from it, and what a model makes of it."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from casework.lookback_opening import Happened, reconcile
from features.measure import Forbidden, Measure
from learning.models.described import described
from records.history import known, latest
from records.store import Store
from records.tables import MISSED
from serving.jobs.missed import land_missed
from tests.database import NORTH, TODAY, identity, job_session, publication, publish_now, save_pupils
from tests.deployed import clear
from tests.factories import history, term_calendar
from tests.flagged import WEEK1, WEEK2, ground_of, log_of
from tests.unit.test_models_described import HALF_TERMS, RULE, candidate
from training.evaluate import evaluate
from training.matured import Hindsight
from training.missed import missed_words

ON = date(2026, 3, 20)


def events(*rows):
    frame = pd.DataFrame(rows, columns=["pupil", "event_on"]).assign(school=900001)
    return frame.assign(event_on=pd.to_datetime(frame["event_on"]).astype("datetime64[s]"))


def test_found_is_a_flag_five_school_days_before_one_that_these_weeks_look_ahead_to():
    """1: ten school days before. 2: three, and judged a week earlier. 3: beyond six weeks. 4: past. 9: not here."""
    missed = events((1, "2025-09-22"), (2, "2025-09-18"), (3, "2025-12-10"), (4, "2025-09-01"), (9, "2025-09-22"))
    on = replace(ground_of({1: date(2025, 9, 22)}), hindsight=Hindsight(missed=missed))
    found = evaluate(log_of(on, {(1, WEEK1), (2, WEEK2), (3, WEEK1), (4, WEEK1)}), on)
    assert found.summary["missed"] == {"known": 5, "positives": 2, "found": 1, "recall": 0.5}
    nobody = evaluate(log_of(on, set()), ground_of({}))
    assert nobody.summary["missed"]["positives"] == 0


def test_no_feature_can_read_it_and_no_day_knows_it():
    assert "missed" in history().tables
    assert "missed" not in known(history(calendars=term_calendar()), TODAY).tables
    with pytest.raises(Forbidden, match="known only because of what came later"):
        Measure(name="missed", means="missed before", table="missed")


def test_small_numbers_are_told_as_too_few():
    said = {"known": 12.0, "positives": 9.0, "recall": 0.4}
    assert "too few to say" in missed_words(said)
    assert "Of 40 exclusions" in missed_words(said | {"positives": 40.0})
    assert "40% in time" in missed_words(said | {"positives": 40.0})
    assert "has yet found" in missed_words({})
    made = candidate(second=60)
    for there, found, recall in ((40, 10, 0.25), (40, 4, None), (7, 0, None)):
        numbers = {"known": 50.0, "positives": float(there), "found": float(found)}
        made.comparison["found_missed"] = found
        made.evaluation.summary = {"missed": numbers}
        told = described(made, HALF_TERMS, RULE)["missed"]
        assert told["rows"] == [{"approach": "model", "recall": recall}]
    assert (told["known"], told["there"]) == (50, None)


@pytest.fixture
def home(casework_home):
    """Three pupils on the list's day, of whom the first was flagged a fortnight before the day."""
    save_pupils(casework_home, *(identity(pupil, NORTH) for pupil in (11, 12, 13)))
    roll = dict.fromkeys((11, 12, 13), NORTH)
    publish_now(casework_home, publication(roll, (11,), as_of=ON - timedelta(days=14)))
    yield casework_home
    clear(casework_home)


def landed(home):
    store = Store(home)
    rows = [latest(store.history(shard).tables["missed"], MISSED, TODAY + timedelta(days=9)) for shard in store.shards]
    return sorted((row.pupil, row.event_on.date()) for row in pd.concat(rows).itertuples())


def test_what_no_list_came_before_lands_once_and_follows_the_records(home):
    def night(*found):
        with job_session(home) as session:
            reconcile(session, found, {}, TODAY)
            return land_missed(home, session, TODAY)

    seen, unseen = (Happened(pupil=pupil, school=NORTH, kind="long", on=ON) for pupil in (11, 12))
    early = replace(unseen, pupil=13, on=ON - timedelta(days=21))  # before there was a list with them
    assert night(seen, unseen, early) == 1
    assert night(seen, unseen, early) == 0
    assert landed(home) == [(12, ON)]
    moved = replace(unseen, on=ON + timedelta(days=3))
    assert night(seen, moved, early) == 2
    assert landed(home) == [(12, moved.on)]
    assert night(seen, early) == 1
    assert landed(home) == []
    assert night(seen, moved, early) == 1
    assert landed(home) == [(12, moved.on)]
