"""From strain to incidents, praise and sanctions: rates, their scale, and the sanctions themselves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import draws, published, tuned
from records.synthetic.state import Floats, Latent, Traits

INCIDENTS_PER_WEEK = {"PS": 0.06, "SS": 0.24, "SP": 0.30}
PRAISE_PER_WEEK = {"PS": 0.25, "SS": 0.22, "SP": 0.40}
WEEKS_IN_YEAR = 38.5
FROM_NOWHERE = 0.08
LUNCHTIME_SHARE = 0.01
MOST_DAYS = 45  # of suspension in an academic year, across schools: Education Act 2002, regulations of 2012
HIGHEST = 0.15
"""The highest expected number of sanctions of a pupil in a week."""
LOW_LEVEL_INCIDENTS = 0.7
"""The share of incidents of severity 1 or 2 at ordinary strain (events.SEVERITY_STEPS)."""
MEMORY_WEIGHT = {"PS": 1.5, "SS": 1.1, "SP": 1.7}
REASONS = ("DB", "PP", "VA", "VP", "PA", "OW", "DA", "DM", "BU", "RA", "SM", "TH", "MT")
# 'Other' (OT) was withdrawn in 2020: it goes to weapons and online misuse, which had no code then, and to persistent
# disruption, whose share thereby comes to the half that DfE gives for 2023/24.
_OTHER_GOES = {"OW": 0.12, "MT": 0.04, "DB": 0.84}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where the pupils stand this week: band, school effects and year group's log ratio, one entry per pupil.

    `planted` is the logarithm that planted injustice puts on the hazard, `low_level` the chance that a
    low-level incident becomes a suspension.
    """

    band: npt.NDArray[np.int64]
    sanctions: Floats
    recording: Floats
    praise: Floats
    year_group: Floats
    planted: Floats
    low_level: Floats


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Relative intensities before scaling, one float32 per pupil."""

    sanction: Floats
    nowhere: Floats
    incident: Floats
    praise: Floats
    truancy: Floats
    late: Floats
    illness: Floats


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Mean weight per band (index of `published.BANDS`): London's, from `tuned`."""

    means: dict[str, npt.NDArray[np.float64]]

    def of(self, name: str, weights: Floats, band: npt.NDArray[np.int64]) -> Floats:
        """Return the weights divided by their band's mean: 1 on London's average."""
        return np.asarray(weights / self.means[name].astype(np.float32)[band], np.float32)


@dataclass(frozen=True, kw_only=True)
class Hazards:
    """The expected number of sanctions of each pupil this week, and what it would be otherwise, with the same past.

    `unsupported`: without the relief that support has brought so far. `fair`: without unequal practice towards
    groups and without planted injustice. `low_level` is the part that one school's way with low-level
    disruption adds.
    """

    actual: Floats
    unsupported: Floats
    fair: Floats
    low_level: Floats


@dataclass(frozen=True, kw_only=True)
class Sanctioned:
    """The week's sanctions: index of the pupil, category, whole days (0: half a day), trigger weekday (0 Monday).

    `low_level` says that a low-level incident was the occasion.
    """

    pupil: npt.NDArray[np.int64]
    category: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    second_reason: npt.NDArray[np.str_]
    days: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    delay_days: npt.NDArray[np.int64]
    low_level: npt.NDArray[np.bool_]


def london_scale() -> Scale:
    """Return the scale that `tuned` holds."""
    return Scale(means={name: np.array(tuned.mean_weight(name)) for name in Weights.__dataclass_fields__})


def weights(latent: Latent, traits: Traits, setting: Setting) -> Weights:
    """Return this week's relative intensities."""
    moving = latent.moving()
    strain = traits.base + moving
    recalls = np.array([MEMORY_WEIGHT[name] for name in published.BANDS], np.float32)[setting.band]
    history = 0.35 * np.log1p(latent.points) + recalls * np.minimum(latent.memory, 2.0)
    drive = latent.felt + history + traits.practice + setting.sanctions + setting.year_group
    return Weights(
        sanction=np.exp(np.minimum(drive, 14.0)),
        nowhere=np.exp(traits.nowhere + traits.practice + setting.sanctions + setting.year_group),
        incident=np.exp(np.minimum(0.85 * strain + 0.5 * setting.year_group, 5.0) + setting.recording),
        praise=np.exp(traits.praise - 0.25 * strain + setting.praise),
        truancy=np.exp(traits.truancy + 0.55 * moving),
        late=np.exp(traits.late + 0.45 * moving),
        illness=np.exp(traits.illness + 0.1 * moving),
    )


