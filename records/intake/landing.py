"""What an ingest has read and not yet landed, and how it lands: links first, then rows, then what was held."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from records import delta
from records.area_tables import AREA_TABLES
from records.arrow import from_arrow, schema_of
from records.home import Home
from records.identity import link_log
from records.identity.erased import Erased
from records.identity.identities import IDENTITIES, Identities
from records.identity.links import Links
from records.identity.rehoming import put_in_force
from records.intake import held, loads
from records.intake.coverage import Uncovered
from records.intake.fates import Judged
from records.intake.loads import Fates, Loaded
from records.intake.quarantine import forget, quarantine
from records.intake.reassigned import taken_away
from records.intake.repeats import repeated
from records.intake.summary import Quarantined, TableCount
from records.pseudonym import TEMPORARY, Prover
from records.readers.reading import Load, Reader
from records.table import Table
from records.tables import TABLES

ROWS_IN_A_COMMIT = 2_000_000
_LANDS: Mapping[str, Table] = {**TABLES, **AREA_TABLES}

SaveIdentities = Callable[[Identities], None]


@dataclass(frozen=True)
class Arrived:
    """A load that was read: its reader, its digest, what the ledger said of it before."""

    reader: Reader
    load: Load
    digest: str
    before: Loaded | None
    left_out: Uncovered = field(default_factory=Uncovered)


@dataclass
class Intake:
    """What is read and not yet landed, and what has been counted."""

    home: Home
    prover: Prover
    erased: Erased
    today: date
    counts: dict[str, TableCount] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    links: Links = field(init=False)
    changed: bool = False
    _waiting: dict[str, list[delta.Landing]] = field(default_factory=lambda: defaultdict(list))
    _rows: int = 0
    _said: list[tuple[str, pa.Table]] = field(default_factory=list)
    _held: list[Path] = field(default_factory=list)
    _unmarked: list[tuple[str, Loaded]] = field(default_factory=list)
    _identities: list[pa.Table] = field(default_factory=list)
    _identified: list[tuple[str, Loaded]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What a killed ingest left half done is done first.
        self.links = self._put_in_force()
        self._land_releases()

    def take(self, arrived: Arrived, judged: Sequence[Judged]) -> None:
        """Keep a load's accepted rows until the next commit; write its held and quarantined rows now."""
        sources = {one.batch.sheet.source for one in judged}
        if arrived.reader.second_hand:
            loads.mark_second_hand(self.home, sources)
        named = False
        for one in judged:
            name = one.batch.table.name
            count_fates(self.counts.setdefault(name, TableCount()), one)
            if one.said is not None and len(one.said):
                self._said.append((arrived.digest, one.said))
            if name == IDENTITIES.name:
                self._identities.append(one.accepted)
                named = True
            elif len(one.accepted):
                self._waiting[name].append(delta.Landing(_landing_name(arrived, one), one.accepted))
                self._rows += len(one.accepted)
        self._put_aside(judged, anew=arrived.before is None)
        entry = (arrived.digest, _ledger_entry(arrived, judged, self.today))
        (self._identified if named else self._unmarked).append(entry)
        if self._rows >= ROWS_IN_A_COMMIT:
            self.land()

    def land(self) -> None:
        """Commit what waits, table by table, and mark the loads that are now whole."""
        if self._said:
            for digest in dict.fromkeys(digest for digest, _ in self._said):
                said = pa.concat_tables([table for name, table in self._said if name == digest])
                link_log.enter(self.home, digest, said)
            self._said.clear()
            self.links = self._put_in_force()
        for name, landings in self._waiting.items():
            table = _LANDS[name]
            fresh = self._news(table, landings)
            count = self.counts[name]
            count.landed += self._append(table, [landing for landing, _ in fresh])
            said = sum(said for _, said in fresh)
            count.accepted -= said
            count.repeated += said
        self._waiting.clear()
        self._rows = 0
        if self._held:
            held.release(self.home, self.prover, self.links, self.today, self.erased, self._held)
            self._held.clear()
        self._land_releases()
        for digest, loaded in self._unmarked:
            loads.enter(self.home, digest, loaded)
        self._unmarked.clear()

    def finish(self, save: SaveIdentities | None) -> None:
        """Land the rest and hand over identities and links, then mark the loads that carried them."""
        self.land()
        if save is not None and (self._identities or self.changed):
            save(self._handed_over())
        for digest, loaded in self._identified:
            loads.enter(self.home, digest, loaded)
        for name, count in self.counts.items():
            if count.landed and name in _LANDS:
                delta.compact(self._root(_LANDS[name]), _LANDS[name])

    def _handed_over(self) -> Identities:
        tables = self._identities or [schema_of(IDENTITIES).empty_table()]
        rows = from_arrow(pa.concat_tables(tables).unify_dictionaries(), IDENTITIES)
        rows = rows.assign(pupil=self.links.of(rows["pupil"].to_numpy()))
        links = pd.DataFrame({"old": self.links.alias, "new": self.links.pupil})
        ordered = rows.sort_values(["known_on", "source", "row"], kind="stable", ignore_index=True)
        return Identities(ordered, links)

    def _put_in_force(self) -> Links:
        before = link_log.settled(self.home)

        def prepare(links: Links) -> None:
            self.changed = True
            parted = np.setdiff1d(before.alias, links.alias)
            if len(parted):
                # A pupil by themselves again: the file that named them is read once more, for the name.
                said = link_log.read_log(self.home)
                loads.forget(self.home, said.loc[said["number"].isin(parted), "source"])
            held.release(self.home, self.prover, links, self.today, self.erased, None)

        return put_in_force(self.home, prepare)

    def _land_releases(self) -> None:
        released: dict[str, list[held.Release]] = defaultdict(list)
        for found in held.releases(self.home):
            released[found.table].append(found)
        for name, several in released.items():
            # A commit for a table: one for each file would open the whole store a thousand times.
            count = self.counts.setdefault(name, TableCount())
            # A file may come again in another load, and with it rows that were held and have landed since.
            news = self._news(_LANDS[name], [delta.Landing(found.name, found.rows) for found in several])
            count.released += self._append(_LANDS[name], [landing for landing, _ in news])
            for found in several:
                held.finished(found)

    def _append(self, table: Table, landings: Sequence[delta.Landing]) -> int:
        root, shards = self._root(table), self.home.shards
        deletions = taken_away(root, table, [landing.rows for landing in landings], self.links, shards)
        return delta.append(root, table, landings, shards, self.links.of, deletions)

    def _news(self, table: Table, landings: Sequence[delta.Landing]) -> list[tuple[delta.Landing, int]]:
        """Return the landings without rows that the store already says, and how many each repeats."""
        root = self._root(table)
        there = delta.open_table(root, table)
        if there is None:
            return [(landing, 0) for landing in landings]
        fresh = [landing for landing in landings if there.transaction_version(landing.load) is None]
        if not fresh:
            return []
        # All at once: asked file by file, a thousand schools' files would each open the whole store.
        rows = pa.concat_tables([landing.rows for landing in fresh]).unify_dictionaries()
        shards = self.links.of(rows["pupil"].to_numpy()) % self.home.shards if table.sharded else None
        said, spare = repeated(root, table, rows, shards)
        found = []
        first = 0
        for landing in fresh:
            mine = slice(first, first + len(landing.rows))
            first = mine.stop
            kept = landing.rows.filter(pa.array(~spare[mine])) if spare[mine].any() else landing.rows
            found.append((delta.Landing(landing.load, kept), int(said[mine].sum())))
        return found

    def _put_aside(self, judged: Sequence[Judged], *, anew: bool) -> None:
        """Keep held and quarantined rows; `anew`: what is there of the same sheets is of an earlier reading."""
        by_sheet: dict[str, list[Judged]] = defaultdict(list)
        for one in judged:
            by_sheet[one.batch.sheet.source].append(one)
        for source, same in by_sheet.items():
            # One file for each sheet and table: several batches may come from one row (ten sessions of a week).
            for table in dict.fromkeys(one.batch.table.name for one in same):
                mine = [one for one in same if one.batch.table.name == table and one.held]
                if anew:
                    held.forget(self.home, source, table)
                if mine:
                    path = held.hold(self.home, mine)
                    self._held += [path] * any(TEMPORARY in one.held for one in mine)
            faulty = [one for one in same if len(one.quarantined)]
            if not faulty:
                forget(self.home, source)
                continue
            rows = np.concatenate([one.batch.rows[one.quarantined] for one in faulty])
            sheet = same[0].batch.sheet
            folder = quarantine(self.home, sheet, [one.faults for one in faulty], rows)
            self.quarantined.append(Quarantined(file=sheet.file, rows=len(np.unique(rows)), folder=folder))

    def _root(self, table: Table) -> Path:
        return {"protected": self.home.protected, "areas": self.home.areas}.get(table.root, self.home.history)


