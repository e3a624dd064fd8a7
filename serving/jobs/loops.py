"""The engine's loops as the web process gets them: plain at once, machine code as soon as it is loaded."""

import threading
from datetime import date
from typing import Any

from features import engine
from features.machine import PLAIN, Machine
from records.calendar import Calendar
from records.given import Given, columns_of
from records.history import History
from records.tables import TABLES

# Above so many pupils waiting for machine code takes less time than going without.
FEW = 20
# So many pupils of a process go without, in all: whoever comes next waits, and leaves the processor to the loading.
WITHOUT = 100


class LoadedLoops:
    """Gives plain loops to the first few pupils until machine code is there; a post of many waits for it.

    Plain loops take thirty milliseconds a pupil and hold Python's lock: a process that was asked a hundred times a
    second from its start on would never come to load what makes it fast enough.

    `serving.app` may not reach numba, which takes a second to load: whoever serves hands this in (`Site.loops`).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._machine: Machine | None = None
        self._without = WITHOUT

    def __call__(self, pupils: int) -> Machine:
        """Return the loops for a post of so many pupils."""
        if self._machine is not None:
            return self._machine
        if pupils <= FEW:
            self._without -= pupils
            if self._without >= 0:
                return PLAIN
        return self._loaded()

    def load(self) -> None:
        """Load machine code now; the first few pupils are answered for without meanwhile."""
        self._loaded()

    def _loaded(self) -> Machine:
        with self._lock:
            if self._machine is None:
                from features.compiled import MACHINE  # noqa: PLC0415  # see above

                # Every loop once: numba reads its machine code, or compiles it, at a loop's first call.
                engine.work_out(_one_pupil(), [_DAY], machine=MACHINE)
                self._machine = MACHINE
            return self._machine


_DAY = date(2025, 6, 2)


def _one_pupil() -> History:
    """Return a history with a row in each table that features count."""
    first = date(2025, 5, 26)
    mine: dict[str, Any] = {"pupil": [1], "school": [100000], "known_on": [first]}
    rows = {
        "enrolments": {"entry_date": [first], "year_group": ["9"], "status": ["C"]},
        "marks": {"date": [first], "session": ["AM"], "code": ["/"]},
        "behaviour": {"date": [first], "type": ["Disruption"], "severity": [1], "role": ["Participant"]},
        "suspensions": {"start_date": [first], "category": ["SUSP"]},
    }
    tables = {name: columns_of(TABLES[name], 1, mine | values) for name, values in rows.items()}
    return History(shard=0, tables=Given(tables, {}), versions={}, calendar=Calendar({}, {}))
