"""What an audit shows beside the cells that it judges: each exhibit as a value. None of them holds a pupil.

Made in `fairness.evidence`, kept in `Audit.evidence`, shown by `fairness.report`. Nothing here decides a
verdict. Shares lie between 0 and 1; `lower` and `upper` are each right 19 times in 20 (90 % between them)
unless said otherwise; None means that a number cannot be computed, and `why` says why.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from fairness.cells import Cell

SchoolReads = Literal["too_few", "in_line", "low", "high", "very_low", "very_high"]
Reads = Literal["agrees", "worse", "better", "too_few"]
Sanction = Literal["removal", "suspension"]
FunnelMetric = Literal["recall", "oe_ratio"]
_CLOSED = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class SchoolPoint:
    """One school's figure in a funnel.

    Attributes
    ----------
    school
        Its URN.
    positives
        Pupil-terms with the outcome; under the policy's least count `reads` is 'too_few'.
    n, effective_n
        What the figure is out of (recall: pupil-terms with the outcome; O/E: suspensions expected over weekly
        scores), and that divided by the network's design effect: the funnel's width follows it.
    estimate
        The school's recall, or its observed over expected.
    low_95, high_95, low_998, high_998
        Between which 95 and 99.8 in 100 schools of this size would lie if all were like the network.
    shrunk
        The estimate drawn towards the network's by partial pooling. To look at, never to judge by: it makes
        small schools look alike.
    reads
        in_line: inside 95 %; low, high: outside it; very_low, very_high: outside 99.8 %.
    """

    __pydantic_config__ = _CLOSED
    school: int
    positives: int
    n: float
    effective_n: float
    estimate: float | None
    low_95: float | None
    high_95: float | None
    low_998: float | None
    high_998: float | None
    shrunk: float | None
    reads: SchoolReads


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """Every school's figure against the network's, for one metric ('recall' or 'oe_ratio').

    `network` is the network's own figure. `spread` is the standard deviation between schools that is left when
    chance is taken off (of recall; of the O/E ratio); nought: chance alone explains the differences, and every
    `shrunk` is the network's figure.
    """

    __pydantic_config__ = _CLOSED
    metric: FunnelMetric
    network: float | None
    spread: float | None
    schools: tuple[SchoolPoint, ...]


@dataclass(frozen=True, kw_only=True)
class TermCells:
    """The judged metrics of one term alone, ascending by term; the verdicts are the gate's on that term's cells."""

    __pydantic_config__ = _CLOSED
    term: str
    newest: bool
    cells: tuple[Cell, ...]

    @property
    def outside(self) -> tuple[Cell, ...]:
        """The cells that this term by itself shows to be outside a limit."""
        return tuple(cell for cell in self.cells if cell.verdict == "outside")


@dataclass(frozen=True, kw_only=True)
class ProxyInput:
    """An input that helps to tell a group.

    `share`: of the whole gain of the classifier, 0 to 1. `auc_alone`: by this input alone, 0.5 to 1. `declared`:
    what the catalogue says it may stand for ('' nothing).
    """

    __pydantic_config__ = _CLOSED
    feature: str
    share: float
    auc_alone: float
    declared: str


@dataclass(frozen=True, kw_only=True)
class ProxyTest:
    """Whether a group can be told from the model's inputs.

    Attributes
    ----------
    pupils, of_group, schools
        Pupils drawn, those of the group among them, and their schools.
    auc, lower, upper
        The chance that a pupil of the group is ranked above one who is not by a classifier that was fitted at
        other schools; 0.5 is chance.
    auc_given_outcome, given_lower, given_upper
        The same among pupils of the same outcome: what the inputs say of the group beyond how often it is suspended.
    alert
        Whether either is over `Evidence.proxy_alert`.
    inputs
        Those that carry most of it, the largest first.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    pupils: int
    of_group: int
    schools: int
    auc: float | None = None
    lower: float | None = None
    upper: float | None = None
    auc_given_outcome: float | None = None
    given_lower: float | None = None
    given_upper: float | None = None
    alert: bool = False
    inputs: tuple[ProxyInput, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class ShortfallChange:
    """A group's recall shortfall (all others' recall less its own, as a share) with and without some inputs.

    `change` is without less with: negative narrows the gap. Its interval is over the same pupils drawn whole.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    positives: int
    with_all: float
    without: float
    change: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What leaving out one feature, or one family of them, and training again would change.

    Attributes
    ----------
    name, features
        The feature's name or the family's heading, and the features left out.
    risk
        What the feature is declared to stand for, '' for nothing and for a family.
    recall, recall_change, lower, upper
        Recall without it, and that less the recall with every input (negative: fewer pupils found), with the
        interval over the same pupils drawn whole.
    shortfalls
        Of every group judged in full that has enough positives.
    worst_with_all, worst_without
        The largest shortfall of any of them, 0 at least.
    suggested
        It costs under half a point of recall and narrows some gap by over a point, as estimated. A suggestion
        to try, not a finding: read the intervals.
    """

    __pydantic_config__ = _CLOSED
    name: str
    features: tuple[str, ...]
    risk: str
    recall: float
    recall_change: float
    lower: float
    upper: float
    shortfalls: tuple[ShortfallChange, ...]
    worst_with_all: float
    worst_without: float
    suggested: bool


@dataclass(frozen=True, kw_only=True)
class OutcomeReading:
    """A group's recall shortfall under another outcome beside that under the policy's own.

    worse, better: the two intervals do not overlap, and the group fares so under the other outcome.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    reads: Reads


@dataclass(frozen=True, kw_only=True)
class OtherOutcome:
    """The same flags against another outcome.

    Attributes
    ----------
    name, means
        Its short name (severe_absence, left_roll, alternative_provision, suspended, permanent) and what it is.
    pupils, pupil_terms, positives
        Who was at risk of it, and how many pupil-terms had it.
    cells
        Recall and false alarms by group, shown and never judged (gate 'report').
    readings
        Each group judged in full, read against the policy's outcome.
    """

    __pydantic_config__ = _CLOSED
    name: str
    means: str
    pupils: int
    pupil_terms: int
    positives: int
    cells: tuple[Cell, ...]
    readings: tuple[OutcomeReading, ...]
    why: str = ""

    @property
    def disagrees(self) -> tuple[OutcomeReading, ...]:
        """The groups that fare clearly worse or better under this outcome."""
        return tuple(reading for reading in self.readings if reading.reads in {"worse", "better"})


@dataclass(frozen=True, kw_only=True)
class TippingPoint:
    """How many of a group's outcomes would have to be discretion and not need for its verdict to fall.

    Attributes
    ----------
    verdict
        The settled verdict asked about: 'within' or 'outside'.
    positives
        The group's pupil-terms with the outcome.
    to_doubt, to_reverse
        The smallest share of them (0 to 1) that, taken as no real need, ends the verdict, and that turns it into
        its opposite. None: no share does.
    among
        Which are taken first, the worst case: 'flagged' ones or 'missed' ones.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    metric: str
    verdict: Literal["within", "outside"]
    positives: int
    to_doubt: float | None
    to_reverse: float | None
    among: Literal["flagged", "missed"]


@dataclass(frozen=True, kw_only=True)
class PracticeSlice:
    """Sanctions for each incident of the same recorded severity, of some pupils beside all others in one place.

    Attributes
    ----------
    school
        Its URN; None: all schools together.
    attribute, group
        Whose incidents; 'all' and 'all': everybody's in the school, beside all other schools.
    against
        network: the others of the whole network. school: the others of the same school, so that what a school does
        to everyone is not read as something done to a group.
    sanction
        removal: out of lessons or out of school, the school's own isolation included. suspension: out of school alone,
        which removals, being many more, would hide.
    incidents, sanctions, expected
        Incidents counted, sanctions of this kind that followed, and how many would have followed had they ended as
        the others' of the same severity (and school) did; `expected` has decimals.
    ratio, lower, upper
        Sanctions for each one expected: a Mantel-Haenszel ratio. None where too few sanctions followed to say.
    notable
        The interval lies over 1 and stays so when corrected over all slices: to be said aloud.
    """

    __pydantic_config__ = _CLOSED
    school: int | None
    attribute: str
    group: str
    against: Literal["network", "school"]
    incidents: int
    sanctions: int
    expected: float | None
    ratio: float | None
    lower: float | None
    upper: float | None
    notable: bool = False
    sanction: Sanction = "removal"

    @property
    def over(self) -> bool:
        """Whether the interval lies over 1: sanctioned more often than others for the same."""
        return self.lower is not None and self.lower > 1


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What is written down of a group: whether its behaviour is recorded less than its sanctions suggest.

    Attributes
    ----------
    suspensions, without_incident
        Suspensions of the period, and those before which no incident of the pupil was recorded in `days` days.
    share, rest_share
        Of the group's suspensions, and of all others', the share without one.
    difference, lower, upper
        The first less the second.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    days: int
    suspensions: int
    without_incident: int
    share: float | None
    rest_share: float | None
    difference: float | None
    lower: float | None
    upper: float | None

    @property
    def over(self) -> bool:
        """Whether more of the group's suspensions come without a recorded incident: it may be under-recorded."""
        return self.lower is not None and self.lower > 0


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many of a group's pupils on roll in the audited period were evaluated.

    `on_roll`: pupils whom the records, not the candidate, have on a roll on an as-of day of the period;
    `evaluated`: those of them in the evaluation. `suspended`: those on roll with a suspension or permanent exclusion
    that starts in the period, and `suspended_evaluated` those of them in the evaluation: nobody can drop the pupils
    whom a model missed without a difference here.
    """

    __pydantic_config__ = _CLOSED
    attribute: str
    group: str
    on_roll: int
    evaluated: int
    suspended: int
    suspended_evaluated: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything beside the cells. An empty tuple: not made; `notes` says which were not, and why.

    `sentences` are what stands out, in plain words, for people to read first. `proxy_alert` is the AUC over
    which a proxy test alerts.
    """

    __pydantic_config__ = _CLOSED
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    funnels: tuple[Funnel, ...] = ()
    terms: tuple[TermCells, ...] = ()
    proxies: tuple[ProxyTest, ...] = ()
    proxy_alert: float = 0.70
    left_out: tuple[LeftOut, ...] = ()
    other_outcomes: tuple[OtherOutcome, ...] = ()
    tipping: tuple[TippingPoint, ...] = ()
    practice: tuple[PracticeSlice, ...] = ()
    recording: tuple[Recording, ...] = ()
    coverage: tuple[Coverage, ...] = ()
