"""Loops over pupils and their rows that no array operation says, first part: lining rows up pupil by pupil.

Plain Python here, for the few pupils that the web process is posted; `features.compiled` makes the same source
machine code for a network's shards. A *version* is one row of a table as it was once known.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

ALWAYS = np.iinfo(np.int32).max


def place(pupils: Ints, given: Ints) -> Small:
    """Return for each given pupil their place in `pupils`, -1 where they are not in it. A hash: it beats a search."""
    size = 4
    while size < 2 * len(pupils):
        size *= 2
    slot = np.full(size, -1, dtype=np.int32)
    for at in range(len(pupils)):
        here = _slot(pupils[at], size)
        while slot[here] >= 0:
            here = (here + 1) & (size - 1)
        slot[here] = at
    found = np.empty(len(given), dtype=np.int32)
    for row in range(len(given)):
        here = _slot(given[row], size)
        while slot[here] >= 0 and pupils[slot[here]] != given[row]:
            here = (here + 1) & (size - 1)
        found[row] = slot[here]
    return found


def _slot(pupil: int, size: int) -> int:
    # Pseudonyms are random numbers already; a multiplication suits small ones too.
    mixed = (pupil ^ (pupil >> 29)) & 0x7FFFFFFF
    return (mixed * 0x9E3779B1 & 0xFFFFFFFF) >> 7 & (size - 1)


def order(at: Small, turn: Small, pupils: int, turns: int) -> tuple[Small, Small]:
    """Return the rows pupil by pupil, each pupil's by turn, and where each pupil's begin; rows at no pupil left out.

    Two counting sorts, the later by pupil: both keep what was in order in order.
    """
    by_turn = _counted(turn, np.arange(len(turn)).astype(np.int32), turns)[0]
    return _counted(at, by_turn, pupils)


def _counted(key: Small, rows: Small, keys: int) -> tuple[Small, Small]:
    start = np.zeros(keys + 1, dtype=np.int32)
    for row in rows:
        if key[row] >= 0:
            start[key[row] + 1] += 1
    for number in range(keys):
        start[number + 1] += start[number]
    following = start[:keys].copy()
    found = np.empty(start[keys], dtype=np.int32)
    for row in rows:
        if key[row] >= 0:
            found[following[key[row]]] = row
            following[key[row]] += 1
    return found, start


def replaced(rows: Small, start: Small, turn: Small, others: Small, known: Small, source: Small, line: Small) -> Small:
    """Return for each row the last day on which it was the newest version of its thing: `ALWAYS` where it still is.

    `rows` stand pupil by pupil, which begin at `start`, with their `turn` beside them: one thing's have the same, and
    the same `others`, shape (k, n). The later day, file and line wins, as in `records.history.latest`.
    """
    last = np.full(len(known), ALWAYS, dtype=np.int32)
    for pupil in range(len(start) - 1):
        low = start[pupil]
        while low < start[pupil + 1]:
            high = low + 1
            while high < start[pupil + 1] and turn[high] == turn[low]:
                high += 1
            for one in rows[low:high] if high - low > 1 else rows[:0]:
                following = _following(one, rows[low:high], others, known, source, line)
                if following >= 0:
                    last[one] = known[following]
            low = high
    return last


def _following(one: int, rows: Small, others: Small, known: Small, source: Small, line: Small) -> int:
    """Return the next newer version of the same thing among the rows, -1 for none."""
    following = -1
    for other in rows:
        same = other != one and _newer(other, one, known, source, line)
        for column in range(len(others)):
            same = same and others[column, other] == others[column, one]
        if same and (following < 0 or _newer(following, other, known, source, line)):
            following = other
    return following


def _newer(one: int, other: int, known: Small, source: Small, line: Small) -> bool:
    if known[one] != known[other]:
        return bool(known[one] > known[other])
    if source[one] != source[other]:
        return bool(source[one] > source[other])
    if line[one] != line[other]:
        return bool(line[one] > line[other])
    return bool(one > other)
