"""What the gate will be able to settle in one network: from the table, or from networks drawn on the spot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairness.outlook.chances import Chances, judged_only, one, together
from fairness.outlook.networks import Setting
from fairness.outlook.rates import Rates
from fairness.outlook.table import Outlook, outlook, read_table
from fairness.policy import Policy

PUPILS_A_SCHOOL, FEWEST_SCHOOLS, SEED = 860, 6, 20261122
# Schools this many times as large or small as those of the table are drawn anew.
ALIKE_SCHOOLS = 1.5


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """Chances, in how many schools, whether they come from the table, and whose base rates they rest on."""

    outlook: Outlook
    schools: int
    from_table: bool
    source: str


def usual_schools(pupils: int) -> int:
    """Return how many schools so many pupils have in London."""
    return max(FEWEST_SCHOOLS, round(pupils / PUPILS_A_SCHOOL))


def foresee(
    policy: Policy,
    rates: Rates,
    *,
    pupils: int,
    schools: int | None = None,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Foreseen:
    """Return what the gate will be able to settle.

    The table serves where it was made for: the policy's limits, public base rates, schools of a usual size. Otherwise
    networks are drawn on the spot, fewer the larger they are: some twenty seconds of one processor.
    """
    number = schools or usual_schools(pupils)
    table = read_table()
    usual = usual_schools(pupils) / number
    made_for = table.policy == policy.deciding_digest and rates.pupils is None
    if made_for and 1 / ALIKE_SCHOOLS < usual < ALIKE_SCHOOLS:
        return Foreseen(outlook=outlook(table, pupils), schools=number, from_table=True, source=rates.source)
    found = _drawn(policy, rates, (pupils, number), table.dials, told)
    return Foreseen(outlook=found, schools=number, from_table=False, source=rates.source)


def draws_for(pupils: int) -> int:
    """Return how many networks of this size are drawn on the spot."""
    return max(16, min(60, 1_500_000 // pupils))


def _drawn(
    policy: Policy,
    rates: Rates,
    size: tuple[int, int],
    dials: Mapping[str, float],
    told: Callable[[int, int], None],
) -> Outlook:
    pupils, schools = size
    judged, draws = judged_only(policy), draws_for(pupils)
    groups = [group for group in dials if group in rates.shares.get("ethnicity", {})]
    whole, done = draws * (1 + len(groups)), 0

    def many(over: tuple[str, str, float] | None) -> Chances:
        nonlocal done
        made = Setting(
            pupils=pupils,
            schools=schools,
            shares=rates.shares,
            ratios=rates.ratios,
            base_rate=rates.base_rate,
            passed_over=over,
        )
        parts = []
        for at in range(draws):
            parts.append(one(made, judged, SEED, at))
            done += 1
            told(done, whole)
        return together(parts)

    fair = many(None)
    struck = {group: many(("ethnicity", group, dials[group])) for group in groups}
    return Outlook(
        pupils=pupils,
        draws=draws,
        passed=fair.passed / draws,
        failed=fair.failed / draws,
        settled={name: count / draws for name, count in fair.settled.items()},
        struck={group: found.named / draws for group, found in struck.items()},
    )
