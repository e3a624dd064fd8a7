"""From strain to incidents, praise and sanctions: rates, their scale, and the sanctions themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic import published
from records.synthetic.state import Floats, Latent, Traits

INCIDENTS_PER_WEEK = {"PS": 0.06, "SS": 0.24, "SP": 0.30}
PRAISE_PER_WEEK = {"PS": 0.25, "SS": 0.22, "SP": 0.40}
WEEKS_IN_YEAR = 38.5
FROM_NOWHERE = 0.08
LUNCHTIME_SHARE = 0.01
# No DfE list of reasons by London phase for 2023/24 is held; the order follows it: disruption first, then
# assaults on pupils and abuse of adults.
REASONS: Mapping[str, float] = {
    "DB": 0.40, "PP": 0.22, "VA": 0.13, "VP": 0.06, "PA": 0.03, "OW": 0.04, "DA": 0.03, "DM": 0.02, "BU": 0.02,
    "RA": 0.02, "SM": 0.01, "TH": 0.01, "MT": 0.01,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where the pupils stand this week: band, school effects and year group's log ratio, one entry per pupil."""

    band: npt.NDArray[np.int64]
    sanctions: Floats
    recording: Floats
    praise: Floats
    year_group: Floats


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
    """Mean weight per band (index of `published.BANDS`), found in the burn-in and fixed from then on."""

    means: Mapping[str, npt.NDArray[np.float64]]

    def of(self, name: str, weights: Floats, band: npt.NDArray[np.int64]) -> Floats:
        """Return the weights divided by their band's mean: 1 on average."""
        return np.asarray(weights / self.means[name][band], np.float32)


@dataclass(frozen=True, kw_only=True)
class Sanctioned:
    """The week's sanctions: index of the pupil, category, whole days (0: half a day), trigger weekday (0 Monday)."""

    pupil: npt.NDArray[np.int64]
    category: npt.NDArray[np.str_]
    reason: npt.NDArray[np.str_]
    second_reason: npt.NDArray[np.str_]
    days: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    delay_days: npt.NDArray[np.int64]


def weights(latent: Latent, traits: Traits, setting: Setting) -> Weights:
    """Return this week's relative intensities."""
    strain = latent.strain(traits)
    moving = strain - traits.base
    history = 0.35 * np.log1p(latent.points) + 0.9 * np.minimum(latent.memory, 2.0)
    drive = latent.felt + history + traits.practice + setting.sanctions + setting.year_group
    return Weights(
        sanction=np.exp(np.minimum(drive, 7.0)),
        nowhere=np.exp(traits.nowhere + setting.sanctions + setting.year_group),
        incident=np.exp(np.minimum(0.85 * strain + 0.5 * setting.year_group, 5.0) + setting.recording),
        praise=np.exp(traits.praise - 0.25 * strain + setting.praise),
        truancy=np.exp(traits.truancy + 0.55 * moving),
        late=np.exp(traits.late + 0.45 * moving),
        illness=np.exp(traits.illness + 0.1 * moving),
    )


def scale_from(weeks: list[Weights], on_roll: npt.NDArray[np.bool_], band: npt.NDArray[np.int64]) -> Scale:
    """Return the mean weight of those on roll over the weeks, per band; 1 where a band is empty."""
    means: dict[str, npt.NDArray[np.float64]] = {}
    for name in Weights.__dataclass_fields__:
        stacked = np.stack([getattr(week, name)[on_roll] for week in weeks]).mean(axis=0, dtype=np.float64)
        means[name] = np.array(
            [stacked[band[on_roll] == i].mean() if (band[on_roll] == i).any() else 1.0 for i in range(3)]
        )
    return Scale(means=means)


def hazard(found: Weights, scale: Scale, band: npt.NDArray[np.int64]) -> Floats:
    """Return the expected number of sanctions of each pupil in this week: the truth that is kept."""
    yearly = np.array([published.suspensions(name)["rate"] / 100 for name in published.BANDS])
    weekly = (yearly / WEEKS_IN_YEAR)[band]
    shape = (1 - FROM_NOWHERE) * scale.of("sanction", found.sanction, band) + FROM_NOWHERE * scale.of(
        "nowhere", found.nowhere, band
    )
    return np.asarray(np.minimum(weekly * shape, 0.7), np.float32)


def incident_rate(found: Weights, scale: Scale, band: npt.NDArray[np.int64]) -> Floats:
    """Return the expected number of recorded incidents of each pupil in this week."""
    per_week = np.array([INCIDENTS_PER_WEEK[name] for name in published.BANDS])[band]
    return np.asarray(np.minimum(per_week * scale.of("incident", found.incident, band), 8.0), np.float32)


def praise_rate(found: Weights, scale: Scale, band: npt.NDArray[np.int64]) -> Floats:
    """Return the expected number of achievements of each pupil in this week."""
    per_week = np.array([PRAISE_PER_WEEK[name] for name in published.BANDS])[band]
    return np.asarray(np.minimum(per_week * scale.of("praise", found.praise, band), 6.0), np.float32)


def draw_sanctions(
    hazards: Floats, at_risk: npt.NDArray[np.bool_], band: npt.NDArray[np.int64], rng: np.random.Generator
) -> Sanctioned:
    """Return the week's sanctions. A pupil has at most one a week; who is already out has none."""
    number = len(hazards)
    draws = rng.random((8, number), dtype=np.float32)
    pupil = np.flatnonzero(at_risk & (draws[0] < -np.expm1(-hazards)))
    mine = draws[:, pupil]
    permanent = np.array([_permanent_share(name) for name in published.BANDS])[band[pupil]]
    category = np.where(mine[1] < permanent, "PERM", np.where(mine[1] > 1 - LUNCHTIME_SHARE, "LNCH", "SUSP"))
    days = _pick(mine[2], list(published.shares("length_days").values())) + 1
    long = days == 5
    # "5 and more": most are five days; the rest run to fifteen.
    days = np.where(long & (mine[3] > 0.7), 6 + (mine[3] * 1000 % 10).astype(np.int64), days)
    names = np.array(list(REASONS))
    first = names[_pick(mine[4], list(REASONS.values()))]
    second = np.where(mine[5] < 0.25, names[_pick(mine[5] * 4 % 1, list(REASONS.values()))], "")
    return Sanctioned(
        pupil=pupil,
        category=category,
        reason=first,
        second_reason=np.where(second == first, "", second),
        days=np.where(category == "LNCH", 0, days),
        weekday=np.minimum((mine[6] * 5).astype(np.int64), 4),
        delay_days=_pick(mine[7], (0.12, 0.63, 0.12, 0.06, 0.04, 0.03)),
    )


def _permanent_share(band: str) -> float:
    rates = published.suspensions(band)
    return rates["permanent"] / (rates["permanent"] + rates["rate"])


def _pick(uniform: Floats, shares: tuple[float, ...] | list[float]) -> npt.NDArray[np.int64]:
    """Return which share each uniform number falls in."""
    bounds = np.cumsum(shares) / np.sum(shares)
    return np.minimum(np.searchsorted(bounds, uniform, side="right"), len(shares) - 1)
