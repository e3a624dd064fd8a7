"""`belong monitor`: the gate again on what was really served, signals in between, and the end where it must end."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from casework.database import connect, scoped
from casework.deployments import note_ledger
from casework.served import reviews, served_log
from casework.watches import StoredWatch, save_watch
from fairness.approval.ledger import Head, append, read_ledger
from fairness.approval.standing import of_approval
from fairness.policy import Policy, policy_of
from fairness.run import groups_on
from fairness.signoff import Approval
from fairness.watch.course import LOOKED, Judgement, Step, judged, plan, step
from fairness.watch.signals import SCORE, Signal, drift, reviewing, same_season, selection
from fairness.watch.spending import Look
from fairness.watch.telling import view
from records.clock import clock_of
from records.home import Home
from records.quality.doubts import standings
from records.refusal import Refusal
from records.store import Store
from serving.jobs.matured_served import Matured, audited, features_then_and_now, matured
from serving.jobs.stopping import stop_by_service
from serving.scoring import Deployed, Refused, deployed_digest, open_deployed
from training.candidate import CandidateDamaged, NoCandidate, load_candidate

FOLDER = "watches"
# What the door refuses for a while and the policy may end for good: put right, it serves again once people say so.
_ENDS = {"audit_missed": "missed_audit", "digest_mismatch": "digest_mismatch"}
WEEK_DAYS = 7


class NothingToWatch(Refusal):
    """No model serves that could be looked at. `code` says why (serving/scoring.py)."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One look: its verdict, what followed, and the words that pages show of it.

    `verdict` is one of `fairness.watch.course.Verdict`, or REFUSED where the door was closed already.
    """

    verdict: str
    follows: Step
    view: Mapping[str, Any]
    done: str = ""


def monitor(home: Home) -> Watched:
    """Look at what serves: audit its matured weeks under the same gate, read the signals, and act on both.

    A failure, bytes that differ, or an audit that was missed, revokes the approval by the service account's
    own key; people alone begin again. The look is written to the home's `watches/`, its ledger and the database.

    Raises
    ------
    NothingToWatch
        Nothing serves: not deployed, expired, revoked, or a file that does not fit.
    """
    today = clock_of(home).today()
    found = open_deployed(home, today)
    if isinstance(found, Refused):
        if _ENDS.get(found.code) not in policy_of(home).after.suspend_on:
            raise NothingToWatch(found.code, found.sentence)
        return Watched(
            verdict="REFUSED",
            follows="suspend",
            view={"headline": found.sentence},
            done=stop_by_service(home, str(deployed_digest(home)), found.sentence),
        )
    served, cases = _served(home, found)
    came = matured(home, found.bundle, served, cases, today)
    judgement, look, audits = _judged(home, found, came, today)
    verdicts = [*_verdicts(home, found.approval), *([judgement.verdict] if judgement.verdict in LOOKED else [])]
    follows = step(found.approval.verdict, verdicts) if judgement.verdict in LOOKED else "go_on"
    signals = _signals(home, found, served, cases, today)
    policy = policy_of(home)
    shown = view(judgement, follows, signals, look=look, helped=came.told, rule=policy.disclosure)
    payload = {
        "view": shown,
        "look": None if look is None else asdict(look),
        "matured_weeks": came.weeks,
        "audits": audits,
        "signals": [asdict(one) for one in signals],
    }
    _keep(
        home,
        found,
        StoredWatch(
            bundle_digest=found.digest,
            approval_id=found.approval.id,
            looked_on=today,
            verdict=judgement.verdict,
            payload=payload,
        ),
        (came.weeks, follows, look),
    )
    done = ""
    if follows == "suspend":
        done = stop_by_service(home, found.digest, f"{shown['headline']} {shown['sentences'][0]}")
    return Watched(verdict=judgement.verdict, follows=follows, view=shown, done=done)


def planned_weeks(approval: Approval, policy: Policy, horizon_weeks: int) -> int:
    """Return how many weeks can have outcomes within an approval's life, at most the looks the policy plans."""
    life = (approval.expires_on - approval.signed_on).days // WEEK_DAYS
    return max(1, min(policy.after.looks, life - horizon_weeks))


