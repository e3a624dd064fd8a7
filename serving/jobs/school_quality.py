"""How each school's records stand, published for its own page: registers by week, rows put aside, agreements."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from casework.database import connect, scoped
from casework.school_quality import SchoolQuality, save_quality
from records.agreements import Register
from records.clock import clock_of
from records.home import Home
from records.quality.aside import FileShare, reasons, shares
from records.quality.counts import SchoolCounts, count_schools
from records.store import Store
from serving.jobs.night_shards import known_register

SOON_DAYS: Final = 60
SESSIONS_A_DAY: Final = 2


def publish_quality(home: Home) -> int:
    """Publish how every school's records stand as of today; return of how many schools. One shard in memory at a time.

    A school is told of the files that name it and no other: of a network's own file nobody knows whose the rows were
    that could not be read.
    """
    store, today = Store(home), clock_of(home).today()
    files, told, register = shares(store), reasons(home), known_register(home)
    found = [
        SchoolQuality(
            school=one.school,
            as_of=today,
            payload={
                "weeks": list(weeks(one)),
                "aside": _aside(one.aside, told),
                "agreements": [] if register is None else ending(register, one.school, today),
            },
        )
        for one in count_schools(store, today, files=files)
    ]
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            for one in found:
                save_quality(session, one)
    finally:
        engine.dispose()
    return len(found)


def weeks(one: SchoolCounts) -> Iterator[dict[str, Any]]:
    """Yield each week with school days, the newest first: `week` (its Monday), `owed`, `marked`, `bare`, `unexplained`.

    Owed: two marks a school day of each pupil on roll. Bare: registers of a year group, a day and a session without
    a single mark. Unexplained: marks that still stand at N, no reason yet.
    """
    register = one.register
    owed = register.roll * SESSIONS_A_DAY * register.open[:, None]
    marked = register.marks.sum(axis=1) * register.open[:, None]
    empty = (register.marks == 0) & (register.roll > 0)[:, None, :] & register.open[:, None, None]
    days = pd.DataFrame(
        {
            "week": [day.item() - timedelta(days=day.item().weekday()) for day in register.days],
            "open": register.open,
            "owed": owed.sum(axis=1),
            # A pupil marked twice in error fills no other's place.
            "marked": np.minimum(marked, owed).sum(axis=1),
            "bare": empty.sum(axis=(1, 2)),
            "unexplained": register.unexplained,
        }
    )
    found = days[days["open"]].groupby("week")[["owed", "marked", "bare", "unexplained"]].sum()
    for row in found.sort_index(ascending=False).reset_index().to_dict("records"):
        yield {"week": row["week"].isoformat(), **{str(name): int(row[name]) for name in found.columns}}


def _aside(files: tuple[FileShare, ...], told: pd.DataFrame) -> list[dict[str, Any]]:
    mine = told[told["source"].isin([one.source for one in files])]
    grouped = mine.groupby(["fate", "why", "remedy"], as_index=False).agg(rows=("rows", "sum"))
    rows = grouped.sort_values(["rows", "why"], ascending=[False, True]).to_dict("records")
    return [{**{name: str(row[name]) for name in ("fate", "why", "remedy")}, "rows": int(row["rows"])} for row in rows]


def ending(register: Register, school: int, today: date) -> list[dict[str, str]]:
    """Return the agreements about a school that have ended, or end within 60 days, the first to end first."""
    mine = [one for one in register.agreement if one.schools == "all" or school in one.schools]
    ending = sorted((one for one in mine if one.ends <= today + timedelta(days=SOON_DAYS)), key=lambda one: one.ends)
    return [{"title": one.title, "ends": one.ends.isoformat(), "sources": ", ".join(one.sources)} for one in ending]
