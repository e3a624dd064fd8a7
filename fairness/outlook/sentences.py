"""What is foreseen, in words and small tables that a board can read."""

from fairness.outlook.feasible import Feasibility
from fairness.outlook.foresee import Foreseen
from fairness.outlook.networks import WEEKS_A_TERM
from fairness.outlook.rates import Rates
from fairness.policy import Policy
from fairness.words import attribute_words, group_words, heading, listed

LIKELY, UNLIKELY = 0.8, 0.2


def limits_text(policy: Policy, rates: Rates, found: Feasibility) -> str:
    """Return each group's false-positive rate as the identity implies it, with where base rates are from."""
    capacity = (
        f"At most {found.flagged:.1%} of pupils can be flagged in a term "
        f"({policy.capacity.share_of_roll:.1%} of roll a week, {WEEKS_A_TERM} school weeks)."
    )
    common = (
        f"If {found.recall:.0%} of those suspended are found in every group, and {found.precision:.0%} of flags are "
        "right in every group, then of the pupils who are not suspended these are flagged all the same:"
    )
    lines = [
        f"Policy {policy.id}, owned by the {policy.owner}. Base rates: {rates.source}.",
        f"Of 1,000 pupil-terms {1000 * rates.base_rate:.0f} have the outcome. {capacity}",
        "",
        common,
        "",
        f"{'':42}{'base rate':>10}{'flagged wrongly':>17}{'times other pupils':>20}",
    ]
    attribute = ""
    for row in found.implied:
        if row.attribute != attribute:
            attribute = row.attribute
            lines.append(heading(attribute_words(attribute)))
        name = heading(group_words(row.attribute, row.group))
        lines.append(f"  {name:<40}{row.base_rate:>10.1%}{row.fpr:>17.1%}{row.ratio:>20.2f}")
    return "\n".join(lines)


def power_text(policy: Policy, found: Foreseen) -> str:
    """Return what the gate can settle in a network of this size."""
    seen = found.outlook
    terms = policy.population.min_terms
    lines = [
        f"A network of {seen.pupils:,} pupils in {found.schools:,} schools; {terms} terms are audited together.",
        "",
        _sentence(seen.passed, "a model that is fair to every group", "PASS"),
    ]
    for group, chance in seen.struck.items():
        whom = f"a model that finds {group_words('ethnicity', group)} pupils less often, by 20 of every 100 suspended"
        lines.append(_sentence(chance, whom, "FAIL"))
    lines += [
        f"A fair model fails by chance in {_out_of(seen.failed)}.",
        "",
        "With a network your size this gate can settle, if the model is fair:",
        "",
    ]
    for name, chance in seen.settled.items():
        lines.append(f"  {heading(attribute_words(name)):<60}{_word(chance):<10}{chance:>5.0%}")
    open_ones = [attribute_words(name) for name, chance in seen.settled.items() if chance < LIKELY]
    if open_ones:
        more = "more terms audited together, or an audit together with other networks"
        until = (
            f"Until then the verdict is NOT_SETTLED, which is no pass: it needs a waiver, of {policy.waiver.max_days}"
        )
        lines += ["", f"What would settle {listed(open_ones)}: {more}. {until} days at most."]
    how = "from a table made beforehand" if found.from_table else "drawn now"
    error = f"a chance near a half is known to within {2 * (0.25 / seen.draws) ** 0.5:.0%}"
    lines += ["", f"{seen.draws} networks of each kind, {how}; {error}. Base rates: {found.source}."]
    return "\n".join(lines)


def _out_of(chance: float) -> str:
    return f"{round(100 * chance)} of 100 networks"


def _sentence(chance: float, whom: str, verdict: str) -> str:
    return f"The gate says {verdict} of {whom} in {_out_of(chance)}."


def _word(chance: float) -> str:
    return "yes" if chance >= LIKELY else "hardly" if chance <= UNLIKELY else "perhaps"
