"""What an ingest would do with one file, told without landing anything and without a value of anybody's."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from records import pseudonym
from records.agreements import register_of
from records.clock import Clock
from records.home import Home
from records.identity.erased import read_erased
from records.identity.identities import IDENTITIES
from records.intake import loads
from records.intake.coverage import Uncovered, only_covered
from records.intake.fates import Judged, judge
from records.intake.ingest import cover_of, loads_of
from records.intake.landing import count_fates
from records.intake.summary import HELD_REMEDIES, TableCount
from records.rows.batch import Batch
from records.text.sheet import FileRefused

FAULTS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class FaultAt:
    """One fault: where, what kind of value stands there, what it breaks, what to do. Never the value."""

    line: int
    column: str
    kind: str
    rule: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class HeldFor:
    """Rows that would wait, why, and what lets them in."""

    why: str
    rows: int
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The fates of a file's rows.

    Attributes
    ----------
    loaded_on
        The day on which these very bytes were loaded; None: never. Then nothing else is filled in.
    read, accepted, held, quarantined, repeated
        Rows; they add up (an erased pupil's rows are in none).
    held_for
        Why rows would wait.
    broken
        Rule → rows that break it.
    faults
        The first of them.
    left_out
        Fields that no agreement covers, as 'table.column'.
    first, last
        The first and last day that the accepted rows are about.
    """

    loaded_on: date | None = None
    read: int = 0
    accepted: int = 0
    held: int = 0
    quarantined: int = 0
    repeated: int = 0
    held_for: tuple[HeldFor, ...] = ()
    broken: tuple[tuple[str, int], ...] = ()
    faults: tuple[FaultAt, ...] = ()
    left_out: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


def preview(home: Home, path: Path, *, school: int, clock: Clock) -> Preview:
    """Return what an ingest of this one file would do. Nothing is written but, in a new home, its pepper.

    Raises
    ------
    FileRefused
        No reader takes it, it is damaged, no agreement covers its source, or it is about another school.
    """
    pseudonym.create_pepper(home)
    prover = pseudonym.Prover(pseudonym.read_pepper(home))
    found, refused, passed = loads_of(home, path, clock)
    if refused:
        raise refused[0]
    if not found:
        raise FileRefused(
            file=path.name,
            place="name",
            what=passed[0].why if passed else "no reader takes it",
            remedy="export it anew",
        )
    reader, load = found[0]
    before = loads.find(home, load.digest())
    if before is not None and not before.again:
        return Preview(loaded_on=before.day)
    cover = cover_of(register_of(home), reader, load, clock.today())
    content = load.read(load.files)
    for batch in content.batches:
        refuse_other_schools(batch, school)
    covered, left_out = only_covered(content.batches, cover)
    judged = [judge(batch, prover, clock.today(), read_erased(home)) for batch in covered]
    return _told(judged, left_out)


def refuse_other_schools(batch: Batch, school: int) -> None:
    """Raise FileRefused where a row says that it is about another school: its place is that school's own page."""
    column = batch.columns.get("school")
    if column is None or not len(batch):
        return
    others = np.array([*(_is_other(text, school) for text in column.values), False])[column.codes]
    if others.any():
        line = int(batch.sheet.lines[batch.rows[int(others.argmax())]])
        raise FileRefused(
            file=batch.sheet.file,
            place=f"line {line}",
            what=f"{int(others.sum()):,} of {len(batch):,} rows are about another school than {school}",
            remedy="export this school's records alone; another school's are brought by that school",
        )


def _is_other(text: str, school: int) -> bool:
    number = text.strip().removesuffix(".0")
    return number.isdecimal() and int(number) != school


def _told(judged: list[Judged], left_out: Uncovered) -> Preview:
    # Who a pupil is and where they are enrolled come from one row: it is counted once, as its worse fate.
    mine = [one for one in judged if one.batch.table is not IDENTITIES] or judged
    count = TableCount()
    for one in mine:
        count_fates(count, one)
    twins = [one for one in judged if one not in mine]
    rules: Counter[str] = Counter()
    faults: dict[tuple[int, str, str], FaultAt] = {}
    for one in judged:
        for row in one.faults.head(FAULTS_SHOWN).itertuples(index=False):
            at = FaultAt(
                line=int(str(row.line)),
                column=str(row.column),
                kind=str(row.value_class),
                rule=str(row.rule),
                remedy=str(row.remedy),
            )
            faults.setdefault((at.line, at.column, at.rule), at)
        if len(one.faults):
            for rule, rows in one.faults["rule"].value_counts().items():
                rules[str(rule)] = max(rules[str(rule)], int(rows))
    worse = {int(place) for one in twins for place in one.batch.rows[one.quarantined]}
    worse -= {int(place) for one in mine for place in one.batch.rows[one.quarantined]}
    days = [_span(one) for one in mine]
    known = [span for span in days if span is not None]
    return Preview(
        read=count.read,
        accepted=count.accepted - len(worse),
        held=sum(count.held.values()),
        quarantined=count.quarantined + len(worse),
        repeated=count.repeated,
        held_for=tuple(
            HeldFor(why=why, rows=rows, remedy=HELD_REMEDIES.get(why, "")) for why, rows in count.held.most_common()
        ),
        broken=tuple(rules.most_common()),
        faults=tuple(faults[key] for key in sorted(faults))[:FAULTS_SHOWN],
        left_out=tuple(sorted(left_out.fields)),
        first=min((first for first, _ in known), default=None),
        last=max((last for _, last in known), default=None),
    )


def _span(one: Judged) -> tuple[date, date] | None:
    if not len(one.accepted):
        return None
    days: Any = one.accepted[one.batch.table.happened_on].to_numpy()
    real = days[~np.isnat(days)]
    if not len(real):
        return None
    return real.min().astype("datetime64[D]").item(), real.max().astype("datetime64[D]").item()