def _served(home: Home, found: Deployed) -> tuple[pd.DataFrame, pd.DataFrame]:
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            since = found.approval.signed_on
            return served_log(session, found.digest, since), reviews(session, found.digest, since)
    finally:
        engine.dispose()


def _judged(
    home: Home, found: Deployed, came: Matured, today: date
) -> tuple[Judgement, Look | None, list[dict[str, Any]]]:
    """Return the judgement of the weeks that have matured, what this look may spend, and the audits behind it."""
    policy = policy_of(home)
    earlier = [int(entry.said["matured_weeks"]) for entry in _looks(home, found.approval)]
    planned = planned_weeks(found.approval, policy, found.scorer.horizon_weeks)
    look = plan([*earlier, came.weeks], planned, policy.inference.alpha)
    if came.evaluation is None or look is None:
        return Judgement(verdict="NO_NEWS" if any(earlier) else "NOT_YET"), None, []
    as_counted, left_out = audited(home, found.digest, came, policy, today)
    made = [one.to_json() for one in (as_counted, left_out) if one is not None]
    return judged(as_counted, left_out, policy, look), look, made


def _looks(home: Home, approval: Approval) -> list[Any]:
    return [e for e in read_ledger(home).of("watch", approval.bundle_digest) if of_approval(e.said, approval)]


def _verdicts(home: Home, approval: Approval) -> list[str]:
    return [str(entry.said["verdict"]) for entry in _looks(home, approval) if entry.said["verdict"] in LOOKED]


def _signals(home: Home, found: Deployed, served: pd.DataFrame, cases: pd.DataFrame, today: date) -> list[Signal]:
    """Return every signal; drift and selection are held against the audited period of the candidate itself."""
    policy = policy_of(home)
    groups = groups_on(home, policy, today)
    signals = [_late(home, today), *reviewing(cases, groups, policy)]
    scored = served[served["abstain"] == ""]
    if scored.empty:
        return signals
    try:
        candidate = load_candidate(home, found.digest)
    except (NoCandidate, CandidateDamaged) as gone:
        return [*signals, Signal(name="drift", alarm=True, sentence=f"Drift cannot be said: {gone}.")]
    signals += selection(scored, candidate.allocation, groups, policy)
    newest = scored["as_of"].max().date()
    then, days = candidate.allocation, same_season(candidate.allocation["as_of"], pd.Timestamp(newest))
    score = drift(
        *(_scores(rows) for rows in (then[then["as_of"].isin(days)], scored[scored["as_of"] == pd.Timestamp(newest)]))
    )
    before, now = features_then_and_now(home, [day.date() for day in days], newest)
    return [*signals, *score, *drift(before, now)]


def _scores(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["probability"]].rename(columns={"probability": SCORE})


def _late(home: Home, today: date) -> Signal:
    held = [one for one in standings(Store(home), today) if one.held]
    if not held:
        return Signal(name="late", value=0.0, alarm=False, sentence="Every school's records are up to date.")
    words = f"{len(held)} school{'s' if len(held) > 1 else ''} held back: records late or in doubt."
    return Signal(name="late", value=float(len(held)), alarm=True, sentence=words)


def _keep(home: Home, found: Deployed, watch: StoredWatch, summary: tuple[int, Step, Look | None]) -> None:
    """Write the look to the home, the ledger and the database, in that order: a ledger entry has its figures."""
    weeks, follows, look = summary
    folder = home.path / FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{watch.looked_on.isoformat()}-{watch.bundle_digest[:12]}.json"
    file.write_text(json.dumps({**asdict(watch), "looked_on": watch.looked_on.isoformat()}, indent=1), encoding="utf-8")
    said = {
        "approval_id": watch.approval_id,
        "verdict": watch.verdict,
        "follows": follows,
        "matured_weeks": weeks,
        "alpha": None if look is None else look.alpha,
        "alpha_because": "no look at outcomes was made" if look is None else "spent so far over the planned weeks",
        "headline": watch.payload["view"]["headline"],
    }
    entry, _ = append(home, "watch", bundle=found.digest, on=watch.looked_on, said=said)
    head = Head(number=entry.number, digest=entry.digest)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            save_watch(session, watch)
            note_ledger(session, found.digest, (head.number, head.digest))
    finally:
        engine.dispose()
