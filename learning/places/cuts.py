"""The fixed cuts of a release: which place or group each pupil counts in. Nobody can ask for another.

A cut that a reader could choose would be two releases that differ by one filter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from casework.places import ELSEWHERE, LEVELS, MEASURES, SCHOOL
from fairness.policy import Policy
from learning.places.counting import COUNTED
from records.codes import YEAR_GROUP

NOT_KNOWN: Final = "unknown"
# Where fewer pupils than this live, next to nothing of a ward could be shown: such wards are counted together.
FEWEST_IN_WARD: Final = 40
_OF_GROUPS: Final = ("pupils", *COUNTED)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One way in which the network's pupils are divided.

    Attributes
    ----------
    places
        In the order in which they are shown.
    measures
        What is counted by it.
    of_schools
        Anybody knows which of them a school has: its phase, its year groups, whether it is a girls' school.
    of_areas
        Anybody knows which of them a small area has: its ward, its borough, how deprived it is.
    """

    name: str
    places: tuple[str, ...]
    measures: tuple[str, ...] = tuple(MEASURES)
    of_schools: bool = False
    of_areas: bool = False

    def is_public_beside(self, other: "Cut") -> bool:
        """Whether anybody knows which places of the two share no pupil at all."""
        return (self.of_schools and other.of_schools) or (self.of_areas and other.of_areas)


def cuts_of(pupils: pd.DataFrame, policy: Policy) -> tuple[Cut, ...]:
    """Return the cuts, with the places that have a pupil in them.

    Groups by a protected characteristic are of the whole network, and say what schools record and do; whom a model
    finds by group is the audit's to say. A cut of which nothing is known is left out.
    """
    groups = [one for one in policy.attributes if len(one.columns) == 1]
    wanted = [
        Cut(name=SCHOOL, places=_there(pupils[SCHOOL]), of_schools=True),
        Cut(name="phase", places=_there(pupils["phase"]), of_schools=True),
        Cut(name="year_group", places=_there(pupils["year_group"], list(YEAR_GROUP.meanings)), of_schools=True),
        Cut(
            name="deprivation",
            places=_there(pupils["deprivation"], [str(decile) for decile in range(1, 11)]),
            of_areas=True,
        ),
        *(Cut(name=level, places=_there(pupils[level]), of_areas=True) for level in LEVELS if level in pupils),
        *(
            Cut(
                name=one.columns[0],
                places=_there(pupils[one.columns[0]], one.groups),
                measures=_OF_GROUPS,
                of_schools=one.columns[0] == "sex",
            )
            for one in groups
        ),
    ]
    return tuple(cut for cut in wanted if cut.places and cut.places != (NOT_KNOWN,))


def labelled(pupils: pd.DataFrame, phases: Mapping[int, str], deciles: pd.Series, groups: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils with a text column for each cut.

    Parameters
    ----------
    pupils
        As `learning.places.counting.pupil_counts`.
    deciles
        Pupil → decile of deprivation, as far as known.
    groups
        As `fairness.groups.groups`, as far as known.
    """
    found = pupils.assign(
        phase=[phases.get(school, NOT_KNOWN) for school in pupils["school"]],
        deprivation=[NOT_KNOWN if pd.isna(one) else str(int(one)) for one in deciles.reindex(pupils["pupil"])],
        **{
            name: [NOT_KNOWN if pd.isna(group) else str(group) for group in groups[name].reindex(pupils["pupil"])]
            for name in groups.columns
        },
    )
    return found.assign(**{SCHOOL: found["school"].astype("str"), "year_group": found["year_group"].astype("str")})


def with_homes(pupils: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils with a text column for the ward and the borough in which each lives.

    Parameters
    ----------
    homes
        As `learning.places.neighbourhoods.homes`; pupils may be missing.
    """
    found = homes.reindex(pupils["pupil"])
    wards, boroughs = (found[level].fillna(NOT_KNOWN).astype("str").to_numpy() for level in LEVELS)
    there = pd.Series(wards).value_counts()
    few = {ward for ward, count in there.items() if count < FEWEST_IN_WARD and ward != NOT_KNOWN}
    return pupils.assign(ward=[ELSEWHERE if ward in few else ward for ward in wards], borough=boroughs)


def _there(column: pd.Series, order: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the values that occur: in the order given, then the others by name."""
    values = set(column.unique().tolist())
    return (*(one for one in order if one in values), *sorted(values - set(order)))
