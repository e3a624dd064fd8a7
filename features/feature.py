"""The shape of a feature's declaration: a small algebra of forms, each computed once in each engine."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from features.forms import FORMS, Kind
from features.measure import FORBIDDEN_CODES, Forbidden, Measure
from features.proxies import ProxyRisk
from features.spans import Span, said
from records.tables import TABLES

WEEKDAY = "weekday"

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
_OPTIONAL = (
    "measure", "per", "other", "other_per", "before_weeks", "by", "within_days", "context",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature, checked when it is made.

    Attributes
    ----------
    name
        Lower-case words joined by underscores; the window stands last ('_4w': four school weeks).
    kind
        Its form: see `features.forms`.
    window_weeks
        School weeks before as_of, as `Calendar.back` counts them; 0 for a context or a span.
    span
        What the window is when it is no number of school weeks: see `features.spans`.
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
    measure, per, other, other_per, before_weeks, by, within_days, context
        What the form needs: see `features.forms`. `by` is a coded or whole-number column of the measure's table, or
        'weekday'.
    proxy_risk
        What protected characteristic the value may stand for and why; None when no reason is known. The board's
        policy must allow it by name (`features.proxies.compose`).
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
    by: str = ""
    within_days: int = 0
    span: Span = "weeks"
    context: str = ""
    proxy_risk: ProxyRisk | None = None
    when_empty: float | None = None
    monotone: Literal[-1, 0, 1] = 0

    def __post_init__(self) -> None:
        problem = next((text for holds, text in self._problems() if holds()), None)
        if problem:
            raise Forbidden(f"feature {self.name!r}: {problem}")

    def _problems(self) -> tuple[tuple[Callable[[], bool], str], ...]:
        form = FORMS.get(self.kind)
        if form is None:
            return ((lambda: True, f"kind {self.kind!r} is not one of {', '.join(FORMS)}"),)
        given = {name for name in _OPTIONAL if getattr(self, name) not in (None, 0, "")}
        missing, extra = form.needs - given, given - form.needs - form.may
        windowless = self.kind == "context" or self.span != "weeks"
        return (
            (lambda: not self.name.isidentifier() or self.name.lower() != self.name, "a name is lower_case_words"),
            (lambda: bool(missing), f"a {self.kind} needs {', '.join(sorted(missing))}"),
            (lambda: bool(extra), f"a {self.kind} has no {', '.join(sorted(extra))}"),
            (
                lambda: self.span != "weeks" and not form.spans,
                f"a {self.kind} has a window of school weeks, not a span",
            ),
            (lambda: (self.window_weeks < 1) != windowless, "a window is 1 school week or more, or a span"),
            (
                lambda: not windowless and self.window_weeks < form.weeks_least,
                f"a {self.kind} needs {form.weeks_least} school weeks or more",
            ),
            (lambda: bool(self.by) and not self._by_exists(), f"there is no coded column {self.by!r} to tell apart by"),
            (
                lambda: any((measure.table, self.by) in FORBIDDEN_CODES for measure in self.measures),
                f"{self.by!r} holds codes that no feature may read, so rows are not told apart by it",
            ),
            (self._leaves_the_register, f"a {self.kind} is of sessions in the register"),
            (lambda: self.group not in GROUPS, f"group {self.group!r} is not one of {', '.join(GROUPS)}"),
            (lambda: self.when_empty is not None and not form.unknown, f"a {self.kind} is never empty"),
            (
                lambda: (
                    any(measure.health for measure in self.measures)
                    and (self.proxy_risk is None or self.proxy_risk.of != "disability")
                ),
                (
                    "it reads marks for illness or medical appointments; say proxy_risk=ProxyRisk('disability', ...), "
                    "and have the board's policy allow it (docs/decisions.md, 14)"
                ),
            ),
            (lambda: not (self.phrase and self.phrase_low and self.unit and self.source), "say unit, source, phrases"),
            (lambda: not self._phrases_work(), "phrases may use {value}, {size} and {s} only"),
        )

    def _by_exists(self) -> bool:
        if self.by == WEEKDAY or self.measure is None:
            return True
        columns = {column.name: column for column in TABLES[self.measure.table].columns}
        return self.by in columns and (columns[self.by].codes is not None or columns[self.by].kind == "integer")

    def _leaves_the_register(self) -> bool:
        """Whether a form of a line of sessions is asked of rows that are no sessions."""
        of_sessions = self.kind in ("spells", "brief", "longest", "run")
        return of_sessions and any(measure.table != "marks" for measure in self.measures)

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
            return f"Not known: {self.unknown}" if self.unknown else "Not known"
        low = value >= self.low if self.kind == "since" else value <= self.low
        size = -value if value < 0 else value
        words = self.phrase_low if low else self.phrase
        # One and many by what is printed: 1.2 stands there as 1.
        return words.format(value=value, size=size, s="" if f"{size:.0f}" == "1" else "s")

    @property
    def unknown(self) -> str:
        """Why the value may be unknown, in words; '' where it never is."""
        if self.kind == "context":
            return "the calendar and the roll do not say"
        short = FORMS[self.kind].unknown
        if not short:
            return ""
        given = {"measure": self.measure, "per": self.per, "other": self.other, "other_per": self.other_per}
        # What follows a comma defines more than a sentence needs. Without `per` a weekly series has weeks of school.
        means = {name: "school days" if one is None else one.means.split(",")[0] for name, one in given.items()}
        return f"{said(self.span, self.window_weeks)} there were {short.format(**means)}"

    def declaration(self) -> dict[str, object]:
        """Return everything that decides the feature's value and words, as plain values in a fixed order."""
        plain: dict[str, object] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, Measure):
                value = value.declaration()
            plain[name] = asdict(value) if isinstance(value, ProxyRisk) else value
        return plain

    @property
    def signed(self) -> bool:
        """Whether the value is a difference, so that below zero means 'less than before'."""
        return FORMS[self.kind].signed

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure the feature reads."""
        return tuple(m for m in (self.measure, self.per, self.other, self.other_per) if m is not None)
