"""The whole audit on one screen: a candidate's held-out flags, the groups of its pupils, the board's policy."""

from dataclasses import replace
from datetime import date

import pandas as pd

from fairness.audit import audit, set_aside
from fairness.evidence.coverage import left_out
from fairness.evidence.gathered import Asked, covered, gather
from fairness.evidence.leaving_out import Which, leave_out
from fairness.evidence.material import read_material
from fairness.exhibits import LeftOut
from fairness.findings import Audit
from fairness.gate import Decision, decide
from fairness.groups import groups
from fairness.policy import Policy
from fairness.practice import practice
from records.home import Home
from records.protected import ProtectedStore, ReadOnce
from training.again import Told, bench_of
from training.candidate import Candidate


def audit_candidate(
    home: Home,
    candidate: Candidate,
    policy: Policy,
    *,
    created_on: date,
    leave_one_out: Which | None = None,
    told: Told | None = None,
) -> tuple[Audit, Decision]:
    """Return the audit of a candidate and the gate's decision on it.

    Groups are as they were known on the first day of the audit period: what became known of a pupil
    later, perhaps because of a suspension, must not sort the errors made before it. Pupils who joined
    since are as their first census gave them: left out, every new year group would count as not known.

    Parameters
    ----------
    leave_one_out
        Which features to leave out one by one, training again each time: minutes, so only where asked.
    told
        Is told how many of those are done.

    Raises
    ------
    training.again.NotAgain
        Features are to be left out of what is no LightGBM model, or of one from before the records of today.
    """
    first = date.fromisoformat(candidate.periods["audit"][0])
    members = members_of(home, policy, first, created_on)
    without: tuple[LeftOut, ...] = ()
    if leave_one_out is not None:
        without = leave_out(bench_of(home, candidate, created_on), members, policy, leave_one_out, told)
    material = read_material(home, candidate, created_on)
    coverage = covered(material, candidate, members, policy)
    found = audit(
        candidate.evaluation,
        members,
        policy,
        bundle_digest=candidate.bundle.digest,
        comparison=candidate.comparison,
        created_on=created_on,
        practice=practice(material.during(first), members, policy),
    )
    found = set_aside(found, left_out(coverage), policy)
    asked = Asked(candidate=candidate, cells=found.cells, groups=members, policy=policy, first=first)
    found = replace(found, evidence=gather(asked, material, coverage, without))
    return found, decide(found, policy)


def members_of(home: Home, policy: Policy, first: date, created_on: date) -> pd.DataFrame:
    """Return each pupil's groups as known on the first day, those of later pupils as first known since."""
    store = ReadOnce(home)
    before, after = (_groups(store, policy, day) for day in (first, created_on))
    return pd.concat([before, after[~after.index.isin(before.index)]])


def groups_on(home: Home, policy: Policy, day: date) -> pd.DataFrame:
    """Return each pupil's groups as they were known on a day (`fairness.groups.groups`)."""
    return _groups(ProtectedStore(home), policy, day)


def _groups(store: ProtectedStore, policy: Policy, day: date) -> pd.DataFrame:
    return groups(store, day, merges=policy.attribute("ethnicity").merges)
