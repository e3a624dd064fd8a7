"""The compact export of large networks: a pupil's week of marks as one row, every file packed with gzip.

`marks` has twenty characters, two for each of ten sessions, Monday morning to Friday afternoon: a code,
padded with a blank; two blanks where there is no session. A row says what the register held at the end of
a week; a correction in a later week is the whole week again, with the day of its newest mark.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.synthetic.register import CODES
from records.synthetic.rows import WRONG_CODES, Ints, Ledger, Rows, Vocabulary, arrow

SESSIONS, WIDTH = 10, 2
_NO_SESSION = -1
# The last entry stands for no session: index -1 finds it.
_TEXT = np.frombuffer("".join(f"{code:<{WIDTH}}" for code in (*CODES, *WRONG_CODES, "")).encode(), np.uint8).reshape(
    -1, WIDTH
)


@dataclass
class WeekLedger(Ledger):
    """Takes a week's single marks and keeps pupils' weeks: columns `school`, `pupil`, `week`, `marks`, `updated`.

    `week` is the day of its Monday; `marks` is (rows, 10), index of a code or -1. `until` is the first day of
    which nothing is exported; `a_monday` is any Monday. All are indices of days.
    """

    table: str = "weeks"
    waiting: list[Rows] = field(default_factory=list)
    until: int = 0
    a_monday: int = 0

    def add(self, rows: Rows) -> None:
        """Fold the marks of one school week, in the order in which they were recorded."""
        known = (rows["date"] < self.until) & (rows["updated"] < self.until)
        wrong = rows["date"] < 0
        self.waiting.append(_misdated(_where(rows, known & wrong)))
        marks = _where(rows, known & ~wrong)
        if not len(marks["date"]):
            return
        order = np.argsort(marks["updated"], kind="stable")
        marks = {name: values[order] for name, values in marks.items()}
        day = marks["date"].astype(np.int64)
        monday = int(day[0] - (day[0] - self.a_monday) % 7)
        session = 2 * (day - monday) + marks["session"]
        later = (marks["updated"].astype(np.int64) - monday) // 7
        pupils = int(marks["pupil"].max()) + 1
        held = np.full((pupils, SESSIONS), _NO_SESSION, np.int8)
        school, updated = np.zeros(pupils, marks["school"].dtype), np.zeros(pupils, np.int16)
        for week in np.unique(later).tolist():
            # Of marks on one session the last assigned stays, and they stand in the order of recording.
            mine = later == week
            who = marks["pupil"][mine]
            held[who, session[mine]] = marks["code"][mine]
            school[who], updated[who] = marks["school"][mine], marks["updated"][mine]
            changed = np.zeros(pupils, bool)
            changed[who] = True
            self.waiting.append(_weeks(school, np.flatnonzero(changed), held, monday, updated))


def _weeks(school: Ints, pupil: Ints, held: npt.NDArray[np.int8], monday: int, updated: npt.NDArray[np.int16]) -> Rows:
    return {
        "school": school[pupil],
        "pupil": pupil.astype(np.int32),
        "week": np.full(len(pupil), monday, np.int16),
        "marks": held[pupil],
        "updated": updated[pupil],
    }


def _where(rows: Rows, mask: npt.NDArray[np.bool_]) -> Rows:
    return {name: values[mask] for name, values in rows.items()}


def _misdated(rows: Rows) -> Rows:
    """Return marks whose date cannot be as weeks whose Monday cannot be: -1, -2 ... as in `rows.arrow`."""
    marks = np.full((len(rows["date"]), SESSIONS), _NO_SESSION, np.int8)
    marks[:, 0] = rows["code"]
    kept = {name: rows[name] for name in ("school", "pupil", "updated")}
    return {**kept, "week": rows["date"].astype(np.int16), "marks": marks}


def weeks_arrow(rows: Rows, upns: pa.Array, words: Vocabulary) -> pa.Table:
    """Return pupils' weeks as text, with the columns of HEADERS['weeks']."""
    number = len(rows["week"])
    text = pa.py_buffer(np.ascontiguousarray(_TEXT[rows["marks"]]))
    offsets = pa.py_buffer(np.arange(number + 1, dtype=np.int32) * SESSIONS * WIDTH)
    return arrow("weeks", rows, upns, words, {"marks": pa.StringArray.from_buffers(number, offsets, text)})
