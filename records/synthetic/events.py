"""Behaviour events and achievements of a week: when, where, what kind, and what was done about them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records import codes
from records.synthetic import draws
from records.synthetic.sanctions import Sanctioned, pick
from records.synthetic.state import Floats

TYPES: tuple[str, ...] = codes.INCIDENT_TYPE.codes
LOCATIONS: tuple[str, ...] = codes.LOCATION.codes
ROLES: tuple[str, ...] = codes.INCIDENT_ROLE.codes
OUTCOMES: tuple[str, ...] = codes.INCIDENT_OUTCOME.codes
PRAISE_TYPES: tuple[str, ...] = codes.ACHIEVEMENT_TYPE.codes
POINTS = np.array([0, 1, 2, 3, 5, 8])  # by severity
SEVERITY_STEPS = (-0.4, 1.0, 2.3, 3.6)
_PERIOD_WEIGHTS = (0.03, 0.10, 0.12, 0.15, 0.20, 0.22, 0.18)
# Severity → (type, weight); chosen by hand: disruption and defiance are the bulk everywhere.
_TYPES: Mapping[int, Mapping[str, float]] = {
    1: {
        "Homework": 4,
        "Equipment": 3,
        "Uniform/Jewellery etc": 3,
        "Persistent Lateness to Lessons": 2,
        "Disruption": 4,
    },
    2: {"Disruption": 8, "Defiance": 3, "Truancy": 1, "Inadequate Work": 2, "Missed Detention": 1, "Other (Minor)": 1},
    3: {"Defiance": 5, "Disruption": 5, "Insolence": 3, "Truancy": 2, "Verbal Abuse": 2, "Damage - Property": 1},
    4: {
        "Fighting": 3,
        "Verbal Abuse": 4,
        "Bullying": 2,
        "Smoking": 1,
        "Theft": 1,
        "Insolence": 2,
        "Racist Incident": 1,
    },
    5: {"Assault - Pupil": 5, "Illicit Substances": 1, "Other (Severe)": 3, "Verbal Abuse": 3},
}
_TYPE_OF_REASON = {
    "DB": "Disruption", "PP": "Assault - Pupil", "VA": "Verbal Abuse", "VP": "Verbal Abuse", "PA": "Other (Severe)",
    "OW": "Other (Severe)", "DA": "Illicit Substances", "DM": "Damage - Property", "BU": "Bullying",
    "RA": "Racist Incident", "SM": "Other (Severe)", "TH": "Theft", "MT": "Other (Minor)",
}  # fmt: skip
_LOCATIONS = {
    "Classroom": 0.62,
    "Corridor": 0.16,
    "Playground": 0.11,
    "Dinner Hall": 0.06,
    "Toilets": 0.03,
    "Bus": 0.02,
}
_OUTCOMES: Mapping[int, Mapping[str, float]] = {
    1: {"Reprimand Given": 6, "Discussed with Pupil": 4, "Not Applicable": 2},
    2: {"Detention": 4, "Discussed with Pupil": 3, "Refer to Form Tutor": 2, "Reprimand Given": 2},
    3: {"Detention": 4, "Parents/Guardian Informed": 3, "Daily Report": 1, "Isolation": 2, "Refer to Head of Year": 2},
    4: {"Isolation": 3, "Internal Exclusion": 2, "Parents/Guardian Informed": 2, "Refer to Head of Year": 2},
    5: {"Internal Exclusion": 3, "Referred to Leadership Group": 2, "Parents/Guardian Informed": 2},
}
_PRAISE = {"Excellent Effort": 0.45, "Academic": 0.25, "Outstanding Work": 0.2, "Club": 0.05, "Other": 0.05}
SUSPENDED = {"SUSP": "Fixed Period Exclusion", "LNCH": "Excluded from School", "PERM": "Permanent Exclusion"}


@dataclass(frozen=True, kw_only=True)
class Events:
    """Behaviour events: index of pupil, weekday (0 Monday), and indices of TYPES, LOCATIONS, ROLES, OUTCOMES."""

    pupil: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    period: npt.NDArray[np.int64]
    type: npt.NDArray[np.int64]
    severity: npt.NDArray[np.int64]
    location: npt.NDArray[np.int64]
    role: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Praise:
    """Achievements: index of pupil, weekday (0 Monday), index of PRAISE_TYPES, points."""

    pupil: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    type: npt.NDArray[np.int64]
    points: npt.NDArray[np.int64]


def draw_incidents(rate: Floats, strain: Floats, in_school: npt.NDArray[np.bool_], rng: np.random.Generator) -> Events:
    """Return the week's incidents of pupils who were in school; strain makes them more severe."""
    pupil, weekday, drawn = _when(rate, in_school, rng, 6)
    # Log-odds of the next severity rise with strain: about 1 in 40 events is of severity 5 at ordinary strain.
    level = strain[pupil] * 0.35 + np.log(drawn[0] / (1 - drawn[0] + 1e-12) + 1e-12)
    severity = 1 + np.searchsorted(SEVERITY_STEPS, level)
    return Events(
        pupil=pupil,
        weekday=weekday,
        period=pick(drawn[1], _PERIOD_WEIGHTS),
        type=_by_severity(drawn[2], severity, _TYPES, TYPES),
        severity=severity,
        location=_named(drawn[3], _LOCATIONS, LOCATIONS),
        role=_role(drawn[4], severity),
        outcome=_by_severity(drawn[5], severity, _OUTCOMES, OUTCOMES),
    )


