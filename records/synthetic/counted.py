"""Sums of what happened, small whatever the network's size: clusters are counted apart and added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import published, register
from records.synthetic.care import NAMES as CARE
from records.synthetic.sanctions import WEEKS_IN_YEAR
from records.synthetic.tally import Tally
from records.synthetic.world import World

MEASURES = (
    "exposure", "suspensions", "permanent", "incidents", "whole", "suspended", "expelled", "seen", "possible",
    "missed", "unauthorised", "persistent", "severe",
)  # fmt: skip
"""What is summed for every group: pupil-years on roll (a year cut short counts by its weeks) and what happened in
them; of nearly whole years, pupils, pupils suspended and pupils permanently excluded; of pupils seen for 20 or more
possible sessions, sessions and those persistently and severely absent."""
BINS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50)
MOST_TIMES, MOST_DAYS = 10, 46
ENOUGH_SESSIONS, NEARLY_WHOLE = 20, 0.9
PERSISTENT, SEVERE = 0.10, 0.50
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": ("all",),
    "sex": ("F", "M"),
    "fsm": ("not", "fsm"),
    "sen": ("N", "K", "E"),
    "fsm_and_sen": ("no", "yes"),
    "need": ("", "SEMH", "SLCN", "SPLD", "MLD", "ASD", "OTH", "SLD", "PD"),
    "ethnicity": tuple(published.by_characteristic("SS", "ethnicity")),
    "year_group": ("R", *(str(year) for year in range(1, 12)), "12+"),
    "care": CARE,
    "borough": tuple(published.boroughs()),
}
Sums = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Sums by band (index of `published.BANDS`).

    Attributes
    ----------
    groups
        Attribute → (bands, groups of GROUPS, MEASURES).
    codes
        (bands, 3 terms, codes): sessions.
    bins
        (bands, BINS): pupils by share of sessions missed.
    times, days
        (bands, MOST_TIMES + 1), (bands, MOST_DAYS + 1): pupils of nearly whole years by suspensions and by days
        lost; the last holds all above.
    onset, first_days
        (bands, 2): pupils with six or more incidents in the year and those of them with two by the end of
        October; pupils who missed a session of the first week and those of them persistently absent.
    september
        (bands, 2): pupils on roll in an academic year and those with code C2 in September.
    weekday, lengths, reasons
        As in `tally.Tally`.
    """

    groups: Mapping[str, Sums]
    codes: Sums
    bins: Sums
    times: Sums
    days: Sums
    onset: Sums
    first_days: Sums
    september: Sums
    weekday: Sums
    lengths: Sums
    reasons: Sums


def added(parts: Sequence[Counted]) -> Counted:
    """Return the sums of all parts."""
    names = [name for name in Counted.__dataclass_fields__ if name != "groups"]
    sums: dict[str, Sums] = {name: np.sum([getattr(part, name) for part in parts], axis=0) for name in names}
    groups = {name: np.sum([part.groups[name] for part in parts], axis=0) for name in GROUPS}
    return Counted(groups=groups, **sums)


def counted(tally: Tally, world: World) -> Counted:
    """Return the sums of a tally."""
    bands = len(published.BANDS)
    pupil, year = np.nonzero(tally.band >= 0)
    band = tally.band[pupil, year].astype(np.int64)
    codes = tally.codes[pupil, year].astype(np.int32)
    possible, missed = register.possible_and_missed(codes.sum(axis=1))
    seen = possible > ENOUGH_SESSIONS
    share = missed / np.maximum(possible, 1)
    full = tally.weeks > NEARLY_WHOLE * WEEKS_IN_YEAR
    whole = (full if full.any() else tally.weeks == tally.weeks.max())[year]
    times, days = tally.suspensions[pupil, year], tally.days_lost[pupil, year]
    values = _measures(tally, pupil, year, codes.sum(axis=1), whole)
    groups: dict[str, Sums] = {}
    for name, index in _groups(world, pupil, year).items():
        size = len(GROUPS[name])
        cell = np.where(index >= 0, band * size + index, bands * size)
        sums = [np.bincount(cell, column, minlength=bands * size + 1)[:-1] for column in values]
        groups[name] = np.stack(sums, axis=1).reshape(bands, size, len(MEASURES)).astype(np.float64)
    often = tally.incidents[pupil, year] >= 6
    missed_first = tally.first_missed[pupil, year] & seen
    persistent = seen & (share >= PERSISTENT)
    return Counted(
        groups=groups,
        codes=tally.by_code.astype(np.float64),
        bins=_histogram(band[seen], np.searchsorted(BINS, share[seen], side="right") - 1, len(BINS)),
        times=_histogram(band[whole], np.minimum(times, MOST_TIMES)[whole], MOST_TIMES + 1),
        days=_histogram(band[whole], np.minimum(days, MOST_DAYS)[whole], MOST_DAYS + 1),
        onset=_of_which(band, often & whole, tally.early[pupil, year] >= 2),
        first_days=_of_which(band, missed_first & whole, persistent),
        september=_of_which(band, np.ones(len(band), bool), tally.september_c2[pupil, year]),
        weekday=tally.weekday.astype(np.float64),
        lengths=tally.lengths.astype(np.float64),
        reasons=tally.reasons.astype(np.float64),
    )


