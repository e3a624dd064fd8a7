"""The engine's loops, given by the caller: plain Python for a few pupils, machine code for a network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features import loops, loops_rows, loops_series, loops_sessions, loops_sums, loops_totals
from features.loops import Ints, Kinds, Small, Tiny

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One way to run each loop; what they take and return stands at the loops themselves."""

    place: Callable[..., Small]
    order: Callable[..., tuple[Ints, Small, Small]]
    versions: Callable[..., tuple[Small, Small, Kinds, Small, Small, Small, Tiny, bool]]
    classes: Callable[..., npt.NDArray[np.int16]]
    totals: Callable[..., None]
    sums: Callable[..., None]
    series: Callable[..., None]
    looked_at: Callable[..., Values]
    after: Callable[..., Values]
    along: Callable[..., Values]
    ending: Callable[..., Values]


PLAIN = Machine(
    place=loops.place,
    order=loops.order,
    versions=loops.versions,
    classes=loops_totals.classes,
    totals=loops_totals.totals,
    sums=loops_sums.sums,
    series=loops_series.series,
    looked_at=loops_rows.looked_at,
    after=loops_rows.after,
    along=loops_sessions.along,
    ending=loops_sessions.ending,
)
