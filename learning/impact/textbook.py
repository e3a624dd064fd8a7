"""The textbook's own tools, where they are installed: rdrobust's reading beside ours, and rddensity's check.

Both are under the GPL and so an optional extra; this is the only module that speaks to them.
"""

import contextlib
import importlib.util
import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from records.refusal import Refusal

_PACKAGES = ("rdrobust", "rddensity")
Array = npt.NDArray[np.float64]


class NotInstalled(Refusal):
    """No effect can be worked out, because the extra packages are not there."""


@dataclass(frozen=True, kw_only=True)
class Textbook:
    """rdrobust's robust bias-corrected estimate and interval, and the bandwidth that it chose for itself."""

    estimate: float
    lower: float
    upper: float
    bandwidth: float


def check_installed() -> None:
    """Raise `NotInstalled` unless the packages of the extra `impact` are there."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise NotInstalled(
            f"No effect of the flag can be worked out: {' and '.join(missing)} is not installed. "
            "Install the extra packages with: pip install 'belong[impact]'"
        )


def textbook(x: Array, outcome: Array, clusters: npt.NDArray[np.int64], window: float | None = None) -> Textbook:
    """Return rdrobust's own reading of the jump at 0, clustered by school.

    Parameters
    ----------
    window
        Both bandwidths; None: rdrobust chooses them.
    """
    from rdrobust import rdrobust  # noqa: PLC0415 - GPL, in an optional extra

    found = _quietly(rdrobust, outcome, x, cluster=clusters, h=window)
    lower, upper = (float(bound) for bound in found.ci.iloc[2])
    return Textbook(
        estimate=float(found.coef.iloc[2, 0]), lower=lower, upper=upper, bandwidth=float(found.bws.iloc[0, 0])
    )


def density_chance(x: Array) -> float:
    """Return the p-value of equal densities on both sides of 0: a small one says that somebody steered who got in."""
    from rddensity import rddensity  # noqa: PLC0415 - GPL, in an optional extra

    return float(_quietly(rddensity, x, bino_flag=False).test["p_jk"])


def _quietly(ask: Any, *arguments: Any, **options: Any) -> Any:
    """Call, keeping what the package prints and warns of to ourselves: it speaks of bandwidths to whoever ran it."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ask(*arguments, **options)
