"""How near a simulation is to the published figures it was made to resemble: every figure, and the worst named."""

import numpy as np
import pandas as pd

from records.synthetic.counted import Counted
from records.synthetic.figures import BAND_NAMES, Figure
from records.synthetic.figures_attendance import attendance_figures
from records.synthetic.figures_sanctions import sanction_figures

COLUMNS = ("figure", "band", "simulated", "published", "relative_error", "n")
ENOUGH, WORST = 30.0, 10
NEAR = (0.05, 0.1, 0.25, 0.5)
NOT_SHOWN: dict[str, str] = {
    "neighbourhood deprivation (IDACI deciles)": "the process knows free school meals and the school's deprivation, "
    "not where a pupil lives",
    "free meals at any time in six years (Ever6)": "a simulation of a few years does not see six back",
    "England's and other regions' figures": "the network is in London",
    "Tuesday to Thursday, session by session": "published only as Friday afternoon above Wednesday morning",
    "permanent exclusions by reason, review results": "too few a year even at 120,000 pupils",
    "suspension by sex within age or ethnicity": "published for 2016/17, used in none of the process's parts",
    "code S in primary schools, codes T and Q": "one session in ten thousand or fewer",
    "ages under 4, nursery, year not followed": "no such pupils are simulated",
    "trends between years": "the process is stationary: each year is a draw of the same year",
}
"""Published figures that the simulation cannot show, and why."""


def report(found: Counted) -> pd.DataFrame:
    """Return one row per published figure: simulated beside published.

    Columns are COLUMNS. Rates are per 100 pupils and year, shares in per cent, ratios plain numbers;
    `relative_error` is simulated / published - 1, NaN where the published figure is 0; `n` is what the simulated
    figure rests on: events for rates, pupils or sessions for shares, the smaller count for ratios. Attendance is
    by code as it stood in the end. A figure without any pupils in the simulation is left out.
    """
    rows = [
        (figure.name, BAND_NAMES[figure.band], figure.simulated, figure.published, _error(figure), figure.n)
        for figure in (*attendance_figures(found), *sanction_figures(found))
        if np.isfinite(figure.simulated)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def worst(frame: pd.DataFrame, number: int = WORST) -> pd.DataFrame:
    """Return the figures furthest from the published ones, by ratio, among those that rest on 30 or more."""
    firm = frame[(frame["n"] >= ENOUGH) & frame["relative_error"].notna()]
    distance = np.abs(np.log(np.maximum(1 + firm["relative_error"].to_numpy(), 1e-3)))
    return firm.iloc[np.argsort(-distance, kind="stable")[:number]]


def as_text(frame: pd.DataFrame) -> str:
    """Return the report as a printed table, the worst figures and those that cannot be shown at the end."""
    parts = [_table(frame), "", f"The {WORST} furthest from the published figure, of those resting on 30 or more:"]
    parts += [_table(worst(frame)), "", *_in_all(frame), ""]
    parts += ["Published, but not shown by this simulation:"]
    parts += [f"  {figure}: {why}" for figure, why in NOT_SHOWN.items()]
    return "\n".join(parts)


def _in_all(frame: pd.DataFrame) -> list[str]:
    """Return how near all figures are, in words: what a table of several hundred lines does not say."""
    firm = frame[(frame["n"] >= ENOUGH) & frame["relative_error"].notna()]
    error = firm["relative_error"].abs()
    near = ", ".join(f"{(error <= limit).sum():,} within {limit:.0%}" for limit in NEAR)
    far = worst(frame, 1).iloc[0]
    return [
        f"Of {len(firm):,} figures resting on 30 or more, {near}; half within {error.median():.0%}.",
        f"The worst: {far['figure']} ({far['band']}): {far['simulated']:.3f}, published {far['published']:.3f}.",
        "A figure of one borough rests on a school or two in a small network: chance alone moves it far.",
    ]


def _error(figure: Figure) -> float:
    return figure.simulated / figure.published - 1 if figure.published else float("nan")


def _table(frame: pd.DataFrame) -> str:
    head = f"{'figure':<62} {'band':<16} {'simulated':>10} {'published':>10} {'error':>8} {'n':>11}"
    lines = [
        f"{figure:<62} {band:<16} {simulated:>10.3f} {published:>10.3f} "
        f"{'' if np.isnan(error) else format(error, '+.0%'):>8} {n:>11,.0f}"
        for figure, band, simulated, published, error, n in frame[list(COLUMNS)].to_numpy().tolist()
    ]
    return "\n".join([head, *lines])
