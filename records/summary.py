"""What an ingest did, table by table, in figures that add up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from records.readers.reading import PassedOver
from records.sheet import FileRefused

DONE = 0
REFUSED = 2
NAMED = 10


@dataclass
class TableCount:
    """The fates of one table's rows: read = accepted + repeated + held + quarantined.

    `held` and `rules` count by reason; a row that breaks two rules is quarantined once and counted
    under both. `landed` is below `accepted` when an interrupted ingest had already landed some.
    """

    read: int = 0
    accepted: int = 0
    repeated: int = 0
    quarantined: int = 0
    landed: int = 0
    held: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)


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
    """

    tables: Mapping[str, TableCount]
    loaded: tuple[str, ...]
    already: tuple[str, ...]
    refused: tuple[FileRefused, ...]
    passed_over: tuple[PassedOver, ...]

    @property
    def exit_code(self) -> int:
        """0, or 2 when a file was refused or there was nothing to read."""
        return REFUSED if self.refused or not (self.loaded or self.already) else DONE

    def as_text(self) -> str:
        """Return the summary as lines for a terminal; no pupil data in it."""
        lines = [f"{'table':<16}{'read':>12}{'accepted':>12}{'repeated':>10}{'held':>12}{'quarantined':>13}"]
        for name, count in self.tables.items():
            figures = f"{count.read:>12,}{count.accepted:>12,}{count.repeated:>10,}"
            lines.append(f"{name:<16}{figures}{count.held.total():>12,}{count.quarantined:>13,}")
        lines += _reasons("held", {name: count.held for name, count in self.tables.items()})
        lines += _reasons("quarantined", {name: count.rules for name, count in self.tables.items()})
        for item, times in Counter(self.passed_over).items():
            lines.append(f"passed over: {item.file}: {item.why}" + f" ({times} files)" * (times > 1))
        lines += [f"already loaded, nothing changed: {name}" for name in self.already[:NAMED]]
        if len(self.already) > NAMED:
            lines.append(f"already loaded, nothing changed: {len(self.already) - NAMED:,} more")
        lines += [f"refused: {refusal}" for refusal in self.refused]
        if not (self.loaded or self.already or self.refused):
            lines.append("nothing to read: no export file of a known format is there")
        return "\n".join(lines)


def _reasons(fate: str, counts: Mapping[str, Counter[str]]) -> Sequence[str]:
    return [
        f"{fate}: {name}: {why}: {number:,}"
        for name, reasons in counts.items()
        for why, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    ]
