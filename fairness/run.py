"""The whole audit on one screen: a candidate's held-out flags, the groups of its pupils, the board's policy."""

from datetime import date

import pandas as pd

from fairness.audit import audit
from fairness.findings import Audit, PracticeRow
from fairness.gate import Decision, decide
from fairness.groups import groups
from fairness.policy import Policy
from fairness.practice import practice
from records.history import known
from records.home import Home
from records.protected import ProtectedStore
from records.store import Store
from training.candidate import Candidate


def audit_candidate(home: Home, candidate: Candidate, policy: Policy, *, created_on: date) -> tuple[Audit, Decision]:
    """Return the audit of a candidate and the gate's decision on it.

    Groups are as they were known on the first day of the audit period: what became known of a pupil
    later, perhaps because of a suspension, must not sort the errors made before it. Pupils who joined
    since are as their first census gave them: left out, every new year group would count as not known.
    """
    first, last = (date.fromisoformat(day) for day in candidate.periods["audit"][:2])
    before, after = groups_on(home, policy, first), groups_on(home, policy, created_on)
    members = pd.concat([before, after[~after.index.isin(before.index)]])
    found = audit(
        candidate.evaluation,
        members,
        policy,
        bundle_digest=candidate.bundle.digest,
        comparison=candidate.comparison,
        created_on=created_on,
        practice=_practice(home, members, policy, first, last),
    )
    return found, decide(found, policy)


def groups_on(home: Home, policy: Policy, day: date) -> pd.DataFrame:
    """Return each pupil's groups as they were known on a day (`fairness.groups.groups`)."""
    return groups(ProtectedStore(home), day, merges=policy.attribute("ethnicity").merges)


def _practice(home: Home, members: pd.DataFrame, policy: Policy, first: date, last: date) -> tuple[PracticeRow, ...]:
    store = Store(home)
    parts = []
    for shard in store.shards:
        rows = known(store.history(shard), last)["behaviour"]
        parts.append(rows[rows["date"] >= pd.Timestamp(first)])
    return practice(pd.concat(parts, ignore_index=True), members, policy)
