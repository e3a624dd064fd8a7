"""The mess of real exports: late, corrected, repeated, wrong, missing and withdrawn rows, by one dial.

`mess` is 0 (none) to 1; 0.3 is an ordinary network. Absences first marked N and explained some days
later are not mess but the law's own procedure: they are there at every setting. Suspensions entered before they
start are not mess either. Whole files, changes of school system and of UPN are planted elsewhere (whole_files,
people).
"""

import numpy as np
import numpy.typing as npt

from records.codes import PRESENT
from records.synthetic import draws
from records.synthetic.events import TYPES
from records.synthetic.register import CODE, CODES, MISSING_REASON_SHARE, explainable
from records.synthetic.rows import WRONG_CODES, WRONG_DATES, Rows, joined

# Shares of rows at mess = 1.
LATE_MARKS, CORRECTED_MARKS, REPEATED_ROWS, WRONG_CODE_ROWS, WRONG_DATE_ROWS = 0.01, 0.012, 0.001, 0.0004, 0.0002
LATE_EVENTS, DELETED_EVENTS, CHANGED_EVENTS = 0.35, 0.012, 0.02
LATE_SUSPENSIONS, DELETED_SUSPENSIONS, MISKEYED_SUSPENSIONS = 0.2, 0.03, 0.03
# Chances at mess = 1: that a year group's registers of a week are not taken; that the old school goes on marking a
# pupil who has moved, until the week ends.
REGISTERS_NOT_TAKEN, MARKED_AFTER_MOVE = 0.004, 0.5
_PRESENT = np.array([code in PRESENT for code in CODES])
MUCH_LATER_DAYS = 84
MISKEYED_DAYS = 28  # a suspension keyed a month late, which falls on the same weekday


