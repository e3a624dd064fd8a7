"""How often the gate says PASS, FAIL or NOT_SETTLED of drawn networks: the gate itself, on many of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from fairness.comparisons import comparisons
from fairness.findings import Audit, Cell
from fairness.gate import Decision, decide, judge
from fairness.outlook.networks import Drawn, Setting, draw
from fairness.policy import Policy
from fairness.sums import sums_of

_DAY = date(2026, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Chances:
    """Of `draws` networks: how many the gate passed, failed and left open.

    `named`: how many were failed for the group that was passed over, by its attribute. `settled`: attribute → in how
    many networks every one of its comparisons was within or outside.
    """

    draws: int
    passed: int
    failed: int
    named: int
    settled: Mapping[str, int]

    @property
    def open(self) -> int:
        """How many were NOT_SETTLED."""
        return self.draws - self.passed - self.failed


def judged_only(policy: Policy) -> Policy:
    """Return the policy without what it only shows: that decides nothing, and need not be drawn."""
    return policy.model_copy(
        update={
            "metrics": tuple(metric for metric in policy.metrics if metric.gate),
            "attributes": tuple(attribute for attribute in policy.attributes if attribute.gate != "report"),
        }
    )


def cells_of_drawn(drawn: Drawn, policy: Policy) -> tuple[Cell, ...]:
    """Return the drawn network's comparisons, judged."""
    inference = policy.inference
    sums = sums_of(drawn.tallies, drawn.labels, drawn.pupils, replicates=inference.replicates, seed=inference.seed)
    return judge(comparisons(sums, drawn.labels, policy, drawn.positives), policy)


def decision_of_drawn(drawn: Drawn, policy: Policy) -> tuple[Decision, tuple[Cell, ...]]:
    """Return the gate's decision on a drawn network of a useful model, and the judged comparisons."""
    cells = cells_of_drawn(drawn, policy)
    useful = [{"approach": "model", policy.usefulness.metric: 1.0}]
    others = [{"approach": name, policy.usefulness.metric: 0.0} for name in policy.usefulness.must_beat]
    made = Audit(
        bundle_digest="",
        policy_digest=policy.digest,
        period=(_DAY, _DAY),
        created_on=_DAY,
        terms=tuple(f"term {number + 1}" for number in range(policy.population.min_terms)),
        pupils=drawn.pupils,
        pupil_terms=drawn.pupil_terms,
        schools=drawn.schools,
        cells=cells,
        comparison=(*useful, *others),
        practice=(),
        base_rates={},
        evaluation_digest="",
        made_with={},
    )
    return decide(made, policy), cells


def one(setting: Setting, policy: Policy, seed: int, number: int) -> Chances:
    """Return what the gate says of one network; `policy` as `judged_only` leaves it.

    Network number n is drawn from (seed, n), so that any number of processes can share the work.
    """
    drawn = draw(setting, policy, np.random.default_rng([seed, number]))
    decision, cells = decision_of_drawn(drawn, policy)
    named = False
    if setting.passed_over is not None:
        column, group, _ = setting.passed_over
        mine = {a.name for a in policy.attributes if a.columns == (column,)}
        named = any(cell.attribute in mine and cell.group == group for cell in decision.failing)
    settled = {
        attribute.name: int(
            all(c.verdict in {"within", "outside"} for c in cells if c.attribute == attribute.name and c.gate == "full")
        )
        for attribute in policy.attributes
        if attribute.gate == "full"
    }
    return Chances(
        draws=1,
        passed=int(decision.verdict == "PASS"),
        failed=int(decision.verdict == "FAIL"),
        named=int(named and decision.verdict == "FAIL"),
        settled=settled,
    )


def together(parts: "list[Chances]") -> Chances:
    """Return the chances of all parts counted together."""
    first = parts[0]
    for part in parts[1:]:
        first = replace(
            first,
            draws=first.draws + part.draws,
            passed=first.passed + part.passed,
            failed=first.failed + part.failed,
            named=first.named + part.named,
            settled={name: count + part.settled[name] for name, count in first.settled.items()},
        )
    return first
