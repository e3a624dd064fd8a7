"""What is counted: a table, the codes that count, and what each row adds. Both engines read this and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from records.codes import SUSPENSION_OUTCOMES
from records.tables import TABLES


class Forbidden(ValueError):
    """A declaration asked for a table, column or code that no feature may read."""


_ATTENDANCE = (
    frozenset({"E", "Y5", "R", "T"}),
    (
        "E is the suspension itself, Y5 criminal justice; R and T stand for religion and Traveller families "
        "(docs/decisions.md, 14)"
    ),
)
# (table, column) → codes that no feature may pick out, with the reason that the message gives.
# An empty set forbids the column itself.
FORBIDDEN_CODES: Mapping[tuple[str, str], tuple[frozenset[str], str]] = MappingProxyType(
    {
        ("marks", "code"): _ATTENDANCE,
        ("lesson_marks", "code"): _ATTENDANCE,
        ("behaviour", "outcome"): (SUSPENSION_OUTCOMES, "these outcomes are the suspension itself"),
        **{
            ("suspensions", column): (frozenset(), "reason codes name protected matters and are never an input")
            for column in ("reason1", "reason2", "reason3")
        },
    }
)
# Illness and medical appointments: only a feature that names disability as its risk may pick them out.
HEALTH_CODES = frozenset({"I", "M"})
# Sessions with these codes are left out of both sides of every share: neither missed nor attended. S (study
# leave) is given to a whole year group at once and says nothing of a pupil.
NEUTRAL_CODES = frozenset({"E", "R", "T", "I", "M", "S"})


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing that is counted in the rows of one table.

    Attributes
    ----------
    name, means
        The measure's own name, and in words what one unit of it is.
    table
        A sharded, unprotected record table.
    where
        Column → codes: a row counts only when every named column holds one of its codes.
        An empty value is none of them.
    weight
        A whole-number column to add up instead of counting rows; an empty value adds nothing.
    weekdays
        Days of the week that count, 0 Monday to 6 Sunday; none named: every day.
    """

    name: str
    means: str
    table: str
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    weight: str | None = None
    weekdays: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        table = TABLES.get(self.table)
        if table is None or table.protected or not table.sharded or table.hindsight:
            open_tables = sorted(t.name for t in TABLES.values() if t.sharded and not (t.protected or t.hindsight))
            raise Forbidden(
                f"measure {self.name!r} reads table {self.table!r}; a feature may read {', '.join(open_tables)}: "
                "protected characteristics are for auditing only (docs/decisions.md, 14), and what is known only "
                "because of what came later is for measuring by (105)"
            )
        for column, codes in self.where.items():
            self._check(column, codes)
        if not self.weekdays <= frozenset(range(7)):
            raise Forbidden(
                f"measure {self.name!r}: weekdays are 0 (Monday) to 6 (Sunday), not {sorted(self.weekdays)}"
            )
        if self.table in ("marks", "lesson_marks") and "code" not in self.where:
            raise Forbidden(f"measure {self.name!r} counts marks of every code; name the codes that count")
        if self.weight is not None and table.column(self.weight).kind != "integer":
            raise Forbidden(f"measure {self.name!r} adds up {self.weight!r}, which is not a whole-number column")
        object.__setattr__(self, "where", MappingProxyType(dict(self.where)))

    def __reduce__(self) -> tuple[object, ...]:
        # A mapping proxy cannot be pickled, and histories are worked on in other processes.
        return _measure, (self.name, self.means, self.table, dict(self.where), self.weight, self.weekdays)

    def _check(self, column: str, codes: frozenset[str]) -> None:
        declared = TABLES[self.table].column(column).codes
        unknown = sorted(code for code in codes if declared is None or code not in declared)
        if unknown or not codes:
            raise Forbidden(f"measure {self.name!r}: {column!r} has no codes {unknown}; see records/codes.py")
        forbidden, reason = FORBIDDEN_CODES.get((self.table, column), (None, ""))
        if forbidden is not None and (not forbidden or codes & forbidden):
            raise Forbidden(f"measure {self.name!r} reads {self.table}.{column} {sorted(codes & forbidden)}: {reason}")

    @property
    def health(self) -> bool:
        """Whether it picks out marks for illness or medical appointments."""
        of_marks = self.table in ("marks", "lesson_marks")
        return of_marks and bool(self.where["code"] & HEALTH_CODES)

    def declaration(self) -> dict[str, object]:
        """Return everything that decides the measure's value, as plain values in a fixed order."""
        where = {column: sorted(codes) for column, codes in sorted(self.where.items())}
        return {
            "name": self.name,
            "table": self.table,
            "where": where,
            "weight": self.weight,
            "weekdays": sorted(self.weekdays),
        }


def _measure(
    name: str,
    means: str,
    table: str,
    where: dict[str, frozenset[str]],
    weight: str | None,
    weekdays: frozenset[int],
) -> Measure:
    return Measure(name=name, means=means, table=table, where=where, weight=weight, weekdays=weekdays)
