"""From a folder of exports to the record store: read, check, prove, land; each load whole and once."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from deltalake.exceptions import DeltaError

from records import pseudonym
from records.agreements import REGISTER_FILE, Cover, Register, register_of
from records.area_tables import AREA_TABLES
from records.clock import Clock
from records.home import Home
from records.identity.erased import read_erased
from records.identity.identities import IDENTITIES
from records.intake import loads as ledger
from records.intake.coverage import Gained, Uncovered, gained, only_covered
from records.intake.fates import judge
from records.intake.landing import Arrived, Intake, SaveIdentities
from records.intake.lock import only_ingest
from records.intake.quarantine import lines as quarantined_lines
from records.intake.summary import IngestSummary, TableCount
from records.readers import areas, assembly, ctf, mapped, network_csv, school_census, wonde
from records.readers.reading import Load, PassedOver, Reader, packed_csv_files
from records.refusal import Refusal
from records.rows.batch import Batch
from records.tables import TABLES
from records.text.delimited import refuse_large
from records.text.sheet import FileRefused

Progress = Callable[[str, int, int], None]


class CannotWrite(Refusal):
    """The home's disk does not take what is written; no load is there in part."""


def readers(home: Home) -> tuple[Reader, ...]:
    """Return the formats that a home reads, in the order in which they are asked for their files.

    The census first: it claims exact file names. Then the mappings' globs; the network's own format goes by
    the names' beginnings. The interchange formats claim no .csv, so where they stand does not matter.

    Raises
    ------
    MappingRefused, KeysRefused
        One of the home's mappings, or of its tables of keys, cannot be used.
    """
    interchange = (ctf.reader(home), wonde.reader(home.mappings), assembly.reader(home.mappings))
    return (school_census.READER, mapped.reader(home), *interchange, areas.reader(home), network_csv.READER)


def ingest(
    home: Home,
    source: Path,
    *,
    clock: Clock,
    save_identities: SaveIdentities | None,
    progress: Progress | None = None,
) -> IngestSummary:
    """Read every export under a folder, or one file, into the home's records; return what happened.

    A load that landed before changes nothing, unless the reason why rows of it were put aside may have
    passed (`records.intake.loads`), or it left out what an agreement covers now. A process killed on the way
    leaves each table's commits whole; running it again lands the rest.

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
    IngestRunning
        Another ingest is writing into the home.
    CannotWrite
        The disk is full, read-only or failing.
    RegisterRefused
        The home has no data-sharing register, or one that cannot be used.
    """
    with only_ingest(home):
        pseudonym.create_pepper(home)
        prover = pseudonym.Prover(pseudonym.read_pepper(home))
        try:
            return _ingest(home, source, prover, clock, save_identities, progress or _silent)
        except (OSError, DeltaError) as error:
            raise CannotWrite(
                f"{home.path} cannot be written ({_words(error)}); nothing of a load is there in part, and what landed "
                "can be read: free space or mend the disk, then run `belong ingest` again"
            ) from error


def _ingest(
    home: Home,
    source: Path,
    prover: pseudonym.Prover,
    clock: Clock,
    save_identities: SaveIdentities | None,
    progress: Progress,
) -> IngestSummary:
    erased = read_erased(home)
    register, uncovered = register_of(home), Uncovered()
    loads, refused, passed = loads_of(home, source, clock)
    intake = Intake(home, prover, erased, clock.today())
    loaded: list[str] = []
    already: list[str] = []
    seen: set[str] = set()
    without: Counter[str] = Counter()
    for number, (reader, load) in enumerate(loads, start=1):
        progress(load.name, number, len(loads))
        try:
            digest = _digest(load)
            before = ledger.find(home, digest)
            left_out = Uncovered() if before is None else before.left_out
            gain = gained(left_out, register.cover(load.source or reader.name, intake.today))
            without.update(gain.columns)
            # The same bytes twice in one folder: the ledger hears of the first only when it has landed.
            if digest in seen or (before is not None and not before.again and not gain.rows):
                already.append(load.name)
                continue
            cover = cover_of(register, reader, load, intake.today)
            content = load.read(load.files)
        except FileRefused as refusal:
            refused.append(refusal)
            continue
        except OSError as error:
            refused.append(_unreadable(load.name, error))
            continue
        passed += content.passed_over
        covered, left_out = only_covered(content.batches, cover)
        seen.add(digest)
        uncovered.add(left_out)
        if before is not None:
            covered = _not_landed(home, covered, gain)
            # Rows that landed without a field have not got it now.
            left_out.add(Uncovered(fields=before.left_out.columns))
        judged = [judge(batch, prover, intake.today, erased) for batch in covered]
        intake.take(Arrived(reader, load, digest, before, left_out), judged)
        loaded.append(load.name)
    intake.finish(save_identities)
    return IngestSummary(
        _in_order(intake.counts),
        tuple(loaded),
        tuple(already),
        tuple(refused),
        tuple(passed),
        tuple(intake.quarantined),
        links=len(intake.links),
        contested=len(intake.links.contested),
        uncovered=uncovered,
        without=without,
    )


