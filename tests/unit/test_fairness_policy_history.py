"""Limits are set before the outcomes they judge are known, and a home can show it."""

from datetime import date, timedelta

import pytest

from fairness.approval.ledger import LedgerBroken
from fairness.policy import read_policy
from fairness.policy_history import (
    PolicyTooLate,
    check_registered,
    in_force_since,
    note_policy,
    read_history,
)
from records.home import create_home

POLICY = read_policy()
FIRST_AS_OF = date(2025, 9, 1)
KNOWN_FROM = FIRST_AS_OF + timedelta(weeks=6)
LATER = date(2026, 6, 22)


def wider(**changes):
    """Return the policy with another margin for recall, and whatever else."""
    metrics = tuple(m.model_copy(update={"margin": 0.2}) if m.name == "recall" else m for m in POLICY.metrics)
    return POLICY.model_copy(update={"metrics": metrics} | changes)


@pytest.fixture
def home(tmp_path):
    return create_home(tmp_path / "home")


def test_of_the_first_limits_a_home_meets_their_own_date_is_believed(home):
    check_registered(home, POLICY, FIRST_AS_OF, LATER)
    (note,) = read_history(home)
    assert (note.seen_on, note.deciding) == (LATER, POLICY.deciding_digest)
    assert in_force_since((note,)) == POLICY.decided_on


@pytest.mark.parametrize(("days", "late"), [(0, False), (1, True)])
def test_limits_decided_after_the_first_outcomes_were_known_judge_nothing(home, days, late):
    policy = POLICY.model_copy(update={"decided_on": KNOWN_FROM + timedelta(days=days)})
    if late:
        with pytest.raises(PolicyTooLate, match=f"in force since {policy.decided_on.isoformat()}.*Put back the limits"):
            check_registered(home, policy, FIRST_AS_OF, LATER)
    else:
        check_registered(home, policy, FIRST_AS_OF, LATER)


def test_dating_back_a_change_does_not_help(home):
    note_policy(home, POLICY, date(2025, 7, 2))
    with pytest.raises(PolicyTooLate, match="in force since 2026-06-22"):
        check_registered(home, wider(decided_on=date(2025, 7, 1)), FIRST_AS_OF, LATER)
    assert len(read_history(home)) == 2


def test_going_back_to_limits_once_held_is_a_change_too(home):
    """Both were set beforehand; which of them to judge by was chosen afterwards."""
    for policy, day in ((POLICY, date(2025, 7, 2)), (wider(), date(2025, 7, 3)), (POLICY, LATER)):
        notes = note_policy(home, policy, day)
    assert len(notes) == 3
    with pytest.raises(PolicyTooLate):
        check_registered(home, POLICY, FIRST_AS_OF, LATER)


def test_a_change_made_in_time_is_allowed_and_other_words_are_no_change(home):
    note_policy(home, POLICY, date(2025, 7, 2))
    check_registered(home, wider(), FIRST_AS_OF, KNOWN_FROM)
    metrics = tuple(m.model_copy(update={"reason": "said in other words"}) for m in wider().metrics)
    check_registered(home, wider(metrics=metrics, owner="the trust's board"), FIRST_AS_OF, LATER)
    assert len(read_history(home)) == 2


def test_a_note_that_was_touched_is_refused(home):
    note_policy(home, POLICY, date(2025, 7, 2))
    note_policy(home, wider(), date(2025, 7, 3))
    first, second = sorted((home.path / "ledger").glob("*.json"))
    whole = first.read_bytes()
    for forged in (whole.replace(b"2025-07-02", b"2025-06-02"), whole.replace(b"{", b"{ ", 1), b"not JSON", None):
        first.unlink()
        if forged is not None:
            first.write_bytes(forged)
        with pytest.raises(LedgerBroken):
            note_policy(home, wider(), LATER)
        first.write_bytes(whole)
    assert second.exists()
    assert len(read_history(home)) == 2
