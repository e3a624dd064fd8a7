"""Loops over pupils and their rows that no array operation says, first part: lining rows up pupil by pupil.

Plain Python here, for the few pupils that the web process is posted; `features.compiled` makes the same source
machine code for a network's shards. A *version* is one row of a table as it was once known.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Tiny = npt.NDArray[np.int8]
Kinds = npt.NDArray[np.uint16]

ALWAYS = np.iinfo(np.int32).max
# A stamp is one whole number that sorts as (day and turn, day it became known, deleted, kind) do, from its last bit: 16
# for the kind, one for deleted, 20 for the day it became known, which may be 1,400 years from 1970.
KINDS = 1 << 16
_DELETED, _KNOWN, _TURN = 16, 17, 37
_DAYS = 1 << 20
# A pupil's versions come nearly in order; where they do not, moving them one by one would take too long.
_MOVES_A_VERSION = 8


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


def order(
    at: Small, day: Small, turn: Tiny, known: Small, deleted: Flags, kind: Kinds, pupils: int
) -> tuple[Ints, Small, Small]:
    """Return stamps pupil by pupil, each pupil's ascending; their rows; where each pupil's begin.

    Rows at no pupil (`at` below 0) are left out. A counting sort by pupil reads in order and writes to as many places
    as there are pupils, all of which the processor keeps near: to read from anywhere, later, would take far longer.
    """
    start = np.zeros(pupils + 1, dtype=np.int32)
    for row in range(len(at)):
        if at[row] >= 0:
            start[at[row] + 1] += 1
    for number in range(pupils):
        start[number + 1] += start[number]
    following = start[:pupils].copy()
    stamps, rows = np.empty(start[pupils], dtype=np.int64), np.empty(start[pupils], dtype=np.int32)
    for row in range(len(at)):
        if at[row] >= 0:
            to = following[at[row]]
            following[at[row]] = to + 1
            rows[to] = row
            seen = (np.int64(known[row]) + _DAYS // 2 << 1) + (1 if deleted[row] else 0)
            stamps[to] = (np.int64(day[row]) * 2 + turn[row] << _TURN) + (seen << _DELETED) + kind[row]
    for pupil in range(pupils):
        _sort(stamps[start[pupil] : start[pupil + 1]], rows[start[pupil] : start[pupil + 1]])
    return stamps, rows, start


def _sort(stamps: Ints, rows: Small) -> None:
    moves = 0
    for place in range(1, len(stamps)):
        if stamps[place] >= stamps[place - 1]:
            continue
        stamp, row, to = stamps[place], rows[place], place
        while to > 0 and stamps[to - 1] > stamp:
            stamps[to], rows[to] = stamps[to - 1], rows[to - 1]
            to -= 1
        stamps[to], rows[to] = stamp, row
        moves += place - to
        if moves > _MOVES_A_VERSION * len(stamps):
            by_stamp = np.argsort(stamps, kind="mergesort")
            stamps[:] = stamps[by_stamp]
            rows[:] = rows[by_stamp]
            return


def versions(
    stamps: Ints, rows: Small, start: Small, until: Small, others: Small, source: Small, line: Small
) -> tuple[Small, Small, Kinds, Small, Small, Small, Tiny, bool]:
    """Return the versions but for deletions: where each pupil's begin; row, kind, day, first, last and turn of each.

    `first` and `last` are the days between which a version is seen (`features.ledger`). The last item says that two
    versions of one thing became known on one day and `source` was not given: then the rest is not to be used.

    Parameters
    ----------
    stamps, rows, start
        As `order` returns them.
    until
        For each row the day on which it was replaced, `ALWAYS` for never; empty where rows of one pupil, day and turn
        with the same `others`, shape (k, n), are versions of one thing. Of those the later day, file and line wins, as
        in `records.history.latest`.
    source, line
        Of each row, or both empty.
    """
    seen = np.empty(len(start), dtype=np.int32)
    kept, day = np.empty(len(rows), dtype=np.int32), np.empty(len(rows), dtype=np.int32)
    first, last = np.empty(len(rows), dtype=np.int32), np.empty(len(rows), dtype=np.int32)
    turn, kind = np.empty(len(rows), dtype=np.int8), np.empty(len(rows), dtype=np.uint16)
    to, tied = 0, False
    for pupil in range(len(start) - 1):
        seen[pupil] = to
        low = start[pupil]
        while low < start[pupil + 1]:
            high = low + 1
            while high < start[pupil + 1] and stamps[high] >> _TURN == stamps[low] >> _TURN:
                high += 1
            for version in range(low, high):
                if stamps[version] >> _DELETED & 1:
                    continue
                end = ALWAYS if len(until) == 0 else until[rows[version]]
                if len(until) == 0 and high - low > 1:
                    following, equal = _following(version, (low, high), stamps, rows, others, source, line)
                    tied = tied or equal
                    end = _known(stamps[following]) if following >= 0 else ALWAYS
                kept[to], kind[to], last[to] = rows[version], stamps[version] & KINDS - 1, end
                day[to], turn[to] = stamps[version] >> _TURN + 1, stamps[version] >> _TURN & 1
                first[to] = max(day[to], _known(stamps[version])) + 1
                to += 1
            low = high
    seen[len(start) - 1] = to
    return seen, kept[:to], kind[:to], day[:to], first[:to], last[:to], turn[:to], tied


def _known(stamp: int) -> int:
    return (stamp >> _KNOWN & _DAYS - 1) - _DAYS // 2


def _following(
    one: int, among: tuple[int, int], stamps: Ints, rows: Small, others: Small, source: Small, line: Small
) -> tuple[int, bool]:
    """Return the next newer version of the same thing, -1 for none; whether only its file could tell which is newer."""
    following, tied = -1, False
    for other in range(among[0], among[1]):
        same = other != one
        for column in range(len(others)):
            same = same and others[column, rows[other]] == others[column, rows[one]]
        if not same:
            continue
        tied = tied or (len(source) == 0 and _known(stamps[other]) == _known(stamps[one]))
        newer = _newer(other, one, stamps, rows, source, line)
        if newer and (following < 0 or _newer(following, other, stamps, rows, source, line)):
            following = other
    return following, tied


def _newer(one: int, other: int, stamps: Ints, rows: Small, source: Small, line: Small) -> bool:
    if _known(stamps[one]) != _known(stamps[other]):
        return _known(stamps[one]) > _known(stamps[other])
    row, beside = rows[one], rows[other]
    if len(source) and source[row] != source[beside]:
        return bool(source[row] > source[beside])
    if len(source) and line[row] != line[beside]:
        return bool(line[row] > line[beside])
    return bool(row > beside)