def sanction_incidents(found: Sanctioned, rng: np.random.Generator) -> Events:
    """Return the event behind each sanction. Its outcome names the sanction, as school systems do."""
    number = len(found.pupil)
    drawn = draws.uniforms(draws.key_of_week(rng), (found.pupil,), 3)
    return Events(
        pupil=found.pupil,
        weekday=found.weekday,
        period=pick(drawn[0], _PERIOD_WEIGHTS),
        type=np.array([TYPES.index(_TYPE_OF_REASON[str(reason)]) for reason in found.reason], np.int64),
        severity=np.where(found.low_level, np.where(drawn[1] < 0.5, 1, 2), np.where(drawn[1] < 0.5, 4, 5)),
        location=_named(drawn[2], _LOCATIONS, LOCATIONS),
        role=np.full(number, ROLES.index("Aggressor")),
        outcome=np.array([OUTCOMES.index(SUSPENDED[str(category)]) for category in found.category], np.int64),
    )


def written_down(found: Events, chance: Floats | None, rng: np.random.Generator) -> Events:
    """Return the events that reach the records where some are not written down: a planted injustice.

    `chance` is each pupil's of not being written down; None: all are.
    """
    key = draws.key_of_week(rng)
    if chance is None:
        return found
    kept = draws.uniforms(key, (found.pupil, draws.place_among(found.pupil)), 1)[0] >= chance[found.pupil]
    names = Events.__dataclass_fields__
    return Events(**{name: getattr(found, name)[kept] for name in names})


def joined(first: Events, second: Events) -> Events:
    """Return the events of both."""
    names = Events.__dataclass_fields__
    return Events(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names})


def draw_praise(rate: Floats, in_school: npt.NDArray[np.bool_], rng: np.random.Generator) -> Praise:
    """Return the week's achievements of pupils who were in school."""
    pupil, weekday, drawn = _when(rate, in_school, rng, 2)
    return Praise(
        pupil=pupil,
        weekday=weekday,
        type=_named(drawn[0], _PRAISE, PRAISE_TYPES),
        points=1 + np.searchsorted((0.7, 0.93), drawn[1]),
    )


def _when(
    rate: Floats, in_school: npt.NDArray[np.bool_], rng: np.random.Generator, more: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return (pupil, weekday, `more` uniform numbers) of a Poisson number of events on days in school."""
    days = in_school.sum(axis=1)
    number = draws.poisson(rate * days / 5, rng.random(len(rate)))
    pupil = np.repeat(np.arange(len(rate)), number)
    drawn = draws.uniforms(draws.key_of_week(rng), (pupil, draws.place_among(pupil)), more + 1)
    # The n-th day in school, n uniform: no day without the pupil can be chosen.
    nth = (drawn[-1] * days[pupil]).astype(np.int64)
    order = np.argsort(~in_school[pupil], axis=1, kind="stable")
    return pupil, order[np.arange(len(pupil)), nth], drawn[:-1]


def _role(uniform: npt.NDArray[np.float64], severity: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    mild = _named(uniform, {"Participant": 0.8, "Aggressor": 0.2}, ROLES)
    grave = _named(uniform, {"Aggressor": 0.6, "Participant": 0.25, "Target": 0.1, "Witness": 0.05}, ROLES)
    return np.where(severity >= 4, grave, mild)


def _named(
    uniform: npt.NDArray[np.float64], weights: Mapping[str, float], names: tuple[str, ...]
) -> npt.NDArray[np.int64]:
    chosen = pick(uniform, tuple(weights.values()))
    return np.array([names.index(name) for name in weights])[chosen]


def _by_severity(
    uniform: npt.NDArray[np.float64],
    severity: npt.NDArray[np.int64],
    tables: Mapping[int, Mapping[str, float]],
    names: tuple[str, ...],
) -> npt.NDArray[np.int64]:
    found = np.zeros(len(uniform), np.int64)
    for level, table in tables.items():
        mine = severity == level
        found[mine] = _named(uniform[mine], table, names)
    return found
