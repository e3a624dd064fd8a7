"""The inputs that the board's policy allows, held against what the features say they may stand for."""

from collections.abc import Sequence

from fairness.policy import Policy, PolicyRefused
from features.catalogue import CATALOGUE
from features.feature import Feature
from features.proxies import check_leave, compose, without_leave
from training.bundle import Bundle
from training.inputs import inputs_of


def allowed_inputs(policy: Policy, features: Sequence[Feature] = CATALOGUE) -> tuple[str, ...]:
    """Return the names of the features that need leave and have it, in the policy's order.

    Raises
    ------
    InputNotAllowed
        The policy names what is no feature or needs no leave.
    PolicyRefused
        The policy allows a feature under another risk than its own: its reason would answer another question.
    """
    names = tuple(name for part in policy.inputs for name in part.features)
    check_leave(features, names)
    risks = {feature.name: feature.proxy_risk for feature in features}
    for part in policy.inputs:
        for name in part.features:
            own = risks[name]
            if own is not None and own.of != part.risk:
                raise PolicyRefused(
                    f"policy {policy.id} allows {name!r} under the risk {part.risk!r}; it may stand for {own.of} "
                    f"({own.because}): give the reason under that"
                )
    return names


def left_out(policy: Policy, features: Sequence[Feature] = CATALOGUE) -> tuple[Feature, ...]:
    """Return the features that the policy keeps out of every model. Raises like `allowed_inputs`."""
    return without_leave(features, allowed_inputs(policy, features))


def check_inputs(bundle: Bundle, policy: Policy) -> None:
    """Refuse a bundle whose score may depend on a feature that the policy of today does not allow.

    Raises
    ------
    InputNotAllowed
        Naming the feature, what it may stand for, and what to do; and like `allowed_inputs`.
    """
    used, allowed = set(inputs_of(bundle)), set(allowed_inputs(policy))
    compose([feature for feature in CATALOGUE if feature.name in used], used & allowed)