def registers_not_taken(
    schools: int, weeks: int, year_groups: int, mess: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Return (schools + 1, weeks, year groups): whose registers of a week were not taken; nobody's on no roll."""
    missing = rng.random((schools + 1, weeks, year_groups)) < REGISTERS_NOT_TAKEN * mess
    missing[schools] = False
    return missing


def mark_rows(
    school: npt.NDArray[np.integer],
    code: npt.NDArray[np.int8],
    monday: int,
    never_explained: npt.NDArray[np.float64],
    mess: float,
    rng: np.random.Generator,
) -> tuple[Rows, npt.NDArray[np.int8]]:
    """Return the rows of a week's marks (pupils, 5, 2) as a school records, explains and corrects them.

    The second value holds the codes as they stand in the end: N where no reason was ever found, which
    happens by the chance `never_explained` to an absence that was first marked N.
    """
    # Shapes do not depend on what happened, so the draws of a pupil do not either (common random numbers).
    drawn = rng.random((3, code.size), dtype=np.float32)
    by_day = rng.random((2, code.size // 2), dtype=np.float32)
    key = draws.key_of_week(rng)
    at = np.flatnonzero(code.ravel() >= 0)
    days, session = at >> 1, at & 1
    pupil = days // 5
    weekday = days - 5 * pupil
    true = code.ravel()[at]
    day = (monday + weekday).astype(np.int16)
    chance, late_by, wait_by = drawn.take(at, axis=1)
    # Both sessions of a day wait for the same explanation.
    unexplained = explainable(true) & (by_day[0].take(days) < MISSING_REASON_SHARE)
    never = unexplained & (by_day[1].take(days) < never_explained[pupil])
    mistaken = ~unexplained & (chance < CORRECTED_MARKS * mess) & (true != CODE["E"])
    wrong_first = np.where(session == 0, CODE["/"], CODE["\\"])
    in_school = _PRESENT[true]
    first = np.where(unexplained, CODE["N"], np.where(mistaken, np.where(in_school, CODE["N"], wrong_first), true))
    late = late_by < LATE_MARKS * mess
    recorded = day + np.where(late, 1 + (late_by * 1e6 % 4).astype(np.int16), 0)
    rows: dict[str, npt.NDArray[np.integer]] = {
        "school": school[pupil],
        "pupil": pupil.astype(np.int32),
        "date": day,
        "session": session.astype(np.int8),
        "code": first.astype(np.int8),
        "updated": recorded.astype(np.int16),
    }
    again = np.flatnonzero((unexplained & ~never) | mistaken)
    correction = {name: values[again] for name, values in rows.items()}
    wait = 1 + np.minimum((-2.2 * np.log(wait_by[again] + 1e-6)).astype(np.int16), 12)
    correction["code"] = true[again].astype(np.int8)
    correction["updated"] = _to_weekday(correction["updated"] + wait, monday).astype(np.int16)
    final = code.ravel().copy()
    final[at[never]] = CODE["N"]
    return _damaged(joined([rows, correction]), mess, key), final.reshape(code.shape)


def marked_after_move(
    old_school: npt.NDArray[np.integer],
    moved: npt.NDArray[np.bool_],
    opened: npt.NDArray[np.bool_],
    monday: int,
    mess: float,
    rng: np.random.Generator,
) -> Rows:
    """Return marks N that the old school goes on entering for some who have moved, while the week lasts."""
    forgot = moved & (rng.random(len(moved)) < MARKED_AFTER_MOVE * mess)
    pupil, weekday = np.nonzero(forgot[:, None] & opened)
    pupil, weekday, session = np.repeat(pupil, 2), np.repeat(weekday, 2), np.tile([0, 1], len(pupil))
    return {
        "school": old_school[pupil],
        "pupil": pupil.astype(np.int32),
        "date": (monday + weekday).astype(np.int16),
        "session": session.astype(np.int8),
        "code": np.full(len(pupil), CODE["N"], np.int8),
        "updated": (monday + weekday).astype(np.int16),
    }


def without_missing(rows: Rows, year_group: npt.NDArray[np.integer], missing: npt.NDArray[np.bool_]) -> Rows:
    """Return the marks but for the registers that were not taken; `missing` is (schools + 1, year groups)."""
    if not missing.any():
        return rows
    there = ~missing[rows["school"], np.clip(year_group[rows["pupil"]], 0, missing.shape[1] - 1)]
    return {name: values[there] for name, values in rows.items()}


def event_rows(rows: Rows, monday: int, mess: float, rng: np.random.Generator) -> Rows:
    """Return behaviour events or achievements as recorded: some days late, some changed or deleted later."""
    number = len(rows["school"])
    drawn = draws.uniforms(draws.key_of_week(rng), (rows["pupil"], draws.place_among(rows["pupil"])), 6)
    late = drawn[0] < LATE_EVENTS * mess
    wait = np.where(late, 1 + (drawn[1] ** 3 * 12).astype(np.int64), 0)
    recorded = {**rows, "updated": _to_weekday(rows["date"] + wait, monday), "deleted": np.zeros(number, np.int8)}
    gone = np.flatnonzero(drawn[2] < DELETED_EVENTS * mess)
    deletion = {name: values[gone] for name, values in recorded.items()}
    deletion["updated"] = _to_weekday(deletion["updated"] + 1 + (drawn[3, gone] * 15).astype(np.int64), monday)
    deletion["deleted"] = np.ones(len(gone), np.int8)
    parts: list[Rows] = [recorded, deletion]
    if "severity" in rows:
        changed = np.flatnonzero((drawn[4] < CHANGED_EVENTS * mess) & (drawn[2] >= DELETED_EVENTS * mess))
        change = {name: values[changed] for name, values in recorded.items()}
        change["severity"] = np.clip(change["severity"] - 1, 1, 5)
        change["updated"] = _to_weekday(change["updated"] + 2, monday)
        parts.append(change)
        recorded["type"] = np.where(drawn[5] < WRONG_CODE_ROWS * mess, len(TYPES), recorded["type"])
    return joined(parts)


def suspension_rows(
    rows: Rows, mess: float, rng: np.random.Generator, much_later: npt.NDArray[np.float32] | None = None
) -> tuple[Rows, Rows]:
    """Return suspensions as recorded, some late, mis-keyed or withdrawn, and those that stand.

    `updated` is the day of the decision. A mis-keyed start is deleted some days later and entered again.
    `much_later` is each row's chance of being entered MUCH_LATER_DAYS after: a planted injustice.
    """
    number = len(rows["school"])
    drawn = draws.uniforms(draws.key_of_week(rng), (rows["pupil"], rows["start_date"]), 5)
    wait = np.where(drawn[0] < LATE_SUSPENSIONS * mess, 1 + (drawn[1] * 6).astype(np.int64), 0)
    if much_later is not None:
        wait = wait + np.where(drawn[4] < much_later, MUCH_LATER_DAYS, 0)
    recorded = {**rows, "updated": rows["updated"] + wait, "deleted": np.zeros(number, np.int8)}
    gone = np.flatnonzero(drawn[2] < DELETED_SUSPENSIONS * mess)
    wrong = np.flatnonzero((drawn[3] < MISKEYED_SUSPENSIONS * mess) & (drawn[2] >= DELETED_SUSPENSIONS * mess))
    right = {name: values[wrong] for name, values in recorded.items()}
    recorded["start_date"] = recorded["start_date"].copy()
    recorded["start_date"][wrong] += MISKEYED_DAYS
    struck = np.concatenate([gone, wrong])
    deletion = {name: values[struck] for name, values in recorded.items()}
    deletion["updated"] = deletion["updated"] + np.where(np.arange(len(struck)) < len(gone), 5, 3)
    deletion["deleted"] = np.ones(len(struck), np.int8)
    right["updated"] = right["updated"] + 3
    stands = drawn[2] >= DELETED_SUSPENSIONS * mess
    return joined([recorded, deletion, right]), {name: values[stands] for name, values in rows.items()}


def _to_weekday(day: npt.NDArray[np.integer], monday: int) -> npt.NDArray[np.int64]:
    """Return each day, or the Monday after it where it is a Saturday or a Sunday."""
    weekday = (day - monday) % 7
    return np.asarray(np.where(weekday >= 5, day + 7 - weekday, day), np.int64)


def _damaged(rows: Rows, mess: float, key: int) -> Rows:
    """Return the rows with a few repeated, and a few with a code or a date that cannot be."""
    if not mess:
        return rows
    about = (rows["pupil"], rows["date"], rows["session"].astype(np.int64) + 2 * rows["updated"])
    drawn = draws.uniforms(key, about, 1)[0] / mess
    code, day = rows["code"].copy(), rows["date"].copy()
    wrong = np.flatnonzero(drawn < WRONG_CODE_ROWS)
    code[wrong] = len(CODES) + (drawn[wrong] * 1e9).astype(np.int64) % len(WRONG_CODES)
    drawn = drawn - WRONG_CODE_ROWS
    wrong = np.flatnonzero((drawn >= 0) & (drawn < WRONG_DATE_ROWS))
    day[wrong] = -1 - (drawn[wrong] * 1e9).astype(np.int64) % len(WRONG_DATES)
    drawn = drawn - WRONG_DATE_ROWS
    twice = np.flatnonzero((drawn >= 0) & (drawn < REPEATED_ROWS))
    damaged = {**rows, "code": code, "date": day}
    return joined([damaged, {name: values[twice] for name, values in damaged.items()}])
