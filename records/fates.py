"""The three fates of a row: accepted, held (identity unproven), quarantined (breaks a rule)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from records.batch import UNLINKED, Batch
from records.check import check
from records.pseudonym import Prover
from records.sheet import Distinct

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """A batch whose rows have met their fates.

    Attributes
    ----------
    batch
        What was judged.
    accepted
        Good rows as they lie in the store, with their pupils; identical rows of one file once.
    repeated
        How many identical rows were left out.
    held
        Why → positions of the rows in the batch.
    quarantined, faults
        Positions of rows that break a rule, and what is wrong with them.
    """

    batch: Batch
    accepted: pa.Table
    repeated: int
    held: Mapping[str, Places]
    quarantined: Places
    faults: pd.DataFrame


def judge(batch: Batch, prover: Prover, today: date) -> Judged:
    """Return the rows of a batch by fate. A row that breaks a rule and has no proven pupil is quarantined."""
    checked = check(batch, today)
    open_rows = ~checked.bad
    held: dict[str, Places] = {}
    pupils = np.empty(0, dtype=np.int64)
    reasons = dict(batch.unproven)
    if batch.upn is not None:
        pupils, doubts = _doubts(batch.upn, prover)
        # A row without a pupil's row has no number either: the missing link is what to say. The school comes last.
        unlinked = {why: reasons.pop(why) for why in (UNLINKED,) if why in reasons}
        reasons = {**unlinked, **doubts, **reasons}
    for why, unproven in reasons.items():
        mask = unproven & open_rows
        if mask.any():
            held[why] = np.flatnonzero(mask)
            open_rows &= ~mask
    once = open_rows & ~_repeats(batch, open_rows)
    accepted = checked.rows if once.all() else checked.rows.filter(pa.array(once))
    if batch.upn is not None and len(accepted):
        pupil = pa.array(pupils[batch.upn.codes[once]])
        accepted = accepted.set_column(accepted.schema.get_field_index("pupil"), "pupil", pupil)
    return Judged(
        batch=batch,
        accepted=accepted,
        repeated=int(open_rows.sum() - once.sum()),
        held=held,
        quarantined=np.flatnonzero(checked.bad),
        faults=checked.faults,
    )


def _doubts(upn: Distinct, prover: Prover) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.bool_]]]:
    """Return a pseudonym for each distinct number, and the rows of each reason to doubt one."""
    pupils, doubts = prover.prove(upn.values)
    masks = {}
    for why in sorted(set(doubts.values())):
        doubted = np.zeros(len(upn.values), dtype=bool)
        doubted[[position for position, reason in doubts.items() if reason == why]] = True
        masks[why] = doubted[upn.codes]
    return pupils, masks


def _repeats(batch: Batch, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which rows say exactly what an earlier row of the file said."""
    columns = [*batch.columns.values(), *([batch.upn] if batch.upn is not None else [])]
    mixed = np.zeros(len(batch), dtype=np.int64)
    room = 1
    for column in columns:
        size = max(len(column.values), 1)
        if room * size >= 1 << 62:
            # Too many combinations for one integer: number those met so far, at most one for each row.
            mixed = pd.factorize(mixed)[0].astype(np.int64)
            room = int(mixed.max(initial=0)) + 1
        mixed = mixed * size + column.codes
        room *= size
    repeats = np.zeros(len(batch), dtype=bool)
    rows = np.flatnonzero(among)
    repeats[rows] = pd.Series(mixed[rows]).duplicated().to_numpy()
    return repeats
