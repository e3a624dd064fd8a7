"""Sessions missed in spans of days, counted for many spans at once."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.codes import AUTHORISED, POSSIBLE, UNAUTHORISED

# Every absence, illness and medical appointments too: severe absence makes no difference between reasons.
ABSENT = AUTHORISED | UNAUTHORISED


def missed_share(marks: pd.DataFrame, spans: pd.DataFrame, *, least_sessions: int) -> npt.NDArray[np.float64]:
    """Return the share of possible sessions that was missed in each span, in the spans' order.

    Parameters
    ----------
    marks
        `pupil`, `date` and `code`; the latest version of each session.
    spans
        `pupil`, `first` and `end` (the first day no longer counted).

    Returns
    -------
    NaN where the span holds fewer than `least_sessions` possible sessions.
    """
    codes = marks["code"].astype("str")
    rows = pd.DataFrame(
        {
            "pupil": marks["pupil"].to_numpy(np.int64),
            "day": marks["date"].to_numpy().astype("datetime64[D]").astype(np.int64),
            "possible": codes.isin(POSSIBLE).to_numpy(np.float64),
            "absent": codes.isin(ABSENT).to_numpy(np.float64),
        }
    ).sort_values(["pupil", "day"], kind="stable", ignore_index=True)
    pupils = np.unique(np.concatenate([rows["pupil"].to_numpy(), spans["pupil"].to_numpy(np.int64)]))
    # One number for (pupil, day), in that order: a span is then a stretch of rows.
    width = 1 << 20
    at = np.searchsorted(pupils, rows["pupil"].to_numpy()) * width + rows["day"].to_numpy()
    of_span = np.searchsorted(pupils, spans["pupil"].to_numpy(np.int64)) * width
    ends = [
        np.searchsorted(at, of_span + spans[name].to_numpy().astype("datetime64[D]").astype(np.int64))
        for name in ("first", "end")
    ]
    sums = {name: np.concatenate([[0.0], np.cumsum(rows[name].to_numpy())]) for name in ("possible", "absent")}
    possible, absent = (sums[name][ends[1]] - sums[name][ends[0]] for name in ("possible", "absent"))
    enough = possible >= max(1, least_sessions)
    return np.where(enough, absent / np.where(enough, possible, 1.0), np.nan)
