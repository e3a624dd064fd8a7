"""The check sample: a few pupils drawn at random onto each school's list, where the board's policy allows it.

On the list they look like everybody else. Whoever looks cannot tell, so what people say of them measures
how far people follow the list itself, and what becomes of them says what the list misses.
"""

import hashlib

import numpy as np
import pandas as pd

from fairness.policy import Policy
from training.week import Week


def drawn(week: Week, policy: Policy, bundle_digest: str) -> pd.DataFrame:
    """Return `pupil` and `school` of those drawn: at each school as many as the policy says, or all there are.

    Drawn among pupils who were scored, not flagged and not within the time of an earlier flag. The draw
    follows from bundle, day and school, so the same night done again draws the same pupils.
    """
    at_hand = week.allocation[~(week.allocation["flagged"] | week.allocation["snoozed"])]
    if policy.check_sample is None or at_hand.empty:
        return at_hand.loc[[], ["pupil", "school"]]
    size = policy.check_sample.pupils_a_school_a_week
    parts = []
    for school, pupils in at_hand.sort_values("pupil").groupby("school"):
        said = f"{bundle_digest} {week.as_of.isoformat()} {school}".encode()
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(said).digest()[:8]))
        parts.append(pupils.iloc[np.sort(random.permutation(len(pupils))[:size])])
    return pd.concat(parts, ignore_index=True)[["pupil", "school"]]
