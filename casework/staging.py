"""Frames on their way into the database: declared columns, bulk copies into temporary tables."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame's columns with their PostgreSQL types, what makes a row unique, and whether it may be empty."""

    columns: Mapping[str, str]
    key: tuple[str, ...] = ()
    never_empty: bool = False


FRAMES: Final[Mapping[str, Frame]] = MappingProxyType(
    {
        "schools": Frame(
            key=("urn",),
            never_empty=True,
            columns={
                "urn": "integer",
                "name": "text",
                "phase": "text",
                "data_to": "date",
                "up_to_date": "boolean",
                "note": "text",
            },
        ),
        "roll": Frame(
            key=("pupil",), never_empty=True, columns={"pupil": "bigint", "school": "integer", "year_group": "text"}
        ),
        "weekly_facts": Frame(
            key=("pupil", "week_start"),
            never_empty=True,
            columns={
                "pupil": "bigint",
                "week_start": "date",
                "sessions_possible": "smallint",
                "sessions_missed": "smallint",
                "late_marks": "smallint",
                "incidents": "smallint",
                "removals": "smallint",
                "positives": "smallint",
                "suspended": "boolean",
            },
        ),
        "incidents": Frame(
            columns={
                "pupil": "bigint",
                "happened_on": "date",
                "kind": "text",
                "what": "text",
                "place": "text",
                "sessions": "smallint",
            }
        ),
        "scores": Frame(
            key=("pupil",),
            columns={
                "pupil": "bigint",
                "school": "integer",
                "year_group": "text",
                "probability": "double precision",
                "rise": "double precision",
                "rise_margin": "double precision",
                "rank": "integer",
                "cut_off": "double precision",
                "eligible": "boolean",
                "snoozed": "boolean",
                "flagged": "boolean",
                "rising_since": "date",
                "capacity": "integer",
                "abstain": "text",
            },
        ),
        "flags": Frame(
            key=("pupil",),
            columns={
                "pupil": "bigint",
                "rising_since": "date",
                "expires_on": "date",
                "check_sample": "boolean",
                "eased_on": "date",
                "eased": "double precision",
            },
        ),
        "reasons": Frame(
            key=("pupil", "position"),
            columns={
                "pupil": "bigint",
                "position": "smallint",
                "side": "text",
                "group": "text",
                "sentence": "text",
                "share": "text",
                "changeable": "boolean",
            },
        ),
        "changes": Frame(
            key=("pupil", "position"),
            columns={
                "pupil": "bigint",
                "position": "smallint",
                "way": "text",
                "group": "text",
                "sentence": "text",
                "share": "text",
                "changeable": "boolean",
            },
        ),
        "doubts": Frame(
            key=("school", "rule", "since"),
            columns={
                "school": "integer",
                "rule": "text",
                "since": "date",
                "sentence": "text",
                "remedy": "text",
                "holds": "boolean",
            },
        ),
        "levers": Frame(
            key=("pupil", "position"),
            columns={
                "pupil": "bigint",
                "position": "smallint",
                "group": "text",
                "sentence": "text",
                "probability": "double precision",
            },
        ),
    }
)


def no_rows(name: str) -> pd.DataFrame:
    """Return a declared frame without rows."""
    return pd.DataFrame(columns=list(FRAMES[name].columns))


_INTEGERS: Final = frozenset({"smallint", "integer", "bigint"})


def stage(cursor: Cursor, name: str, frame: pd.DataFrame) -> None:
    """Copy a declared frame into the temporary table `new_<name>`, which ends with the transaction."""
    columns = FRAMES[name].columns
    _create(cursor, name, columns)
    table = pa.table({column: _array(frame[column], kind) for column, kind in columns.items()})
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, out, pyarrow.csv.WriteOptions(include_header=False))
    _copy(cursor, name, columns, out.getvalue().to_pybytes())
    if FRAMES[name].key:
        # The real tables may have no statistics yet; with an index here no plan is a bad one (seen: 6 s for 12,000).
        key = sql.SQL(", ").join(map(sql.Identifier, FRAMES[name].key))
        cursor.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(sql.Identifier(f"new_{name}"), key))


def stage_feature_rows(cursor: Cursor, frame: pd.DataFrame) -> None:
    """Copy `pupil` and the features beside it, as one JSON object a row, into `new_feature_rows`."""
    columns = {"pupil": "bigint", "features": "jsonb"}
    _create(cursor, "feature_rows", columns)
    names = [str(column) for column in frame.columns if column != "pupil"]
    values = frame[names].astype(object).to_numpy()
    texts = [
        json.dumps({name: _plain(value) for name, value in zip(names, row, strict=True)}, separators=(",", ":"))
        for row in values
    ]
    table = pa.table({"pupil": _array(frame["pupil"], "bigint"), "features": pa.array(texts, pa.string())})
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, out, pyarrow.csv.WriteOptions(include_header=False))
    _copy(cursor, "feature_rows", columns, out.getvalue().to_pybytes())


def _create(cursor: Cursor, name: str, columns: Mapping[str, str]) -> None:
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
    )
    table = sql.Identifier(f"new_{name}")
    cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(table))
    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(table, typed))


def _copy(cursor: Cursor, name: str, columns: Mapping[str, str], rows: bytes) -> None:
    table = sql.Identifier(f"new_{name}")
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    # Arrow writes missing values bare and every text in quotes, so an empty text is not a missing one.
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL '')").format(table, listed)) as copy:
        copy.write(rows)
    cursor.execute(sql.SQL("ANALYZE {}").format(table))


def _array(values: pd.Series, kind: str) -> pa.Array:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if kind in _INTEGERS:
        return pa.array(values.astype("Int64"), pa.int64(), from_pandas=True)
    if kind == "boolean":
        return pa.array(values.astype("boolean"), pa.bool_(), from_pandas=True)
    if kind == "date":
        return pa.array(pd.to_datetime(values).dt.date, pa.date32(), from_pandas=True)
    if kind == "double precision":
        return pa.array(values.astype("Float64"), pa.float64(), from_pandas=True)
    return pa.array(values.astype(object), pa.string(), from_pandas=True)


def _plain(value: object) -> object:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value
