"""Support as an input of the simulation: who starts what in which week, and what it does to strain.

No source gives the size of these effects for English schools on this scale: they are declared assumptions,
each with the range within which a study should vary it. Support lowers strain over some weeks, and the relief
fades once the course is over. Draws are common: the run without support is the same run in everything else, so
'with' minus 'without' is the effect. Nothing passes from one pupil to another, so pupils without support are
unchanged to the last bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from records import codes

Floats = npt.NDArray[np.float32]
RISES = 0.35
"""The weekly share of the way to full effect; assumed, 0.2 to 1."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course of support: school weeks it lasts, how much it lowers strain, and what stays of that per week after.

    `effect` is on strain's logarithmic scale for a pupil who responds as most do: 0.4 takes a third off the
    hazard once it is felt. `range` is the assumed range of `effect`.
    """

    weeks: int
    effect: float
    keeps: float
    range: tuple[float, float]


COURSES: Mapping[str, Course] = {
    "mentoring": Course(weeks=12, effect=0.45, keeps=0.93, range=(0.0, 0.9)),
    "family": Course(weeks=10, effect=0.35, keeps=0.95, range=(0.0, 0.8)),
    "counselling": Course(weeks=10, effect=0.50, keeps=0.95, range=(0.0, 1.0)),
    "attendance": Course(weeks=6, effect=0.20, keeps=0.90, range=(0.0, 0.5)),
    "behaviour_plan": Course(weeks=6, effect=0.25, keeps=0.85, range=(-0.2, 0.6)),
    "learning": Course(weeks=18, effect=0.35, keeps=0.97, range=(0.0, 0.8)),
    "reintegration": Course(weeks=4, effect=0.30, keeps=0.85, range=(0.0, 0.6)),
    "external": Course(weeks=12, effect=0.30, keeps=0.93, range=(-0.3, 0.8)),
    "other": Course(weeks=6, effect=0.10, keeps=0.85, range=(0.0, 0.4)),
    "conversation": Course(weeks=2, effect=0.10, keeps=0.85, range=(0.0, 0.3)),
    "assessment": Course(weeks=8, effect=0.15, keeps=0.97, range=(0.0, 0.5)),
    "youth_work": Course(weeks=12, effect=0.40, keeps=0.93, range=(0.0, 0.9)),
    "transition": Course(weeks=8, effect=0.25, keeps=0.95, range=(0.0, 0.6)),
    "timetable": Course(weeks=12, effect=0.25, keeps=0.85, range=(-0.3, 0.7)),
}
assert set(COURSES) == set(codes.SUPPORT_TYPE.codes), "every type of support has its course"
TYPES: tuple[str, ...] = tuple(COURSES)
_LEFT = np.array([course.weeks for course in COURSES.values()], np.int16)
_EFFECT = np.array([course.effect for course in COURSES.values()], np.float32)
_KEEPS = np.array([course.keeps for course in COURSES.values()], np.float32)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a plan of support may go by in a week, one entry of each array per pupil.

    `urn` is 0 for those on no roll. `hazard` is last week's true hazard: a plan that reads it knows more than
    any school can, which is right for an upper bound and wrong for anything else.
    """

    monday: np.datetime64
    upn: npt.NDArray[np.str_]
    urn: npt.NDArray[np.int64]
    hazard: Floats


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Who starts support this week: index of the pupil, index of TYPES. A new course replaces one that runs.

    `times` plants another effect than the assumed one: 0 helps nobody, 2 is twice the course's `effect`.
    """

    pupil: npt.NDArray[np.int64]
    type: npt.NDArray[np.int64]
    times: float = 1.0


class Support(Protocol):
    """A plan of support: asked on every Monday before anything of the week has happened."""

    def __call__(self, asked: Asked, /) -> Starts: ...


@dataclass(frozen=True, kw_only=True)
class Relief:
    """The relief that support gives each pupil: the course's type and full effect, weeks left, present size, felt size.

    `effect` is before the pupil's own response.
    """

    type: npt.NDArray[np.int8]
    effect: Floats
    left: npt.NDArray[np.int16]
    size: Floats
    felt: Floats


def no_support(asked: Asked) -> Starts:
    """Start nobody: the base run."""
    nobody = np.zeros(0, np.int64)
    return Starts(pupil=nobody, type=nobody)


def no_relief(pupils: int) -> Relief:
    """Return the relief of pupils who were never supported."""
    none = np.zeros(pupils, np.float32)
    return Relief(type=np.zeros(pupils, np.int8), effect=none, left=np.zeros(pupils, np.int16), size=none, felt=none)


def begin(relief: Relief, starts: Starts) -> Relief:
    """Return the relief in which these pupils have started their course."""
    if not len(starts.pupil):
        return relief
    kind, effect, left = relief.type.copy(), relief.effect.copy(), relief.left.copy()
    kind[starts.pupil] = starts.type
    effect[starts.pupil] = np.float32(starts.times) * _EFFECT[starts.type]
    left[starts.pupil] = _LEFT[starts.type]
    return replace(relief, type=kind, effect=effect, left=left)


def week_of_relief(relief: Relief, response: Floats, delay: Floats) -> Relief:
    """Return the relief a week on: it rises while a course runs and fades after; both are felt with a delay.

    `response` is how strongly each pupil responds, 1 on average; `delay` is the pupil's own (state.Traits).
    """
    if not relief.left.any() and not relief.size.any():
        return relief
    running = relief.left > 0
    rising = relief.size + RISES * (relief.effect * response - relief.size)
    size = np.where(running, rising, _KEEPS[relief.type] * relief.size).astype(np.float32)
    size = np.where(np.abs(size) < 1e-4, np.float32(0), size)
    return replace(
        relief,
        left=np.maximum(relief.left - 1, 0).astype(np.int16),
        size=size,
        felt=np.asarray(relief.felt + delay * (size - relief.felt), np.float32),
    )
