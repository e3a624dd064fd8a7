"""The shape of a feature's declaration: a small algebra of forms, each computed once in each engine."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from features.measure import Forbidden, Measure

Kind = Literal[
    "count",  # the measure, added up over the window
    "rate",  # measure / per over the window
    "share",  # measure / (measure + other) over the window
    "change",  # weekly mean (or rate) over the window, less that over the `before_weeks` before it
    "contrast",  # measure / per, less other / other_per, over the window
    "slope",  # least-squares slope over the window's school weeks of the weekly count (or rate), per week
    "maximum",  # the largest single row over the window; 0 when there is none
    "days",  # days of the window that hold at least one row
    "since",  # open school days from the last row's day in the window up to as_of
    "context",  # not from rows in a window: see features/context.py
]
Group = Literal[
    "Time in lessons",
    "Punctuality",
    "Attendance",
    "Behaviour",
    "Earlier suspensions",
    "Moves and changes",
    "Positives and strengths",
    "Year group and time of year",
]
GROUPS: tuple[str, ...] = get_args(Group)
_NEEDS: dict[str, frozenset[str]] = {
    "count": frozenset({"measure"}),
    "rate": frozenset({"measure", "per"}),
    "share": frozenset({"measure", "other"}),
    "change": frozenset({"measure", "before_weeks"}),
    "contrast": frozenset({"measure", "per", "other", "other_per"}),
    "slope": frozenset({"measure"}),
    "maximum": frozenset({"measure"}),
    "days": frozenset({"measure"}),
    "since": frozenset({"measure"}),
    "context": frozenset({"context"}),
}
_MAY_HAVE_PER = frozenset({"change", "slope"})
_SIGNED = frozenset({"change", "contrast", "slope"})
# Forms with a denominator that can be empty; the others have a value whatever the records hold.
_CAN_BE_EMPTY = frozenset({"rate", "share", "change", "contrast", "slope", "since"})


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature, checked when it is made.

    Attributes
    ----------
    name
        Lower-case words joined by underscores; the window stands last ('_4w': four school weeks).
    kind
        Its form: see `Kind`.
    window_weeks
        School weeks before as_of, as `Calendar.back` counts them; 0 for a context.
    unit
        What the number counts.
    phrase, phrase_low
        What a reason says when the value is above, and when it is at or below, its `low` point (0, or
        `when_empty` for a 'since'). They may use {value}, {size} (the value without its sign) and {s}
        ('' when the size is 1).
    group
        The heading a reason stands under.
    changeable
        Whether a school and a pupil can change it by what they do next.
    source
        Where the idea or the definition comes from.
    measure, per, other, other_per, before_weeks, context
        What the form needs: see `Kind`.
    when_empty
        The value when the form has nothing to divide or nothing to find; None: unknown (NaN).
    monotone
        1 when more may only raise the probability, -1 when it may only lower it, 0 when free.
    """

    name: str
    kind: Kind
    window_weeks: int
    unit: str
    phrase: str
    phrase_low: str
    group: Group
    changeable: bool
    source: str
    measure: Measure | None = None
    per: Measure | None = None
    other: Measure | None = None
    other_per: Measure | None = None
    before_weeks: int = 0
    context: str = ""
    when_empty: float | None = None
    monotone: Literal[-1, 0, 1] = 0

    def __post_init__(self) -> None:
        problem = next((text for holds, text in self._problems() if holds()), None)
        if problem:
            raise Forbidden(f"feature {self.name!r}: {problem}")

    def _problems(self) -> tuple[tuple[Callable[[], bool], str], ...]:
        needs = _NEEDS.get(self.kind, frozenset())
        given = {
            name
            for name in ("measure", "per", "other", "other_per", "before_weeks", "context")
            if getattr(self, name) not in (None, 0, "")
        }
        extra = given - needs - ({"per"} if self.kind in _MAY_HAVE_PER else set())
        return (
            (lambda: not self.name.isidentifier() or self.name.lower() != self.name, "a name is lower_case_words"),
            (lambda: self.kind not in _NEEDS, f"kind {self.kind!r} is not one of {', '.join(_NEEDS)}"),
            (lambda: bool(needs - given), f"a {self.kind} needs {', '.join(sorted(needs - given))}"),
            (lambda: bool(extra), f"a {self.kind} has no {', '.join(sorted(extra))}"),
            (lambda: (self.window_weeks < 1) != (self.kind == "context"), "a window is 1 school week or more"),
            (lambda: self.kind == "slope" and self.window_weeks < 3, "a slope needs 3 school weeks or more"),
            (lambda: self.group not in GROUPS, f"group {self.group!r} is not one of {', '.join(GROUPS)}"),
            (lambda: self.when_empty is not None and self.kind not in _CAN_BE_EMPTY, f"a {self.kind} is never empty"),
            (lambda: not (self.phrase and self.phrase_low and self.unit and self.source), "say unit, source, phrases"),
            (lambda: not self._phrases_work(), "phrases may use {value}, {size} and {s} only"),
        )

    def _phrases_work(self) -> bool:
        try:
            return all(self.sentence(value) for value in (0.0, 1.0, 2.5, math.nan))
        except (KeyError, IndexError, ValueError):
            return False

    @property
    def low(self) -> float:
        """The value at or below which `phrase_low` is the true sentence."""
        return self.when_empty if self.kind == "since" and self.when_empty is not None else 0.0

    def sentence(self, value: float) -> str:
        """Return the feature's value in words, to stand as a reason; it says so when the value is unknown."""
        if math.isnan(value):
            return f"Not enough records to say ({self.name.replace('_', ' ')})"
        low = value >= self.low if self.kind == "since" else value <= self.low
        size = -value if value < 0 else value
        words = self.phrase_low if low else self.phrase
        return words.format(value=value, size=size, s="" if size == 1 else "s")

    def declaration(self) -> dict[str, object]:
        """Return everything that decides the feature's value and words, as plain values in a fixed order."""
        plain: dict[str, object] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            plain[name] = value.declaration() if isinstance(value, Measure) else value
        return plain

    @property
    def signed(self) -> bool:
        """Whether the value is a difference, so that below zero means 'less than before'."""
        return self.kind in _SIGNED

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure the feature reads."""
        return tuple(m for m in (self.measure, self.per, self.other, self.other_per) if m is not None)
