"""Made-up pupil-terms near the cut-off, with a truth that is planted; made-up studies for pages."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from casework.impact import StoredStudy, register, save_result
from learning.impact.registration import EXAMPLE, OUTCOMES, study_of


def pupil_terms(count: int, *, schools: int = 12, terms: int = 2, seed: int = 1) -> pd.DataFrame:
    """Return pupils spread evenly over the window, over schools and over terms."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "pupil": np.arange(count),
            "as_of": np.datetime64("2025-09-08", "s"),
            "school": 900001 + np.arange(count) % schools,
            "term": np.arange(count) // schools % terms,
            "x": rng.uniform(-0.5, 0.5, count),
        }
    )


def planted(rows: pd.DataFrame, jump: float, *, noise: float = 0.1, seed: int = 2) -> np.ndarray:
    """Return an outcome that bends with the distance, differs by school and term, and jumps at the cut-off."""
    rng = np.random.default_rng(seed)
    x = rows["x"].to_numpy()
    level = (rows["school"].to_numpy() % 5 + rows["term"].to_numpy()) * 0.3
    return level + 0.4 * x + 0.5 * x**2 + jump * (x >= 0) + rng.normal(0, noise, len(x))


def save_made_up_studies(session: Session, today: date) -> None:
    """Register two studies of a made-up network: one that is known, and one that is still to come."""
    known = _study(today - timedelta(weeks=24), "Does the flag help, spring term")
    register(session, known)
    session.flush()
    save_result(session, known.digest, today - timedelta(weeks=1), MADE_UP)
    register(session, _study(today, "Does the flag help, summer term"))


def _study(first: date, title: str) -> StoredStudy:
    text = EXAMPLE.replace("2026-01-05", first.isoformat()).replace(
        "2026-03-27", (first + timedelta(weeks=11)).isoformat()
    )
    text = text.replace("Does the flag help, spring term", title).replace(
        "Name and role of who answers for this study", "The network's head of inclusion"
    )
    study = study_of(text)
    return StoredStudy(
        digest=study.digest,
        title=study.title,
        registered_on=study.registered_on,
        registered_by=study.registered_by,
        first_week=study.first_week,
        last_week=study.last_week,
        text=text,
    )


MADE_UP: dict[str, Any] = {
    "word": "cannot_tell",
    "sentence": "We cannot tell yet. After a flag, 3.1 fewer pupils in every 100 were suspended or excluded than "
    "without one (95 % interval: 8.6 fewer to 2.4 more).",
    "settles": "We would need about 980 more pupil-terms near the cut-off to find an effect of 5.0 in 100 four times "
    "in five.",
    "outcomes": [
        {
            "name": name,
            "title": OUTCOMES[name][0],
            "unit": OUTCOMES[name][1],
            "estimate": estimate,
            "lower": lower,
            "upper": upper,
            "level": 95.0 if name == "suspended" else 97.5,
            "worth": worth,
            "word": word,
            "verdict": verdict,
            "sentence": "",
        }
        for name, estimate, lower, upper, worth, word, verdict in (
            ("suspended", -3.1, -8.6, 2.4, 5.0, "Cannot tell yet", "cannot_tell"),
            ("missed", -1.9, -3.4, -0.4, 2.0, "Helps", "helps"),
            ("incidents", -4.0, -31.0, 23.0, 50.0, "No difference worth knowing", "no_difference"),
        )
    ],
    "near": {"above": 310, "below": 1640, "schools": 22, "crossed": "38\N{NO-BREAK SPACE}%"},
    "checks": [
        {"name": "Nobody steered", "sentence": "As many pupils stand above as below.", "passed": True, "decides": True},
        {"name": "No jump above the cut-off", "sentence": "Too few pupils to say.", "passed": None, "decides": True},
    ],
    "support": {
        "sentence": "Of pupils just missed, 14 % had support; with a flag it is 41 points more (95 % interval: +33 to "
        "+49)."
    },
    "drawn": {"sentence": "12 pupils were drawn at random and can be compared, and 30 are the least."},
}