def _digest(load: Load) -> str:
    """Return the load's identity; raise FileRefused where a file is too large: it would be read to be refused."""
    for path in load.files:
        refuse_large(path)
    return load.digest()


def cover_of(register: Register, reader: Reader, load: Load, today: date) -> Cover:
    """Return what may be read of a load; raise FileRefused where no agreement that stands is about its source."""
    cover = register.cover(load.source or reader.name, today)
    why = cover.refusal()
    if why:
        raise FileRefused(
            file=load.name,
            place="its source",
            what=why,
            remedy=f"renew it or name the source in {REGISTER_FILE} (`belong agreements`), and ingest again",
        )
    return cover


def _not_landed(home: Home, batches: Sequence[Batch], gain: Gained) -> tuple[Batch, ...]:
    """Return of each batch what an earlier reading of the load quarantined, or left out and may read now."""
    lines = {source: quarantined_lines(home, source) for source in {batch.sheet.source for batch in batches}}
    return tuple(
        batch.only(np.isin(batch.sheet.lines[batch.rows], lines[batch.sheet.source]) | gain.among(batch))
        for batch in batches
    )


def _silent(name: str, number: int, whole: int) -> None:
    """Tell nobody."""


def _words(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__)


def loads_of(
    home: Home, source: Path, clock: Clock
) -> tuple[list[tuple[Reader, Load]], list[FileRefused], list[PassedOver]]:
    """Return the loads under a folder, or of one file, with their readers; names first, and what cannot be one."""
    if not source.exists():
        gone = FileRefused(file=source.name, place="path", what="it does not exist", remedy="name a file or folder")
        return [], [gone], []
    paths = [source] if source.is_file() else [path for path in sorted(source.rglob("*")) if path.is_file()]
    loads: list[tuple[Reader, Load]] = []
    for reader in readers(home):
        found, paths = reader.loads(paths, clock.today())
        loads += [(reader, load) for load in found]
    loads.sort(key=lambda found: not found[1].names)
    return loads, list(_unknown(paths)), list(_other_kinds(paths))


def _other_kinds(paths: Sequence[Path]) -> Iterator[PassedOver]:
    """Name what no reader reads: a file left out in silence looks like one that landed."""
    for path in paths:
        if not packed_csv_files([path]) and not path.name.startswith(".") and path.suffix.lower() != ".json":
            yield PassedOver(file=path.name, why="not an export file of a known format: export it as plain .csv")


def _unknown(paths: Sequence[Path]) -> Iterator[FileRefused]:
    for path in paths:
        if path.suffix.lower() == ".json":
            yield FileRefused(
                file=path.name,
                place="folder",
                what="nothing beside it says which school it is about",
                remedy=f"ingest a school's whole folder, with its {wonde.MARKER} or {assembly.MARKER}",
            )
    for path in packed_csv_files(paths):
        yield FileRefused(
            file=path.name,
            place="name",
            what="no reader knows a file of this name",
            remedy="begin the name with one of "
            f"{', '.join((*network_csv.LAYOUTS, network_csv.WEEKS, *areas.LAYOUTS))}, use a census table's name, or "
            "write a mapping for it (`belong mappings`)",
        )


def _unreadable(name: str, error: OSError) -> FileRefused:
    return FileRefused(
        file=name, place="byte 0", what=f"it cannot be opened ({error.strerror})", remedy="check its permissions"
    )


def _in_order(counts: dict[str, TableCount]) -> dict[str, TableCount]:
    return {name: counts[name] for name in (*TABLES, IDENTITIES.name, *AREA_TABLES) if name in counts}