def _landing_name(arrived: Arrived, judged: Judged) -> str:
    """Return the name under which rows land once: the load's digest, and of a load read again also which rows."""
    if arrived.before is None:
        return arrived.digest
    lines = np.sort(judged.accepted["row"].to_numpy())
    return f"{arrived.digest} again {hashlib.sha256(lines.tobytes()).hexdigest()[:32]}"


def _ledger_entry(arrived: Arrived, judged: Sequence[Judged], today: date) -> Loaded:
    tables: dict[str, Fates] = {}
    for one in judged:
        name = one.batch.table.name
        fates = Fates(
            read=len(one.batch),
            accepted=len(one.accepted),
            repeated=one.repeated,
            held=sum(len(rows) for rows in one.held.values()),
            quarantined=len(one.quarantined),
        )
        tables[name] = fates if name not in tables else _sum(tables[name], fates)
    if arrived.before is not None:
        tables = dict(_after(arrived.before.tables, tables))
    rules = {str(rule) for one in judged if len(one.faults) for rule in one.faults["rule"].unique()}
    return Loaded(
        name=arrived.load.name,
        reader=arrived.reader.name,
        day=today,
        tables=tables,
        again=loads.again(tables, rules),
        left_out=arrived.left_out,
    )


def _after(before: Mapping[str, Fates], now: Mapping[str, Fates]) -> Iterator[tuple[str, Fates]]:
    """Yield each table's fates once its quarantined rows, and those that gained cover, have been looked at."""
    none = Fates(read=0, accepted=0, repeated=0, held=0, quarantined=0)
    for name in dict.fromkeys((*before, *now)):
        new = now.get(name, none)
        met = replace(_sum(before.get(name, none), new), quarantined=new.quarantined)
        yield name, replace(met, read=met.accepted + met.repeated + met.held + met.quarantined)


def _sum(one: Fates, other: Fates) -> Fates:
    return Fates(
        read=one.read + other.read,
        accepted=one.accepted + other.accepted,
        repeated=one.repeated + other.repeated,
        held=one.held + other.held,
        quarantined=one.quarantined + other.quarantined,
    )


def count_fates(count: TableCount, judged: Judged) -> None:
    """Add the fates of a batch's rows to its table's count."""
    count.read += len(judged.batch) + judged.erased
    count.erased += judged.erased
    count.accepted += len(judged.accepted)
    count.repeated += judged.repeated
    count.quarantined += len(judged.quarantined)
    count.held.update({why: len(rows) for why, rows in judged.held.items()})
    if len(judged.faults):
        met = judged.faults["rule"].value_counts()
        count.rules.update({str(rule): int(rows) for rule, rows in met.items() if rows})
        told = judged.faults[["rule", "remedy"]].drop_duplicates()
        count.remedies |= dict(zip(told["rule"].astype("str"), told["remedy"].astype("str"), strict=True))
