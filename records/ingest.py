"""From a folder of exports to the record store: read, check, prove, land; each load whole and once."""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from records import delta, pseudonym
from records.arrow import from_arrow
from records.clock import Clock
from records.fates import Judged, judge
from records.home import Home
from records.identities import IDENTITIES, Identities
from records.quarantine import hold, quarantine
from records.readers import network_csv, school_census
from records.readers.reading import Load, PassedOver, Reader
from records.sheet import FileRefused
from records.summary import IngestSummary, Quarantined, TableCount
from records.tables import TABLES

# The census first: it claims exact file names; the network's own format goes by the names' beginnings.
READERS: tuple[Reader, ...] = (school_census.READER, network_csv.READER)
ROWS_IN_A_COMMIT = 2_000_000

Progress = Callable[[str, int, int], None]
SaveIdentities = Callable[[Identities], None]


@dataclass
class _Intake:
    """What is read and not yet landed, and what has been counted."""

    home: Home
    counts: dict[str, TableCount] = field(default_factory=dict)
    waiting: dict[str, list[delta.Landing]] = field(default_factory=lambda: defaultdict(list))
    rows: int = 0
    unmarked: list[tuple[str, str]] = field(default_factory=list)
    identities: list[pa.Table] = field(default_factory=list)
    identified: list[tuple[str, str]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)

    def take(self, load: Load, digest: str, judged: Sequence[Judged]) -> None:
        """Keep a load's accepted rows until the next commit; write its held and quarantined rows now."""
        named = False
        for one in judged:
            name = one.batch.table.name
            _count(self.counts.setdefault(name, TableCount()), one)
            if name == IDENTITIES.name:
                self.identities.append(one.accepted)
                named = True
            elif len(one.accepted):
                self.waiting[name].append(delta.Landing(digest, one.accepted))
                self.rows += len(one.accepted)
        self.quarantined += _put_aside(self.home, judged)
        (self.identified if named else self.unmarked).append((digest, load.name))
        if self.rows >= ROWS_IN_A_COMMIT:
            self.land()

    def land(self) -> None:
        """Commit what waits, table by table, and mark the loads that are now whole."""
        for name, landings in self.waiting.items():
            table = TABLES[name]
            root = self.home.protected if table.protected else self.home.history
            self.counts[name].landed += delta.append(root, table, landings, self.home.shards)
        self.waiting.clear()
        self.rows = 0
        for digest, name in self.unmarked:
            _mark(self.home, digest, name)
        self.unmarked.clear()

    def finish(self, save: SaveIdentities | None) -> None:
        """Land the rest and hand over the identities, then mark the loads that carried them."""
        self.land()
        if save is not None and self.identities:
            rows = from_arrow(pa.concat_tables(self.identities), IDENTITIES)
            save(Identities(rows.sort_values(["known_on", "source", "row"], kind="stable", ignore_index=True)))
        for digest, name in self.identified:
            _mark(self.home, digest, name)


def ingest(
    home: Home,
    source: Path,
    *,
    clock: Clock,
    save_identities: SaveIdentities | None,
    progress: Progress | None = None,
) -> IngestSummary:
    """Read every export under a folder, or one file, into the home's records; return what happened.

    A load that landed before changes nothing. A process killed on the way leaves each table's commits
    whole; running it again lands the rest.

    Parameters
    ----------
    save_identities
        Given, once, every proven identity that this ingest met. It must stand being given the same
        rows twice. None: names are dropped, and the next ingest does not bring them again.
    progress
        Called with a load's name, its number from 1 and how many there are.

    Raises
    ------
    PepperRefused
        The home's pepper is missing though records have landed, or it is not safe.
    """
    pseudonym.create_pepper(home)
    prover = pseudonym.Prover(pseudonym.read_pepper(home))
    today = clock.today()
    loads, refused, passed = _loads(source, clock)
    intake = _Intake(home)
    loaded: list[str] = []
    already: list[str] = []
    for number, load in enumerate(loads, start=1):
        if progress is not None:
            progress(load.name, number, len(loads))
        try:
            digest = load.digest()
            if _marked(home, digest):
                already.append(load.name)
                continue
            content = load.read(load.files)
        except FileRefused as refusal:
            refused.append(refusal)
            continue
        except OSError as error:
            refused.append(_unreadable(load.name, error))
            continue
        passed += content.passed_over
        intake.take(load, digest, [judge(batch, prover, today) for batch in content.batches])
        loaded.append(load.name)
    intake.finish(save_identities)
    return IngestSummary(
        _in_order(intake.counts),
        tuple(loaded),
        tuple(already),
        tuple(refused),
        tuple(passed),
        tuple(intake.quarantined),
    )


