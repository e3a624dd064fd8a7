"""Rows whose pupil is not proven: kept as they came, and landed by themselves once a link proves them.

A held row keeps its file, line and day. Its release is written down whole before anything lands
(`held/releasing/`), so that a process killed at any moment lands it once.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet

from records.home import Home
from records.identity.erased import Erased
from records.identity.identities import IDENTITIES
from records.identity.links import Links
from records.intake.fates import Judged, judge
from records.intake.quarantine import private
from records.pseudonym import TEMPORARY, Prover
from records.rows.batch import Batch, Form
from records.tables import TABLES
from records.text.sheet import Distinct, Integers, Sheet, distinct

_RELEASING = "releasing"
_SAID = "said_"


@dataclass(frozen=True)
class HeldSheet(Sheet):
    """Rows of a file taken out of it: each still knows its line."""

    numbers: Integers

    @cached_property
    def lines(self) -> Integers:
        """The line of each row in the file it came from."""
        return self.numbers


@dataclass(frozen=True)
class Release:
    """Held rows that land now: their table, the file that lists them, and the loads they came in with.

    `rows` lie as in the store. `name` stands for exactly these rows: it lands them once.
    """

    table: str
    name: str
    rows: pa.Table
    path: Path


def hold(home: Home, judged: Sequence[Judged]) -> Path:
    """Keep the held rows of one sheet for one table in `held/<digest>/<table>.parquet`; return the file.

    Columns: `file`, `line`, `why`; `text_<heading>` as the row came; `form`, `upn` and `said_<column>`,
    what a later release is judged by. Strings throughout: a dictionary would hold every value of the file,
    other pupils' numbers among them. Rows that the file holds already stay.
    """
    sheet, table = judged[0].batch.sheet, judged[0].batch.table.name
    parts = [part for one in judged for part in _parts(one)]
    path = private(home.held / sheet.source) / f"{table}.parquet"
    if path.exists():
        parts.append(pa_parquet.read_table(path))
    together = pa.concat_tables(parts, promote_options="default")
    _write(path, together.sort_by([("line", "ascending"), ("why", "ascending")]))
    return path


def forget(home: Home, source: str, table: str) -> None:
    """Let go of the rows of a file for a table: the file is read anew, whole."""
    path = home.held / source / f"{table}.parquet"
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not there, or not empty
        path.parent.rmdir()


def _parts(judged: Judged) -> Iterator[pa.Table]:
    batch = judged.batch
    form = json.dumps(
        {
            "dates": batch.form.dates,
            "whole_numbers": batch.form.whole_numbers,
            "headings": dict(batch.headings),
        },
        sort_keys=True,
    )
    for why, rows in judged.held.items():
        places = batch.rows[rows]
        upn = [""] * len(rows) if batch.upn is None else batch.upn.take(rows).text().tolist()
        columns: dict[str, object] = {
            "file": [batch.sheet.file] * len(rows),
            "line": batch.sheet.lines[places],
            "why": [why] * len(rows),
            "form": [form] * len(rows),
            "upn": pa.array(upn, pa.string()),
        }
        columns |= {f"{_SAID}{name}": _strings(column.take(rows)) for name, column in batch.columns.items()}
        columns |= {f"text_{name}": _strings(column.take(places)) for name, column in batch.sheet.columns.items()}
        yield pa.table(columns)


def release(
    home: Home, prover: Prover, links: Links, today: date, erased: Erased, among: Sequence[Path] | None
) -> None:
    """Write down which held rows a link now proves, and take them out of what is held.

    What is written down lands with `releases` and is done with `finished`: again after a kill.

    Parameters
    ----------
    among
        Held files to look through; None: all of them, because the links changed.
    """
    proven = links.proven()
    paths = sorted(home.held.glob("*/*.parquet")) if among is None else among
    for path in paths:
        if path.parent.name != _RELEASING and proven and path.exists():
            _release(home, path, prover.trusting(proven), proven, today, erased)
    # What was written down and not yet taken out when a process was killed.
    for found in releases(home):
        _take_out(home, found)


def releases(home: Home) -> Iterator[Release]:
    """Yield what has been written down and has not landed yet."""
    for path in sorted((home.held / _RELEASING).glob("*.parquet")):
        table = path.name.split("-", 1)[0]
        yield Release(table, f"released {path.stem}", pa_parquet.read_table(path), path)


def finished(release: Release) -> None:
    """Forget a release that has landed."""
    release.path.unlink(missing_ok=True)


def _release(home: Home, path: Path, prover: Prover, proven: frozenset[int], today: date, erased: Erased) -> None:
    if pa_parquet.read_schema(path).get_field_index("form") < 0:
        return  # held by a version of Belong that could not release
    whys = pa_parquet.read_table(path, columns=["why"])["why"]
    if not pc.any(pc.equal(whys, TEMPORARY)).as_py():
        return
    held = pa_parquet.read_table(path)
    numbers = distinct(held["upn"].to_pylist())
    tokens, _ = prover.prove(numbers.values)
    mine = np.isin(tokens, list(proven))[numbers.codes] & pc.equal(held["why"], TEMPORARY).to_numpy(
        zero_copy_only=False
    )
    if not mine.any():
        return
    rows = held.filter(pa.array(mine))
    if path.stem == IDENTITIES.name:
        # The row that proved the number carries the pupil's names: these older ones are nobody's any more.
        _write_rest(path, held.filter(pa.array(~mine)))
        return
    landing = pa.concat_tables(
        [judge(batch, prover, today, erased).accepted for batch in _batches(rows, path.stem, path.parent.name)]
    ).unify_dictionaries()
    if len(landing):
        name = hashlib.sha256(repr(landing.select(["source", "row"]).to_pydict()).encode()).hexdigest()[:32]
        folder = private(home.held / _RELEASING)
        _write(folder / f"{path.stem}-{path.parent.name}-{name}.parquet", landing)


def _batches(rows: pa.Table, table: str, source: str) -> Iterator[Batch]:
    """Yield the rows as they stood before they were held, a batch for each form they were written in."""
    for form in pc.unique(rows["form"]).to_pylist():
        mine = rows.filter(pc.equal(rows["form"], form))
        told: Mapping[str, object] = json.loads(form)
        headings = told["headings"]
        assert isinstance(headings, dict)
        lines = mine["line"].to_numpy()
        columns = {
            name.removeprefix(_SAID): _column(mine[name]) for name in mine.column_names if name.startswith(_SAID)
        }
        yield Batch(
            table=TABLES[table],
            sheet=HeldSheet(str(mine["file"][0].as_py()), source, {}, len(mine), lines),
            form=Form(dates=str(told["dates"]), whole_numbers=str(told["whole_numbers"])),
            rows=np.arange(len(mine)),
            columns=columns,
            headings=headings,
            upn=_column(mine["upn"]),
        )


def _take_out(home: Home, found: Release) -> None:
    """Take the rows of a release out of the file that holds them, if they are still there."""
    sources = found.rows["source"].cast(pa.string())
    for source in pc.unique(sources).to_pylist():
        path = home.held / source / f"{found.table}.parquet"
        if not path.exists():
            continue
        held = pa_parquet.read_table(path)
        lines = found.rows.filter(pc.equal(sources, source))["row"].cast(pa.int64())
        gone = pc.and_(
            pc.is_in(held["line"].cast(pa.int64()), value_set=pc.unique(lines)), pc.equal(held["why"], TEMPORARY)
        )
        if pc.any(gone).as_py():
            _write_rest(path, held.filter(pc.invert(gone)))


def _write_rest(path: Path, rest: pa.Table) -> None:
    if len(rest):
        _write(path, rest)
        return
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def _column(texts: pa.ChunkedArray) -> Distinct:
    return distinct(texts.to_pylist())


def _strings(column: Distinct) -> pa.Array:
    return column.arrow().cast(pa.string())


def _write(path: Path, table: pa.Table) -> None:
    partial = path.with_suffix(".partial")
    try:
        pa_parquet.write_table(table, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
