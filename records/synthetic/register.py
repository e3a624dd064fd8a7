"""The attendance register: two marks a day for every pupil, from rates, spells and what keeps pupils out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from records import codes
from records.synthetic import draws, published, tuned
from records.synthetic.sanctions import Scale, Weights
from records.synthetic.state import Floats

CODES: tuple[str, ...] = codes.ATTENDANCE.codes
CODE = {code: index for index, code in enumerate(CODES)}
MISSING_REASON_SHARE = 0.13  # of absences first marked N; some never get a reason
NEVER_EXPLAINED = 0.10
AFTERNOON_LATE = 0.12  # of the chance in the morning
# Withdrawn and new codes: before August 2024 the right-hand code stood for the left-hand one.
BEFORE_2024 = {"C1": "C", "C2": "C", "J1": "J", "K": "B", "Q": "Y", "Y4": "Y"}
_POSSIBLE = np.array([code in codes.POSSIBLE for code in CODES])
_ATTENDED = np.array([code in codes.PRESENT | codes.EDUCATIONAL_ACTIVITY for code in CODES])
_IN_SCHOOL = np.array([code in codes.PRESENT for code in CODES])
_UNAUTHORISED = np.array([code in codes.UNAUTHORISED for code in CODES])
# Injustice in the register → the codes it strikes, and what it writes in the morning and in the afternoon.
_UNJUST = {
    "miscoded": (np.array([code in {"I", "M", "C"} for code in CODES]), np.array([CODE["O"], CODE["O"]], np.int8)),
    "marked_present": (
        np.array([code in {"I", "M", "C", "C2", "E", "O", "L", "U"} for code in CODES]),
        np.array([CODE["/"], CODE["\\"]], np.int8),
    ),
}
_WEEK = 7
_EXPLAINABLE = np.array([code in {"I", "O", "M", "C"} for code in CODES])


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A reason to be away: its code, mean length in school days, the weight that drives it, share of half days."""

    code: str
    days: float
    driver: str
    half_share: float


KINDS: tuple[Kind, ...] = (
    Kind(code="I", days=1.9, driver="illness", half_share=0.12),
    Kind(code="O", days=1.7, driver="truancy", half_share=0.45),
    Kind(code="G", days=4.5, driver="", half_share=0.0),
    Kind(code="C", days=1.6, driver="", half_share=0.2),
    Kind(code="C1", days=1.5, driver="", half_share=0.2),
    Kind(code="C2", days=5.0, driver="sanction", half_share=0.0),
    Kind(code="M", days=1.0, driver="illness", half_share=0.8),
    Kind(code="V", days=1.2, driver="", half_share=0.1),
    Kind(code="B", days=6.0, driver="", half_share=0.0),
    Kind(code="W", days=5.0, driver="", half_share=0.0),
    Kind(code="P", days=1.0, driver="", half_share=0.7),
    Kind(code="K", days=20.0, driver="sanction", half_share=0.0),
    Kind(code="J1", days=1.0, driver="", half_share=0.9),
    Kind(code="T", days=8.0, driver="", half_share=0.0),
    Kind(code="D", days=20.0, driver="", half_share=0.0),
)
_UNPUBLISHED = {"D": 0.04}  # not part of possible sessions, so DfE's table has no share for it
_WEEKDAY = np.array([1.02, 0.92, 0.80, 0.98, 1.40], np.float32)
_MORNING_ONLY = (0.35, 0.35, 0.35, 0.35, 0.12)  # of half days away; on Fridays pupils leave early


@dataclass(frozen=True, kw_only=True)
class Spells:
    """Who is away over several days: code (index of CODES) and school days left, one entry per pupil."""

    code: npt.NDArray[np.int8]
    left: npt.NDArray[np.int16]
    half: npt.NDArray[np.int8]  # 0 whole days, 1 mornings, 2 afternoons: of spells of one day


@dataclass(frozen=True, kw_only=True)
class WeekSetting:
    """What holds for the register of one week: `open` (pupils, 5), Monday first.

    `forced` (pupils, 5, 2) holds the code (index) that overrides everything, such as E or Y4, or -1; `spell`
    (pupils,) is how many times as long absences last as is usual.
    """

    open: npt.NDArray[np.bool_]
    forced: npt.NDArray[np.int8]
    spell: Floats