def _loads(source: Path, clock: Clock) -> tuple[list[Load], list[FileRefused], list[PassedOver]]:
    if not source.exists():
        gone = FileRefused(file=source.name, place="path", what="it does not exist", remedy="name a file or folder")
        return [], [gone], []
    paths = [source] if source.is_file() else [path for path in sorted(source.rglob("*")) if path.is_file()]
    loads: list[Load] = []
    for reader in READERS:
        found, paths = reader.loads(paths, clock.today())
        loads += found
    return loads, list(_unknown(paths)), list(_other_kinds(paths))


def _other_kinds(paths: Sequence[Path]) -> Iterator[PassedOver]:
    """Name what no reader reads: a file left out in silence looks like one that landed."""
    for path in paths:
        if path.suffix.lower() != ".csv" and not path.name.startswith("."):
            yield PassedOver(file=path.name, why="not an export file of a known format: export it as plain .csv")


def _unknown(paths: Sequence[Path]) -> Iterator[FileRefused]:
    for path in paths:
        if path.suffix.lower() == ".csv":
            yield FileRefused(
                file=path.name,
                place="name",
                what="no reader knows a file of this name",
                remedy=f"begin the name with one of {', '.join(network_csv.LAYOUTS)}, or use a census table's name",
            )


def _unreadable(name: str, error: OSError) -> FileRefused:
    return FileRefused(
        file=name, place="byte 0", what=f"it cannot be opened ({error.strerror})", remedy="check its permissions"
    )


def _count(count: TableCount, judged: Judged) -> None:
    count.read += len(judged.batch)
    count.accepted += len(judged.accepted)
    count.repeated += judged.repeated
    count.quarantined += len(judged.quarantined)
    count.held.update({why: len(rows) for why, rows in judged.held.items()})
    count.rules.update(judged.faults["rule"].astype("str").tolist())
    told = judged.faults[["rule", "remedy"]].drop_duplicates()
    count.remedies |= dict(zip(told["rule"].astype("str"), told["remedy"].astype("str"), strict=True))


def _put_aside(home: Home, judged: Sequence[Judged]) -> Iterator[Quarantined]:
    by_sheet: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_sheet[one.batch.sheet.source].append(one)
        if one.held:
            held = {why: one.batch.rows[rows] for why, rows in one.held.items()}
            hold(home, one.batch.sheet, one.batch.table.name, held)
    for same in by_sheet.values():
        faulty = [one for one in same if len(one.quarantined)]
        if faulty:
            rows = np.concatenate([one.batch.rows[one.quarantined] for one in faulty])
            sheet = same[0].batch.sheet
            folder = quarantine(home, sheet, [one.faults for one in faulty], rows)
            yield Quarantined(file=sheet.file, rows=len(np.unique(rows)), folder=folder)


def _in_order(counts: dict[str, TableCount]) -> dict[str, TableCount]:
    return {name: counts[name] for name in (*TABLES, IDENTITIES.name) if name in counts}


def _mark_path(home: Home, digest: str) -> Path:
    return home.path / "loads" / f"{digest}.json"


def _marked(home: Home, digest: str) -> bool:
    return _mark_path(home, digest).exists()


def _mark(home: Home, digest: str, name: str) -> None:
    # The marks only save reading a file again: what lands once is decided in each table's own log.
    path = _mark_path(home, digest)
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"name": name}) + "\n", encoding="utf-8")
    os.replace(partial, path)
