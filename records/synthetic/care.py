"""Who is looked after, in need or on a child protection plan: drawn beside the pupils, with its own strain.

Shares are near London's and set by hand; how much each weighs is tuned until the published absence and
suspension of these pupils come out (records/synthetic/report.py shows how near).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.people import People


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status: share of all pupils, and natural logarithms on strain, on truancy and on illness."""

    share: float
    strain: float
    truancy: float
    illness: float


STATUSES: Mapping[str, Status] = {
    "CIN": Status(share=0.024, strain=0.5, truancy=1.25, illness=0.45),
    "CPP": Status(share=0.004, strain=0.6, truancy=1.9, illness=0.60),
    "CLA": Status(share=0.006, strain=0.8, truancy=0.85, illness=0.10),
}
NAMES: tuple[str, ...] = ("none", *STATUSES)
# Free meals and SEN are two to three times as common among them.
_FSM, _SEN = 1.1, 0.9


def draw_care(people: People, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Return each pupil's status as an index of NAMES."""
    number = len(people.upn)
    odds = np.exp(_FSM * ~np.isnat(people.fsm_start) + _SEN * (people.sen[:, -1] != "N"))
    # About 1.7 is the mean of these odds in London: the shares come out as they stand above.
    level = rng.random(number) / (odds / 1.7)
    bounds = np.cumsum([status.share for status in STATUSES.values()])
    index = np.searchsorted(bounds, level, side="right")
    return np.where(index < len(STATUSES), index + 1, 0).astype(np.int8)


def weighing(care: npt.NDArray[np.int8], what: str) -> npt.NDArray[np.float64]:
    """Return each pupil's logarithm on `strain`, `truancy` or `illness`."""
    table = np.array([0.0, *(getattr(status, what) for status in STATUSES.values())])
    return np.asarray(table[care])
