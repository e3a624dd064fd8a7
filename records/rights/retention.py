"""What is past its time: rows by their table's years, counted from the end of the school year they belong to."""

import time
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from records import delta
from records.agreements import REGISTER_FILE, register_of
from records.home import Home
from records.identity import link_log
from records.identity.links import Links
from records.refusal import Refusal
from records.rights.copies import LANDED
from records.rights.erasure import forget_versions, remove_rows
from records.table import Table
from records.tables import ENROLMENTS, TABLES

# Years stated in two places would sooner or later be two numbers: a home that still has this file is told so.
FORMER_SETTINGS: Final = "retention.toml"
LANDED_DAYS: Final = 90
ASIDE_DAYS: Final = 365
_SEPTEMBER: Final = 9
_ENDS: Final = ("leaving_date", "end_date", "ended_on")
# Says how things are until the next row does: kept as long as the pupil is.
_STANDING: Final = frozenset({"neighbourhoods"})


class RetentionRefused(Refusal):
    """Years are stated where they are not read; nothing was deleted."""


def years_of(home: Home) -> Mapping[str, int]:
    """Return each table's years: the declared ones, or the fewer that an agreement of the register allows.

    Raises
    ------
    RegisterRefused
        The home has no register, or one that cannot be used; nothing was deleted.
    RetentionRefused
        The home has a file of the years as they were once stated.
    """
    if (home.path / FORMER_SETTINGS).exists():
        raise RetentionRefused(
            f"{FORMER_SETTINGS} is not read any more, and nothing was deleted; state the years in {REGISTER_FILE}, "
            f"under [agreement.retention_years] of the agreement that allows fewer, and remove {FORMER_SETTINGS}"
        )
    register = register_of(home)
    return {name: register.retention_years(table) for name, table in TABLES.items()}


def first_kept(today: date, years: int) -> date:
    """Return the first day of the oldest school year that is kept: what ended before it has had its years.

    For example 6 years on 22 June 2026, in the school year 2025/26: 1 September 2019, whose school year
    ended on 31 August 2020, so that its six years end on 31 August 2026.
    """
    starts = today.year if today.month >= _SEPTEMBER else today.year - 1
    return date(starts - years, _SEPTEMBER, 1)


def purge_tables(home: Home, today: date) -> dict[str, int]:
    """Delete rows past their time from both roots, with every version of them, and return how many by table.

    A row that has an end is counted from it; one that is still open stays as long as an enrolment of the
    pupil does. Schools and calendars are about nobody, and stay.
    """
    years = years_of(home)
    links = link_log.settled(home)
    oldest = first_kept(today, years[ENROLMENTS.name])
    present = [_present(home, shard, oldest, links) for shard in range(home.shards)]
    gone: dict[str, int] = {}
    for name, table in TABLES.items():
        if not table.sharded:
            continue
        root = home.protected if table.protected else home.history
        gone[name] = sum(
            remove_rows(
                root, table, shard, partial(_past, table, first_kept(today, years[name]), present[shard], links)
            )
            for shard in range(home.shards)
        )
        if gone[name]:
            forget_versions(root, table)
    return gone


def purge_copies(home: Home) -> dict[str, int]:
    """Delete landed exports after 90 days, and held and quarantined rows after a year; return how many files."""
    gone = {}
    ages = {**dict.fromkeys(LANDED, LANDED_DAYS), home.held.name: ASIDE_DAYS, home.quarantine.name: ASIDE_DAYS}
    for name, days in ages.items():
        before = time.time() - timedelta(days=days).total_seconds()
        old = [path for path in (home.path / name).rglob("*") if path.is_file() and path.stat().st_mtime < before]
        for path in old:
            path.unlink()
            _remove_empty(path.parent, home.path / name)
        gone[name] = len(old)
    return gone


def _present(home: Home, shard: int, first: date, links: Links) -> npt.NDArray[np.int64]:
    """Return the pupils of a shard with an enrolment that is kept."""
    rows, _ = delta.read(home.history, ENROLMENTS, shard)
    newest = _newest(rows, ENROLMENTS)
    kept = newest["leaving_date"].isna() | (newest["leaving_date"] >= pd.Timestamp(first))
    return np.unique(links.of(newest.loc[kept, "pupil"].to_numpy()))


def _past(
    table: Table, first: date, present: npt.NDArray[np.int64], links: Links, rows: pa.Table
) -> npt.NDArray[np.bool_]:
    ends = [name for name in _ENDS if name in rows.column_names]
    wanted = {*table.key, "pupil", table.happened_on, *ends, "known_on", "source", "row"}
    frame = rows.select(sorted(wanted)).to_pandas()
    for name in (table.happened_on, *ends):
        frame[name] = pd.to_datetime(frame[name])
    newest = _newest(frame, table)
    day = pd.Timestamp(first)
    happened = newest[table.happened_on]
    old = happened < day
    if ends or table.name in _STANDING:
        ended = newest[ends[0]] if ends else pd.Series(pd.NaT, index=newest.index)
        left = ~np.isin(links.of(newest["pupil"].to_numpy()), present)
        old = (ended < day) | (ended.isna() & (happened < day) & left)
    # All versions of a row go with it: an older one left behind would hold again.
    keys = pd.MultiIndex.from_frame(newest.loc[old, list(table.key)])
    return pd.MultiIndex.from_frame(frame[list(table.key)]).isin(keys)


def _newest(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    ordered = rows.sort_values(["known_on", "source", "row"], kind="stable")
    return ordered.drop_duplicates(subset=list(table.key), keep="last")


def _remove_empty(folder: Path, root: Path) -> None:
    if folder != root and not any(folder.iterdir()):
        folder.rmdir()
