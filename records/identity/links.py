"""Which numbers are one pupil: worked out from what schools said, the same whatever order they said it in.

A school says 'this pupil's number was that one before'. Numbers so tied are one pupil, whose rows stay
under their own numbers in the store and are joined when they are read (`records.identity.joining`): a link that
proves wrong can be taken back, and no row has to be guessed apart again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True, kw_only=True)
class Links:
    """Pseudonyms that are another pupil's: which, and from when a temporary one is proven.

    Attributes
    ----------
    alias, pupil
        Pseudonym of a number → that of the pupil: the oldest permanent number, so that a new number
        moves nobody. Shape ``(n,)``, ordered by alias.
    proven_on
        The day a school first said so of a temporary number: its rows were nobody's before. NaT for a
        permanent number, which is proven by itself.
    unproven
        Temporary numbers that nothing proves, or nothing proves any more.
    contested
        Former numbers that two pupils claim. Neither is believed.
    """

    alias: Integers
    pupil: Integers
    proven_on: Days
    unproven: Integers
    contested: Integers

    def __len__(self) -> int:
        return len(self.alias)

    @cached_property
    def index(self) -> "pd.Index[int]":
        """The aliases, to look rows up in."""
        return pd.Index(self.alias)

    @cached_property
    def digest(self) -> str:
        """What is the same for equal links only (SHA-256, hexadecimal)."""
        parts = (self.alias, self.pupil, self.proven_on, self.unproven, self.contested)
        return hashlib.sha256(b"".join(len(part).to_bytes(8) + part.tobytes() for part in parts)).hexdigest()

    def of(self, pseudonyms: Integers) -> Integers:
        """Return each number's pupil: itself, unless it is an alias."""
        if not len(self):
            return pseudonyms
        place = self.index.get_indexer(pd.Index(pseudonyms))
        found: Integers = np.where(place >= 0, self.pupil[place], pseudonyms)
        return found

    def members(self, pseudonym: int) -> tuple[int, ...]:
        """Return every number of the pupil whom this number belongs to, the pupil's own first."""
        (pupil,) = self.of(np.array([pseudonym], dtype=np.int64)).tolist()
        return (pupil, *self.alias[self.pupil == pupil].tolist())

    def proven(self) -> frozenset[int]:
        """Return the temporary numbers that a link proves."""
        return frozenset(self.alias[~np.isnat(self.proven_on)].tolist())


def no_links() -> Links:
    """Return that every number is a pupil of its own."""
    none = np.empty(0, dtype=np.int64)
    return Links(alias=none, pupil=none, proven_on=np.empty(0, "datetime64[s]"), unproven=none, contested=none)


def resolve(said: pd.DataFrame) -> Links:
    """Return the links that follow from everything schools said, in whatever order it came.

    Parameters
    ----------
    said
        Rows of `records.identity.link_log.LINKS`. One enrolment's later word takes the place of its earlier one; a
        row with `deleted` takes back what was said up to its day, for good.
    """
    pairs = _believed(said)
    claimed: dict[int, set[int]] = {}
    for former, number in zip(pairs["former"].tolist(), pairs["number"].tolist(), strict=True):
        claimed.setdefault(former, set()).add(number)
    contested = _contested(claimed)
    # Of all words, also those taken back: rows of such a number may have landed while it was believed.
    temporary = set(said.loc[said["number_temporary"], "number"].tolist())
    temporary |= set(said.loc[said["former_temporary"], "former"].tolist())
    ties = pairs[~pairs["former"].isin(contested)].sort_values(["known_on", "number", "former"], kind="stable")
    groups, proven_on = _grow(ties, temporary)
    pupil_of = _pupils(groups, ties, temporary)
    alias = np.array(sorted(pupil_of), dtype=np.int64)
    days = np.array([proven_on.get(number, NEVER) for number in alias.tolist()], dtype="datetime64[s]")
    return Links(
        alias=alias,
        pupil=np.array([pupil_of[number] for number in alias.tolist()], dtype=np.int64),
        proven_on=days,
        unproven=np.array(sorted(temporary - set(pupil_of)), dtype=np.int64),
        contested=np.array(sorted(contested), dtype=np.int64),
    )


def _believed(said: pd.DataFrame) -> pd.DataFrame:
    """Return number, former, whether each is temporary, and the first day it was said, of what still stands."""
    spoken = said[~said["deleted"]]
    key = ["number", "former", "school", "entry_date"]
    first = spoken.sort_values([*key, "known_on"], kind="stable").drop_duplicates(key)
    newest = first.sort_values(["known_on", "former"], kind="stable")
    stands = newest.drop_duplicates(["number", "school", "entry_date"], keep="last")
    pairs = stands.sort_values("known_on", kind="stable").drop_duplicates(["number", "former"])
    taken_back = said[said["deleted"]].groupby(["number", "former"])["known_on"].max().rename("taken_back")
    pairs = pairs.merge(taken_back.reset_index(), on=["number", "former"], how="left")
    kept = pairs[~(pairs["taken_back"] >= pairs["known_on"])]
    return kept[["number", "former", "number_temporary", "former_temporary", "known_on"]]


def _contested(claimed: dict[int, set[int]]) -> set[int]:
    """Return the former numbers claimed by pupils whom nothing else says to be one.

    Two claims of one chain agree: A became B and B became C, and a school wrote A beside C. So claims are
    believed until no more can be, which gives one answer for any order.
    """
    parts = _Parts()
    open_claims = dict(claimed)
    while open_claims:
        agreed = [former for former, numbers in open_claims.items() if len({parts.find(n) for n in numbers}) == 1]
        if not agreed:
            break
        for former in agreed:
            for number in open_claims.pop(former):
                parts.join(former, number)
    return set(open_claims)


def _grow(ties: pd.DataFrame, temporary: set[int]) -> tuple[list[set[int]], dict[int, np.datetime64]]:
    """Join numbers in the order of days; return the groups, and when each temporary number met a permanent one."""
    members: dict[int, set[int]] = {}
    proven_on: dict[int, np.datetime64] = {}
    for number, former, day in zip(ties["number"].tolist(), ties["former"].tolist(), ties["known_on"], strict=True):
        group = members.get(number, {number}) | members.get(former, {former})
        members |= dict.fromkeys(group, group)
        if not group <= temporary:
            for met in group & temporary:
                proven_on.setdefault(met, np.datetime64(day, "s"))
    groups = {id(group): group for group in members.values()}
    return [group for group in groups.values() if not group <= temporary], proven_on


def _pupils(groups: Iterable[set[int]], ties: pd.DataFrame, temporary: set[int]) -> dict[int, int]:
    """Return each number that is not its pupil's own → the pupil's own.

    The pupil's own is the permanent number that followed no other, the first to be called a former one
    where there are several or the numbers go round in a circle.
    """
    mine = ties[~ties["former"].isin(temporary) & ~ties["number"].isin(temporary)]
    followed = set(mine["number"].tolist())
    first_left = mine.groupby("former")["known_on"].min().to_dict()
    latest = pd.Timestamp.max
    found: dict[int, int] = {}
    for members in groups:
        permanent = members - temporary
        candidates = (permanent - followed) or permanent
        pupil = min(candidates, key=lambda number: (first_left.get(number, latest), number))
        found |= dict.fromkeys(members - {pupil}, pupil)
    return found


class _Parts:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def find(self, number: int) -> int:
        while (above := self._above.get(number, number)) != number:
            number = above
        return number

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self._above[second] = first
