"""How many new pupils a week a school is asked to look at, in words."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from fairness.policy import POLICY_FILE, CheckSample, policy_of
from records.home import Home
from serving.scoring import Deployed, Refused


def capacity_words(found: Deployed | Refused, rolls: Sequence[int]) -> str:
    """Return what a list takes each week at schools of these rolls; '' where nothing is scored."""
    if isinstance(found, Refused) or not rolls:
        return ""
    rule = found.scorer.rule
    rule_words = f"{rule.capacity_share:.1%} of a roll, at least {rule.capacity_min} and at most {rule.capacity_max}"
    if len(rolls) == 1:
        most = int(rule.capacity(np.array(rolls, np.int64))[0])
        return f"At most {most} new pupils come on it each week ({rule_words}): as many as can be given a real look."
    return f"Each school's list takes at most so many new pupils a week as can be given a real look ({rule_words})."


def sample_words(home: Home, found: Deployed | Refused) -> str:
    """Return what is said of pupils drawn at random onto lists; '' where the board allows none or nothing is scored."""
    if isinstance(found, Refused):
        return ""
    path = home.path / POLICY_FILE
    sample = _sample(home, path.stat().st_mtime_ns if path.exists() else 0)
    if sample is None:
        return ""
    return (
        f"Beside them, {sample.pupils_a_school_a_week} at each school each week may be there by a random draw, "
        "to check the list itself. Nothing here tells them apart."
    )


@lru_cache(maxsize=2)
def _sample(home: Home, _: int) -> CheckSample | None:
    """Return the part of the policy as it was written at a moment: it is not read anew for each page."""
    return policy_of(home).check_sample
