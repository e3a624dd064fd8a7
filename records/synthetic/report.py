"""How near a simulation is to the published figures it was made to resemble."""

import numpy as np
import numpy.typing as npt

from records.synthetic import published
from records.synthetic.register import CODES, possible_and_missed
from records.synthetic.sanctions import WEEKS_IN_YEAR
from records.synthetic.simulate import Simulated

Figure = tuple[str, float, float]
_BAND_NAMES = {"PS": "primary years", "SS": "secondary years", "SP": "special schools"}
_CODES = ("L", "I", "M", "C", "O", "U", "G", "E", "C2", "V", "B", "S", "R")
_RATIOS = (("sex", "M", "F"), ("fsm", "fsm", "not"), ("sen", "K", "N"), ("sen", "E", "N"))
_SECONDARY_RATIOS = (
    ("ethnicity", "BCRB", "WBRI"),
    ("ethnicity", "MWBC", "WBRI"),
    ("ethnicity", "BAFR", "WBRI"),
    ("ethnicity", "AIND", "WBRI"),
)
PERSISTENT = 0.10


def report(simulated: Simulated) -> list[Figure]:
    """Return (figure, simulated, published); published is NaN where no such band was simulated.

    Rates are per 100 pupils and year. Attendance is a percentage of possible sessions by true code, before
    mistakes in the records; the published share of code N has no counterpart here.
    """
    found: list[Figure] = []
    for band, name in enumerate(published.BANDS):
        if (simulated.tally.band == band).any():
            found += _attendance(simulated, band, name) + _suspensions(simulated, band, name)
    return found + _recurrence(simulated)


def _attendance(simulated: Simulated, band: int, name: str) -> list[Figure]:
    tally, label = simulated.tally, _BAND_NAMES[name]
    mine = tally.codes.sum(axis=2)[tally.band == band]
    possible, missed = possible_and_missed(mine)
    figures = published.attendance(name)
    seen = possible > 20
    found = [
        (f"{label}: absence %", 100 * missed.sum() / possible.sum(), figures["absence"]),
        (
            f"{label}: persistently absent %",
            100 * float(np.mean(missed[seen] / possible[seen] >= PERSISTENT)),
            published.persistent_absence(name),
        ),
    ]
    for code in _CODES:
        share = 100 * mine[:, CODES.index(code)].sum() / possible.sum()
        found.append((f"{label}: code {code} %", float(share), figures[code]))
    return [(figure, round(float(value), 3), known) for figure, value, known in found]


def _suspensions(simulated: Simulated, band: int, name: str) -> list[Figure]:
    tally, label = simulated.tally, _BAND_NAMES[name]
    figures = published.suspensions(name)
    years = _full_years(simulated)
    mine = tally.band[:, years] == band
    number = tally.suspensions[:, years]
    found = [
        (f"{label}: suspensions per 100 pupils", _rate(simulated, tally.suspensions, band), figures["rate"]),
        (f"{label}: permanent exclusions per 100", _rate(simulated, tally.permanent, band), figures["permanent"]),
        (f"{label}: pupils suspended %", 100 * float(np.mean(number[mine] > 0)), figures["one_or_more"]),
    ]
    for attribute, high, low in _RATIOS + (_SECONDARY_RATIOS if name == "SS" else ()):
        if name == "SP" and attribute == "sen":
            continue
        rates = published.by_characteristic(name, attribute)
        groups = simulated.groups[attribute]
        above, below = (_rate(simulated, tally.suspensions, band, groups == group) for group in (high, low))
        ratio = above / below if below else float("nan")
        found.append((f"{label}: suspensions, {high} to {low}", ratio, rates[high] / rates[low]))
    return [(figure, round(value, 3), round(known, 3)) for figure, value, known in found]


def _rate(
    simulated: Simulated,
    number: npt.NDArray[np.int32],
    band: int,
    among: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Return the number per 100 pupils and year; a year cut short counts by its weeks."""
    mine = simulated.tally.band == band
    if among is not None:
        mine = mine & among[:, None]
    exposure = (mine * simulated.tally.weeks / WEEKS_IN_YEAR).sum()
    return 100 * float(number[mine].sum() / exposure) if exposure else float("nan")


def _full_years(simulated: Simulated) -> npt.NDArray[np.bool_]:
    weeks = simulated.tally.weeks
    full = weeks > 0.9 * WEEKS_IN_YEAR
    return full if full.any() else weeks == weeks.max()


def _recurrence(simulated: Simulated) -> list[Figure]:
    tally, years = simulated.tally, _full_years(simulated)
    number = tally.suspensions[:, years][tally.band[:, years] == published.BANDS.index("SS")]
    suspended = number[number > 0]
    if not len(suspended):
        return []
    shares = published.shares("recurrence")
    return [
        ("secondary years: of those suspended, once", round(float(np.mean(suspended == 1)), 3), shares["1"]),
        ("secondary years: of those suspended, twice", round(float(np.mean(suspended == 2)), 3), shares["2"]),
        ("secondary years: of those suspended, five times or more", round(float(np.mean(suspended >= 5)), 3),
         round(sum(share for times, share in shares.items() if int(times) >= 5), 3)),
    ]  # fmt: skip
