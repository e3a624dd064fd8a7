"""What an ingest did, table by table, in figures that add up, and what to do about the rest."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from records.intake.coverage import Uncovered
from records.pseudonym import EMPTY, NOT_A_UPN, TEMPORARY, WRONG_LETTER
from records.readers.reading import PassedOver
from records.rows.batch import NO_SCHOOL, UNKNOWN_SCHOOL, UNLINKED
from records.text.sheet import FileRefused

DONE = 0
REFUSED = 2
# How many names stand for a list of files, and how many quarantined files are named by their folder.
NAMED = 3
FOLDERS_NAMED = 5

HELD_REMEDIES: Mapping[str, str] = {
    EMPTY: "fill in the UPN where the record is kept",
    NOT_A_UPN: "export the UPN as it stands in the register, not a number that replaces it",
    WRONG_LETTER: "correct the UPN where the record is kept",
    TEMPORARY: "replace it by the pupil's permanent UPN when the school has it",
    UNLINKED: "export the pupils' tables of the same census beside this one",
    NO_SCHOOL: "export schoolcensus.csv of the same census beside this table",
    UNKNOWN_SCHOOL: "list the school in schools.csv; a school outside the network needs nothing done",
}


@dataclass
class TableCount:
    """The fates of one table's rows: read = accepted + repeated + held + quarantined + erased.

    `held` and `rules` count by reason; a row that breaks two rules is quarantined once and counted
    under both. `remedies` says what to do about each rule. `landed` is below `accepted` when an
    interrupted ingest had already landed some. `released` rows were held, by this ingest or before it, until
    a link proved them.
    """

    read: int = 0
    accepted: int = 0
    repeated: int = 0
    quarantined: int = 0
    landed: int = 0
    erased: int = 0
    released: int = 0
    held: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    remedies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """Rows of one file that broke a rule: how many, and the folder with `rows.csv` and `faults.csv`."""

    file: str
    rows: int
    folder: Path


@dataclass(frozen=True)
class IngestSummary:
    """What landed, what did not and why.

    Attributes
    ----------
    tables
        Table → its counts; 'identities' are names handed to the operational database.
    loaded, already
        Loads that landed now, and those that had landed before and changed nothing.
    refused
        Files that could not be read as what they claim to be.
    passed_over
        Files that Belong recognises and does not keep.
    quarantined
        Files with rows that broke a rule.
    links, contested
        Numbers joined to another pupil's, and former numbers that two pupils claim, over all ingests.
    uncovered
        What no agreement of the data-sharing register covers, and was therefore not read.
    without
        'table.column' that is covered now → loads whose rows landed before it was, without it.
    """

    tables: Mapping[str, TableCount]
    loaded: tuple[str, ...]
    already: tuple[str, ...]
    refused: tuple[FileRefused, ...]
    passed_over: tuple[PassedOver, ...]
    quarantined: tuple[Quarantined, ...] = ()
    links: int = 0
    contested: int = 0
    uncovered: Uncovered = field(default_factory=Uncovered)
    without: Mapping[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0, or 2 when a file was refused or there was nothing to read."""
        return REFUSED if self.refused or not (self.loaded or self.already) else DONE

    def as_text(self) -> str:
        """Return the summary as lines for a terminal; no pupil data in it."""
        return "\n".join([*self._figures(), *self._not_agreed(), *self._put_aside(), *self._files()])

    def _not_agreed(self) -> Iterator[str]:
        if self.uncovered.fields or self.uncovered.rows:
            yield "\nNot read, because no agreement covers it (`belong agreements`):"
        if self.uncovered.fields:
            yield f"  fields: {', '.join(sorted(self.uncovered.fields))}"
        for table, rows in sorted(self.uncovered.rows.items()):
            yield f"  {rows:>12,} rows of {table} from schools that are in no agreement"
        if self.without:
            yield "\nCovered now, but empty in rows that landed before: a row gets it with its next correction."
        for name, loads in sorted(self.without.items()):
            yield f"  {loads:>12,} exports read without {name}"

    def _figures(self) -> Iterator[str]:
        if self.tables:
            yield f"{'table':<16}{'read':>12}{'accepted':>12}{'repeated':>10}{'held':>12}{'quarantined':>13}"
        for name, count in self.tables.items():
            figures = f"{count.read:>12,}{count.accepted:>12,}{count.repeated:>10,}"
            yield f"{name:<16}{figures}{count.held.total():>12,}{count.quarantined:>13,}"
        barren = [name for name, count in self.tables.items() if count.read and not count.accepted + count.repeated]
        if barren:
            yield f"NO ROW ACCEPTED of {', '.join(barren)}: the reasons below apply to the whole table."

    def _put_aside(self) -> Iterator[str]:
        erased = sum(count.erased for count in self.tables.values())
        if erased:
            yield f"\nDropped: {erased:,} rows about pupils who were erased. Ask the school to export them no more."
        released = sum(count.released for count in self.tables.values())
        if released:
            yield f"\nReleased: {released:,} held rows landed: a school has said whose temporary number they bear."
        if self.links:
            yield f"\nLinked: {self.links:,} former or temporary numbers are joined to their pupil's."
        if self.contested:
            yield (
                f"\nDOUBT: {self.contested:,} former numbers are claimed by two pupils, and joined to neither. "
                "Ask the schools which pupil had the number, and correct the other's record."
            )
        if any(count.held for count in self.tables.values()):
            yield "\nHeld: who the pupil or the school is cannot be proven. Kept apart, never scored:"
            yield from _reasons(self.tables, lambda count: count.held, lambda _, why: HELD_REMEDIES.get(why, ""))
        if any(count.rules for count in self.tables.values()):
            yield "\nQuarantined: a value breaks a rule. Correct it where the record is kept, and export again:"
            yield from _reasons(self.tables, lambda count: count.rules, lambda count, rule: count.remedies[rule])
        if self.quarantined:
            yield "  Line by line, in faults.csv, with the rows in rows.csv:"
        worst = sorted(self.quarantined, key=lambda item: (-item.rows, item.file))
        for item in worst[:FOLDERS_NAMED]:
            yield f"  {item.rows:>12,}  {item.file}: {item.folder}"
        if len(worst) > FOLDERS_NAMED:
            rest = sum(item.rows for item in worst[FOLDERS_NAMED:])
            yield f"  {rest:>12,}  {len(worst) - FOLDERS_NAMED:,} more files: {worst[0].folder.parent}"

    def _files(self) -> Iterator[str]:
        by_why: dict[str, list[str]] = {}
        for passed in self.passed_over:
            by_why.setdefault(passed.why, []).append(passed.file)
        if by_why or self.already or self.refused:
            yield ""
        for why, names in by_why.items():
            yield f"passed over, {_listed(names, 'file')}: {why}"
        if self.already:
            yield f"already loaded, nothing changed: {_listed(self.already, 'export')}"
        yield from (f"REFUSED {refusal}" for refusal in self.refused)
        if not (self.loaded or self.already or self.refused):
            yield "nothing to read: no export file of a known format is there"


def _reasons(
    tables: Mapping[str, TableCount],
    numbers: Callable[[TableCount], Counter[str]],
    remedy: Callable[[TableCount, str], str],
) -> Iterator[str]:
    """Yield a line for each reason, the commonest first, with the tables it was met in."""
    met: dict[tuple[str, str], dict[str, int]] = {}
    for name, count in tables.items():
        for why, number in numbers(count).items():
            met.setdefault((why, remedy(count, why)), {})[name] = number
    for (why, what), found in sorted(met.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        where = ", ".join(f"{name} {number:,}" for name, number in found.items())
        told = where if len(found) > 1 else next(iter(found))
        yield f"  {sum(found.values()):>12,}  {why} ({told}); {what}".rstrip("; ")


def _listed(names: Sequence[str], kind: str) -> str:
    """Return how many there are, and the first names: the same few file names recur in every census."""
    distinct = list(dict.fromkeys(names))
    named = ", ".join(distinct[:NAMED]) + (", ..." if len(distinct) > NAMED else "")
    return f"{len(names):,} {kind}{'s' * (len(names) > 1)} ({named})"
