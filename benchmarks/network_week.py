"""One week of a network's attendance marks as export files: the same bytes for the same size and seed.

No child in them exists: the numbers are valid by their check letter and belong to nobody.
"""

import gzip
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Text = npt.NDArray[np.uint8]

HEADING = "upn,urn,date,session,code,updated_on\n"
WEEK_HEADING = "upn,urn,week_start,marks,updated_on\n"
MONDAY = np.datetime64("2025-03-03")
SESSIONS = 10
PUPILS_IN_A_SCHOOL = 1_000
FIRST_URN = 100_000
CHECK_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPQRTUVWXYZ", np.uint8)
CODES = ("/", "\\", "L", "I", "M", "O", "U", "C", "E", "G", "C1", "Y1")
# A mark is entered on its own day, but for some that the school corrects into the next.
LATE = 0.05


@dataclass(frozen=True)
class Week:
    """The marks of one week as integers.

    Attributes
    ----------
    upns
        13 bytes a pupil, shape ``(pupils, 13)``.
    school
        Which school, from 0, shape ``(pupils,)``; pupils of one school stand together.
    code, late
        Position in `CODES`, and whether the mark was entered a day late, shape ``(pupils, 10)``.
    """

    upns: Text
    school: npt.NDArray[np.int64]
    code: npt.NDArray[np.int64]
    late: npt.NDArray[np.bool_]

    @property
    def schools(self) -> int:
        """How many schools."""
        return int(self.school[-1]) + 1


def make_week(pupils: int, seed: int) -> Week:
    """Return a week of ten marks for each pupil, a thousand pupils to a school."""
    rng = np.random.default_rng(seed)
    school = np.arange(pupils) // PUPILS_IN_A_SCHOOL
    share = np.array([0.0, 0.0, 0.03, 0.036, 0.004, 0.026, 0.003, 0.004, 0.003, 0.003, 0.0005, 0.0005])
    code = rng.choice(len(CODES), size=(pupils, SESSIONS), p=np.append(1 - share[1:].sum(), share[1:]))
    code[:, 1::2][code[:, 1::2] == 0] = 1  # the afternoon's mark for 'here' is the other stroke
    return Week(upns(pupils, rng), school, code, rng.random((pupils, SESSIONS)) < LATE)


def upns(pupils: int, rng: np.random.Generator) -> Text:
    """Return distinct valid pupil numbers, shape ``(pupils, 13)``, in no order of their own."""
    numbers = rng.permutation(pupils) + 201_100_018_000
    digits = (numbers[:, None] // 10 ** np.arange(11, -1, -1)) % 10
    letters = CHECK_LETTERS[digits @ np.arange(2, 14) % len(CHECK_LETTERS)]
    return np.column_stack([letters, digits + ord("0")]).astype(np.uint8)


def write_marks(week: Week, folder: Path, *, files: int) -> int:
    """Write marks files (`files` of about equal size, each whole schools, register by register); return the bytes."""
    words = _Words.make()
    bounds = np.linspace(0, week.schools, files + 1).round().astype(int)
    written = 0
    for number, (first, last) in enumerate(pairwise(bounds.tolist())):
        path = folder / f"marks_{number:04d}_20250310.csv"
        with path.open("wb") as file:
            file.write(HEADING.encode())
            for school in range(first, last):
                file.write(words.registers(week, np.flatnonzero(week.school == school)))
        written += path.stat().st_size
    return written


def write_weeks(week: Week, folder: Path) -> int:
    """Write the same marks compactly: one row and one string of marks for a pupil's week, gzip; return the bytes."""
    codes = np.array([list(code.ljust(2).encode()) for code in CODES], np.uint8)
    path = folder / "weeks_0000_20250310.csv.gz"
    late: npt.NDArray[np.bool_] = np.logical_or.reduce(week.late, axis=1)
    days = (str(MONDAY + 4), str(MONDAY + 5))
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(WEEK_HEADING.encode())
        for first in range(0, len(week.upns), 100_000):
            some = slice(first, first + 100_000)
            rows = zip(
                week.upns[some].view("S13")[:, 0].tolist(),
                week.school[some].tolist(),
                codes[week.code[some]].reshape(-1, 2 * SESSIONS).view(f"S{2 * SESSIONS}")[:, 0].tolist(),
                late[some].tolist(),
                strict=True,
            )
            lines = [
                f"{upn.decode()},{FIRST_URN + school},{MONDAY},{marks.decode().ljust(2 * SESSIONS)},{days[is_late]}"
                for upn, school, marks, is_late in rows
            ]
            file.write(("\n".join(lines) + "\n").encode())
    return path.stat().st_size


@dataclass(frozen=True)
class _Words:
    """The text that rows repeat, as bytes ready to be joined."""

    sessions: tuple[bytes, ...]
    codes: tuple[bytes, ...]
    days: tuple[bytes, ...]

    @classmethod
    def make(cls) -> "_Words":
        """Return the text of this week."""
        days = [str(MONDAY + day) for day in range(6)]
        return cls(
            tuple(f"{days[s // 2]},{'AP'[s % 2]}M,".encode() for s in range(SESSIONS)),
            tuple(f"{code},".encode() for code in CODES),
            tuple(f"{day}\n".encode() for day in days),
        )

    def registers(self, week: Week, pupils: npt.NDArray[np.int64]) -> bytes:
        """Return one school's rows: each session's register, pupil by pupil."""
        urn = f",{FIRST_URN + int(week.school[pupils[0]])},".encode()
        who = [upn + urn for upn in week.upns[pupils].view("S13")[:, 0].tolist()]
        parts = []
        for session in range(SESSIONS):
            when, day = self.sessions[session], session // 2
            said = zip(who, week.code[pupils, session].tolist(), week.late[pupils, session].tolist(), strict=True)
            parts += [upn + when + self.codes[code] + self.days[day + late] for upn, code, late in said]
        return b"".join(parts)
