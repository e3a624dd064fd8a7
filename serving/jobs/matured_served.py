"""What came of the weeks that were really served: matured outcomes beside the published scores and flags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from fairness.audit import audit
from fairness.findings import Audit
from fairness.policy import Policy
from fairness.run import members_of
from fairness.watch.telling import Helped
from features.compiled import build
from features.matrix import concat
from records.history import History
from records.home import Home
from records.store import Store
from training.bundle import Bundle
from training.dataset import network_of
from training.evaluate import Evaluation, evaluate, ground
from training.outcomes import mature, together
from training.settings import Settings, settings_from
from training.splits import network_terms, term_label

_NOBODY = pd.DataFrame({"pupil": pd.Series(dtype="int64"), "term": pd.Series(dtype="str")})


@dataclass(frozen=True, kw_only=True)
class Matured:
    """The served weeks whose outcomes have matured.

    Attributes
    ----------
    weeks
        How many published weeks have them.
    evaluation
        Flags against what came, as in training; None before any week has matured.
    helped
        `pupil`, `term` of flagged pupils for whom support was offered or in place.
    """

    weeks: int
    evaluation: Evaluation | None
    helped: pd.DataFrame

    @property
    def told(self) -> Helped:
        """How many pupil-terms count as false alarms although somebody helped, beside all that were flagged."""
        if self.evaluation is None:
            return Helped(left_out=0)
        everyone = self.evaluation.summary["all"]
        return Helped(
            left_out=int(_censored(self.evaluation.pupil_terms, self.helped).sum()),
            right=int(everyone["right"]),
            flagged=int(everyone["flagged"]),
        )


def matured(home: Home, bundle: Bundle, served: pd.DataFrame, cases: pd.DataFrame, today: date) -> Matured:
    """Return what is known today of the served weeks, by the outcome and the horizon that the bundle was made for.

    Parameters
    ----------
    served, cases
        `casework.served.served_log` and `casework.served.reviews`.
    """
    settings = _settings(bundle)
    store = Store(home)
    if served.empty:
        return Matured(weeks=0, evaluation=None, helped=_NOBODY)
    outcomes = together(
        mature(history, keys, settings=settings, observed_until=today) for history, keys in _by_shard(store, served)
    )
    if outcomes.frame.empty:
        return Matured(weeks=0, evaluation=None, helped=_NOBODY)
    network = network_of(store.history(0), today)
    terms = network_terms(network.calendar)
    # Whether a pupil was suspended before or seen in training decides nothing here; the audit asks neither.
    keys = served[["pupil", "as_of", "school"]].assign(suspended_before=0, seen=1)
    on = ground(keys, outcomes, phases=network.phases, terms=terms, calendar=network.calendar, settings=settings)
    scored = served[served["abstain"] == ""].assign(holds=lambda rows: rows["eligible"])
    helped = cases.loc[cases["helped"], ["pupil", "as_of"]]
    named = helped["as_of"].map(lambda day: term_label(terms, day.date())).astype("str")
    return Matured(
        weeks=int(outcomes.frame["as_of"].nunique()),
        evaluation=evaluate(scored, on),
        helped=pd.DataFrame({"pupil": helped["pupil"], "term": named}).drop_duplicates(),
    )


def audited(home: Home, digest: str, came: Matured, policy: Policy, today: date) -> tuple[Audit, Audit | None]:
    """Return the audit as counted and, where anybody was helped and not suspended, with them left out."""
    assert came.evaluation is not None  # the caller looks only once outcomes have matured
    first = came.evaluation.snapshots["as_of"].min().date()
    members = members_of(home, policy, first, today)

    def made(evaluation: Evaluation) -> Audit:
        nothing = pd.DataFrame({"approach": pd.Series(dtype="str")})
        return audit(evaluation, members, policy, bundle_digest=digest, comparison=nothing, created_on=today)

    censored = _censored(came.evaluation.pupil_terms, came.helped)
    if not censored.any():
        return made(came.evaluation), None
    return made(came.evaluation), made(_without(came.evaluation, censored))


def _censored(pupil_terms: pd.DataFrame, helped: pd.DataFrame) -> pd.Series:
    """Return which pupil-terms were flagged, helped and not suspended: false alarms, or help that worked."""
    pairs = pd.MultiIndex.from_frame(helped[["pupil", "term"]])
    named = pd.MultiIndex.from_frame(pupil_terms[["pupil", "term"]]).isin(pairs)
    return (pupil_terms["flagged_any"] == 1) & (pupil_terms["outcome"] == 0) & named


def _without(evaluation: Evaluation, censored: pd.Series) -> Evaluation:
    """Return the evaluation without these pupil-terms, and without the weekly scores of those pupils."""
    pupils = set(evaluation.pupil_terms.loc[censored, "pupil"].astype(int))
    return replace(
        evaluation,
        pupil_terms=evaluation.pupil_terms[~censored].reset_index(drop=True),
        snapshots=evaluation.snapshots[~evaluation.snapshots["pupil"].isin(pupils)].reset_index(drop=True),
    )


def features_then_and_now(home: Home, then: Sequence[date], now: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every scored pupil's features on the days of then, and on now, as they were known on each."""
    store = Store(home)
    whole = concat([build(store.history(shard), sorted({*then, now})) for shard in store.shards])
    scored = (whole.keys["abstain"] == "").to_numpy(bool)

    def on(days: Sequence[date]) -> pd.DataFrame:
        rows = scored & whole.keys["as_of"].isin([pd.Timestamp(day) for day in days]).to_numpy(bool)
        return pd.DataFrame(np.asarray(whole.values)[rows], columns=list(whole.names))

    return on(then), on([now])


def _settings(bundle: Bundle) -> Settings:
    return settings_from({**bundle.manifest["settings"], "processes": 1})


def _by_shard(store: Store, served: pd.DataFrame) -> Iterator[tuple[History, pd.DataFrame]]:
    """Yield each shard's history with the keys of its pupils: one shard in memory at a time."""
    keys = served[["pupil", "as_of", "school", "abstain"]]
    for shard in store.shards:
        history = store.history(shard)
        mine = keys[keys["pupil"].isin(history.tables["enrolments"]["pupil"])]
        yield history, mine.reset_index(drop=True)
