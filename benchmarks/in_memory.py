"""A simulated network's histories, a few thousand pupils at a time, without a file or a store between.

The rows that schools would send go through the product's own checks, links and joins
(`records.intake.fates`, `records.identity`), exactly as `belong ingest` would take them. Left out are the text of
the files, the store that lies between, and the census, which repeats what schools have said. `same_as_home`
proves on a small network that matrices and outcomes are the same.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.matrix import Matrix, concat
from records import pseudonym
from records.arrow import from_arrow
from records.clock import Clock
from records.history import History, empty_frame
from records.home import create_home
from records.identity.identities import IDENTITIES
from records.identity.joining import joined
from records.identity.links import Links, no_links, resolve
from records.intake.fates import Judged, judge
from records.intake.ingest import ingest
from records.pseudonym import Prover
from records.readers import network_csv
from records.store import Store
from records.synthetic.clusters import Cluster, clusters_of
from records.synthetic.export import Exporter
from records.synthetic.plan import NetworkPlan
from records.synthetic.rows import Rows
from records.synthetic.simulate import lived, simulate
from records.synthetic.truth import WeekTruth
from records.synthetic.world import World
from records.tables import TABLES
from records.text.sheet import Distinct, Sheet, distinct
from training.dataset import from_history
from training.matured import MaturedOutcomes
from training.settings import Settings

PUPILS_AT_ONCE = 6_000
PEPPER = b"a benchmark's pepper, no secret."
Said = Callable[[Rows], pa.Table]


@dataclass
class Kept(Exporter):
    """Keeps what an exporter would write: of each table, rows and how they become text, window by window."""

    kept: dict[str, list[tuple[Rows, Said]]] = field(default_factory=dict)

    def write(self, table: str, rows: Rows, last: date, text: Said) -> None:
        """Keep the rows."""
        if rows and len(rows["school"]):
            self.kept.setdefault(table, []).append((rows, text))


@dataclass(frozen=True)
class Shard:
    """Some pupils of a network: their history, and the truth of each week.

    `pupils` are pseudonyms, ascending; `hazard` has a row for each of them and a column for each of `mondays`.
    """

    history: History
    pupils: npt.NDArray[np.int64]
    hazard: npt.NDArray[np.float32]
    mondays: npt.NDArray[np.datetime64]


def shards(plan: NetworkPlan, pepper: bytes = PEPPER) -> Iterator[Shard]:
    """Yield the network's pupils, `PUPILS_AT_ONCE` at a time, one cluster of schools after another."""
    for cluster in clusters_of(plan):
        with tempfile.TemporaryDirectory(prefix="belong-") as place:
            yield from _of_cluster(plan, cluster, Path(place), pepper)


def _of_cluster(plan: NetworkPlan, cluster: Cluster, place: Path, pepper: bytes) -> Iterator[Shard]:
    truth: list[npt.NDArray[np.float32]] = []

    def seen(week: int, world: World, known: WeekTruth) -> None:
        hazard = np.zeros(len(world.people.upn), np.float32)
        hazard[known.pupils] = known.hazard
        truth.append(hazard)

    world, exporter, _ = lived(plan, place, cluster, seen, Kept)
    today = plan.end + timedelta(days=1)
    hazard, mondays = np.stack(truth, axis=1), np.array([moment.monday for moment in world.moments])
    network = _schools(place, today)
    every = np.arange(len(world.people.upn))
    enrolled = _judged(exporter.kept["enrolments"], every, "enrolments", Prover(pepper), today)
    links = _links(enrolled)
    prover = Prover(pepper).trusting(links.proven())
    for number, block in enumerate(np.array_split(every, max(1, round(len(every) / PUPILS_AT_ONCE)))):
        tables = {name: empty_frame(table) for name, table in TABLES.items() if not table.protected} | network
        for kind, parts in exporter.kept.items():
            judged = _judged(parts, block, kind, prover, today)
            for name in {one.batch.table.name for one in judged} - {IDENTITIES.name}:
                accepted = [one.accepted for one in judged if one.batch.table.name == name]
                rows = from_arrow(pa.concat_tables(accepted).unify_dictionaries(), TABLES[name])
                tables[name] = joined(rows, TABLES[name], links, 0, 1)
        pupils, who = _known_as(world, block, links, prover)
        yield Shard(History(number, tables, {}), pupils, hazard[who], mondays)


