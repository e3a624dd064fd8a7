"""The forms a feature can take, declared once: what each is, what it needs, whether it can be empty.

Words used below. The *window* is the school weeks (or the span) before as_of. The *weekly series* has a
point for each school week of the window that the calendar holds: the measure that week, divided by `per`
where it is given (a week without a possible session then has no point). The *sessions* are the pupil's
marks in the window that `per` counts, in order of date, morning before afternoon: so a weekend, a holiday or a neutral
code neither breaks nor lengthens a run. A session that two current rows speak of is missed if either
says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "count",
    "rate",
    "share",
    "change",
    "contrast",
    "slope",
    "volatility",
    "momentum",
    "cusum",
    "departure",
    "weeks",
    "maximum",
    "days",
    "since",
    "gap",
    "gap_change",
    "distinct",
    "top_share",
    "after",
    "spells",
    "brief",
    "longest",
    "run",
    "context",
]

FEWEST_POINTS = 3  # below three, neither a slope nor a usual week can be told
FAST_WEEKS, SLOW_WEEKS = 1.5, 6.0  # half-lives of 'momentum', in school weeks
RATE_FLOOR, COUNT_FLOOR = 0.05, 0.5  # least spread that 'departure' divides by: a pupil who never varies


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form.

    Attributes
    ----------
    means
        What the value is.
    needs, may
        Fields of a `Feature` that it must and may have, beside those every feature has.
    signed
        Whether the value is a difference, so that below zero means 'less than before'.
    unknown
        What there was too little of where it has no value, in words that may hold {measure}, {per}, {other} and
        {other_per} (what the measures mean); '' for a form that always has a value.
    spans
        Whether its window may be a span of the school year rather than a number of school weeks.
    weeks_least
        School weeks its window must hold.
    """

    means: str
    needs: frozenset[str]
    may: frozenset[str] = frozenset()
    signed: bool = False
    unknown: str = ""
    spans: bool = False
    weeks_least: int = 1


def _form(
    means: str,
    needs: str,
    may: str = "",
    *,
    signed: bool = False,
    unknown: str = "",
    spans: bool = False,
    weeks_least: int = 1,
) -> Form:
    return Form(
        means=means,
        needs=frozenset(needs.split()),
        may=frozenset(may.split()),
        signed=signed,
        unknown=unknown,
        spans=spans,
        weeks_least=weeks_least,
    )


_SERIES = "of the weekly series"
_NO_PER = "no {per}"
_FEW_WEEKS = f"fewer than {FEWEST_POINTS} weeks with {{per}}"
_FEW_BEFORE = f"no {{per}}, or fewer than {FEWEST_POINTS} weeks with any before that"
FORMS: Mapping[Kind, Form] = MappingProxyType(
    {
        "count": _form("the measure, added up", "measure", spans=True),
        "rate": _form("measure / per", "measure per", unknown=_NO_PER, spans=True),
        "share": _form(
            "measure / (measure + other)", "measure other", unknown="no {measure} and no {other}", spans=True
        ),
        "change": _form(
            "weekly mean (or rate), less that over the `before_weeks` before the window",
            "measure before_weeks",
            "per",
            signed=True,
            unknown="no {per}, or none in the weeks before",
        ),
        "contrast": _form(
            "measure / per, less other / other_per",
            "measure per other other_per",
            signed=True,
            unknown="no {per} or no {other_per}",
        ),
        "slope": _form(
            f"least-squares slope {_SERIES}, per week", "measure", "per", signed=True, unknown=_FEW_WEEKS, weeks_least=3
        ),
        "volatility": _form(
            f"population standard deviation {_SERIES}", "measure", "per", unknown=_FEW_WEEKS, weeks_least=FEWEST_POINTS
        ),
        "momentum": _form(
            f"mean {_SERIES} that halves a week's weight every {FAST_WEEKS} weeks, less the one that halves it every "
            f"{SLOW_WEEKS:.0f}",
            "measure",
            "per",
            signed=True,
            unknown=_FEW_WEEKS,
            weeks_least=FEWEST_POINTS,
        ),
        "cusum": _form(
            "m, s: mean and population standard deviation of the series over the `before_weeks` before the window; "
            "from 0, oldest week first, S becomes max(0, S + point - m - s/2); the last S",
            "measure before_weeks",
            "per",
            unknown=_FEW_BEFORE,
        ),
        "departure": _form(
            f"(mean {_SERIES} - m) / max(s, {RATE_FLOOR} for a rate or {COUNT_FLOOR} for a count); m, s as in cusum",
            "measure before_weeks",
            "per",
            signed=True,
            unknown=_FEW_BEFORE,
        ),
        "weeks": _form("school weeks of the window in which the measure adds up to more than 0", "measure"),
        "maximum": _form("the largest single row; 0 when there is none", "measure", spans=True),
        "days": _form("days that hold at least one row", "measure", spans=True),
        "since": _form("open school days from the newest row's day up to as_of", "measure", unknown="no {measure}"),
        "gap": _form(
            "mean open school days from one day with a row to the next",
            "measure",
            unknown="fewer than two days with {measure}",
        ),
        "gap_change": _form(
            "the newest gap less the mean of the earlier gaps",
            "measure",
            signed=True,
            unknown="fewer than three days with {measure}",
        ),
        "distinct": _form("different values of `by` among the rows", "measure by"),
        "top_share": _form("share of the rows with the commonest value of `by`", "measure by", unknown="no {measure}"),
        "after": _form(
            "rows whose day lies 1 to `within_days` calendar days after the day of a row of `other`",
            "measure other within_days",
        ),
        "spells": _form("runs of sessions that the measure counts", "measure per", unknown=_NO_PER),
        "brief": _form("such runs of one session", "measure per", unknown=_NO_PER),
        "longest": _form("sessions in the longest such run", "measure per", unknown=_NO_PER),
        "run": _form(
            "sessions in the run that the newest session ends; 0 when it is not counted", "measure per", unknown=_NO_PER
        ),
        "context": _form("not from rows in a window: see features/context.py", "context"),
    }
)
