"""The mess of real exports: late, corrected, repeated, wrong and withdrawn rows, by one dial.

`mess` is 0 (none) to 1; 0.3 is an ordinary network. Absences first marked N and explained some days
later are not mess but the law's own procedure: they are there at every setting.
"""

import numpy as np
import numpy.typing as npt

from records.synthetic.events import TYPES
from records.synthetic.register import CODE, CODES, MISSING_REASON_SHARE, NEVER_EXPLAINED, explainable
from records.synthetic.rows import WRONG_CODES, WRONG_DATES, Rows, joined

# Shares of rows at mess = 1.
LATE_MARKS, CORRECTED_MARKS, REPEATED_ROWS, WRONG_CODE_ROWS, WRONG_DATE_ROWS = 0.01, 0.012, 0.001, 0.0004, 0.0002
LATE_EVENTS, DELETED_EVENTS, CHANGED_EVENTS = 0.35, 0.012, 0.02
LATE_SUSPENSIONS, DELETED_SUSPENSIONS = 0.2, 0.03


def mark_rows(
    school: npt.NDArray[np.int8], code: npt.NDArray[np.int8], monday: int, mess: float, rng: np.random.Generator
) -> Rows:
    """Return the rows of a week's true marks (pupils, 5, 2) as a school records, explains and corrects them."""
    pupil, weekday, session = np.nonzero(code >= 0)
    true = code[pupil, weekday, session].astype(np.int16)
    day = (monday + weekday).astype(np.int16)
    draws = rng.random((4, len(pupil)), dtype=np.float32)
    # Both sessions of a day wait for the same explanation.
    daily = rng.random((2, *code.shape[:2]), dtype=np.float32)[:, pupil, weekday]
    unexplained = explainable(true.astype(np.int8)) & (daily[0] < MISSING_REASON_SHARE)
    mistaken = ~unexplained & (draws[0] < CORRECTED_MARKS * mess) & (true != CODE["E"])
    wrong_first = np.where(session == 0, CODE["/"], CODE["\\"])
    in_school = np.isin(true, [CODE["/"], CODE["\\"], CODE["L"]])
    first = np.where(unexplained, CODE["N"], np.where(mistaken, np.where(in_school, CODE["N"], wrong_first), true))
    late = draws[1] < LATE_MARKS * mess
    recorded = day + np.where(late, 1 + (draws[1] * 1e6 % 4).astype(np.int16), 0)
    rows: dict[str, npt.NDArray[np.integer]] = {
        "school": school[pupil],
        "pupil": pupil.astype(np.int32),
        "date": day,
        "session": session.astype(np.int8),
        "code": first.astype(np.int8),
        "updated": recorded.astype(np.int16),
    }
    again = np.flatnonzero((unexplained & (daily[1] > NEVER_EXPLAINED)) | mistaken)
    correction = {name: values[again] for name, values in rows.items()}
    wait = 1 + np.minimum((-2.2 * np.log(draws[2, again] + 1e-6)).astype(np.int16), 12)
    correction["code"] = true[again].astype(np.int8)
    correction["updated"] = _to_weekday(correction["updated"] + wait, monday).astype(np.int16)
    return _damaged(joined([rows, correction]), mess, rng)


def event_rows(rows: Rows, monday: int, mess: float, rng: np.random.Generator) -> Rows:
    """Return behaviour events or achievements as recorded: some days late, some changed or deleted later."""
    number = len(rows["school"])
    draws = rng.random((5, number))
    late = draws[0] < LATE_EVENTS * mess
    wait = np.where(late, 1 + (draws[1] ** 3 * 12).astype(np.int64), 0)
    recorded = {**rows, "updated": _to_weekday(rows["date"] + wait, monday), "deleted": np.zeros(number, np.int8)}
    gone = np.flatnonzero(draws[2] < DELETED_EVENTS * mess)
    deletion = {name: values[gone] for name, values in recorded.items()}
    deletion["updated"] = _to_weekday(deletion["updated"] + 1 + (draws[3, gone] * 15).astype(np.int64), monday)
    deletion["deleted"] = np.ones(len(gone), np.int8)
    parts: list[Rows] = [recorded, deletion]
    if "severity" in rows:
        changed = np.flatnonzero((draws[4] < CHANGED_EVENTS * mess) & (draws[2] >= DELETED_EVENTS * mess))
        change = {name: values[changed] for name, values in recorded.items()}
        change["severity"] = np.clip(change["severity"] - 1, 1, 5)
        change["updated"] = _to_weekday(change["updated"] + 2, monday)
        parts.append(change)
        recorded["type"] = np.where(rng.random(number) < WRONG_CODE_ROWS * mess, len(TYPES), recorded["type"])
    return joined(parts)


def suspension_rows(rows: Rows, mess: float, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return suspensions as recorded, some late or withdrawn, and those that stand; `updated` is the decision."""
    number = len(rows["school"])
    draws = rng.random((3, number))
    wait = np.where(draws[0] < LATE_SUSPENSIONS * mess, 1 + (draws[1] * 6).astype(np.int64), 0)
    recorded = {**rows, "updated": rows["updated"] + wait, "deleted": np.zeros(number, np.int8)}
    gone = np.flatnonzero(draws[2] < DELETED_SUSPENSIONS * mess)
    deletion = {name: values[gone] for name, values in recorded.items()}
    deletion["updated"] = deletion["updated"] + 5
    deletion["deleted"] = np.ones(len(gone), np.int8)
    stands = draws[2] >= DELETED_SUSPENSIONS * mess
    return joined([recorded, deletion]), {name: values[stands] for name, values in rows.items()}


def _to_weekday(day: npt.NDArray[np.integer], monday: int) -> npt.NDArray[np.int64]:
    """Return each day, or the Monday after it where it is a Saturday or a Sunday."""
    weekday = (day - monday) % 7
    return np.asarray(np.where(weekday >= 5, day + 7 - weekday, day), np.int64)


def _damaged(rows: Rows, mess: float, rng: np.random.Generator) -> Rows:
    """Return the rows with a few repeated, and a few with a code or a date that cannot be."""
    number = len(rows["school"])
    code, day = rows["code"].copy(), rows["date"].copy()
    wrong = rng.integers(0, max(number, 1), rng.poisson(WRONG_CODE_ROWS * mess * number))
    code[wrong] = len(CODES) + rng.integers(0, len(WRONG_CODES), len(wrong))
    wrong = rng.integers(0, max(number, 1), rng.poisson(WRONG_DATE_ROWS * mess * number))
    day[wrong] = -1 - rng.integers(0, len(WRONG_DATES), len(wrong))
    damaged = {**rows, "code": code, "date": day}
    twice = rng.integers(0, max(number, 1), rng.poisson(REPEATED_ROWS * mess * number))
    return joined([damaged, {name: values[twice] for name, values in damaged.items()}])
