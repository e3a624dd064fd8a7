"""A pupil's week of marks as one string of text → a row for each session, ten batches of them.

Large networks export a week as twenty characters: two for each session from Monday morning to Friday
afternoon, the code first, then a blank; two blanks are no session. There is one batch for each session
of the week, so that a fault can name the session and no more than a tenth of the marks is spread out at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from records.rows.batch import Batch, Broken, Form
from records.tables import MARKS
from records.text.sheet import Distinct, Sheet, constant

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
HALVES = ("AM", "PM")
SESSIONS = len(DAYS) * len(HALVES)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class WeekColumns:
    """The columns of a sheet of weeks, a row for each pupil and week, and the headings they stood under.

    Attributes
    ----------
    week_start
        The week's Monday, written as the form says.
    marks
        The week's string, `width` characters for each session.
    school, known_on, upn
        As in `marks`: the school's URN, the day of record, the pupil's number.
    headings
        'week_start', 'marks', 'school' and 'known_on' → the heading that a fault names.
    width
        How many characters a session takes.
    broken
        What the reader has already found wrong, row by row of the sheet.
    """

    week_start: Distinct
    marks: Distinct
    school: Distinct
    known_on: Distinct
    upn: Distinct
    headings: Mapping[str, str]
    width: int = 2
    broken: tuple[Broken, ...] = ()


def week_batches(sheet: Sheet, form: Form, columns: WeekColumns) -> tuple[Batch, ...]:
    """Return the marks of the weeks: a batch for each session that any pupil has, and one of broken weeks.

    A week that does not start on a Monday, or whose string has another length, is broken as a whole and
    none of its marks lands. A code that no list has breaks its session only: a check says which.
    """
    mondays, found = _mondays(columns.week_start, form)
    pieces, wrong = _pieces(columns.marks, columns.width)
    broken = found | wrong[columns.marks.codes]
    for one in columns.broken:
        broken |= one.rows
    batches = []
    for number, code in enumerate(pieces):
        rows = np.flatnonzero((code.codes >= 0) & ~broken)
        if len(rows):
            days = mondays[number // len(HALVES)]
            batches.append(
                _session(sheet, form, columns, number=number, rows=rows, text=(days.take(rows), code.take(rows)))
            )
    if broken.any():
        batches.append(_broken(sheet, form, columns, rows=np.flatnonzero(broken), wrong=wrong[columns.marks.codes]))
    return tuple(batches)


def _mondays(starts: Distinct, form: Form) -> tuple[list[Distinct], Mask]:
    """Return the date of each weekday as text, and the rows whose week starts on no Monday."""
    read = [_monday(text, form) for text in starts.values]
    wrong = np.array([*(day is None for day in read), False])
    texts = [
        tuple("" if day is None else (day + timedelta(days=after)).strftime(form.dates) for day in read)
        for after in range(len(DAYS))
    ]
    return [Distinct(text, starts.codes) for text in texts], wrong[starts.codes]


def _monday(text: str, form: Form) -> date | None:
    found = _day(text, form)
    return found if found is not None and found.weekday() == 0 else None


def _day(text: str, form: Form) -> date | None:
    try:
        found = datetime.strptime(text, form.dates).date()
    except ValueError:
        return None
    return found if found.strftime(form.dates).lower() == text.lower() else None


def _pieces(marks: Distinct, width: int) -> tuple[list[Distinct], Mask]:
    """Return the code of each session, -1 where there is none, and the distinct strings of another length."""
    length = SESSIONS * width
    wrong = np.array([*(len(text) != length for text in marks.values), False])
    # One array of fixed width, seen again as ten columns: each distinct string is cut once, without a loop.
    whole = np.array(["" if bad else text for text, bad in zip(marks.values, wrong[:-1], strict=True)], f"<U{length}")
    cut = whole.view(f"<U{width}").reshape(-1, SESSIONS) if len(whole) else np.empty((0, SESSIONS), f"<U{width}")
    pieces = []
    for number in range(SESSIONS):
        values, place = np.unique(cut[:, number], return_inverse=True)
        texts = tuple(str(value).rstrip(" ") for value in values)
        codes = np.where(np.array([*texts, ""]) == "", -1, np.arange(len(texts) + 1)).astype(np.int32)
        pieces.append(Distinct(texts, codes[place.astype(np.int32)][marks.codes]))
    return pieces, wrong


def _session(
    sheet: Sheet,
    form: Form,
    columns: WeekColumns,
    *,
    number: int,
    rows: npt.NDArray[np.int64],
    text: tuple[Distinct, Distinct],
) -> Batch:
    day, half = DAYS[number // len(HALVES)], HALVES[number % len(HALVES)]
    return _batch(
        sheet,
        form,
        columns,
        rows=rows,
        text={"date": text[0], "session": constant(half, len(rows)), "code": text[1]},
        place=f" ({day} {half})",
    )


def _broken(sheet: Sheet, form: Form, columns: WeekColumns, *, rows: npt.NDArray[np.int64], wrong: Mask) -> Batch:
    """Return the weeks that cannot be spread out, each as one row, with what is wrong with it."""
    starts = columns.week_start.take(rows)
    read = [_day(text, form) for text in starts.values]
    # A week's own date stands in the batch: where it is no date at all, the check says so.
    not_monday = np.array([*(day is not None and day.weekday() != 0 for day in read), False])[starts.codes]
    told = [replace(one, rows=one.rows[rows]) for one in columns.broken]
    told.append(
        Broken(
            column="date",
            rows=not_monday,
            value_class="date that is no Monday",
            rule="the week must start on a Monday",
            remedy="export whole weeks, each from its Monday",
        )
    )
    told.append(
        Broken(
            column="code",
            rows=wrong[rows],
            value_class="text of another length",
            rule=f"the week must be {SESSIONS * columns.width} characters, {columns.width} for each session",
            remedy="export the blanks too, those at the end included",
        )
    )
    text = {"date": starts, "session": constant(HALVES[0], len(rows)), "code": constant("/", len(rows))}
    batch = _batch(sheet, form, columns, rows=rows, text=text, place="")
    return replace(batch, broken=tuple(one for one in told if one.rows.any()))


def _batch(
    sheet: Sheet,
    form: Form,
    columns: WeekColumns,
    *,
    rows: npt.NDArray[np.int64],
    text: Mapping[str, Distinct],
    place: str,
) -> Batch:
    headings = columns.headings
    return Batch(
        table=MARKS,
        sheet=sheet,
        form=form,
        rows=rows,
        columns={
            **text,
            "school": columns.school.take(rows),
            "known_on": columns.known_on.take(rows),
            "deleted": constant("", len(rows)),
        },
        headings={
            "school": headings["school"],
            "known_on": headings["known_on"],
            "date": headings["week_start"],
            "session": headings["marks"],
            "code": headings["marks"] + place,
        },
        upn=columns.upn.take(rows),
    )
