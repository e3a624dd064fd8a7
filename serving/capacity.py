"""How many new pupils a week a school is asked to look at, in words."""

from collections.abc import Sequence

import numpy as np

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
