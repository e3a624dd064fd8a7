"""What personal data this floor holds: the history, exports as they came, rows held and put aside, the ledger.

The protected root's holding is declared where that root may be read, in `casework.privacy`.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records import delta
from records.agreements import register_of
from records.arrow import from_arrow
from records.home import Home
from records.identity import link_log
from records.identity.erased import LEDGER_FILE
from records.intake import loads as ledger
from records.intake.ingest import readers
from records.readers.reading import Load
from records.rights import copies
from records.rights.described import day_in_words, file_names, section
from records.rights.erasure import count_pupil, forget_versions, remove_pupil, remove_rows
from records.rights.holding import Gone, Holding, Section, Subject
from records.rights.mentions import Seeker
from records.table import ORIGIN, Table
from records.tables import TABLES

# No pupil in these: keys, settings, public keys, model bytes, names and digests of loads.
IMPERSONAL: Final = frozenset(
    {
        *("home.toml", "oidc.toml", "agreements.toml", "policy.toml", "quality.toml", "demo.json"),
        *("secrets", "mappings", "trust", "ledger", "watches", "deployed", "loads", "quality", "areas", "ingest.lock"),
        *(LEDGER_FILE, "purges.jsonl"),
    }
)


def count_in(root: Path, tables: Sequence[Table], home: Home, subject: Subject) -> int:
    """Return how many rows of these Delta tables are the pupil's, in all their versions."""
    return sum(count_pupil(root, table, subject.pseudonyms, shards_of(home, subject)) for table in tables)


def describe_in(root: Path, tables: Sequence[Table], home: Home, subject: Subject) -> tuple[Section, ...]:
    """Return the pupil's rows of these Delta tables in words, every version."""
    files, register = file_names(home), register_of(home)
    mine = pc.field("pupil").isin(list(subject.pseudonyms))
    sections = []
    for table in tables:
        names = [column.name for column in (*table.columns, *ORIGIN)]
        parts = [delta.scan(root, table, shard, names, mine) for shard in shards_of(home, subject)]
        found = pa.concat_tables(parts).unify_dictionaries()
        if len(found):
            sections.append(section(table, from_arrow(found, table), files, register.retention_years(table)))
    return tuple(sections)


def erase_in(root: Path, tables: Sequence[Table], home: Home, subject: Subject) -> Gone:
    """Take the pupil's rows out of these Delta tables, with every version that held them."""
    gone = 0
    for table in tables:
        gone += remove_pupil(root, table, subject.pseudonyms, shards_of(home, subject))
        # Also where nothing was found: an erasure cut off after the rows went must forget their versions yet.
        forget_versions(root, table)
    return Gone(rows=gone)


def shards_of(home: Home, subject: Subject) -> Sequence[int]:
    """Return the shards in which rows of the pupil may lie: every one, where a link ever moved them."""
    log = link_log.read_log(home)
    moved = log["number"].isin(subject.pseudonyms) | log["former"].isin(subject.pseudonyms)
    if moved.any() or len(subject.pseudonyms) > 1:
        return range(home.shards)
    return (subject.pseudonyms[0] % home.shards,)


def _linked(home: Home, subject: Subject) -> pd.DataFrame:
    log = link_log.read_log(home)
    return log[log["number"].isin(subject.pseudonyms) | log["former"].isin(subject.pseudonyms)]


def _describe_links(home: Home, subject: Subject) -> tuple[Section, ...]:
    rows = [
        {
            "school": str(row.school),
            "enrolment since": day_in_words(row.entry_date),
            "what the school said": "took it back" if row.deleted else "a number of this pupil was another one before",
            "known since": day_in_words(row.known_on),
        }
        for row in _linked(home, subject).itertuples()
    ]
    says = "A school gave the pupil another number; records under both are read as one pupil's."
    return (Section(title="Numbers that were linked", says=says, rows=tuple(rows)),)


def _erase_links(home: Home, subject: Subject) -> Gone:
    mine = pa.array(subject.pseudonyms, pa.int64())

    def which(rows: pa.Table) -> npt.NDArray[np.bool_]:
        about = pc.or_(pc.is_in(rows["number"], value_set=mine), pc.is_in(rows["former"], value_set=mine))
        return np.asarray(about)

    gone = remove_rows(link_log.links_folder(home), link_log.LINKS, None, which)
    forget_versions(link_log.links_folder(home), link_log.LINKS)
    if gone or len(link_log.settled(home)):
        link_log.settle(home, link_log.from_log(home))
    return Gone(rows=gone)


