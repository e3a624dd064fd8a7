"""The metrics that pupils' groups are compared on, each with the harm it shows.

A metric is a share: `hits` over `base`, summed over rows. Rows are pupil-terms, or weekly snapshots
for calibration. To add a metric, add one entry to `METRICS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Scale = Literal["difference", "ratio", "alone"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A share by which groups are compared.

    Attributes
    ----------
    name, title
        The name in policy.toml, and the title on the board's page.
    shows
        The harm it shows, in one sentence.
    scale
        How a group is set beside the rest of the pupils: difference, ratio, or alone (its own value).
    rows
        Which frame is counted: pupil_terms or snapshots.
    hits, base
        Columns of that frame → what is counted and out of how much, one number a row.
    empty
        What to say when `base` is nought: the metric cannot be computed, and is never 0.
    among
        Whether `hits` are some of `base`; if not, they are counted for each of `base`.
    """

    name: str
    title: str
    shows: str
    scale: Scale
    rows: Literal["pupil_terms", "snapshots"]
    hits: Callable[[pd.DataFrame], Floats]
    base: Callable[[pd.DataFrame], Floats]
    empty: str
    among: bool = True


def _column(name: str) -> Callable[[pd.DataFrame], Floats]:
    return lambda rows: rows[name].to_numpy(np.float64)


def _and_not(one: str | None, other: str | None) -> Callable[[pd.DataFrame], Floats]:
    """Rows with `one` (or all) and without `other`."""

    def count(rows: pd.DataFrame) -> Floats:
        has = np.ones(len(rows)) if one is None else rows[one].to_numpy(np.float64)
        return has if other is None else has * (1.0 - rows[other].to_numpy(np.float64))

    return count


def _both(one: str, other: str) -> Callable[[pd.DataFrame], Floats]:
    return lambda rows: rows[one].to_numpy(np.float64) * rows[other].to_numpy(np.float64)


METRICS: tuple[Metric, ...] = (
    Metric(
        name="recall",
        title="Pupils who needed help and were flagged in time",
        shows="Missed help: of the pupils who were later suspended, the share flagged early enough to act.",
        scale="difference",
        rows="pupil_terms",
        hits=_both("outcome", "flagged"),
        base=_column("outcome"),
        empty="no pupil of this group was suspended in the period",
    ),
    Metric(
        name="false_alarms",
        title="False alarms for each pupil suspended",
        # FPR x (1 - p) / p: the false-positive rate at the group's own base rate p (docs/decisions.md, 21).
        shows="Stigma: pupils flagged and not suspended, for each pupil suspended, against all other pupils.",
        scale="ratio",
        rows="pupil_terms",
        hits=_and_not("flagged_any", "outcome"),
        base=_column("outcome"),
        empty="no pupil of this group was suspended in the period",
        among=False,
    ),
    Metric(
        name="fpr_ratio",
        title="False alarms among pupils not suspended",
        shows="Stigma: of the pupils who were not suspended, the share flagged, against all other pupils.",
        scale="ratio",
        rows="pupil_terms",
        hits=_and_not("flagged_any", "outcome"),
        base=_and_not(None, "outcome"),
        empty="every pupil of this group was suspended in the period",
    ),
    Metric(
        name="precision_ratio",
        title="What a flag is worth",
        # A flag that came too late to act counts as a flag that was not right.
        shows="Trust in flags: of the pupils flagged, the share flagged in time and later suspended, against others.",
        scale="ratio",
        rows="pupil_terms",
        hits=_both("outcome", "flagged"),
        base=_column("flagged_any"),
        empty="no pupil of this group was flagged in the period",
    ),
    Metric(
        name="oe_ratio",
        title="Whether the percentages are true",
        shows="Wrong percentages: pupils suspended for each one expected, counted over the weekly scores.",
        scale="alone",
        rows="snapshots",
        hits=_column("outcome"),
        base=_column("probability"),
        empty="no pupil of this group was scored in the period",
        among=False,
    ),
    Metric(
        name="selection_ratio",
        title="How many are flagged at all",
        shows="Where flags fall: the share of all pupils flagged, against all other pupils.",
        scale="ratio",
        rows="pupil_terms",
        hits=_column("flagged_any"),
        base=_and_not(None, None),
        empty="the period has no pupil of this group",
    ),
    Metric(
        name="false_omission",
        title="Suspended without a flag in time",
        shows="Unseen need: of the pupils not flagged in time, the share later suspended, against all other pupils.",
        scale="difference",
        rows="pupil_terms",
        hits=_and_not("outcome", "flagged"),
        base=_and_not(None, "flagged"),
        empty="every pupil of this group was flagged in time",
    ),
)
BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}


def page() -> str:
    """Return the metrics as a page of documentation."""
    lines = [
        "# Fairness metrics",
        "",
        "Counted over pupil-terms (a pupil in a term of the audited period) or over weekly scores.",
        "",
        "| name | title | the harm it shows | set beside the others as | rows |",
        "|---|---|---|---|---|",
        *(f"| `{m.name}` | {m.title} | {m.shows} | {m.scale} | {m.rows.replace('_', '-')} |" for m in METRICS),
    ]
    return "\n".join(lines) + "\n"
