"""How many new pupils a week a school is asked to look at, in words."""

import math
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
    least = f"at least {rule.capacity_min} and " if rule.capacity_min else ""
    rule_words = f"{rule.capacity_share:.1%} of a roll, {least}at most {rule.capacity_max}"
    if len(rolls) > 1:
        return f"Each school's list takes at most so many new pupils a week as can be given a real look ({rule_words})."
    share = min(max(float(rule.share(np.array(rolls, np.int64))[0]), rule.capacity_min), rule.capacity_max)
    return f"{_new_pupils(share)} ({rule_words}): as many as can be given a real look."


def _new_pupils(share: float) -> str:
    """Return how many pupils come onto a list in a week where there is room for so many on average."""
    whole = math.floor(share)
    if share == whole:
        return f"At most {whole} new {'pupil comes' if whole == 1 else 'pupils come'} on it each week"
    if whole:
        return f"At most {whole} or {whole + 1} new pupils come on it each week, {share:.1f} on average"
    return f"At most one new pupil comes on it in a week, {100 * share:.0f} times in 100 weeks"


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
