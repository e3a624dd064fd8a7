"""Who is scored on a day, and who on the roll cannot be, with the reason."""

import math
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.align import by_pupil, days_by_school
from records.calendar import Calendar
from records.history import Known

# Code → what a page says. A pupil with a reason has features but no score, and is never flagged.
ABSTAIN: dict[str, str] = {
    "objection": "The pupil, or someone on their behalf, objected to being scored",
    "excluded": "The pupil has been permanently excluded from this school",
    "serving": "The pupil is serving a suspension on this day",
    "decided": "A coming suspension is already recorded",
    "too_new": "The pupil has been on roll for less than three school weeks and has no earlier record here",
    "not_up_to_date": "The register holds no mark for this pupil in the last five school days",
    "school_held": "The school's records are in doubt, and nobody is scored until that is settled",
    "not_covered": "The school joined after what the approval in force was audited on, so it does not cover it",
}
# Given by the nightly job, which alone looks at whole schools (records/quality, the audit); never by `with_abstain`.
HELD = "school_held"
NOT_COVERED = "not_covered"
BY_SCHOOL = frozenset({HELD, NOT_COVERED})
YEARS = frozenset({"R", "X", "M", *(str(year) for year in range(1, 12))})
NEW_WEEKS = 3
STALE_DAYS = 5
ON_ROLL = frozenset({"C", "M"})
# A lunchtime exclusion is no day away, and not what Belong is asked about.
AWAY = frozenset({"SUSP", "PERM"})
_COLUMNS = ["pupil", "school", "year_group", "entry_date", "abstain"]


def cohort(known: Known) -> pd.DataFrame:
    """Return the pupils on a roll of the network at `known.as_of`, one row each, ordered by pupil.

    Columns: `pupil` int64, `school` int32 (of the newest current or main enrolment), `year_group` str,
    `entry_date` datetime64[s] (first day on that roll), `abstain` str ('' or a key of `ABSTAIN`).
    Reception to year 11, and pupils outside the year groups (X, M); never nursery or sixth form.
    """
    on_roll = roll(known)
    newest = known["marks"].groupby("pupil")["date"].max()
    calendar = known.calendar
    first_fresh = days_by_school(on_roll["school"], lambda school: fresh_from(calendar, school, known.as_of), calendar)
    fresh = by_pupil(on_roll["pupil"], newest) >= first_fresh
    return with_abstain(on_roll, known, fresh.to_numpy(dtype=bool))


def roll(known: Known) -> pd.DataFrame:
    """Return `cohort`'s rows without `abstain`: from enrolments alone."""
    rows = known["enrolments"]
    day = pd.Timestamp(known.as_of)
    stays = rows["leaving_date"].isna() | (rows["leaving_date"] >= day)
    current = rows[stays & rows["status"].isin(ON_ROLL) & rows["year_group"].isin(YEARS)]
    # Two current enrolments happen when a school forgets to record a leaver: the newer one is where the pupil is.
    newest = current.sort_values(["pupil", "entry_date", "school"], kind="stable").drop_duplicates("pupil", keep="last")
    found = newest[["pupil", "school", "year_group", "entry_date"]].reset_index(drop=True)
    return found.assign(year_group=found["year_group"].astype("str"))


def fresh_from(calendar: Calendar, school: int, as_of: date) -> date:
    """Return the first day a pupil's newest mark may have without being more than five open days old.

    A year back where the calendar holds no more than five open days before as_of.
    """
    days = calendar.open_days.get(school, np.empty(0, "datetime64[D]"))
    before = days[days < np.datetime64(as_of, "D")]
    if len(before) <= STALE_DAYS:
        return as_of - timedelta(days=365)
    last_stale: date = before[-STALE_DAYS - 1].item()
    return last_stale + timedelta(days=1)


def with_abstain(on_roll: pd.DataFrame, known: Known, fresh: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return the roll with `abstain`: the first reason of `ABSTAIN`, in its order, that holds.

    `fresh` says for each row whether the register holds a mark from `fresh_from` on.
    """
    suspensions = known["suspensions"]
    away = suspensions[suspensions["category"].isin(AWAY)]
    permanent = away[away["category"] == "PERM"].groupby("pupil")["start_date"].max()
    excluded = by_pupil(on_roll["pupil"], permanent) >= on_roll["entry_date"]
    coming = known.coming[known.coming["category"].isin(AWAY)]
    holds = {
        "objection": on_roll["pupil"].isin(known.objecting).to_numpy(dtype=bool),
        "excluded": excluded.to_numpy(dtype=bool),
        "serving": on_roll["pupil"].isin(_serving(away, known)).to_numpy(dtype=bool),
        "decided": on_roll["pupil"].isin(coming["pupil"]).to_numpy(dtype=bool),
        "too_new": _too_new(on_roll, known),
        "not_up_to_date": ~fresh,
    }
    asked = [code for code in ABSTAIN if code not in BY_SCHOOL]
    abstain = np.select([holds[code] for code in asked], asked, default="")
    return on_roll.assign(abstain=pd.Series(abstain, dtype="str"))[_COLUMNS]


def _serving(away: pd.DataFrame, known: Known) -> set[int]:
    # The longest suspension is 45 school days, so an older start than half a year cannot still hold.
    recent = away[away["start_date"] >= pd.Timestamp(known.as_of - timedelta(days=183))]
    serving: set[int] = set()
    for pupil, school, start, sessions in zip(
        recent["pupil"], recent["school"], recent["start_date"], recent["sessions"], strict=True
    ):
        # A length not recorded: the first day is all that is known.
        days = 1 if pd.isna(sessions) else math.ceil(int(sessions) / 2)
        last = known.calendar.add_open_days(int(school), start.date(), days - 1)
        if last is None or last >= known.as_of:
            serving.add(int(pupil))
    return serving


def _too_new(on_roll: pd.DataFrame, known: Known) -> npt.NDArray[np.bool_]:
    back = known.calendar.back
    starts = days_by_school(on_roll["school"], lambda school: back(school, known.as_of, NEW_WEEKS), known.calendar)
    new = (on_roll["entry_date"] > starts).to_numpy(dtype=bool, copy=True)
    enrolments = known["enrolments"]
    mine = enrolments[enrolments["pupil"].isin(on_roll["pupil"][new])]
    first_entry = by_pupil(on_roll["pupil"][new], mine.groupby("pupil")["entry_date"].min())
    new[new] = (first_entry == on_roll["entry_date"][new]).to_numpy(dtype=bool)
    return new
