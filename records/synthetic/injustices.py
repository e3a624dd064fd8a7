"""Injustices that can be planted in a simulated network, each with a dial; at 0 there is none.

What should move, for whom and which way is said beforehand in docs/governance/injustices.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records import codes
from records.refusal import Refusal
from records.synthetic.people import People

Floats = npt.NDArray[np.float32]
KINDS: Mapping[str, str] = {
    "over_sanctioned": "the group is sanctioned more for the same behaviour: twice as readily at strength 1",
    "miscoded": "the group's authorised absences are written down as unauthorised (O): all of them at strength 1",
    "marked_present": "the group's absences, lateness and days sent home are marked present: all of them at strength 1",
    "under_recorded": "the group's incidents are not written down: none of them are at strength 1",
    "recorded_late": "the group's suspensions are entered twelve weeks after: all of them at strength 1",
    "low_level": "one school suspends for low-level disruption: one such incident in eight at strength 1",
}
TWICE = np.float32(np.log(2.0))
LOW_LEVEL_CHANCE = 0.125
MOST = 2.0
_MAJOR = {"white": "W", "mixed": "M", "asian": "A", "black": "B"}
GROUPS: tuple[str, ...] = (
    "boys", "girls", "fsm", "sen", "K", "E", "eal", *_MAJOR, *codes.ETHNICITY.codes,
)  # fmt: skip


class InjusticeRefused(Refusal, ValueError):
    """An injustice that cannot be planted."""


@dataclass(frozen=True, kw_only=True)
class Injustice:
    """One planted injustice.

    Attributes
    ----------
    kind
        One of KINDS.
    group
        Whom it strikes, one of GROUPS; '' for everyone (the kind `low_level` knows no group).
    strength
        0 is none; 1 is what KINDS says; over-sanctioning goes up to 2 (four times as readily).
    school
        The URN of the only school that does it; None: all. `low_level` needs one.
    """

    kind: str
    group: str = ""
    strength: float
    school: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InjusticeRefused(f"there is no injustice {self.kind!r}; there are {', '.join(KINDS)}")
        if self.group and self.group not in GROUPS:
            raise InjusticeRefused(f"there is no group {self.group!r}; there are {', '.join(GROUPS)}")
        if (self.kind == "low_level") != (not self.group):
            raise InjusticeRefused(f"{self.kind} needs a {'school and no group' if self.group else 'group'}")
        if self.kind == "low_level" and self.school is None:
            raise InjusticeRefused("low_level needs the URN of the school that does it, such as 900001")
        most = MOST if self.kind == "over_sanctioned" else 1.0
        if not 0 <= self.strength <= most:
            raise InjusticeRefused(f"the strength of {self.kind} must be 0 to {most:g}, not {self.strength:g}")


def injustice_of(text: str) -> Injustice:
    """Return the injustice that KIND:GROUP:STRENGTH names, or KIND:URN:STRENGTH for one school alone.

    GROUP@URN plants it for a group in one school.

    Raises
    ------
    InjusticeRefused
        The text has another shape, or names what there is not.
    """
    parts = text.split(":")
    if len(parts) != 3:
        raise InjusticeRefused(f"an injustice is KIND:GROUP:STRENGTH, such as over_sanctioned:BCRB:1, not {text!r}")
    kind, whom, strength = parts
    group, _, school = whom.partition("@")
    if group.isdigit():
        group, school = "", group
    try:
        size, urn = float(strength), int(school) if school else None
    except ValueError as error:
        raise InjusticeRefused(f"in {text!r} the strength is not a number, or the school not a URN") from error
    return Injustice(kind=kind, group=group, strength=size, school=urn)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How just the world is: unequal `practice` towards ethnic groups, and what is planted.

    `practice` and `need` are dials: 1 is what published figures suggest, 0 is no difference between groups.
    """

    practice: float = 1.0
    need: float = 1.0
    injustices: tuple[Injustice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What the injustices do, by (school, pupil): the pupil's entry holds in the schools that do it.

    `over_sanctioned` is a natural logarithm on the hazard, the others are chances; shape (pupils,)
    each, and `where` (kinds of these three, schools + 1) says in which schools, the last for no school.
    `low_level` (schools + 1,) is the chance that a low-level incident becomes a suspension.
    """

    parts: tuple[tuple[str, Floats, npt.NDArray[np.bool_]], ...]
    low_level: Floats

    def sanction(self, school: npt.NDArray[np.integer]) -> Floats:
        """Return each pupil's logarithm on the hazard of a sanction, 0 for most."""
        found = np.zeros(len(school), np.float32)
        for kind, size, where in self.parts:
            if kind == "over_sanctioned":
                found += TWICE * size * where[school]
        return found

    def chance(self, kind: str, school: npt.NDArray[np.integer]) -> Floats | None:
        """Return each pupil's chance of this wrong in what is written down; None where there is no such thing."""
        mine = [size * where[school] for name, size, where in self.parts if name == kind]
        if not mine:
            return None
        kept = np.prod([1 - np.minimum(one, 1) for one in mine], axis=0)
        return np.asarray(1 - kept, np.float32)


def plant(injustices: Sequence[Injustice], people: People, urns: Sequence[int]) -> Planted:
    """Return what these injustices do in schools of these URNs; a school that is not among them does nothing."""
    parts: list[tuple[str, Floats, npt.NDArray[np.bool_]]] = []
    low_level = np.zeros(len(urns) + 1, np.float32)
    numbers = np.array([*urns, 0])
    for injustice in injustices:
        where = numbers == injustice.school if injustice.school is not None else numbers > 0
        if injustice.kind == "low_level":
            low_level[where] += np.float32(LOW_LEVEL_CHANCE * injustice.strength)
        elif injustice.strength:
            mine = members(people, injustice.group)
            parts.append((injustice.kind, np.float32(injustice.strength) * mine.astype(np.float32), where))
    return Planted(parts=tuple(parts), low_level=low_level)


def members(people: People, group: str) -> npt.NDArray[np.bool_]:
    """Return who belongs to a group of GROUPS."""
    provision = people.sen[:, -1]
    if group in _MAJOR:
        return np.char.startswith(people.ethnicity, _MAJOR[group])
    found: Mapping[str, npt.NDArray[np.bool_]] = {
        "boys": people.sex == "M",
        "girls": people.sex == "F",
        "fsm": ~np.isnat(people.fsm_start),
        "sen": provision != "N",
        "K": provision == "K",
        "E": provision == "E",
        "eal": ~np.isin(people.language, ["ENG", "ENB"]),
    }
    return np.asarray(found.get(group, people.ethnicity == group))
