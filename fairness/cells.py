"""One comparison of an audit: a group and a metric beside the rest of the pupils."""

from dataclasses import dataclass
from typing import Literal

EVERYONE = "all"
LIFT = "precision_lift"
CellVerdict = Literal["within", "not_settled", "outside", "too_few", "shown"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One group and one metric, set beside the rest of the pupils.

    Attributes
    ----------
    attribute, group, metric
        As the policy names them; attribute 'all' is everybody.
    gate
        full, fail_only or report: what the verdict may do.
    pupils, n, positives
        Pupils of the group; what the metric is out of (pupil-terms, flags or weekly scores); pupil-terms
        of the group with the outcome.
    estimate, rest_estimate
        The group's share and everyone else's. None: cannot be computed, see `why`.
    harm, lower, upper
        What is compared with the limits, and the two ends that are each right 19 times in 20 (at alpha
        0.05): the wider of the interval over pupils and the one over schools.
    limit_low, limit_high
        The lowest and highest harm allowed.
    p_outside
        The p-value of 'inside the limits'. None: cannot be computed.
    effective_n
        `n` divided by the design effect.
    schools
        Schools in which the metric's base is not nought.
    why
        Why nothing can be concluded, in words; empty otherwise.
    verdict
        As the gate judged it when the audit was made.
    """

    attribute: str
    group: str
    metric: str
    gate: Literal["full", "fail_only", "report"]
    pupils: int
    n: int
    positives: int
    estimate: float | None = None
    rest_estimate: float | None = None
    harm: float | None = None
    lower: float | None = None
    upper: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    p_outside: float | None = None
    effective_n: float | None = None
    schools: int = 0
    rest_positives: int = 0
    why: str = ""
    verdict: CellVerdict = "not_settled"
