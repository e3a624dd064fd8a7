"""The board's limits, checked before anything is trained or audited: can they hold, and were they set in time?"""

from datetime import date

from fairness.outlook.feasible import USUAL_ROLL, check_limits
from fairness.outlook.rates import Rates, rates_for
from fairness.policy import Policy, policy_of
from fairness.policy_history import note_policy
from records.home import Home


def usual_roll(rates: Rates) -> float:
    """Return the pupils of a usual school: the network's mean, or London's."""
    return rates.pupils / rates.schools if rates.pupils and rates.schools else USUAL_ROLL


def check_policy(home: Home, today: date) -> Policy:
    """Return the home's policy, noted in its history, after its limits were found to be able to hold.

    Raises
    ------
    LimitsRefused
        They cannot hold together, or cannot be broken or kept.
    fairness.approval.ledger.LedgerBroken
        The home's ledger, which holds its earlier limits, is not what was written.
    """
    policy = policy_of(home)
    note_policy(home, policy, today)
    rates = rates_for(home, policy, today)
    check_limits(policy, rates, roll=usual_roll(rates))
    return policy
