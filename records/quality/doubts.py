"""Where each school stands: its doubts as of a day, which of them hold it, and since when."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from records.home import Home
from records.quality.acceptances import Acceptance, read_acceptances
from records.quality.aside import FileShare
from records.quality.counts import SchoolCounts, count_schools
from records.quality.rule import Rule
from records.quality.rules import RULES
from records.refusal import Refusal
from records.store import Store

FILE = "quality.toml"


class ThresholdRefused(Refusal):
    """`quality.toml` cannot be read as thresholds of our rules."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One doubt about one school's records: since when, in a sentence with figures, and what to ask."""

    rule: str
    since: date
    sentence: str
    remedy: str
    holds: bool
    accepted: Acceptance | None = None

    @property
    def holding(self) -> bool:
        """Whether the school's pupils are not scored because of it."""
        return self.holds and self.accepted is None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A school and its doubts as of a day; those that hold it first, the oldest first.

    `data_to` is the newest day with a register mark; None: none ever came.
    """

    school: int
    name: str
    as_of: date
    data_to: date | None
    doubts: tuple[Doubt, ...]

    @property
    def held(self) -> bool:
        """Whether its pupils are not scored."""
        return any(doubt.holding for doubt in self.doubts)

    @property
    def held_since(self) -> date | None:
        """The first day of doubt; None: not held."""
        return min((doubt.since for doubt in self.doubts if doubt.holding), default=None)

    @property
    def note(self) -> str:
        """What pages say beside the school's name; '' where it is up to date."""
        holding = [doubt for doubt in self.doubts if doubt.holding]
        if not holding:
            return ""
        more = f" ({len(holding) - 1} more: see the quality report)" if len(holding) > 1 else ""
        return f"{holding[0].sentence.removesuffix('.')}{more}. Until this is settled no pupil of the school is scored"


def standings(store: Store, as_of: date, *, files: Sequence[FileShare] = ()) -> tuple[Standing, ...]:
    """Return where every school of the network stands as of a day, by URN.

    Parameters
    ----------
    files
        `records.quality.aside.shares(store)`, where rows put aside are to be doubted too.

    Raises
    ------
    ThresholdRefused
        The home's quality.toml is not what it should be.
    """
    rules = read_rules(store.home)
    accepted = read_acceptances(store.home)
    return tuple(stand(counts, rules, accepted) for counts in count_schools(store, as_of, files=files))


def stand(counts: SchoolCounts, rules: Sequence[Rule] = RULES, accepted: Sequence[Acceptance] = ()) -> Standing:
    """Return where one school stands."""
    doubts = [
        Doubt(
            rule=rule.name,
            since=found.since,
            sentence=found.sentence,
            remedy=rule.remedy,
            holds=rule.holds,
            accepted=_accepted(accepted, rule, counts, found.since),
        )
        for rule in rules
        for found in rule.find(counts, rule.threshold)
    ]
    doubts.sort(key=lambda doubt: (not doubt.holding, not doubt.holds, doubt.since))
    return Standing(
        school=counts.school, name=counts.name, as_of=counts.as_of, data_to=counts.newest, doubts=tuple(doubts)
    )


def _accepted(acceptances: Sequence[Acceptance], rule: Rule, counts: SchoolCounts, since: date) -> Acceptance | None:
    covering = [
        one for one in acceptances if one.covers(rule.name, counts.school, since, counts.as_of, rule.drift_days)
    ]
    return covering[-1] if rule.holds and covering else None


def read_rules(home: Home) -> tuple[Rule, ...]:
    """Return the rules with the thresholds that the home's quality.toml names, and their own elsewhere.

    Raises
    ------
    ThresholdRefused
        The file names a rule that is none, or a threshold that is no number in its range.
    """
    path = home.path / FILE
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return RULES
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThresholdRefused(f"{FILE} cannot be read: {error}") from error
    thresholds = said.pop("thresholds", {})
    if not isinstance(thresholds, dict):
        raise ThresholdRefused(f"{FILE}: thresholds must be a table: [thresholds], then a rule's name = a number")
    names = [rule.name for rule in RULES]
    unknown = sorted([*said, *(name for name in thresholds if name not in names)])
    if unknown:
        raise ThresholdRefused(f"{FILE} says {', '.join(unknown)}; under [thresholds] it may name {', '.join(names)}")
    return tuple(_with_threshold(rule, thresholds.get(rule.name)) for rule in RULES)


def _with_threshold(rule: Rule, given: object) -> Rule:
    if given is None:
        return rule
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ThresholdRefused(f"{FILE}: {rule.name} is {given!r}; write it as a number ({rule.unit})")
    try:
        return replace(rule, threshold=float(given))
    except ValueError as error:
        raise ThresholdRefused(f"{FILE}: {error}; it is in {rule.unit}") from error