def hazards(found: Weights, scale: Scale, setting: Setting, latent: Latent, traits: Traits) -> Hazards:
    """Return the hazards of this week: the truth that is kept."""
    band = setting.band
    yearly = np.array([_both(name) / 100 for name in published.BANDS])
    weekly = (yearly / WEEKS_IN_YEAR)[band].astype(np.float32)
    felt = weekly * (1 - FROM_NOWHERE) * scale.of("sanction", found.sanction, band)
    nowhere = weekly * FROM_NOWHERE * scale.of("nowhere", found.nowhere, band)
    unjust = np.exp(setting.planted)
    extra = setting.low_level * LOW_LEVEL_INCIDENTS * incident_rate(found, scale, band)
    return Hazards(
        actual=_at_most((felt + nowhere) * unjust + extra),
        unsupported=_at_most((felt * np.exp(latent.relief.felt) + nowhere) * unjust + extra),
        fair=_at_most((felt + nowhere) * np.exp(-traits.practice)),
        low_level=np.asarray(extra, np.float32),
    )


def incident_rate(found: Weights, scale: Scale, band: npt.NDArray[np.int64]) -> Floats:
    """Return the expected number of incidents of each pupil in this week."""
    per_week = np.array([INCIDENTS_PER_WEEK[name] for name in published.BANDS], np.float32)[band]
    return np.asarray(np.minimum(per_week * scale.of("incident", found.incident, band), 8.0), np.float32)


def praise_rate(found: Weights, scale: Scale, band: npt.NDArray[np.int64]) -> Floats:
    """Return the expected number of achievements of each pupil in this week."""
    per_week = np.array([PRAISE_PER_WEEK[name] for name in published.BANDS], np.float32)[band]
    return np.asarray(np.minimum(per_week * scale.of("praise", found.praise, band), 6.0), np.float32)


def draw_sanctions(
    found: Hazards, at_risk: npt.NDArray[np.bool_], setting: Setting, days_left: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Sanctioned:  # fmt: skip
    """Return the week's sanctions. A pupil has at most one a week; who is already out has none.

    `days_left` of suspension each pupil has this year: one who has used them all serves a day at most.
    """
    number = len(at_risk)
    drawn = rng.random((4, number), dtype=np.float32)
    key = draws.key_of_week(rng)
    pupil = np.flatnonzero(at_risk & (drawn[0] < -np.expm1(-found.actual)))
    mine, more = drawn[:, pupil], draws.uniforms(key, (pupil,), 4)
    band = setting.band[pupil]
    low_level = mine[1] * found.actual[pupil] < found.low_level[pupil]
    permanent = np.array([_permanent_share(name) for name in published.BANDS])[band] * ~low_level
    category = np.where(mine[2] < permanent, "PERM", np.where(mine[2] > 1 - LUNCHTIME_SHARE, "LNCH", "SUSP"))
    days = np.zeros(len(pupil), np.int64)
    first, second = np.zeros(len(pupil), "U2"), np.zeros(len(pupil), "U2")
    for index, name in enumerate(published.BANDS):
        of = band == index
        lengths = published.shares("length_days", name)
        days[of] = np.array([int(day) for day in lengths])[pick(mine[3][of], tuple(lengths.values()))]
        first[of] = np.array(REASONS)[pick(more[0][of], reason_shares(name))]
        second[of] = np.where(more[1][of] < 0.25, np.array(REASONS)[pick(more[1][of] * 4 % 1, reason_shares(name))], "")
    days = np.where(low_level, 1, np.minimum(days, np.maximum(days_left[pupil], 1)))
    first, second = np.where(low_level, "DB", first), np.where(low_level | (second == first), "", second)
    return Sanctioned(
        pupil=pupil,
        category=category,
        reason=first,
        second_reason=second,
        days=np.where(category == "LNCH", 0, days),
        weekday=np.minimum((more[2] * 5).astype(np.int64), 4),
        delay_days=pick(more[3], (0.12, 0.63, 0.12, 0.06, 0.04, 0.03)),
        low_level=low_level,
    )


def reason_shares(band: str) -> tuple[float, ...]:
    """Return the share of each of REASONS as the first reason, in a band."""
    shares = published.shares("reasons", band)
    return tuple(shares.get(code, 0.0) + _OTHER_GOES.get(code, 0.0) * shares["OT"] for code in REASONS)


def pick(uniform: npt.NDArray[np.floating], shares: tuple[float, ...]) -> npt.NDArray[np.int64]:
    """Return which share each uniform number falls in."""
    bounds = np.cumsum(shares) / np.sum(shares)
    return np.minimum(np.searchsorted(bounds, uniform, side="right"), len(shares) - 1)


def _at_most(hazard: Floats) -> Floats:
    return np.asarray(np.minimum(hazard, HIGHEST), np.float32)


def _both(band: str) -> float:
    rates = published.suspensions(band)
    return rates["permanent"] + rates["rate"]


def _permanent_share(band: str) -> float:
    return published.suspensions(band)["permanent"] / _both(band)
