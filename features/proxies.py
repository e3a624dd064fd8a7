"""Inputs that may stand for a protected characteristic: each says so, and none is used unless the board allows it.

Protected characteristics themselves, and the codes R, T, E and Y5, no policy can allow: no feature can be
declared that reads them (`features.measure`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, Protocol, TypeVar, get_args

from records.refusal import Refusal

Risk = Literal["disability", "ethnicity", "poverty"]
RISKS: tuple[str, ...] = get_args(Risk)
# Who may change what is allowed (fairness/policy.toml), and what that costs: approvals name the policy's digest.
SIGNED_BY = (
    "the policy is the governance board's: a change ends every approval, and two board members sign again after a "
    "new audit"
)


class InputNotAllowed(Refusal):
    """A feature that may stand for a protected characteristic is not allowed by name in the board's policy."""


@dataclass(frozen=True)
class ProxyRisk:
    """What a feature's value may stand for, and why, in words."""

    of: Risk
    because: str

    def __post_init__(self) -> None:
        if self.of not in RISKS or not self.because:
            raise ValueError(f"a proxy risk is of {', '.join(RISKS)}, and says why; not {self.of!r}")


class Declared(Protocol):
    """A feature, as far as this room looks at it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def proxy_risk(self) -> ProxyRisk | None:
        """What it may stand for."""


F = TypeVar("F", bound=Declared)


def check_leave(features: Sequence[Declared], allow: Collection[str]) -> None:
    """Refuse leave that would silently allow nothing.

    Raises
    ------
    InputNotAllowed
        A name is no feature, or one that needs no leave.
    """
    risks = {feature.name: feature.proxy_risk for feature in features}
    for name in allow:
        if name not in risks:
            near = get_close_matches(name, risks, n=2)
            meant = f"; did you mean {' or '.join(near)}?" if near else "; take it out"
            raise InputNotAllowed(f"the policy allows {name!r}, which is no feature{meant}")
        if risks[name] is None:
            raise InputNotAllowed(f"the policy allows {name!r}, which needs no leave; take it out of [[input]]")


def without_leave(features: Sequence[F], allow: Collection[str]) -> tuple[F, ...]:
    """Return the features that may stand for a protected characteristic and are not named in `allow`."""
    return tuple(feature for feature in features if feature.proxy_risk is not None and feature.name not in allow)


def compose(features: Sequence[F], allow: Collection[str]) -> tuple[F, ...]:
    """Return the features, all of which may be used: each either stands for nothing or is named in `allow`.

    Raises
    ------
    InputNotAllowed
        A feature with a proxy risk is not named, or `check_leave` refuses a name.
    """
    check_leave(features, allow)
    for feature in without_leave(features, allow):
        name, risk = feature.name, feature.proxy_risk
        assert risk is not None
        raise InputNotAllowed(
            f"feature {name!r} may stand for {risk.of} ({risk.because}) and the board's policy does not allow it. "
            f"Leave it out of the settings' inputs; or the line that would allow it, in policy.toml: [[input]] "
            f'risk = "{risk.of}", features = ["{name}"], with the reason; {SIGNED_BY}'
        )
    return tuple(features)
