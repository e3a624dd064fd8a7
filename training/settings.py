"""One frozen record of every choice made in training; its digest is part of what is signed."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import rfc8785

from features.catalogue import CATALOGUE
from records.refusal import Refusal
from records.tables import TABLES
from training.rise import FORMS


class Counted(NamedTuple):
    """What counts as the outcome: as the policy says it, as pages say of pupils, and the categories that start it."""

    words: str
    happened: str
    categories: tuple[str, ...]


# What may count (docs/decisions.md, 11).
OUTCOMES: Mapping[str, Counted] = {
    "suspension_or_permanent": Counted(
        "a suspension or permanent exclusion starts", "suspended or excluded", ("SUSP", "PERM")
    ),
    "suspension": Counted("a suspension starts", "suspended", ("SUSP",)),
    "permanent": Counted("a permanent exclusion starts", "permanently excluded", ("PERM",)),
}
# By what the forward folds choose the number of rounds → LightGBM's name for it.
STOP_BY: Mapping[str, str] = {"log_loss": "binary_logloss", "average_precision": "average_precision"}

# LightGBM parameters that a caller may set; the others are fixed here because the digest of a rerun,
# the strict monotony of probabilities or the reasons depend on them.
TUNABLE = frozenset(
    {
        "learning_rate",
        "num_leaves",
        "min_data_in_leaf",
        "lambda_l2",
        "feature_fraction",
        "max_bin",
        "min_sum_hessian_in_leaf",
        "path_smooth",
    }
)
DEFAULT_BOOSTING: Mapping[str, float] = {
    "learning_rate": 0.04,
    "num_leaves": 10,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "max_bin": 127,
}


class SettingRefused(Refusal, ValueError):
    """A setting that cannot mean anything; the message says what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every choice between known facts and a flag.

    Attributes
    ----------
    outcome, horizon_weeks
        What counts (a key of `OUTCOMES`), and in how many school weeks ahead (docs/decisions.md, 11).
    inputs
        Names of the features that a model may learn from; none named: the whole catalogue.
    lead_days, lead_days_also
        Open school days between a flag and the suspension for the flag to have come in time; the
        second is reported beside the first.
    settle_days
        Days after the end of a horizon before its outcomes are believed: suspensions are typed in late.
    capacity_share, capacity_min, capacity_max
        New flags a school-week: share of the roll, at least, at most (docs/decisions.md, 13 and 93).
    snooze_weeks
        School weeks after a flag in which the pupil is not flagged anew.
    level_times
        A flag needs a probability of at least this many times the network's base rate.
    rise, past_weeks, past_least, rise_noise, since_weeks
        What a rise is measured from (a key of `rise.FORMS`), over so many earlier weeks of the pupil's own,
        of which so many must be scored; a rise is at least this many times the usual change from one week
        to the next; `rising_since` looks back so many weeks at most.
    train_every, folds, rounds_most, patience, stop_by
        Every how many weeks training takes a snapshot (neighbouring weeks repeat each other);
        forward folds; most boosting rounds; rounds without gain before a fold stops; gain in what (`STOP_BY`).
    others_share
        Of the training rows without a suspension ahead, the share that is kept (`training.sampling`): less than 1
        for networks too large to hold.
    resamples
        Draws of pupils, and of schools, for the intervals of figures (none: no intervals).
    least_outcomes
        Positive snapshots that calibration needs: ten for each of its three numbers.
    allow
        Names of features that may stand for a protected characteristic and that the board's policy allows.
    threads, processes
        Threads of LightGBM; processes that build the matrix. Neither changes a number.
    """

    outcome: str = "suspension_or_permanent"
    horizon_weeks: int = 6
    inputs: tuple[str, ...] = ()
    lead_days: int = 5
    lead_days_also: int = 10
    settle_days: int = 7
    capacity_share: float = 0.005
    capacity_min: int = 0
    capacity_max: int = 15
    snooze_weeks: int = 6
    level_times: float = 3.0
    rise: str = "momentum"
    past_weeks: int = 12
    past_least: int = 4
    rise_noise: float = 0.5
    since_weeks: int = 6
    train_every: int = 2
    folds: int = 2
    rounds_most: int = 400
    patience: int = 30
    stop_by: str = "log_loss"
    others_share: float = 1.0
    resamples: int = 300
    least_outcomes: int = 30
    threads: int = 2
    processes: int = 2
    seed: int = 20261122
    allow: tuple[str, ...] = ()
    boosting: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_BOOSTING))

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingRefused(f"{name} is {value!r}; it must be between {low} and {high}")
        for name, allowed in (("rise", FORMS), ("outcome", OUTCOMES), ("stop_by", STOP_BY)):
            if getattr(self, name) not in allowed:
                raise SettingRefused(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(allowed)}")
        _check_inputs(self.inputs)
        if self.capacity_min > self.capacity_max:
            raise SettingRefused(
                f"capacity_min {self.capacity_min} is above capacity_max {self.capacity_max}; swap them"
            )
        if self.past_least > self.past_weeks:
            raise SettingRefused(f"past_least {self.past_least} is above past_weeks {self.past_weeks}; lower it")
        unknown = sorted(set(self.boosting) - TUNABLE)
        if unknown:
            raise SettingRefused(
                f"boosting has {', '.join(unknown)}, which may not be set; allowed: {', '.join(sorted(TUNABLE))}"
            )

    @property
    def weeks_back(self) -> int:
        """Return how many earlier weeks must be scored for this week's flags to be those of a long run."""
        return self.past_weeks + self.since_weeks

    def choices(self) -> dict[str, Any]:
        """Return every choice that can change a number, as plain values in order of declaration."""
        said = {name: value for name, value in asdict(self).items() if name not in ("threads", "processes")}
        return {
            **said,
            "inputs": list(self.inputs),
            "allow": sorted(self.allow),
            "boosting": dict(sorted(self.boosting.items())),
        }

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of `choices`."""
        return hashlib.sha256(rfc8785.dumps(self.choices())).hexdigest()


def counted(choices: Mapping[str, Any]) -> Counted:
    """Return what counts as the outcome under the choices that a bundle holds."""
    return OUTCOMES[choices.get("outcome", Settings().outcome)]


_RANGES: dict[str, tuple[float, float]] = {
    "horizon_weeks": (1, 26),
    "lead_days": (0, 60),
    "lead_days_also": (0, 60),
    "settle_days": (0, 60),
    "capacity_share": (0.0001, 1.0),
    "capacity_min": (0, 1000),
    "capacity_max": (1, 1000),
    "snooze_weeks": (0, 40),
    "level_times": (0.0, 100.0),
    "past_weeks": (1, 40),
    "past_least": (1, 40),
    "rise_noise": (0.0, 20.0),
    "since_weeks": (1, 40),
    "train_every": (1, 8),
    "folds": (1, 10),
    "rounds_most": (5, 5000),
    "patience": (1, 1000),
    "others_share": (0.01, 1.0),
    "resamples": (0, 10_000),
    "least_outcomes": (1, 100_000),
    "threads": (1, 64),
    "processes": (1, 64),
    "seed": (0, 2**31 - 1),
}


# The words by which protected characteristics are called: their tables, columns, and the first part of either.
_PROTECTED = {
    word
    for table in TABLES.values()
    if table.protected
    for name in (table.name, *(column.name for column in table.columns if column.kind in ("code", "text", "integer")))
    for word in (name, name.split("_")[0])
}


def _check_inputs(inputs: tuple[str, ...]) -> None:
    protected = [name for name in inputs if name in _PROTECTED]
    if protected:
        raise SettingRefused(
            f"inputs names {', '.join(protected)}: a protected characteristic is for audits only and never an input; "
            "take it out of inputs"
        )
    known = {feature.name for feature in CATALOGUE}
    unknown = [name for name in inputs if name not in known]
    if unknown:
        raise SettingRefused(f"inputs names {', '.join(unknown)}, no feature; docs/generated/features.md lists them")
    if len(set(inputs)) < len(inputs):
        raise SettingRefused("inputs names a feature twice; name each once")


def settings_from(said: Mapping[str, Any]) -> Settings:
    """Return settings from plain values, as a policy or a command line gives them.

    Raises
    ------
    SettingRefused
        A name is not a setting, or a value is out of its range.
    """
    allowed = [item.name for item in fields(Settings)]
    unknown = sorted(set(said) - set(allowed))
    if unknown:
        raise SettingRefused(f"no setting is called {', '.join(unknown)}; there are {', '.join(allowed)}")
    inputs = said.get("inputs", ())
    if not isinstance(inputs, list | tuple) or not all(isinstance(name, str) for name in inputs):
        raise SettingRefused(f"inputs is {inputs!r}; write a list of names of features")
    return Settings(**{**said, "inputs": tuple(inputs)})
