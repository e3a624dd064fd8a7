"""Looking again and again without crying wolf: how much of alpha each look may spend.

A fair model looked at twenty times, each at one chance in twenty, is called unfair at some look far more
often than one time in twenty. Lan and DeMets (Biometrika 1983) spend alpha over the looks by a function of
the share of the information that is in. The O'Brien-Fleming-type one spends very little early:

    spent(t) = 2 - 2 Phi(z(1 - alpha/2) / sqrt(t))        for a one-sided alpha, 0 < t <= 1

The limit of each look follows from what was spent before it. The estimate's course is a Brownian motion
B(t) = Z(t) sqrt(t), whose density over paths that crossed nowhere is carried from look to look by numerical
integration (Armitage, McPherson and Rowe, JRSS A 1969), as in Reboussin, DeMets, Kim and Lan's program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.float64]
_NODES = 400
# Beyond so many standard deviations there is nothing left to integrate.
_FAR = 10.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look may do.

    Attributes
    ----------
    share
        Share of the planned information that is in, 0 to 1.
    spent
        Alpha spent up to and with this look.
    limit
        The z value at which this look finds a failure.
    alpha
        The p-value that is the same limit: what a test at this look is held against.
    """

    share: float
    spent: float
    limit: float
    alpha: float


def spent(share: float, alpha: float) -> float:
    """Return how much of a one-sided alpha may be spent once this share of the information is in."""
    if not 0 < share <= 1:
        raise ValueError(f"the share of information is {share}; it lies above 0 and at most at 1")
    return float(2 * ndtr(-ndtri(1 - alpha / 2) / np.sqrt(share)))


def looks(shares: Sequence[float], alpha: float) -> tuple[Look, ...]:
    """Return the limits of looks made at these shares of the information, in order.

    Raises
    ------
    ValueError
        The shares do not rise, or lie outside (0, 1].
    """
    if any(later <= earlier for earlier, later in pairwise(shares)):
        raise ValueError("the share of information must rise from look to look; a look without news is none")
    made: list[Look] = []
    # Density of B at the last look, over the paths that crossed nowhere, on Gauss-Legendre nodes.
    nodes, weights, density = np.zeros(1), np.ones(1), np.ones(1)
    before = 0.0
    for place, share in enumerate(shares):
        total = spent(share, alpha)
        now = total - (made[-1].spent if made else 0.0)
        step = np.sqrt(share - before)
        limit = _limit(nodes, weights * density, step, now, share)
        made.append(
            Look(share=share, spent=total, limit=limit / np.sqrt(share), alpha=float(ndtr(-limit / np.sqrt(share))))
        )
        if place + 1 < len(shares):
            nodes, weights, density = _carried(nodes, weights * density, step, limit, share)
        before = share
    return tuple(made)


def _limit(nodes: Floats, mass: Floats, step: float, chance: float, share: float) -> float:
    """Return the value of B that is crossed with this chance, having crossed nowhere before."""

    def over(limit: float) -> float:
        return float(np.log(max(mass @ ndtr((nodes - limit) / step), 1e-300)) - np.log(max(chance, 1e-290)))

    return float(brentq(over, -_FAR * np.sqrt(share), 2 * _FAR * np.sqrt(share), xtol=1e-10))


def _carried(nodes: Floats, mass: Floats, step: float, limit: float, share: float) -> tuple[Floats, Floats, Floats]:
    """Return nodes, weights and density of B at this look, over the paths that have not crossed."""
    low = -_FAR * np.sqrt(share)
    unit, unit_weights = np.polynomial.legendre.leggauss(_NODES)
    half = (limit - low) / 2
    at = low + half * (unit + 1)
    kernel = np.exp(-(((at[:, None] - nodes[None, :]) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
    return at, unit_weights * half, kernel @ mass
