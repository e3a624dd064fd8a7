"""What a reader makes of a folder, as plain rows: to compare formats, and golden exports with known rows."""

from collections import Counter
from datetime import date
from pathlib import Path

from records.intake.fates import Judged, judge
from records.pseudonym import Prover
from records.readers.reading import PassedOver, Reader
from tests.export_files import TODAY

PROVER = Prover(b"a pepper for tests, of 32 bytes.")
ORIGIN = ("source", "row")


def judged(reader: Reader, folder: Path, today: date = TODAY) -> tuple[list[Judged], list[PassedOver]]:
    """Return every batch of the folder after its rows met their fates, and what was passed over."""
    loads, _ = reader.loads(sorted(path for path in folder.rglob("*") if path.is_file()), today)
    contents = [load.read(load.files) for load in loads]
    met = [judge(batch, PROVER, today) for content in contents for batch in content.batches]
    return met, [passed for content in contents for passed in content.passed_over]


def rows(met: list[Judged], table: str, *, without: tuple[str, ...] = ORIGIN) -> list[tuple[object, ...]]:
    """Return the accepted rows of a table, sorted, without some columns and without repetitions."""
    found = set()
    for one in met:
        if one.batch.table.name == table:
            kept = [name for name in one.accepted.column_names if name not in without]
            found |= set(zip(*(one.accepted[name].to_pylist() for name in kept), strict=True))
    return sorted(found, key=repr)


def faults(met: list[Judged]) -> list[tuple[object, ...]]:
    """Return file, line, column and kind of value of every fault."""
    told = [one.faults[["file", "line", "column", "value_class"]] for one in met]
    return sorted({tuple(row) for frame in told for row in frame.itertuples(index=False)}, key=repr)


def held(met: list[Judged]) -> Counter[tuple[str, str]]:
    """Return how many rows of each table are held, by why."""
    found: Counter[tuple[str, str]] = Counter()
    for one in met:
        found.update({(one.batch.table.name, why): len(where) for why, where in one.held.items()})
    return found
