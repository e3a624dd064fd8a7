"""With support and without: two runs of one plan on common random numbers, side by side."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from records.synthetic.support import Asked, Starts, Support, no_support
from records.synthetic.truth import read_truth


@dataclass
class _Noted:
    """A plan of support that notes whom it started, and when first."""

    plan: Support
    first: dict[str, np.datetime64] = field(default_factory=dict)

    def __call__(self, asked: Asked, /) -> Starts:
        starts = self.plan(asked)
        for upn in asked.upn[starts.pupil].tolist():
            self.first.setdefault(str(upn), asked.monday)
        return starts


def with_and_without(plan: NetworkPlan, support: Support, folder: Path) -> pd.DataFrame:
    """Return both runs' true hazards, one row per pupil on roll in either run and week.

    Writes the exports of each run to `with` and `without` in `folder`, and the truth beside them.

    Columns
    -------
    upn, week
        As in `read_truth`.
    with_support, without_support
        Expected sanctions of the week in each run; 0 where a run has the pupil on no roll.
    supported
        True from the week in which the pupil's first support starts.
    """
    noted = _Noted(support)
    truths = {}
    for name, given in (("with", noted), ("without", no_support)):
        path = folder / f"{name}.parquet"
        simulate(plan, folder / name, truth=path, support=given)
        truths[name] = read_truth(path)[["upn", "week", "hazard"]].astype({"upn": "str"})
    both = truths["with"].merge(truths["without"], on=["upn", "week"], how="outer", suffixes=("_with", "_without"))
    started = both["upn"].map(noted.first).astype("datetime64[s]")
    return pd.DataFrame(
        {
            "upn": both["upn"],
            "week": both["week"],
            "with_support": both["hazard_with"].fillna(0.0),
            "without_support": both["hazard_without"].fillna(0.0),
            "supported": started.notna() & (both["week"] >= started),
        }
    )
