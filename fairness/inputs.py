"""The inputs that the board's policy allows, held against what the features say they may stand for."""

from collections.abc import Sequence

from fairness.policy import Policy, PolicyRefused
from features.catalogue import CATALOGUE
from features.feature import Feature
from features.proxies import compose


def allowed_inputs(policy: Policy, features: Sequence[Feature] = CATALOGUE) -> tuple[str, ...]:
    """Return the names of the features that need leave and have it, in the policy's order.

    Raises
    ------
    InputNotAllowed
        A feature needs leave that the policy does not give, or the policy names what needs none.
    PolicyRefused
        The policy allows a feature under another risk than its own: its reason would answer another question.
    """
    names = tuple(name for part in policy.inputs for name in part.features)
    risks = {feature.name: feature.proxy_risk for feature in compose(features, names)}
    for part in policy.inputs:
        for name in part.features:
            own = risks[name]
            if own is not None and own.of != part.risk:
                raise PolicyRefused(
                    f"policy {policy.id} allows {name!r} under the risk {part.risk!r}; it may stand for {own.of} "
                    f"({own.because}): give the reason under that"
                )
    return names
