"""What a model's page says of its tests: each share by hand, small counts hidden, and where a model stands."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import cast

import pandas as pd

from casework.deployments import StoredAudit, record_deployment, revoke, save_audit
from casework.models import models
from fairness.policy import read_policy
from learning.models.described import described, half_terms_of
from tests.database import job_session
from tests.model_made_up import save_made_up_model
from training.candidate import Candidate

RULE = read_policy().disclosure
AUTUMN, SPRING = "2025/26 Autumn", "2025/26 Spring"
FIRST, SECOND = date(2025, 9, 8), date(2025, 11, 10)


def candidate(*, second: int) -> Candidate:
    """300 pupils in each of two half-terms; 40 suspended in the first, so many in the second; half of them flagged."""
    rows = pd.DataFrame(
        [
            {"pupil": pupil, "as_of": pd.Timestamp(day), "outcome": int(pupil < came), "flagged": pupil % 2 == 0}
            for day, came in ((FIRST, 40), (SECOND, second))
            for pupil in range(300)
        ]
    )
    ground = rows[["pupil", "as_of", "outcome"]]
    terms = pd.DataFrame(
        {
            "term": [AUTUMN] * 100 + [SPRING] * 100,
            "outcome": [1] * 40 + [0] * 60 + [1] * 20 + [0] * 80,
            "flagged": [1] * 10 + [0] * 30 + [1] * 20 + [0] * 40 + [1] * 5 + [0] * 15 + [0] * 80,
            "flagged_any": [1] * 10 + [0] * 30 + [1] * 20 + [0] * 40 + [1] * 5 + [0] * 15 + [1] * 20 + [0] * 60,
        }
    )
    bands = pd.DataFrame({"band": [0, 1], "snapshots": [900, 100], "observed": [20, 30], "probability": [0.02, 0.31]})
    manifest = {
        "approach": "model",
        "kind": "booster",
        "horizon_weeks": 6,
        "settings_digest": "7e",
        "feature_names": ["late_4w"],
        "data": {"training_sha256": "5d"},
    }
    made = SimpleNamespace(
        bundle=SimpleNamespace(manifest=manifest),
        periods={"audit": ["2025-09-08", "2025-11-10", "2"]},
        data={"tables": {"marks": 3}, "abstained": {"too_new": 33}},
        run_id="run",
        comparison=pd.DataFrame([{"approach": "model", "recall": 0.25, "precision": float("nan")}]),
        evaluation=SimpleNamespace(
            summary={},
            pupil_terms=terms,
            bands=bands,
            snapshots=rows.assign(school=1, probability=[1 - pupil / 300 for pupil in rows["pupil"]]),
        ),
        ground=ground,
        allocation=rows[["pupil", "as_of", "flagged"]],
    )
    return cast("Candidate", made)


HALF_TERMS = {FIRST: "2025/26 Autumn 1", SECOND: "2025/26 Autumn 2"}


def test_shares_by_hand():
    said = described(candidate(second=60), HALF_TERMS, RULE)
    assert said["half_terms"] == [
        {"name": "2025/26 Autumn 1", "suspended": 40, "recall": 0.5, "precision": round(20 / 150, 2)},
        {"name": "2025/26 Autumn 2", "suspended": 60, "recall": 0.5, "precision": round(30 / 150, 2)},
    ]
    assert said["bands"] == [
        {"said": 0.02, "came": 0.02, "pupil_weeks": 900},
        {"said": 0.31, "came": 0.3, "pupil_weeks": 100},
    ]
    assert said["comparison"][0]["recall"] == 0.25
    assert said["comparison"][0]["precision"] is None, "not known is not nought"
    assert said["silent"] == {"too_new": 35}
    # One school and two weeks: ten places find pupils 0 to 9 each week, all of whom are suspended.
    assert said["capacity"][0] == {"places": 10, "recall": round(10 / 60, 2), "precision": 1.0}


def test_a_term_with_few_is_hidden_and_so_is_what_would_give_it_away():
    """Spring's 5 found of 20 are too few to show, and autumn's 10 of 40 would give them away from the year's 15."""
    said = described(candidate(second=60), HALF_TERMS, RULE)
    assert [row["recall"] for row in said["terms"]] == [None, None]
    few = described(candidate(second=4), HALF_TERMS, RULE)
    assert [(row["suspended"], row["recall"]) for row in few["half_terms"]] == [(None, None), (None, None)]


def test_a_day_belongs_to_the_half_term_that_it_lies_in_or_follows():
    starts = {date(2025, 9, 1): "Autumn 1", date(2025, 11, 3): "Autumn 2"}
    days = (date(2025, 8, 1), date(2025, 9, 1), date(2025, 10, 27), date(2025, 12, 1))
    assert half_terms_of(days, starts) == dict(zip(days[1:], ("Autumn 1", "Autumn 1", "Autumn 2"), strict=True))


def test_where_a_model_stands(casework_home):
    now = datetime(2026, 6, 19, tzinfo=UTC)
    with job_session(casework_home) as session:
        for digest in ("a" * 64, "b" * 64, "c" * 64, "d" * 64):
            audit = StoredAudit(
                bundle_digest=digest,
                verdict="PASS",
                created_on=date(2026, 6, 1),
                is_current=False,
                payload={},
                envelope=None,
            )
            save_audit(session, audit)
        save_made_up_model(session, "a" * 64)
        record_deployment(session, "c" * 64, "x", now)
        revoke(session, "c" * 64, "It failed on what was served.", now)
        record_deployment(session, "d" * 64, "y", now.replace(day=20))
        record_deployment(session, "a" * 64, "z", now.replace(day=21))
        found = {one.bundle_digest[0]: one for one in models(session)}
    assert {name: one.state for name, one in found.items()} == {
        "a": "serving",
        "b": "waiting",
        "c": "withdrawn",
        "d": "served_before",
    }
    assert found["a"].model.trained_on == date(2026, 6, 15)
    assert found["b"].model is None
    assert found["c"].why == "It failed on what was served."
