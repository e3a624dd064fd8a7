"""Draws that belong to a pupil and a week, whatever happened: common random numbers for things that are few.

Whatever every pupil draws each week comes from a stream in arrays of fixed shape. What only some have (an
incident, a mark typed wrongly) is drawn here instead, as a function of a key and of what it is about: with and
without support, the third incident of a pupil in a week falls on the same day and is of the same kind. The
function is SplitMix64 (Steele, Lea and Flood 2014), whose output passes the usual tests of randomness.
"""

import numpy as np
import numpy.typing as npt

_ONE, _TWO, _GOLDEN = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15)
Ints = npt.NDArray[np.integer]


def key_of_week(stream: np.random.Generator) -> int:
    """Return the key of a purpose in a week: one draw from its stream, however much will happen."""
    return int(stream.integers(1 << 62))


def uniforms(key: int, about: tuple[Ints, ...], number: int) -> npt.NDArray[np.float64]:
    """Return `number` uniform numbers in [0, 1) for each thing drawn about, shape (number, things).

    `about` names each thing by whole numbers, such as its pupil and its place among the pupil's things.
    """
    mixed = np.full(len(about[0]), key, np.uint64)
    for part in about:
        mixed = _mix(mixed + part.astype(np.uint64) * _GOLDEN + _GOLDEN)
    found = np.empty((number, len(mixed)))
    for row in range(number):
        mixed = _mix(mixed + _GOLDEN)
        found[row] = (mixed >> np.uint64(11)) * 2.0**-53
    return found


def place_among(owner: Ints) -> npt.NDArray[np.int64]:
    """Return, for each thing, how many things of the same owner stand before it."""
    order = np.argsort(owner, kind="stable")
    mine = owner[order]
    starts = np.flatnonzero(np.concatenate([[True], mine[1:] != mine[:-1]])) if len(mine) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(mine)))
    place = np.empty(len(mine), np.int64)
    place[order] = np.arange(len(mine)) - np.repeat(starts, sizes)
    return place


def poisson(rate: npt.NDArray[np.floating], uniform: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Return one Poisson number for each rate from one uniform number each: a higher rate never gives a lower one.

    The published way of drawing uses up a stream by an amount that depends on the rate; this does not.
    """
    number = np.zeros(len(rate), np.int64)
    left = np.flatnonzero(uniform > np.exp(-rate))
    share = np.exp(-rate[left].astype(np.float64))
    reached, times = share.copy(), 0
    while len(left) and times < 60:
        times += 1
        number[left] = times
        share = share * rate[left] / times
        reached = reached + share
        more = uniform[left] > reached
        left, share, reached = left[more], share[more], reached[more]
    return number


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(30))) * _ONE
    value = (value ^ (value >> np.uint64(27))) * _TWO
    return value ^ (value >> np.uint64(31))
