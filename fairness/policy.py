"""The board's policy, read from TOML and refused unless every part of it is known and gives its reason."""

import hashlib
import tomllib
from datetime import date
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.proxies import Risk
from records.home import Home
from records.refusal import Refusal
from training.settings import OUTCOMES

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Reason = Annotated[str, Field(min_length=10)]

POLICY_FILE = "policy.toml"


class PolicyRefused(Refusal):
    """The policy cannot be used; the message names the place and what is allowed there."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, ignored_types=(cached_property,))


class Population(_Part):
    """Who is counted: pupil-terms with the outcome within the horizon of a weekly score."""

    unit: Literal["pupil_term"]
    outcome: str
    horizon_school_weeks: Count
    lead_school_days: Annotated[int, Field(ge=0)]
    min_terms: Count
    max_age_days: Count
    reason: Reason

    @field_validator("outcome")
    @classmethod
    def _can_be_counted(cls, said: str) -> str:
        allowed = [counted.words for counted in OUTCOMES.values()]
        if said not in allowed:
            raise ValueError(f"{said!r} cannot be counted; write one of: {'; '.join(allowed)}")
        return said

    @property
    def counted(self) -> str:
        """Which of `training.settings.OUTCOMES` the outcome is."""
        return next(name for name, counted in OUTCOMES.items() if counted.words == self.outcome)

    @property
    def happened(self) -> str:
        """The outcome as said of pupils: 'suspended or excluded'."""
        return OUTCOMES[self.counted].happened


class Capacity(_Part):
    """How many new flags a week a school can look at."""

    of: Literal["new flags a week"]
    share_of_roll: Share
    min: Annotated[int, Field(ge=0)]
    max: Count
    ties: Literal["worst"]
    reason: Reason

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is over max {self.max}")
        return self


class Attribute(_Part):
    """A characteristic by which errors are compared.

    `gate`: full: every group must pass; fail_only: a group can fail the audit but not hold it open;
    report: shown only. `columns` of the groups frame are joined by ', ' where there are several.
    `merges` maps a finer code to the group it joins, declared beforehand.
    """

    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    columns: Annotated[tuple[str, ...], Field(min_length=1, max_length=3)]
    groups: Annotated[tuple[str, ...], Field(min_length=2)]
    report_only: tuple[str, ...] = ()
    merges: dict[str, str] = {}
    gate: Literal["full", "fail_only", "report"]
    reason: Reason

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({*self.groups, *self.report_only}) != len(self.groups) + len(self.report_only):
            raise ValueError("a group stands twice in groups and report_only")
        stray = set(self.merges.values()) - set(self.groups)
        if stray:
            raise ValueError(f"merges lead to {sorted(stray)}, which are not among groups")
        return self


class Metric(_Part):
    """A limit on one metric of `fairness.metrics.METRICS`.

    `scale`: difference (rest against group, `margin`), ratio (group over rest, `limit`), alone (the
    group's own value, `interval`).
    """

    name: str
    harm: Literal["shortfall", "excess", "either"]
    scale: Literal["difference", "ratio", "alone"]
    margin: Share | None = None
    limit: Annotated[float, Field(gt=0)] | None = None
    interval: tuple[float, float] | None = None
    gate: bool
    reason: Reason

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        wanted = {"difference": "margin", "ratio": "limit", "alone": "interval"}[self.scale]
        given = [name for name in ("margin", "limit", "interval") if getattr(self, name) is not None]
        if given != [wanted]:
            raise ValueError(f"scale {self.scale!r} takes {wanted!r} and nothing else, not {given}")
        if self.limit is not None and (self.limit < 1) != (self.harm == "shortfall"):
            raise ValueError("a shortfall's ratio limit lies under 1, an excess's over 1")
        if self.interval is not None and not 0 < self.interval[0] < 1 < self.interval[1]:
            raise ValueError("interval must hold 1 between its ends")
        return self

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The lowest and the highest harm allowed; None: no limit on that side."""
        if self.interval is not None:
            return self.interval
        if self.limit is not None:
            return (self.limit, None) if self.harm == "shortfall" else (None, self.limit)
        return None, self.margin


class Inference(_Part):
    """How the data are asked whether a limit is kept (docs/decisions.md#gate)."""

    bound: Literal["newcombe_neff"]
    cluster: tuple[Literal["pupil"], Literal["school"]]
    replicates: Annotated[int, Field(ge=200, le=100_000)]
    alpha: Annotated[float, Field(gt=0, le=0.2)]
    pass_rule: Literal["iut"]
    fail_rule: Literal["holm"]
    min_positives: Annotated[int, Field(ge=10)]
    few_clusters: Count
    seed: int
    reason: Reason


class Usefulness(_Part):
    """What the model must beat to be worth using at all."""

    must_beat: Annotated[tuple[str, ...], Field(min_length=1)]
    metric: Literal["recall", "precision"]
    min_gain: Annotated[float, Field(ge=0, lt=1)]
    precision_floor_times_base_rate: Annotated[float, Field(ge=1)]
    reason: Reason


class Practice(_Part):
    """Whether sanctions for each incident are judged (not yet: shown)."""

    gate: Literal[False]
    reason: Reason


class Input(_Part):
    """Features that may stand for a protected characteristic and are allowed all the same, by name."""

    risk: Risk
    features: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: Reason


class Disclosure(_Part):
    """Counts under `primary` are hidden with all that gives them away; others rounded to `round`."""

    primary: Annotated[int, Field(ge=5)]
    round: Count
    reason: Reason


class ApprovalRule(_Part):
    """Who signs a passed audit, and for how long (the same numbers stand in fairness/signoff.py)."""

    signers: tuple[Literal["board_member"], Literal["board_member"]]
    valid_days: Annotated[int, Field(ge=1, le=180)]
    nobody_who_trained: Literal[True]
    reason: Reason


class WaiverRule(_Part):
    """What may be waived, by whom, and for how long. A failure never."""

    allowed_from: tuple[Literal["NOT_SETTLED"]]
    signers: tuple[Literal["board_member"], Literal["board_member"], Literal["data_protection_officer"]]
    max_days: Annotated[int, Field(ge=1, le=90)]
    needs: tuple[Literal["reason"], Literal["monitoring_plan"], Literal["review_date"]]
    reason: Reason


class After(_Part):
    """How a deployed model is watched: audited again and again on matured outcomes.

    An audit every `every_school_weeks`; `looks` are planned in an approval's life, and `spending` shares out the
    policy's alpha among them. After `missed_after_days` without one the approval is treated as `missed_audit`.
    """

    schedule: Literal["weekly"]
    every_school_weeks: Annotated[int, Field(ge=1, le=6)]
    looks: Annotated[int, Field(ge=1, le=60)]
    spending: Literal["obrien_fleming"]
    suspend_on: Annotated[
        tuple[Literal["FAIL", "digest_mismatch", "expired", "missed_audit"], ...], Field(min_length=1)
    ]
    warn_on: tuple[Literal["NOT_SETTLED"], ...]
    missed_after_days: Annotated[int, Field(ge=7, le=60)]
    reason: Reason

    @model_validator(mode="after")
    def _stops(self) -> Self:
        if "FAIL" not in self.suspend_on:
            raise ValueError("suspend_on must hold FAIL: a model shown to fail does not go on serving")
        if self.missed_after_days < 7 * self.every_school_weeks:
            raise ValueError("missed_after_days is shorter than the time between two audits")
        return self


class CheckSample(_Part):
    """Pupils drawn at random onto each school's list, looking like everybody else, to check people and the list.

    A policy without this part allows none. `impact_assessment` is where the assessment that covers it is kept.
    """

    pupils_a_school_a_week: Annotated[int, Field(ge=1, le=3)]
    impact_assessment: Annotated[str, Field(min_length=3)]
    reason: Reason


class Policy(_Part):
    """The whole policy, frozen."""

    schema_name: Annotated[Literal["belong-gate/1"], Field(alias="schema")]
    id: str
    owner: str
    decided_on: date
    population: Population
    capacity: Capacity
    attributes: Annotated[tuple[Attribute, ...], Field(alias="attribute", min_length=1)]
    metrics: Annotated[tuple[Metric, ...], Field(alias="metric", min_length=1)]
    inference: Inference
    usefulness: Usefulness
    practice: Practice
    disclosure: Disclosure
    approval: ApprovalRule
    waiver: WaiverRule
    after: After
    inputs: Annotated[tuple[Input, ...], Field(alias="input")] = ()
    check_sample: CheckSample | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for kind, names in (
            ("attribute", [attribute.name for attribute in self.attributes]),
            ("metric", [metric.name for metric in self.metrics]),
            ("input", [name for part in self.inputs for name in part.features]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"one {kind} stands twice: {names}")
        if not any(metric.gate for metric in self.metrics) or all(a.gate != "full" for a in self.attributes):
            raise ValueError("a policy that judges no metric, or no attribute in full, cannot say no")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the policy's canonical JSON: comments and layout do not count, reasons do."""
        said = self.model_dump(mode="json", by_alias=True)
        if self.check_sample is None:
            # What a policy does not allow leaves its digest what it was before it could be allowed.
            del said["check_sample"]
        return hashlib.sha256(rfc8785.dumps(said)).hexdigest()

    @property
    def deciding_digest(self) -> str:
        """SHA-256 of what decides a verdict: not the reasons, nor who signs, what is shown or what is watched after."""
        said = self.model_dump(mode="json", by_alias=True)
        parts: dict[str, Any] = {
            name: _without_reason(said[name]) for name in ("population", "capacity", "inference", "usefulness")
        }
        parts |= {name: [_without_reason(part) for part in said[name]] for name in ("attribute", "metric")}
        return hashlib.sha256(rfc8785.dumps(parts)).hexdigest()

    def attribute(self, name: str) -> Attribute:
        """Return the attribute, or raise KeyError."""
        return next((a for a in self.attributes if a.name == name), None) or _missing(name, self.attributes)

    def metric(self, name: str) -> Metric:
        """Return the metric's limit, or raise KeyError."""
        return next((m for m in self.metrics if m.name == name), None) or _missing(name, self.metrics)


def _without_reason(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "reason"}


def _missing(name: str, parts: tuple[Attribute, ...] | tuple[Metric, ...]) -> NoReturn:
    raise KeyError(f"the policy has no {name!r}; it has {', '.join(part.name for part in parts)}")


def read_policy(path: Path | None = None) -> Policy:
    """Return the policy in this file, or the one that Belong ships with.

    Raises
    ------
    PolicyRefused
        Not TOML, an unknown key, a missing reason, a limit that does not fit its metric.
    """
    source = files("fairness").joinpath(POLICY_FILE) if path is None else path
    try:
        return Policy.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        problems = "; ".join(_problem(dict(found)) for found in error.errors())
        raise PolicyRefused(f"{source}: {problems}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PolicyRefused(f"{source} cannot be read as TOML: {error}") from error


def policy_digest(path: Path | None = None) -> str:
    """Return the digest of the policy in force. Raises PolicyRefused like `read_policy`."""
    return read_policy(path).digest


def policy_of(home: Home) -> Policy:
    """Return the policy of the home's own board, `policy.toml` in the home, or the one that Belong ships with.

    Changing it ends every approval signed under the old one: approvals name the policy's digest.
    """
    own = home.path / POLICY_FILE
    return read_policy(own if own.exists() else None)


def _problem(found: dict[str, object]) -> str:
    location = found["loc"]
    place = ".".join(str(step) for step in location) if isinstance(location, tuple) else ""
    if found["type"] == "extra_forbidden":
        return f"unknown key {place!r}; the policy knows no such key, so it would silently do nothing: remove it"
    return f"{place or 'policy'}: {found['msg']}"
