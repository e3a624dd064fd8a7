"""The three fates of a row: accepted, held (identity unproven), quarantined (breaks a rule)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from records.check import Checked, check
from records.identity.erased import NOBODY, Erased, without_erased
from records.identity.identities import IDENTITIES
from records.identity.link_log import said_in
from records.pseudonym import Prover
from records.rows.batch import UNLINKED, Batch
from records.rows.doubles import doubles
from records.text.sheet import Distinct

Places = npt.NDArray[np.int64]
MANY_PUPILS = 50_000


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
    erased
        How many rows, no longer in the batch, were about pupils who were erased (records/identity/erased.py).
    said
        What a batch of identities says of former numbers (records/identity/link_log.py); None for other tables.
    """

    batch: Batch
    accepted: pa.Table
    repeated: int
    held: Mapping[str, Places]
    quarantined: Places
    faults: pd.DataFrame
    erased: int = 0
    said: pa.Table | None = None


def judge(batch: Batch, prover: Prover, today: date, erased: Erased = NOBODY) -> Judged:
    """Return the rows of a batch by fate. A row that breaks a rule and has no proven pupil is quarantined.

    Rows of a pupil in the ledger of erasures have no fate: they are dropped and counted.
    """
    batch, dropped = without_erased(batch, prover, erased)
    checked = _checked(batch, prover, today)
    open_rows = ~checked.bad
    said = said_in(batch, checked.rows, open_rows, prover) if batch.table is IDENTITIES else None
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
    once = open_rows & ~doubles(_said(batch), open_rows)
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
        erased=dropped,
        said=said,
    )


def _checked(batch: Batch, prover: Prover, today: date) -> Checked:
    """Return the check of the batch. Where it names very many pupils, the prover meets them meanwhile.

    A million pseudonyms take as long as checking ten million rows, and the prover remembers them.
    """
    if batch.upn is None or len(batch.upn.values) < MANY_PUPILS:
        return check(batch, today)
    with ThreadPoolExecutor(1) as beside:
        proving = beside.submit(prover.prove, batch.upn.values)
        checked = check(batch, today)
        proving.result()
    return checked


def _doubts(upn: Distinct, prover: Prover) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.bool_]]]:
    """Return a pseudonym for each distinct number, and the rows of each reason to doubt one."""
    pupils, doubts = prover.prove(upn.values)
    masks = {}
    for why in sorted(set(doubts.values())):
        doubted = np.zeros(len(upn.values), dtype=bool)
        doubted[[position for position, reason in doubts.items() if reason == why]] = True
        masks[why] = doubted[upn.codes]
    return pupils, masks


def _said(batch: Batch) -> list[Distinct]:
    """Return all that a row says: a row that says the same again is no second fact."""
    return [*batch.columns.values(), *([batch.upn] if batch.upn is not None else [])]
