"""One row at a time through LightGBM's own fast path for it: the same trees, without setting up a prediction each time.

`Booster.predict` spends ten times the trees' own time on preparing a call. LightGBM's C interface prepares it once
(`LGBM_BoosterPredictForMatSingleRowFastInit`); its Python package has no word for that, so its library is called as it
calls it itself.
"""

import ctypes
from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from lightgbm.basic import _LIB, _safe_call  # type: ignore[attr-defined]  # not offered by name

Array = npt.NDArray[np.float64]
_FLOAT64, _RAW_SCORE, _EVERY_ROUND = 1, 1, -1


def single_row(booster: lgb.Booster, features: int) -> Callable[[Array], float]:
    """Return a function from one row, shape ``(features,)``, to its raw score: `Booster.predict`'s own, to the bit.

    Not for two threads at once: every call uses the same room.
    """
    config = ctypes.c_void_p()
    _safe_call(
        _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
            booster._handle,  # the C interface takes nothing else
            ctypes.c_int(_RAW_SCORE),
            ctypes.c_int(0),
            ctypes.c_int(_EVERY_ROUND),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(features),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(config),
        )
    )
    return _SingleRow(booster, config, features).raw


class _SingleRow:
    """The prepared call with its room for a row and an answer; it ends with the last who holds it."""

    def __init__(self, booster: lgb.Booster, config: ctypes.c_void_p, features: int) -> None:
        self._booster, self._config = booster, config  # LightGBM reads the booster's trees at every call
        self._row, self._found, self._length = np.empty(features), np.empty(1), ctypes.c_int64(0)
        self._call = _LIB.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (
            config,
            self._row.ctypes.data_as(ctypes.c_void_p),
            ctypes.byref(self._length),
            self._found.ctypes.data_as(ctypes.c_void_p),
        )

    def raw(self, values: Array) -> float:
        """Return the row's raw score."""
        self._row[:] = values
        _safe_call(self._call(*self._arguments))
        return float(self._found[0])

    def __del__(self) -> None:
        _LIB.LGBM_FastConfigFree(self._config)
