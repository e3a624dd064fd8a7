"""What stands in the way of scoring a school, in words for its own page: doubts about records, or no approval yet."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from casework.staging import FRAMES
from casework.term_dates import NOT_COVERED
from fairness.findings import read_audit
from records.home import Home
from records.quality.doubts import Standing
from serving.rendering import day_words
from serving.scoring import AUDIT, Deployed

_REMEDY = "The next audit takes the school in. Until then: its pupils' own records, and what is missing from them."


def uncovered_from(home: Home, deployed: Deployed) -> date:
    """Return the day from which schools that joined were in none of the terms that the approval was audited on.

    Raises
    ------
    AuditUnreadable
        The audit that was verified a moment ago is gone.
    """
    return read_audit(home.deployed / deployed.digest / AUDIT).period[1]


def not_covered_words(joined: date) -> str:
    """Return why a new school has no list."""
    return (
        f"The school joined on {day_words(joined)}, after the terms that the approval in force was audited on, so it "
        "has no list yet"
    )


def doubts_of(stood: Sequence[Standing], new: Mapping[int, date]) -> pd.DataFrame:
    """Return what stands in each school's way; what somebody accepted holds nobody back."""
    rows = [
        (one.school, doubt.rule, doubt.since, doubt.sentence, doubt.remedy, doubt.holding)
        for one in stood
        for doubt in one.doubts
    ]
    rows += [(school, NOT_COVERED, on, f"{not_covered_words(on)}.", _REMEDY, True) for school, on in new.items()]
    frame = pd.DataFrame(rows, columns=list(FRAMES["doubts"].columns))
    return frame.drop_duplicates(["school", "rule", "since"], ignore_index=True)
