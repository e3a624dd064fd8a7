"""Unique pupil numbers by the million: which are sound, worked on their bytes.

`records.pseudonym` says why a number is doubted. This says which of very many need no such look, because
a call for each of a million numbers takes longer than all else that an ingest does with them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

LENGTH = 13
# The characters of a number in the order of their values, and the weights of all but the first: the first is the
# letter at the weighted sum modulo 23. I, O and S are no letters of it (DfE, as python-stdnum has it).
ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ0123456789"
WEIGHTS = np.arange(2, 14)
_LETTERS = 23
_FOREIGN = -1
_VALUES = np.full(256, _FOREIGN, dtype=np.int64)
_VALUES[np.frombuffer(ALPHABET.encode(), np.uint8)] = np.arange(len(ALPHABET))
_SOME = 1 << 16


def sound(upns: Sequence[str]) -> Mask:
    """Return which numbers are a letter and twelve digits whose check letter is right, shape ``(n,)``.

    Exactly as written: a number with a space or a small letter is not among them, and may be sound all
    the same; nor is a temporary one, whose last character is a letter.
    """
    found = np.zeros(len(upns), dtype=bool)
    for first in range(0, len(upns), _SOME):
        some = upns[first : first + _SOME]
        right = np.fromiter((len(upn) == LENGTH and upn.isascii() for upn in some), dtype=bool, count=len(some))
        text = "".join(some) if right.all() else "".join(upn for upn, fits in zip(some, right, strict=True) if fits)
        values = _VALUES[np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, LENGTH)]
        letter, digits = values[:, 0], values[:, 1:]
        good = (digits >= _LETTERS).all(axis=1) & (letter == (digits @ WEIGHTS) % _LETTERS)
        found[first : first + len(some)][right] = good
    return found
