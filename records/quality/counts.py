"""What the store holds of each school, day by day and week by week: counts only, no pupil.

Counts are of what was known at the start of `as_of`, as scoring sees it. One shard is in memory at a
time, and of the marks only those of the last school weeks.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from records import delta
from records.calendar import Calendar, Days, calendar_from
from records.history import latest
from records.identity.clashes import clashes
from records.identity.joining import joined
from records.identity.link_log import settled
from records.quality.aside import FileShare
from records.quality.incidents import Events, EventSums
from records.quality.registers import Register, Registers
from records.quality.span import Part, Span, span_of
from records.store import Store
from records.tables import CALENDARS, ENROLMENTS, SCHOOLS

# Doubts are looked for in the last 8 school weeks: the past that a rise is measured against
# (flag rule `past_weeks`). A week more gives the first of them a week before it.
LOOK_BACK_WEEKS = 8
# Behaviour is compared over eight weeks on each side of a change, and a change that is older is seen as older.
EVENT_WEEKS = 20


@dataclass(frozen=True, kw_only=True)
class SchoolCounts:
    """What a school's records hold in the days before `as_of`.

    Attributes
    ----------
    joined
        First day of the school's records in the network.
    calendar
        Every open day the calendar names, ascending.
    newest
        The newest day of any mark, however old; None: none ever came.
    on_two_rolls
        Pupils who stand on another school's roll too, though neither says that they share them.
    aside
        Files that name this school and no other, of which rows were put aside; empty where nobody counted them.
    """

    school: int
    name: str
    as_of: date
    joined: date
    calendar: Days
    register: Register
    newest: date | None
    events: Events
    on_two_rolls: int = 0
    aside: tuple[FileShare, ...] = ()


def count_schools(store: Store, as_of: date, *, files: Sequence[FileShare] = ()) -> tuple[SchoolCounts, ...]:
    """Return every school's counts, by URN.

    Parameters
    ----------
    files
        Files with rows put aside (`records.quality.aside`), where they are to be counted too.
    """
    root = store.home.history
    schools = latest(delta.read(root, SCHOOLS, 0)[0], SCHOOLS, as_of).sort_values("school")
    calendar = calendar_from(latest(delta.read(root, CALENDARS, 0)[0], CALENDARS, as_of))
    urns = schools["school"].to_numpy(np.int64)
    registers = Registers(span_of(urns, calendar, as_of, LOOK_BACK_WEEKS + 1))
    events = EventSums(span_of(urns, calendar, as_of, EVENT_WEEKS))
    links = settled(store.home)
    on_two_rolls: Counter[int] = Counter()
    for shard in store.shards:
        part = Part(store=store, shard=shard, links=links)
        enrolments = _enrolments(part, as_of)
        registers.add(part, enrolments)
        events.add(part)
        on_two_rolls.update(_on_two_rolls(enrolments, as_of))
    mine = {urn: registers.of(at, _open_days(calendar, urn)) for at, urn in enumerate(urns.tolist())}
    newest = {urn: register.newest for urn, register in mine.items()}
    # Only a school without a mark in all these weeks makes us ask the whole table how old its last one is.
    earlier = _earlier(store, registers.span) if None in newest.values() else {}
    return tuple(
        SchoolCounts(
            school=urn,
            name=str(name),
            as_of=as_of,
            joined=opened.date(),
            calendar=_open_days(calendar, urn),
            newest=newest[urn] or earlier.get(urn),
            events=events.of(at, _open_days(calendar, urn)),
            register=mine[urn],
            on_two_rolls=on_two_rolls[urn],
            aside=tuple(one for one in files if one.schools == (urn,)),
        )
        for at, (urn, name, opened) in enumerate(zip(mine, schools["name"], schools["open_date"], strict=True))
    )


def _open_days(calendar: Calendar, school: int) -> Days:
    return calendar.open_days.get(school, np.empty(0, "datetime64[D]"))


def _earlier(store: Store, span: Span) -> dict[int, date]:
    """Return each school's newest mark, at the latest the day before the days looked at."""
    last = span.first - timedelta(days=1)
    return {school: min(day, last) for school, day in store.newest_marks().items()}


def _enrolments(part: Part, as_of: date) -> pd.DataFrame:
    """Return the shard's enrolments as known then, each under its pupil."""
    home = part.store.home
    rows = delta.read(home.history, ENROLMENTS, part.shard)[0]
    rows = latest(joined(rows, ENROLMENTS, part.links, part.shard, home.shards), ENROLMENTS, as_of)
    return rows[["pupil", "school", "entry_date", "leaving_date", "year_group", "status"]]


def _on_two_rolls(enrolments: pd.DataFrame, as_of: date) -> Counter[int]:
    """Return for each school how many of its pupils stand on another school's roll as well, undeclared."""
    day = pd.Timestamp(as_of)
    found = clashes(enrolments[enrolments["entry_date"] < day])
    found = found[found["to"].isna() | (found["to"] >= day)]
    sides = [found[["pupil", side]].drop_duplicates()[side].tolist() for side in ("school_a", "school_b")]
    return Counter(int(school) for side in sides for school in side)
