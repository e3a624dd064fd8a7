"""What a model was tested on, as `learning.models.described` says it, without a model."""

from datetime import date

from sqlalchemy.orm import Session

from casework.models import StoredModel, save_model
from casework.watches import StoredWatch, save_watch
from features.catalogue import CATALOGUE

_FIGURES = {"recall_10": 0.22, "average_precision": 0.14, "lead_weeks_50": 2.5, "recall_never_suspended": 0.17}


def _row(approach: str, recall: float, gain: float | None) -> dict[str, object]:
    ends = {
        "recall_lower": recall - 0.04,
        "recall_upper": recall + 0.04,
        "precision_lower": 0.19,
        "precision_upper": 0.27,
        "recall_gain_lower": None if gain is None else gain - 0.03,
        "recall_gain_upper": None if gain is None else gain + 0.03,
    }
    return {"approach": approach, "recall": recall, "precision": 0.23, "recall_gain": gain, **_FIGURES, **ends}


def _times(*names: str) -> list[dict[str, object]]:
    rows = [
        {"name": name, "suspended": 140 - 5 * at, "recall": 0.28 - at / 100, "precision": 0.21 + at / 100}
        for at, name in enumerate(names)
    ]
    return [*rows[:-1], {**rows[-1], "suspended": None, "recall": None, "precision": None}]


def save_made_up_model(session: Session, digest: str) -> None:
    """Store what the deployed model was tested on."""
    payload = {
        "approach": "model",
        "kind": "booster",
        "periods": {
            "train": ["2024-01-08", "2025-04-04", "40"],
            "calibrate": ["2025-05-19", "2025-07-22", "9"],
            "audit": ["2025-09-08", "2026-03-02", "22"],
        },
        "horizon_weeks": 6,
        "tables": {"marks": 4, "behaviour": 4, "suspensions": 3},
        "training_sha256": "5d" * 32,
        "settings": "7e" * 32,
        "run_id": "0f3a" * 8,
        "features": [feature.name for feature in CATALOGUE[:40]],
        "comparison": [_row("model", 0.28, None), _row("rule_of_thumb", 0.19, 0.09)],
        "terms": _times("2025/26 Autumn", "2025/26 Spring", "2025/26 Summer"),
        "half_terms": _times("2025/26 Autumn 1", "2025/26 Autumn 2", "2025/26 Spring 1", "2025/26 Spring 2"),
        "capacity": [
            {"places": places, "recall": 1 - 0.9**places, "precision": 0.4 / places**0.5} for places in range(1, 16)
        ],
        "bands": [
            {"said": 0.002 * 1.8**at, "came": None if at == 0 else 0.0021 * 1.8**at, "pupil_weeks": 20_000 - 2_000 * at}
            for at in range(10)
        ],
        "missed": {
            "known": 85,
            "there": 40,
            "rows": [{"approach": "model", "recall": 0.22}, {"approach": "rule_of_thumb", "recall": None}],
        },
        "helped": {
            "any": True,
            "rows": 412_380,
            "pupils": 310,
            "listed": 125,
            "rate": 0.0134,
            "rate_without": 0.0137,
            "left_out": 60,
            "precision": 0.23,
            "precision_without": 0.27,
        },
        "silent": {"too_new": 1240, "not_up_to_date": 310, "short_past": 95},
    }
    save_model(session, StoredModel(bundle_digest=digest, trained_on=date(2026, 6, 15), payload=payload))


def save_looks(session: Session, digest: str) -> None:
    """Store two looks at the deployed model."""
    view = {
        "headline": "No outcome has matured yet; only signals that need none were looked at.",
        "follows": "The model goes on serving.",
        "sentences": ["No pupils were flagged, helped and not suspended."],
        "alarms": ["Values that have shifted since the audit (stability index 0.25 or more): late_4w (0.31)."],
        "signals": ["Every school's records are up to date."],
    }
    signals = [
        {"name": "drift:score", "value": 0.08, "alarm": False, "sentence": "Scores are steady (index 0.08)."},
        {"name": f"drift:{CATALOGUE[0].name}", "value": 0.31, "alarm": True, "sentence": "Values have shifted."},
        {"name": f"missing:{CATALOGUE[1].name}", "value": 0.06, "alarm": True, "sentence": "6% more are missing."},
        {"name": "late", "value": 1.0, "alarm": True, "sentence": "1 school held back: records late or in doubt."},
    ]
    for day in (date(2026, 6, 20), date(2026, 6, 21)):
        payload = {"view": view, "look": None, "matured_weeks": 0, "audits": [], "signals": signals}
        save_watch(
            session,
            StoredWatch(bundle_digest=digest, approval_id="a" * 64, looked_on=day, verdict="NOT_YET", payload=payload),
        )
