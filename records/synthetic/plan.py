"""Which network to simulate: two simulations of one plan write the same bytes."""

from dataclasses import dataclass
from datetime import date

from records.refusal import Refusal


class SimulationRefused(Refusal, ValueError):
    """A network that cannot be simulated, or a folder that cannot take it."""


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """A network to simulate.

    Attributes
    ----------
    pupils
        About how many are on roll at any time; over the years more are seen.
    schools
        At least four: the first four are one of each phase.
    years
        The calendar years in which consecutive academic years start.
    until
        Nothing that happened or was recorded on this day or later is exported, except what lies ahead by
        nature: suspensions decided before it and term dates. None: the end of the last year.
    mess
        How untidy the records are, 0 to 1; see records/synthetic/mess.py.

    Raises
    ------
    SimulationRefused
        Years that do not follow each other, a mess outside 0 to 1, an `until` before any term, fewer than
        four schools, or under 40 pupils a school.
    """

    pupils: int = 12_000
    schools: int = 14
    years: tuple[int, ...] = (2023, 2024, 2025)
    until: date | None = None
    seed: int
    mess: float = 0.3

    def __post_init__(self) -> None:
        if not self.years or list(self.years) != list(range(self.years[0], self.years[0] + len(self.years))):
            raise SimulationRefused(f"years must follow each other, not {', '.join(map(str, self.years)) or 'none'}")
        if self.until is not None and self.until <= date(self.years[0], 9, 15):
            raise SimulationRefused(
                f"until must be later than 15 September {self.years[0]}, not {self.until.isoformat()}"
            )
        if not 0 <= self.mess <= 1:
            raise SimulationRefused(f"mess must be 0 to 1, not {self.mess}")
        if self.schools < 4 or self.pupils < 40 * self.schools:
            raise SimulationRefused(
                f"a network needs 4 schools and 40 pupils for each, not {self.schools} and {self.pupils}"
            )

    @property
    def last(self) -> date:
        """The end of the last academic year."""
        return date(self.years[-1] + 1, 7, 31)

    @property
    def end(self) -> date:
        """The first day of which nothing is exported."""
        return min(self.until or self.last, self.last)
