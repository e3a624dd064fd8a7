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


def compose(features: Sequence[F], allow: Collection[str]) -> tuple[F, ...]:
    """Return the features, all of which may be used: each either stands for nothing or is named in `allow`.

    Raises
    ------
    InputNotAllowed
        A feature with a proxy risk is not named, or a name is no feature or one that needs no leave: it
        would silently allow nothing.
    """
    risks = {feature.name: feature.proxy_risk for feature in features}
    for name in allow:
        if name not in risks:
            near = get_close_matches(name, risks, n=2)
            meant = f"; did you mean {' or '.join(near)}?" if near else "; take it out"
            raise InputNotAllowed(f"the policy allows {name!r}, which is no feature{meant}")
        if risks[name] is None:
            raise InputNotAllowed(f"the policy allows {name!r}, which needs no leave; take it out of [[input]]")
    for name, risk in risks.items():
        if risk is not None and name not in allow:
            raise InputNotAllowed(
                f"feature {name!r} may stand for {risk.of} ({risk.because}) and the board's policy does not allow it. "
                f'The line that would, in policy.toml: [[input]] risk = "{risk.of}", features = ["{name}"], with the '
                f"reason; {SIGNED_BY}"
            )
    return tuple(features)
