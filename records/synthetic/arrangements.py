"""What is arranged beforehand and shows in the register: dual registration, and sixth-formers' study at home.

Nothing is drawn week by week, so that a run with support and a run without stay comparable.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from records.synthetic.dual import Dual
from records.synthetic.register import CODE
from records.synthetic.rolls import SIXTH_FORM

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.int8]


def registers(
    dual: Dual, week: int, school: npt.NDArray[np.int8], code: Marks
) -> Iterator[tuple[Ints | None, npt.NDArray[np.int8], Marks]]:
    """Yield (pupils, school, codes) of the registers that hold a week's marks; None stands for every pupil.

    The school at which a dually registered pupil is not due marks D, on whatever days it is open.
    """
    spells = dual.now(week, school)
    if not len(spells):
        yield None, school, code
        return
    who, there = dual.pupil[spells], dual.there[spells][:, :, None] & (code[dual.pupil[spells]] >= 0)
    main = code.copy()
    main[who] = np.where(there, CODE["D"], code[who])
    yield None, school, main
    elsewhere = np.where(code[who] >= 0, CODE["D"], -1).astype(np.int8)
    yield who, dual.second[spells].astype(np.int8), np.where(there, code[who], elsewhere)


def study_at_home(forced: Marks, year_group: npt.NDArray[np.int8]) -> Marks:
    """Return `forced` (pupils, 5, 2) with code X in sixth-formers' two free sessions a week, the same all year."""
    who = np.flatnonzero(year_group >= SIXTH_FORM)
    found = forced.copy()
    for slot in ((7 * who + 3) % 10, (3 * who + 8) % 10):
        found[who, slot // 2, slot % 2] = CODE["X"]
    return found
