"""What personal data this floor holds: pseudonyms in the flags that a candidate was audited on."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from records.home import Home
from records.rights.holding import Gone, Holding, Section, Subject

REAUDIT: Final = (
    "candidates {digests} lost rows: audited again, their figures differ a little from those that were signed"
)


def _files(home: Home) -> list[Path]:
    return sorted(home.candidates.rglob("*.parquet"))


def _mine(home: Home, subject: Subject) -> Iterator[tuple[Path, pa.Table, np.ndarray]]:
    for path in _files(home):
        if "pupil" in pa_parquet.read_schema(path).names:
            table = pa_parquet.read_table(path)
            mask = np.isin(table["pupil"].to_numpy(), subject.pseudonyms)
            if mask.any():
                yield path, table, mask


def _find(home: Home, subject: Subject) -> int:
    return sum(int(mask.sum()) for _, _, mask in _mine(home, subject))


def _describe(home: Home, subject: Subject) -> tuple[Section, ...]:
    rows: list[Mapping[str, str]] = []
    for path, table, mask in _mine(home, subject):
        for row in table.filter(pa.array(mask)).to_pylist():
            del row["pupil"]
            said = {name.replace("_", " "): str(value) for name, value in row.items() if value is not None}
            rows.append({"model": path.parent.name[:12], "what": path.stem.replace("_", " "), **said})
    says = "Trying out a model on past weeks: what it would have said, and what came. Nobody saw these as flags."
    return (Section(title="Models that were tried out", says=says, rows=tuple(rows)),) if rows else ()


def _erase(home: Home, subject: Subject) -> Gone:
    gone = 0
    digests = []
    for path, table, mask in _mine(home, subject):
        partial = path.with_suffix(".erasing")
        pa_parquet.write_table(table.filter(pa.array(~mask)), partial)
        os.replace(partial, path)
        gone += int(mask.sum())
        digests.append(path.parent.name[:12])
    left = (REAUDIT.format(digests=", ".join(dict.fromkeys(digests))),) if digests else ()
    return Gone(rows=gone, left=left)


HOLDINGS: Final = (
    Holding[Home](
        name="candidates",
        places=("candidates",),
        about="pupils, by pseudonym",
        purpose="the held-out flags that a model was audited on: who was flagged, by group, and what came",
        kept="as long as the model may be questioned; deleting the candidate's folder ends it",
        find=_find,
        describe=_describe,
        erase=_erase,
    ),
)