@dataclass(frozen=True, kw_only=True)
class WeekMarks:
    """The true codes of one week: shape (pupils, 5, 2) of indices of CODES, -1 where there is no session."""

    code: npt.NDArray[np.int8]

    @property
    def in_school(self) -> npt.NDArray[np.bool_]:
        """Return (pupils, 5): in school for at least half of the day."""
        return np.asarray((_IN_SCHOOL[self.code] & (self.code >= 0)).any(axis=2))


@dataclass(frozen=True, kw_only=True)
class Late:
    """Each pupil's chances on a morning: `before` (code L) and `after` (code U) the register closed."""

    before: Floats
    after: Floats


def lateness(weight: Floats, band: npt.NDArray[np.int64]) -> Late:
    """Return the chances of being late; `weight` is 1 on average."""
    shares = [
        (
            published.attendance(name)["L"] / 50 / (1 + AFTERNOON_LATE) * tuned.factor(name, "L"),
            published.attendance(name)["U"] / 50 * tuned.factor(name, "U"),
        )
        for name in published.BANDS
    ]
    before, after = np.array(shares, np.float32).T[:, band] * np.minimum(weight, 14.0)
    return Late(before=np.minimum(before, np.float32(0.8)), after=np.minimum(after, np.float32(0.15)))


def unjustly(
    code: npt.NDArray[np.int8], chances: Mapping[str, Floats | None], rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return the marks as written where some are written down wrongly for some pupils: planted injustices.

    `chances` are each pupil's, by the injustice's name ('miscoded', 'marked_present'); None where it is not planted.
    """
    key, written = draws.key_of_week(rng), code
    for number, (name, (struck, becomes)) in enumerate(_UNJUST.items()):
        chance = chances[name]
        if chance is None:
            continue
        pupil, weekday, session = np.nonzero(struck[code] & (code >= 0))
        hit = draws.uniforms(key, (pupil, weekday + _WEEK * number), 1)[0] < chance[pupil]
        written = written.copy()
        written[pupil[hit], weekday[hit], session[hit]] = becomes[session[hit]]
    return written


def no_spells(pupils: int) -> Spells:
    """Return the register of the first morning."""
    return Spells(code=np.zeros(pupils, np.int8), left=np.zeros(pupils, np.int16), half=np.zeros(pupils, np.int8))


def start_chances(found: Weights, scale: Scale, band: npt.NDArray[np.int64], season: Mapping[str, Floats]) -> Floats:
    """Return (pupils, kinds): the cumulative chance that a spell of each kind starts on a day.

    `season` multiplies the rates of a code this week, one entry per pupil.
    """
    chances = np.empty((len(band), len(KINDS)), np.float32)
    for column, kind in enumerate(KINDS):
        share = [
            published.attendance(name).get(kind.code, _UNPUBLISHED.get(kind.code, 0.0)) * tuned.factor(name, kind.code)
            for name in published.BANDS
        ]
        sessions = kind.days * (1 - kind.half_share / 2)
        rate = (np.array(share, np.float32) / 100 / np.float32(sessions))[band]
        if kind.driver:
            # Long spells keep pupils from starting others: the cap also bounds pupils who are hardly ever in.
            rate = rate * np.minimum(scale.of(kind.driver, getattr(found, kind.driver), band), 25.0)
        chances[:, column] = rate * season.get(kind.code, np.float32(1.0))
    return np.cumsum(np.minimum(chances, 0.5), axis=1, dtype=np.float32)


def mark_week(
    spells: Spells, chances: Floats, late: Late, setting: WeekSetting, rng: np.random.Generator
) -> tuple[Spells, WeekMarks]:
    """Return the spells after the week, and the week's true marks.

    Afternoon lateness follows from that of the morning.
    """
    pupils = len(late.before)
    drawn = rng.random((5, 4, pupils), dtype=np.float32)
    marks = np.full((pupils, 5, 2), -1, np.int8)
    for day in range(5):
        opened = setting.open[:, day]
        spells = _begin(spells, chances, setting, day, drawn[day])
        morning, afternoon = _present(late, _WEEKDAY[day], drawn[day])
        away = spells.left > 0
        morning = np.where(away & (spells.half != 2), spells.code, morning)
        afternoon = np.where(away & (spells.half != 1), spells.code, afternoon)
        forced = setting.forced[:, day]
        both = np.where(forced >= 0, forced, np.stack([morning, afternoon], axis=1))
        marks[:, day] = np.where(opened[:, None] | (forced >= 0), both, -1)
        spells = replace(spells, left=np.maximum(spells.left - opened, 0).astype(np.int16))
    return spells, WeekMarks(code=marks)


def as_written(code: npt.NDArray[np.int8], before_2024: bool | np.bool_) -> npt.NDArray[np.int8]:
    """Return the marks in the codes of their time: some came in August 2024, others were withdrawn."""
    return np.where(code >= 0, _OLD[code], -1).astype(np.int8) if before_2024 else code


def in_new_codes(final: npt.NDArray[np.int8], code: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return the marks as they stand in the end, in the codes of today, so that any year can be held against 2025."""
    return np.where(final == CODE["N"], np.int8(CODE["N"]), code)


def count_codes(code: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Return (pupils, codes): sessions by code, from a week's codes (pupils, 5, 2)."""
    pupils, size = len(code), len(CODES)
    at = np.flatnonzero(code.ravel() >= 0)
    found = np.bincount(at // 10 * size + code.ravel()[at], minlength=pupils * size)
    return found.reshape(pupils, size).astype(np.int16)


def is_possible(code: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Return where a session was possible."""
    return np.asarray(_POSSIBLE[code] & (code >= 0))


def is_missed(code: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Return where a possible session was missed."""
    return np.asarray((_POSSIBLE & ~_ATTENDED)[code] & (code >= 0))


def possible_and_missed(counts: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return sessions that were possible and those missed, from counts by code (last axis)."""
    possible = counts[..., _POSSIBLE].sum(axis=-1)
    return possible, possible - counts[..., _POSSIBLE & _ATTENDED].sum(axis=-1)


def unauthorised(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return sessions missed without permission, from counts by code (last axis)."""
    found: npt.NDArray[np.int64] = counts[..., _UNAUTHORISED].sum(axis=-1)
    return found


def never_explained(band: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the chance that an absence first marked N stays without a reason."""
    return np.array([NEVER_EXPLAINED * tuned.factor(name, "N") for name in published.BANDS])[band]


def explainable(code: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Return where an absence may first be marked N, until a reason is known."""
    return np.asarray(_EXPLAINABLE[code] & (code >= 0))


def _begin(spells: Spells, chances: Floats, setting: WeekSetting, day: int, drawn: Floats) -> Spells:
    chances = chances * _WEEKDAY[day]
    starts = setting.open[:, day] & (spells.left == 0) & (drawn[0] < chances[:, -1])
    who = np.flatnonzero(starts)
    if not len(who):
        return spells
    kind = (drawn[0, who, None] >= chances[who]).sum(axis=1)
    mean = np.array([k.days for k in KINDS])[kind]
    mean = np.where(np.array([bool(k.driver) for k in KINDS])[kind], mean * setting.spell[who], mean)
    length = np.ceil(np.log(drawn[1, who] + 1e-9) / np.log(np.maximum(1 - 1 / mean, 1e-9)))
    half = (drawn[2, who] < np.array([k.half_share for k in KINDS])[kind]) & (length <= 1)
    # Pupils who leave during the day are gone in the afternoon; appointments fall on either side.
    side = np.where(drawn[3, who] < _MORNING_ONLY[day], 1, 2)
    code, left, halves = spells.code.copy(), spells.left.copy(), spells.half.copy()
    code[who] = np.array([CODE[k.code] for k in KINDS], np.int8)[kind]
    left[who] = np.clip(length, 1, 120)
    halves[who] = np.where(half, side, 0)
    return Spells(code=code, left=left, half=halves)


def _present(late: Late, weekday: np.float32, drawn: Floats) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Return the morning's and the afternoon's code of those who come: on time, late, or after registration."""
    before, after = late.before * weekday, late.after * weekday
    morning = np.where(drawn[3] < after, CODE["U"], np.where(drawn[3] < after + before, CODE["L"], CODE["/"]))
    afternoon = np.where(drawn[2] > 1 - AFTERNOON_LATE * before, CODE["L"], CODE["\\"])
    return morning.astype(np.int8), afternoon.astype(np.int8)


_OLD = np.array([CODE[BEFORE_2024.get(code, code)] for code in CODES], np.int8)
