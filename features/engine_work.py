"""What the fast engine's forms are worked from: one shard's ledgers and, a block of pupils at a time, their totals."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from features.asked import Asked, edges_of, named
from features.books import Book, Plan
from features.feature import Feature
from features.grid import Edge, Grid
from features.ledger import Ledger, lined_up
from features.loops import Small
from features.machine import Machine
from features.measure import Measure
from records.history import History

Values = npt.NDArray[np.float64]


class Work:
    """One shard's tables, each lined up once, and what is asked of them."""

    def __init__(self, history: History, rows: Grid, asked: Asked, machine: Machine) -> None:
        self.rows = rows
        self.asked = asked
        self.machine = machine
        self.lined = {
            name: lined_up(history, name, table.columns, rows.pupils, machine, table.told)
            for name, table in asked.tables.items()
        }

    def blocks(self, rows_at_once: int) -> Iterator["Block"]:
        """Return the pupils in order, so many rows at a time: what is worked from them then stays in the cache."""
        start = self.rows.by_pupil[1]
        pupil = 0
        while pupil < len(self.rows.pupils):
            end = int(np.searchsorted(start, start[pupil] + rows_at_once, side="right")) - 1
            end = max(end, pupil + 1)
            yield Block(self, pupil, end)
            pupil = end


class Block:
    """Some pupils' rows, pupil by pupil, and what their measures add up to in every window.

    Attributes
    ----------
    totals
        Each measure added up from each edge to as_of (`Asked.at`), shape (needs + 1, rows); the last is nothing.
    held
        How many school weeks before its as_of each row's calendar holds.
    """

    def __init__(self, work: Work, first: int, end: int) -> None:
        self.work = work
        self.pupils = (0, end - first)
        self._range = (first, end)
        order, start = work.rows.by_pupil
        self.row = order[start[first] : start[end]]
        self.row_start = start[first : end + 1] - start[first]
        self.group = work.rows.group[self.row]
        self.as_of = self._day_of(0)
        self.held = work.rows.groups.weeks_known[self.group]
        self._days: dict[Edge, Small] = {}
        self._books: dict[Plan, Book] = {}
        self._ledgers: dict[str, Ledger] = {}
        self.totals = self._totals()

    def __len__(self) -> int:
        return len(self.row)

    def window(self, feature: Feature) -> tuple[Small, Small]:
        """Return the first day of the feature's window, and the day after its last, for each row."""
        since, until = edges_of(feature)
        return self._edge(since), self._edge(until)

    def added(self, measure: str, since: Edge) -> Small:
        """Return the measure added up from an edge to as_of, for each row."""
        found: Small = self.totals[self.work.asked.at(measure, since)]
        return found

    def plan(self, measure: Measure | None) -> Plan:
        """Return the plan to which the measure belongs."""
        return self.work.asked.plan[named(measure).name]

    def book(self, plan: Plan) -> Book:
        """Return these pupils' versions of a plan's table, lined up and counted once."""
        if plan not in self._books:
            if plan.table not in self._ledgers:
                self._ledgers[plan.table] = self.work.lined[plan.table].ledger(*self._range)
            self._books[plan] = plan.book(self._ledgers[plan.table], self.work.machine)
        return self._books[plan]

    def _edge(self, edge: Edge) -> Small:
        if edge not in self._days:
            self._days[edge] = self._day_of(edge)
        return self._days[edge]

    def _day_of(self, edge: Edge) -> Small:
        return self.work.rows.edge(edge)[self.group].astype(np.int32)

    def _totals(self) -> Small:
        asked, groups = self.work.asked, self.work.rows.groups
        found = np.zeros((asked.needs + 1, len(self)), dtype=np.int32)
        for plan in asked.plans:
            book = self.book(plan)
            self.work.machine.totals(
                found[plan.places],
                self.pupils,
                book.versions,
                plan.counting,
                (plan.weighing, book.weights),
                (self.row_start, self.as_of, self.group),
                plan.windows(groups),
            )
        return found


def divide(above: Values, below: Values) -> Values:
    """Return above / below, NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        divided: Values = above / below
    divided[below <= 0] = np.nan
    return divided
