"""The log of links: what schools said of former numbers, as keyed pseudonyms, and what follows from it.

`links/links` is a Delta table that only grows: a row for each new word, with file, line and day. Beside
it lies `links/settled.parquet`: the links that the store's rows are laid out for, put in place whole
(`records.identity.rehoming`). Ingest and the rights of a pupil read the log; the stores read what is settled.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet

from records import delta
from records.arrow import schema_of
from records.home import Home
from records.identity.links import Links, no_links, resolve
from records.pseudonym import PROVEN, TEMPORARY, Prover, canonical
from records.rows.batch import Batch
from records.table import SCHOOL, Column, Table

# Like the identities no record table: it is not in TABLES, and no feature, page or export can ask for it.
LINKS = Table(
    name="links",
    means="a school's word that a pupil's number was another one before",
    root="protected",
    key=("number", "former", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    sharded=False,
    columns=(
        Column(name="number", kind="pupil", means="keyed pseudonym of the number"),
        Column(name="former", kind="pupil", means="keyed pseudonym of the number before it"),
        Column(name="number_temporary", kind="flag", means="whether the number is a temporary one"),
        Column(name="former_temporary", kind="flag", means="whether the former number is a temporary one"),
        SCHOOL,
        Column(name="entry_date", kind="date", means="first day of the enrolment whose row says so"),
    ),
)
_SETTLED = "settled.parquet"


def links_folder(home: Home) -> Path:
    """Return where the log and the settled links lie."""
    return home.path / "links"


def said_in(
    batch: Batch, rows: pa.Table, among: np.ndarray[tuple[int], np.dtype[np.bool_]], prover: Prover
) -> pa.Table:
    """Return what the rows of a batch of identities say of former numbers, as rows of `LINKS`.

    Both numbers must be right by their check letters; a number that is no UPN links nobody.

    Parameters
    ----------
    rows
        The batch's rows as they lie in a store.
    among
        Which of them break no rule.
    """
    formers = batch.columns["former_upn"]
    if batch.upn is None or not any(formers.values):
        return schema_of(LINKS).empty_table()
    of_number = _judged(batch.upn.values, prover)
    of_former = _judged(formers.values, prover)
    frame = of_number.iloc[batch.upn.codes].reset_index(drop=True)
    former = of_former.iloc[formers.codes].reset_index(drop=True)
    speaks = among & frame["sound"].to_numpy() & former["sound"].to_numpy()
    speaks &= frame["token"].to_numpy() != former["token"].to_numpy()
    kept = rows.filter(pa.array(speaks))
    given = {
        "number": frame["token"],
        "number_temporary": frame["temporary"],
        "former": former["token"],
        "former_temporary": former["temporary"],
    }
    columns = {name: pa.array(values.to_numpy()[speaks]) for name, values in given.items()}
    columns |= {name: kept[name] for name in ("school", "entry_date", "known_on", "row")}
    columns["source"] = kept["source"].cast(pa.string())
    columns["deleted"] = pa.repeat(pa.scalar(False), len(kept))  # Arrow's scalar has no keyword
    return pa.table([columns[name] for name in schema_of(LINKS).names], schema=schema_of(LINKS))


def enter(home: Home, load: str, said: pa.Table) -> int:
    """Write what is new of it into the log, once for a load; return how many rows.

    A word said before counts from the first day it was said, so only an earlier day is news.
    """
    rows = said.to_pandas().sort_values("known_on", kind="stable").drop_duplicates(list(LINKS.key))
    before = read_log(home)[[*LINKS.key, "known_on"]].rename(columns={"known_on": "said_on"})
    before = before.sort_values("said_on", kind="stable").drop_duplicates(list(LINKS.key))
    rows["entry_date"] = rows["entry_date"].astype("datetime64[s]")
    together = rows[list(LINKS.key)].merge(before, on=list(LINKS.key), how="left")
    known_on = rows["known_on"].astype("datetime64[s]").reset_index(drop=True)
    news = rows.index.to_numpy()[~(together["said_on"] <= known_on).to_numpy()]
    if not len(news):
        return 0
    _folder(home)
    return delta.append(links_folder(home), LINKS, [delta.Landing(load, said.take(pa.array(np.sort(news))))], 1)


def withdraw(home: Home, number: int, former: int, day: pd.Timestamp) -> int:
    """Take a link back, for good: it tied two pupils. Return how many words of schools it overrules.

    A person decides this (a wrong number in a school's system); the next ingest parts the records.
    """
    log = read_log(home)
    mine = log[(log["number"] == number) & (log["former"] == former) & ~log["deleted"]]
    if mine.empty:
        return 0
    taken = mine.assign(deleted=True, known_on=max(day, mine["known_on"].max()), source="withdrawn", row=0)
    columns = [pa.array(taken[field.name], field.type) for field in schema_of(LINKS)]
    # The table's log keeps this name for good: it must not say whose numbers they are.
    name = hashlib.sha256(f"{number} {former} {day.date()}".encode()).hexdigest()
    landing = delta.Landing(f"withdrawn {name}", pa.table(columns, schema=schema_of(LINKS)))
    return delta.append(links_folder(home), LINKS, [landing], 1)


def read_log(home: Home) -> pd.DataFrame:
    """Return every word of every school."""
    return delta.read(links_folder(home), LINKS, None)[0]


def from_log(home: Home) -> Links:
    """Return the links that follow from the log as it stands, settled or not."""
    return resolve(read_log(home))


def settled(home: Home) -> Links:
    """Return the links that the store is laid out for: none, while no school named a former number."""
    try:
        rows = pa_parquet.read_table(links_folder(home) / _SETTLED)
    except FileNotFoundError:
        return no_links()
    kinds = rows["kind"].to_numpy(zero_copy_only=False)
    alias = rows.filter(pc.equal(rows["kind"], "alias"))
    numbers = rows["number"].to_numpy()
    return Links(
        alias=alias["number"].to_numpy(),
        pupil=alias["pupil"].to_numpy(),
        proven_on=alias["proven_on"].to_numpy().astype("datetime64[s]"),
        unproven=numbers[kinds == "unproven"],
        contested=numbers[kinds == "contested"],
    )


def settle(home: Home, links: Links) -> None:
    """Put the links in force for every reader, whole or not at all."""
    parts = {"alias": links.alias, "unproven": links.unproven, "contested": links.contested}
    number = np.concatenate(list(parts.values()))
    rest = len(number) - len(links)
    table = pa.table(
        {
            "kind": np.repeat(list(parts), [len(found) for found in parts.values()]),
            "number": number,
            "pupil": np.concatenate([links.pupil, number[len(links) :]]),
            "proven_on": pa.array(np.concatenate([links.proven_on, np.full(rest, "NaT", "datetime64[s]")])),
        }
    )
    path = _folder(home) / _SETTLED
    partial = path.with_suffix(".partial")
    try:
        pa_parquet.write_table(table, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _judged(numbers: tuple[str, ...], prover: Prover) -> pd.DataFrame:
    """Return token, temporary and sound for each distinct number, and for the empty one at the end."""
    tokens, doubts = prover.prove(numbers)
    why = [doubts.get(position, PROVEN) for position in range(len(numbers))]
    return pd.DataFrame(
        {
            "token": tokens,
            "temporary": [reason == TEMPORARY for reason in why],
            "sound": [
                reason in (PROVEN, TEMPORARY) and bool(canonical(n)) for reason, n in zip(why, numbers, strict=True)
            ],
        }
    )


def _folder(home: Home) -> Path:
    folder = links_folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    return folder