def _measures(
    tally: Tally,
    pupil: npt.NDArray[np.int64],
    year: npt.NDArray[np.int64],
    codes: npt.NDArray[np.integer],
    whole: npt.NDArray[np.bool_],
) -> list[Sums]:
    """Return the value of each of MEASURES for every pupil and year."""
    possible, missed = register.possible_and_missed(codes)
    seen = possible > ENOUGH_SESSIONS
    share = missed / np.maximum(possible, 1)
    suspensions, permanent = tally.suspensions[pupil, year], tally.permanent[pupil, year]
    found = {
        "exposure": (tally.weeks / WEEKS_IN_YEAR)[year],
        "suspensions": suspensions,
        "permanent": permanent,
        "incidents": tally.incidents[pupil, year],
        "whole": whole,
        "suspended": whole & (suspensions > 0),
        "expelled": whole & (permanent > 0),
        "seen": seen,
        "possible": possible,
        "missed": missed,
        "unauthorised": register.unauthorised(codes),
        "persistent": seen & (share >= PERSISTENT),
        "severe": seen & (share >= SEVERE),
    }
    return [np.asarray(found[name], np.float64) for name in MEASURES]


def _groups(
    world: World, pupil: npt.NDArray[np.int64], year: npt.NDArray[np.int64]
) -> Mapping[str, npt.NDArray[np.int64]]:
    """Return each attribute's group of every pupil and year, as an index of GROUPS; -1 is none of them."""
    people = world.people
    fsm, sen = ~np.isnat(people.fsm_start)[pupil], people.sen[pupil, year]
    group = world.rolls.year_group[pupil, year].astype(np.int64)
    school = world.rolls.school
    # A pupil counts in the borough of the first school of the year.
    starts = np.array([int((world.rolls.year_of_week == y).argmax()) for y in range(len(world.rolls.year_group[0]))])
    there = school[pupil, starts[year]]
    boroughs = np.array([*(s.laestab[:3] for s in world.schools), ""])[there]
    return {
        "all": np.zeros(len(pupil), np.int64),
        "sex": _index("sex", people.sex[pupil]),
        "fsm": fsm.astype(np.int64),
        "sen": _index("sen", sen),
        "fsm_and_sen": (fsm & (sen != "N")).astype(np.int64),
        "need": np.where(sen == "N", 0, _index("need", people.need[pupil])),
        "ethnicity": _index("ethnicity", people.ethnicity[pupil]),
        "year_group": np.where((group >= 0) & (group <= 14), np.minimum(group, 12), -1),
        "care": world.care[pupil].astype(np.int64),
        "borough": _index("borough", boroughs),
    }


def _index(attribute: str, values: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    names = GROUPS[attribute]
    found, where = np.unique(values, return_inverse=True)
    return np.array([names.index(str(v)) if str(v) in names else -1 for v in found], np.int64)[where]


def _histogram(band: npt.NDArray[np.int64], value: npt.NDArray[np.integer], size: int) -> Sums:
    bands = len(published.BANDS)
    return np.bincount(band * size + value, minlength=bands * size).reshape(bands, size).astype(np.float64)


def _of_which(band: npt.NDArray[np.int64], among: npt.NDArray[np.bool_], those: npt.NDArray[np.bool_]) -> Sums:
    """Return (bands, 2): how many there are among whom we ask, and how many of them it is true of."""
    bands = len(published.BANDS)
    both = [np.bincount(band[mask], minlength=bands) for mask in (among, among & those)]
    return np.stack(both, axis=1).astype(np.float64)
