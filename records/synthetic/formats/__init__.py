"""A simulated network in the formats that schools' systems send: the readers' counterparts.

Meant for small networks: every row is held in memory as text. A large one is exported compactly.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from records.synthetic.exported import Exported
from records.synthetic.formats.assembly import write_assembly
from records.synthetic.formats.ctf import write_ctf
from records.synthetic.formats.mis import SYSTEMS, write_mis
from records.synthetic.formats.wonde import write_wonde

Write = Callable[[Exported, Path], int]

FORMATS: Mapping[str, Write] = {
    "ctf": write_ctf,
    "wonde": write_wonde,
    "assembly": write_assembly,
    **{system: partial(write_mis, system) for system in SYSTEMS},
}
# No school's system says these: they are the network's own lists, whatever the schools send.
NETWORKS_OWN = ("schools", "calendars")


def write_as(kind: str, exported: Exported, out: Path) -> int:
    """Write the network's export in a format, with its lists of schools and calendars; return the number of rows.

    Raises
    ------
    KeyError
        There is no such format; `FORMATS` names them.
    """
    write = FORMATS[kind]
    out.mkdir(parents=True, exist_ok=True)
    return write(exported, out) + sum(_write_list(exported[name], out / f"{name}.csv") for name in NETWORKS_OWN)


def _write_list(rows: pd.DataFrame, path: Path) -> int:
    rows.to_csv(path, index=False, lineterminator="\n")
    return len(rows)