def _known_as(
    world: World, block: npt.NDArray[np.int64], links: Links, prover: Prover
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return every pseudonym of a block of pupils, ascending, and whose it is.

    Who left before a school named the new number is known by the former one for good.
    """
    former = block[world.people.former_upn[block] != ""]
    numbers = (*world.people.upn[block].tolist(), *world.people.former_upn[former].tolist())
    pupils, first = np.unique(links.of(prover.prove(numbers)[0]), return_index=True)
    return pupils, np.concatenate([block, former])[first]


def _schools(place: Path, today: date) -> dict[str, pd.DataFrame]:
    found = {}
    for path in sorted(place.glob("*.csv")):
        for batch in network_csv.read([path]).batches:
            rows = judge(batch, Prover(PEPPER), today).accepted
            found[batch.table.name] = from_arrow(rows, batch.table)
    return found


def _links(enrolled: list[Judged]) -> Links:
    said = [one.said for one in enrolled if one.said is not None and len(one.said)]
    if not said:
        return no_links()
    rows = pa.concat_tables(said).to_pandas()
    return resolve(rows.assign(**{name: rows[name].astype("datetime64[s]") for name in ("entry_date", "known_on")}))


def _judged(
    parts: list[tuple[Rows, Said]], block: npt.NDArray[np.int64], kind: str, prover: Prover, today: date
) -> list[Judged]:
    found: list[Judged] = []
    for number, (rows, text) in enumerate(parts):
        mine = (rows["pupil"] >= block[0]) & (rows["pupil"] <= block[-1])
        if mine.any():
            table = text({name: values[mine] for name, values in rows.items()})
            columns = {name: _distinct(table[name]) for name in table.column_names}
            sheet = Sheet(f"{kind} {number}", f"{number:04d}", columns, table.num_rows)
            found += [judge(batch, prover, today) for batch in network_csv.batches_of(sheet, kind)]
    return found


def _distinct(column: pa.ChunkedArray) -> Distinct:
    """Return a column of text by those of its distinct values that stand in it; null is ''."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if not pa.types.is_dictionary(array.type):
        return distinct(array.to_numpy(zero_copy_only=False))
    codes = array.indices.fill_null(len(array.dictionary)).to_numpy(zero_copy_only=False)
    used = np.zeros(len(array.dictionary) + 1, bool)
    used[codes] = True
    values = array.dictionary.take(pa.array(np.flatnonzero(used[:-1]))).to_pylist() + [""] * bool(used[-1])
    return Distinct(tuple(values), (np.cumsum(used) - 1)[codes].astype(np.int32))


def same_as_home(plan: NetworkPlan, as_ofs: Sequence[date], settings: Settings) -> int:
    """Return how many rows are the same through export, ingest and the store; rates and slopes to 1e-9.

    Raises
    ------
    SystemExit
        A row, a value or an outcome differs.
    """
    with tempfile.TemporaryDirectory(prefix="belong-") as place:
        exports, home = Path(place) / "exports", create_home(Path(place) / "home", demo=True, shards=3)
        simulate(plan, exports)
        shutil.rmtree(exports / "census")
        today = plan.end + timedelta(days=1)
        ingest(home, exports, clock=Clock(today), save_identities=None)
        stored = [from_history(Store(home).history(number), as_ofs, settings, today) for number in range(home.shards)]
        pepper = pseudonym.read_pepper(home)
    here = [from_history(shard.history, as_ofs, settings, today) for shard in shards(plan, pepper)]
    ours, theirs = _in_order(here), _in_order(stored)
    apart = [name for name in ("keys", "outcomes") if not ours[name].equals(theirs[name])]
    if apart or not np.allclose(ours["values"], theirs["values"], rtol=0, atol=1e-9, equal_nan=True):
        raise SystemExit(f"{' and '.join(apart) or 'values'} differ between memory and the store")
    return len(ours["keys"])


def _in_order(parts: list[tuple[Matrix, MaturedOutcomes]]) -> dict[str, pd.DataFrame]:
    """Return keys, values and outcomes ordered by pupil and day."""
    matrix, by = concat([matrix for matrix, _ in parts]), ["pupil", "as_of"]
    keys = matrix.keys.sort_values(by)
    return {
        "keys": keys.reset_index(drop=True),
        "values": pd.DataFrame(matrix.values[keys.index.to_numpy()]),
        "outcomes": pd.concat([outcomes.frame for _, outcomes in parts]).sort_values(by, ignore_index=True),
    }
