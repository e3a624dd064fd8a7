"""Which network to simulate: two simulations of one plan write the same bytes."""

from dataclasses import dataclass
from datetime import date

from records.codes import PHASE
from records.refusal import Refusal
from records.synthetic.injustices import Injustice, Ways

# The mean of the phases that records/synthetic/network.py mixes; a year group of an all-through school needs a pupil.
PUPILS_A_SCHOOL, FEWEST, MOST = 860, 12, 4_000
MOST_PUPILS, MOST_SCHOOLS = 3_000_000, 10_000
WORLDS = ("published", "need", "fair", "unfair")
# What the unfair world does to an otherwise fair one, chosen beforehand: docs/governance/injustices.md.
UNFAIR = (
    Injustice(kind="under_recorded", group="black", strength=1.0),
    Injustice(kind="marked_present", group="black", strength=1.0),
    Injustice(kind="recorded_late", group="black", strength=1.0),
)


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
        How many; None: as many as such a number of pupils has in London.
    phase
        Every school is of this phase (codes.PHASE); None: a mix, in which the first four are one of each.
    years
        The calendar years in which consecutive academic years start.
    until
        Nothing that happened or was recorded on this day or later is exported, except what lies ahead by
        nature: suspensions decided before it and term dates. None: the end of the last year.
    weekly_from
        From the week of this day on each week is exported by itself; None: in the last half-term only. Before,
        a file holds a half-term.
    mess
        How untidy the records are, 0 to 1; see records/synthetic/mess.py.
    world
        'published': sanctions differ between ethnic groups by need and by practice, as published figures suggest.
        'need': by need alone; equal behaviour means an equal hazard (records/synthetic/state.py, NEED_SHARE).
        'fair': no group differs, by ethnicity, sex, SEN or free meals, in need or practice: what an audit must pass.
        'unfair': the fair world, in which one group is passed over (`UNFAIR`): an audit must find whom.
    injustices
        Injustices planted on top; see records/synthetic/injustices.py.
    compact
        Write a pupil's week of marks as one row, all files packed (records/synthetic/compact.py).

    Raises
    ------
    SimulationRefused
        Years that do not follow each other, a mess outside 0 to 1, an `until` before any term, a phase that
        there is not, more than three million pupils or ten thousand schools, or fewer than 12 or more than
        4,000 pupils a school.
    """

    pupils: int = 12_000
    schools: int | None = None
    phase: str | None = None
    years: tuple[int, ...] = (2023, 2024, 2025)
    until: date | None = None
    weekly_from: date | None = None
    seed: int
    mess: float = 0.3
    world: str = "published"
    injustices: tuple[Injustice, ...] = ()
    compact: bool = False

    def __post_init__(self) -> None:
        if not self.years or list(self.years) != list(range(self.years[0], self.years[0] + len(self.years))):
            raise SimulationRefused(f"years must follow each other, not {', '.join(map(str, self.years)) or 'none'}")
        if self.until is not None and self.until <= date(self.years[0], 9, 15):
            raise SimulationRefused(
                f"until must be later than 15 September {self.years[0]}, not {self.until.isoformat()}"
            )
        if not 0 <= self.mess <= 1:
            raise SimulationRefused(f"mess must be 0 to 1, not {self.mess}")
        if self.world not in WORLDS:
            raise SimulationRefused(f"world must be one of {', '.join(WORLDS)}, not {self.world}")
        if self.phase is not None and self.phase not in PHASE:
            raise SimulationRefused(f"phase must be one of {', '.join(PHASE.codes)}, not {self.phase}")
        if self.pupils > MOST_PUPILS or self.number_of_schools > MOST_SCHOOLS:
            raise SimulationRefused(
                f"a network has at most {MOST_PUPILS:,} pupils and {MOST_SCHOOLS:,} schools, not {self.pupils:,} and "
                f"{self.number_of_schools:,}"
            )
        if not FEWEST * self.number_of_schools <= self.pupils <= MOST * self.number_of_schools:
            raise SimulationRefused(
                f"a school needs {FEWEST} to {MOST:,} pupils, so {self.number_of_schools:,} of them cannot have "
                f"{self.pupils:,}; give other --pupils or --schools"
            )

    @property
    def number_of_schools(self) -> int:
        """How many schools, said or following from the pupils."""
        return max(1, round(self.pupils / PUPILS_A_SCHOOL)) if self.schools is None else self.schools

    @property
    def ways(self) -> Ways:
        """How just the world is, with what is planted in it."""
        planted = (*UNFAIR, *self.injustices) if self.world == "unfair" else self.injustices
        practice, need = {"published": (1.0, 1.0), "need": (0.0, 1.0)}.get(self.world, (0.0, 0.0))
        return Ways(practice=practice, need=need, injustices=planted)

    @property
    def last(self) -> date:
        """The end of the last academic year."""
        return date(self.years[-1] + 1, 7, 31)

    @property
    def end(self) -> date:
        """The first day of which nothing is exported."""
        return min(self.until or self.last, self.last)