def history_tables() -> tuple[Table, ...]:
    """Return the unprotected tables with pupils in them."""
    return tuple(table for table in TABLES.values() if table.sharded and not table.protected)


def erase_landed(home: Home, subject: Subject) -> Gone:
    """Take the pupil's rows out of landed exports.

    A file written anew is another file to ingest, so a load that was read is marked as read again. A
    file of another kind than rows goes whole once it was read: what it said is in the records.
    """
    loads = _landed_loads(home)
    marks = {load.files: _mark(home, load) for load in loads}
    unread = {path for load in loads if not marks[load.files].exists() for path in load.files}
    rows, changed = _rewritten(home, subject)
    left = list(rows.left)
    gone = rows.rows
    for path in copies.landed_files(home):
        if copies.is_table(path) or not copies.speaks(home, path, subject):
            continue
        if path in unread:
            left.append(copies.UNREAD.format(name=path.name))
        else:
            path.unlink()
            gone += 1
    for load in loads:
        if changed & set(load.files) and marks[load.files].exists():
            _mark_again(home, marks[load.files], load)
    return Gone(rows=gone, left=tuple(left))


def _rewritten(home: Home, subject: Subject) -> tuple[Gone, set[Path]]:
    seeker = Seeker(home, subject)
    gone = perhaps = 0
    changed: set[Path] = set()
    # Twice: a census speaks of a pupil under ids of its own, which another file of the folder explains.
    linked: dict[Path, copies.Ids] = {}
    for turn in (1, 2):
        for path in filter(copies.is_table, copies.landed_files(home)):
            removed, maybe = copies.rewrite_without(path, seeker, linked.setdefault(path.parent, set()))
            gone += removed
            perhaps += maybe if turn == 2 else 0
            changed |= {path} if removed else set()
    return Gone(rows=gone, left=copies.said_perhaps(perhaps, "landed exports")), changed


def _landed_loads(home: Home) -> list[Load]:
    loads: list[Load] = []
    for name in copies.LANDED:
        paths = sorted(path for path in (home.path / name).rglob("*") if path.is_file())
        for reader in readers(home):
            found, paths = reader.loads(paths, date.today())
            loads += found
    return loads


def _mark(home: Home, load: Load) -> Path:
    return home.path / "loads" / f"{load.digest()}.json"


def _mark_again(home: Home, old: Path, load: Load) -> None:
    """Mark a load written anew as read, unless it was to be read again: then all of it is, and nothing lands twice."""
    before = ledger.find(home, old.stem)
    if before is not None and not before.again:
        ledger.enter(home, load.digest(), before)


HOLDINGS: Final = (
    Holding[Home](
        name="history",
        places=("history",),
        about="pupils",
        purpose="what schools recorded: enrolments, attendance, behaviour, sanctions, support, flags and objections",
        kept="each table's years, or an agreement's fewer, from the end of the school year (docs/generated/tables.md)",
        find=lambda home, subject: count_in(home.history, history_tables(), home, subject),
        describe=lambda home, subject: describe_in(home.history, history_tables(), home, subject),
        erase=lambda home, subject: erase_in(home.history, history_tables(), home, subject),
    ),
    Holding[Home](
        name="links",
        places=("links",),
        about="pupils whose number changed, by pseudonym",
        purpose="read records under a pupil's former and present numbers as one pupil's",
        kept="as long as the history that they join",
        find=lambda home, subject: len(_linked(home, subject)),
        describe=_describe_links,
        erase=_erase_links,
    ),
    Holding[Home](
        name="held rows",
        places=("held",),
        about="pupils whose identity is not proven",
        purpose="kept apart until the school proves who the pupil is; never scored or joined",
        kept="until they are released, or one year after they came",
        find=copies.count_held,
        describe=copies.describe_held,
        erase=copies.erase_held,
    ),
    Holding[Home](
        name="quarantine",
        places=("quarantine",),
        about="pupils",
        purpose="rows that break a rule, for the school to correct",
        kept="until the school corrected them, or one year after they came",
        find=copies.count_quarantined,
        describe=copies.describe_quarantined,
        erase=copies.erase_quarantined,
    ),
    Holding[Home](
        name="landed exports",
        places=copies.LANDED,
        about="pupils and their names",
        purpose="export files on their way in",
        kept="90 days after they came",
        find=copies.count_landed,
        describe=copies.describe_landed,
        erase=erase_landed,
    ),
)
