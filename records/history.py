"""History with all its versions, and what was known of it on a day: `known(history, as_of)`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from records.between import rows_between
from records.calendar import Calendar, calendar_from
from records.fresh_starts import counted, starts_known
from records.table import DTYPES, ORIGIN, Table
from records.tables import TABLES


@dataclass(frozen=True)
class History:
    """Every version of every unprotected record of one shard of pupils, and of the network's schools.

    `tables` maps a table's name to a frame with its columns and those of `ORIGIN`; every unprotected
    table is there, empty when nothing landed. `versions` gives the Delta version each was read at.
    `calendar` is what the rows of `calendars` say, where it was worked out before and holds on every day.
    """

    shard: int
    tables: Mapping[str, pd.DataFrame]
    versions: Mapping[str, int]
    calendar: Calendar | None = None


@dataclass(frozen=True)
class Known:
    """What was known at the start of the day `as_of`: rows with happened_on and known_on before it.

    Attributes
    ----------
    as_of
        The day; nothing recorded on it or after it is here.
    tables
        Sharded table → the latest version known then of each row that had happened; none deleted.
        Never a protected table or one of hindsight, nor what a pupil left behind by a fresh start
        (`records.fresh_starts`).
    coming
        Suspensions already recorded whose first day is `as_of` or later: the pupil is not at risk of
        what has been decided. No feature reads it.
    schools, calendar
        The network's schools and their calendars as known then.
    objecting
        Pupils whose objection to being scored stands: see `objecting`.
    """

    as_of: date
    tables: Mapping[str, pd.DataFrame]
    coming: pd.DataFrame
    schools: pd.DataFrame
    calendar: Calendar
    objecting: frozenset[int] = frozenset()

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.tables[table]

    def since(self, table: str, first: date) -> pd.DataFrame:
        """Return the table's rows that happened on `first` or later, reading no earlier ones where that is exact."""
        if isinstance(self.tables, TablesKnown):
            return self.tables.since(table, first)
        rows = self.tables[table]
        return rows[rows[TABLES[table].happened_on] >= pd.Timestamp(first)]


def latest(rows: pd.DataFrame, table: Table, as_of: date) -> pd.DataFrame:
    """Return the newest version of each row among those known before `as_of`; deleted ones are gone.

    The version is chosen before anything is asked of `happened_on`: an event whose date is corrected
    into the future must not leave its old version behind. Two versions of one day are ordered by
    file digest and line, so the order in which files arrive does not matter.
    """
    before = rows[rows["known_on"] < pd.Timestamp(as_of)]
    if before.duplicated(subset=list(table.key)).any():
        before = before.sort_values(["known_on", "source", "row"], kind="stable")
        before = before.drop_duplicates(subset=list(table.key), keep="last")
    return before[~before["deleted"]]


class TablesKnown(Mapping[str, pd.DataFrame]):
    """The sharded tables as known on a day; each is worked out when it is first asked for."""

    def __init__(self, history: History, as_of: date) -> None:
        self._history = history
        self._as_of = as_of
        self._starts = starts_known(history.tables.get("fresh_starts"), as_of)
        self._names = [name for name in history.tables if TABLES[name].sharded and not TABLES[name].hindsight]
        self._made: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = counted(known_table(self._history, name, self._as_of), name, self._starts)
        return self._made[name]

    def since(self, name: str, first: date) -> pd.DataFrame:
        """Return the rows of `Known.since`."""
        table = TABLES[name]
        if name in self._made or table.happened_on not in table.key:
            rows = self[name]
            return rows[rows[table.happened_on] >= pd.Timestamp(first)]
        rows = rows_between(self._history.tables, name, first, self._as_of)
        return counted(latest(rows, table, self._as_of), name, self._starts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def known(history: History, as_of: date) -> Known:
    """Return what was known at the start of the day `as_of`, exactly: see `Known`."""
    suspensions = latest(history.tables["suspensions"], TABLES["suspensions"], as_of)
    calendars = latest(history.tables["calendars"], TABLES["calendars"], as_of)
    return Known(
        as_of=as_of,
        tables=TablesKnown(history, as_of),
        coming=suspensions[suspensions["start_date"] >= pd.Timestamp(as_of)],
        schools=latest(history.tables["schools"], TABLES["schools"], as_of),
        calendar=calendar_from(calendars),
        objecting=objecting(history, as_of),
    )


def known_table(history: History, name: str, as_of: date) -> pd.DataFrame:
    """Return one sharded table as it was known, without reading any other: what a fresh start leaves behind is there.

    For counting what happened in a network; what is known of a pupil is `known`.
    """
    return _happened(latest(history.tables[name], TABLES[name], as_of), TABLES[name], pd.Timestamp(as_of))


def _happened(rows: pd.DataFrame, table: Table, day: pd.Timestamp) -> pd.DataFrame:
    return rows[rows[table.happened_on] < day]


def objecting(history: History, as_of: date) -> frozenset[int]:
    """Return the pupils who are not to be scored on the day, by their own wish or that of someone for them.

    Unlike every record that a feature reads, an objection made on the day itself counts: it predicts
    nothing, and it binds from the next run.
    """
    # Records that the API is posted hold no objections: the caller answers for those.
    rows = history.tables.get("objections")
    if rows is None or rows.empty:
        return frozenset()
    day = pd.Timestamp(as_of)
    said = latest(rows, TABLES["objections"], as_of + timedelta(days=1))
    stands = said["ended_on"].isna() | (said["ended_on"] > day)
    return frozenset(said.loc[(said["made_on"] <= day) & stands, "pupil"].tolist())


def empty_frame(table: Table) -> pd.DataFrame:
    """Return a frame of the table with no rows and the declared types."""
    return typed(pd.DataFrame({column.name: [] for column in (*table.columns, *ORIGIN)}), table)


def typed(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the rows with the table's columns, in order, in the types of `records.table.DTYPES`.

    Raises
    ------
    KeyError
        A declared column is missing.
    """
    columns: dict[str, pd.Series] = {}
    for column in (*table.columns, *ORIGIN):
        values = rows[column.name]
        if column.codes is not None:
            columns[column.name] = values.astype(pd.CategoricalDtype(list(column.codes.codes)))
        else:
            columns[column.name] = values.astype(DTYPES[column.kind])
    return pd.DataFrame(columns)
