"""The gate: from an audit's numbers and the board's policy to one verdict, in words."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fairness.disclosure import hidden_cells, hidden_groups
from fairness.findings import EVERYONE, LIFT, Audit, Cell, CellVerdict
from fairness.metrics import BY_NAME
from fairness.policy import Attribute, Policy
from fairness.words import approach_words, attribute_words, group_words, heading, listed
from training.bundle import APPROACHES

Verdict = Literal["PASS", "FAIL", "NOT_SETTLED", "WAIVED"]
EXIT_CODES: dict[Verdict, int] = {"PASS": 0, "WAIVED": 0, "FAIL": 3, "NOT_SETTLED": 4}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The gate's verdict. `waivable` says whether the board may accept it with open eyes: never a FAIL.

    `failing` are cells outside in all terms together, `failing_now` in the newest term alone.
    """

    verdict: Verdict
    sentences: tuple[str, ...]
    failing: tuple[Cell, ...]
    unsettled: tuple[Cell, ...]
    failing_now: tuple[Cell, ...] = ()
    bundle_digest: str
    audit_digest: str
    policy_digest: str

    @property
    def waivable(self) -> bool:
        """Whether a waiver is possible: only where nothing failed and something is not settled."""
        return self.verdict == "NOT_SETTLED"

    @property
    def only_useless(self) -> bool:
        """Whether it failed as not useful enough and for no group's sake."""
        return self.verdict == "FAIL" and all(c.attribute == EVERYONE for c in (*self.failing, *self.failing_now))

    @property
    def exit_code(self) -> int:
        """What the command line ends with: 0 PASS or WAIVED, 3 FAIL, 4 NOT_SETTLED."""
        return EXIT_CODES[self.verdict]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given: some group looks bad by chance when many are asked."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def judge(cells: Sequence[Cell], policy: Policy) -> tuple[Cell, ...]:
    """Return the cells with their verdicts, worked out from their numbers alone.

    Within: the whole interval is inside the limits, each cell at the policy's alpha with no correction,
    because all must pass together (an intersection-union test holds its error). Outside: the p-value,
    corrected by Holm over every judged cell, is at or under alpha. Otherwise nothing is settled. Limits,
    and what is judged at all, are the policy's: those written in an audit decide nothing.
    """
    cells = [_under(cell, policy) for cell in cells]
    tested = [place for place, cell in enumerate(cells) if _testable(cell, policy) and cell.gate != "report"]
    adjusted = dict(zip(tested, holm([_number(cells[place].p_outside) for place in tested]), strict=True))
    return tuple(replace(cell, verdict=_verdict(cell, policy, adjusted.get(place))) for place, cell in enumerate(cells))


def _under(cell: Cell, policy: Policy) -> Cell:
    """Return the cell with the limits and the gate that the policy gives it; what it does not know is only shown."""
    if cell.metric == LIFT:
        floor = policy.usefulness.precision_floor_times_base_rate
        return replace(cell, gate="full", limit_low=floor, limit_high=None)
    limit = next((metric for metric in policy.metrics if metric.name == cell.metric), None)
    attribute = next((found for found in policy.attributes if found.name == cell.attribute), None)
    if limit is None or attribute is None:
        return replace(cell, gate="report")
    low, high = limit.bounds
    judged = limit.gate and cell.group in attribute.groups
    return replace(cell, gate=attribute.gate if judged else "report", limit_low=low, limit_high=high)


def _testable(cell: Cell, policy: Policy) -> bool:
    return cell.p_outside is not None and not cell.why and not _too_few(cell, policy)


def _too_few(cell: Cell, policy: Policy) -> bool:
    least = policy.inference.min_positives
    return cell.positives < least or (cell.attribute != EVERYONE and cell.rest_positives < least)


def _verdict(cell: Cell, policy: Policy, adjusted: float | None) -> CellVerdict:
    if cell.gate == "report":
        return "shown"
    if _too_few(cell, policy):
        return "too_few"
    if cell.why or adjusted is None:
        return "not_settled"
    if adjusted <= policy.inference.alpha:
        return "outside"
    # An end that is None has no bound (JSON knows no infinity), so it lies within no limit.
    over = cell.limit_high is not None and not _number(cell.upper) < cell.limit_high
    under = cell.limit_low is not None and not _number(cell.lower) > cell.limit_low
    return "not_settled" if over or under else "within"


def decide(audit: Audit, policy: Policy, *, already: Collection[tuple[str, ...]] = ()) -> Decision:
    """Return the verdict on an audit under a policy.

    Any cell outside, in all terms together or in the newest alone, or a rule of thumb not beaten: FAIL. Every
    cell of a fully judged attribute within, on recent enough data from enough terms: PASS. Anything else:
    NOT_SETTLED. Cells are judged again here; the verdicts written in the audit decide nothing. `already` are
    groups whose figures an earlier report hid (`fairness.disclosure`): no sentence gives them.
    """
    cells = judge(audit.cells, policy)
    failing = tuple(cell for cell in cells if cell.verdict == "outside")
    unsettled = tuple(cell for cell in cells if cell.gate == "full" and cell.verdict in {"not_settled", "too_few"})
    useless = _not_beaten(audit.comparison, policy)
    absent = _absent(cells, policy)
    stale = _stale(audit, policy)
    terms = audit.evidence.terms if audit.evidence else ()
    hidden = hidden_cells(cells, policy, already=already, terms=terms)
    failing_now = _failing_now(audit, policy)
    verdict: Verdict = "PASS"
    if failing or useless or failing_now:
        verdict = "FAIL"
    elif unsettled or absent or stale:
        verdict = "NOT_SETTLED"
    sentences = (
        _headline(verdict, cells),
        *means(verdict, policy),
        *useless,
        *(_sentence(cell, (cell.attribute, cell.group, cell.metric) in hidden) for cell in failing),
        *_of_newest(audit, failing_now, policy, already),
        *absent,
        *stale,
        *_summary(unsettled, policy),
    )
    return Decision(
        verdict=verdict,
        sentences=sentences,
        failing=failing,
        unsettled=unsettled,
        failing_now=failing_now,
        bundle_digest=audit.bundle_digest,
        audit_digest=audit.digest,
        policy_digest=policy.digest,
    )


def _not_beaten(comparison: Sequence[Mapping[str, Any]], policy: Policy) -> tuple[str, ...]:
    """Return a sentence for each approach that the candidate, the first row, does not beat or was not compared with.

    A transparent rule need not beat other rules, of which one would then bar the other: it must beat what
    says nothing of a pupil.
    """
    rule = policy.usefulness
    values = {str(row["approach"]): row.get(rule.metric) for row in comparison}
    # NaN is smaller than nothing and would pass every comparison: not measured is not beaten.
    found = {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
    mine = str(comparison[0]["approach"]) if comparison else ""
    own = found.get(mine)
    # The usual rate of a school and year group is no candidate: it is there to be beaten.
    if own is None or mine not in APPROACHES:
        return (f"Not useful: the candidate's own {rule.metric} was not measured.",)
    is_rule = APPROACHES[mine] == "rule"
    sentences = []
    for name in rule.must_beat:
        if name == mine or (is_rule and APPROACHES.get(name) == "rule"):
            continue
        other = found.get(name)
        if other is None:
            sentences.append(
                f"Not shown to be useful: {approach_words(mine)} was not compared with {approach_words(name)}."
            )
        elif own - other < rule.min_gain:
            sentences.append(
                f"Not useful enough: within the same capacity the {rule.metric} of {approach_words(mine)} is {own:.0%} "
                f"and that of {approach_words(name)} is {other:.0%}; the board asks for at least "
                f"{rule.min_gain * 100:.0f} points more."
            )
    return tuple(sentences)


def _absent(cells: Sequence[Cell], policy: Policy) -> tuple[str, ...]:
    """Return a sentence for each declared group and judged metric that the audit leaves out altogether."""
    there = {(cell.attribute, cell.group, cell.metric) for cell in cells}
    wanted = [
        (attribute.name, group, metric.name)
        for attribute in policy.attributes
        if attribute.gate != "report"
        for group in attribute.groups
        for metric in policy.metrics
        if metric.gate
    ]
    lift = () if (EVERYONE, EVERYONE, LIFT) in there else ("Missing from the audit: what a flag is worth at all.",)
    return lift + tuple(
        f"Missing from the audit: {_place(attribute, group)}, {BY_NAME[metric].title.lower()}."
        for attribute, group, metric in wanted
        if (attribute, group, metric) not in there
    )


def _failing_now(audit: Audit, policy: Policy) -> tuple[Cell, ...]:
    """Return the cells that the newest term alone shows to be outside: older terms must not hide them."""
    terms = () if audit.evidence is None else audit.evidence.terms
    newest = next((term for term in terms if term.newest), None)
    if newest is None or len(terms) < 2:
        return ()
    return tuple(cell for cell in judge(newest.cells, policy) if cell.verdict == "outside")


def _of_newest(
    audit: Audit, failing: Sequence[Cell], policy: Policy, already: Collection[tuple[str, ...]]
) -> tuple[str, ...]:
    """Return a sentence for each cell of the newest term, with no figure that the term's table hides."""
    if not failing or audit.evidence is None:
        return ()
    terms = audit.evidence.terms
    name = next(term.term for term in terms if term.newest)
    hidden = hidden_groups(judge(audit.cells, policy), policy, already=already, terms=terms)
    told = [_sentence(cell, (cell.attribute, cell.group, name) in hidden) for cell in failing]
    return tuple(f"In the newest term alone, {name}: {sentence}" for sentence in told)


def _stale(audit: Audit, policy: Policy) -> tuple[str, ...]:
    sentences = []
    if audit.policy_digest != policy.digest:
        sentences.append("The board's limits have changed since the audit was made; it must be made again.")
    if len(audit.terms) < policy.population.min_terms:
        sentences.append(
            f"The audit covers {len(audit.terms)} term(s); the policy asks for {policy.population.min_terms}."
        )
    age = (audit.created_on - audit.period[1]).days
    if age > policy.population.max_age_days:
        sentences.append(
            f"The newest scores audited are {age} days old; the policy allows {policy.population.max_age_days}."
        )
    return tuple(sentences)


def _headline(verdict: Verdict, cells: Sequence[Cell]) -> str:
    judged = [cell for cell in cells if cell.gate == "full"]
    settled = sum(cell.verdict == "within" for cell in judged)
    counts = f"{settled} of {len(judged)} comparisons are shown to be within the board's limits"
    if verdict == "PASS":
        return f"Passed: {counts}."
    if verdict == "FAIL":
        return f"Failed: the model must not be used. {heading(counts)}."
    return f"Not settled: {counts}; none is shown to be outside."


def means(verdict: Verdict, policy: Policy) -> tuple[str, ...]:
    """Return what a verdict means where its name does not say so by itself."""
    if verdict != "NOT_SETTLED":
        return ()
    tell = "Not settled is not a pass: the evidence is too thin to tell."
    use = "The model may be used only if the board and the data-protection officer accept this in writing"
    return (f"{tell} {use}, for at most {policy.waiver.max_days} days.",)


def _sentence(cell: Cell, hide: bool) -> str:
    """Return one failing comparison in words."""
    if cell.metric == LIFT:
        return "Not useful enough: a flag means too little more than the usual chance in the pupil's phase."
    metric = BY_NAME[cell.metric]
    found_where = f"Outside the limit: {_place(cell.attribute, cell.group)}, {metric.title.lower()}"
    if hide:
        return f"{found_where} (counts too small to show)."
    by = 100 if metric.scale == "difference" else 1
    places = 0 if metric.scale == "difference" else 2
    ends = [None if end is None else f"{end * by:.{places}f}" for end in (cell.lower, cell.upper)]
    spread = f"probably {ends[0] or 'less'} to {ends[1] or 'more'}"
    found = f"{_number(cell.harm) * by:.{places}f}"
    size = {
        "difference": f"a gap of {found} points ({spread})",
        "ratio": f"{found} times that of other pupils ({spread})",
        "alone": f"{found} pupils for each one expected ({spread})",
    }[metric.scale]
    limit = " to ".join(f"{end * by:g}" for end in (cell.limit_low, cell.limit_high) if end is not None)
    return f"{found_where}: {size}; the limit is {limit}."


def _place(attribute: str, group: str) -> str:
    """Return 'by ethnic group, Black': where a comparison stands."""
    return f"by {attribute_words(attribute)}, {group_words(attribute, group)}"


def _summary(unsettled: Sequence[Cell], policy: Policy) -> tuple[str, ...]:
    """Return one sentence for each attribute that is not settled: groups in the policy's order, not every number."""
    sentences = []
    if any(cell.attribute == EVERYONE for cell in unsettled):
        sentences.append("Not settled: whether a flag means enough more than the usual chance.")
    for attribute in policy.attributes:
        here = [cell for cell in unsettled if cell.attribute == attribute.name]
        open_groups = _in_order(attribute, here)
        if not open_groups:
            continue
        few = _in_order(attribute, [cell for cell in here if cell.verdict == "too_few"])
        tail = f" Too few suspended pupils to conclude anything: {listed(few)}." if few else ""
        sentences.append(f"Not settled by {attribute_words(attribute.name)}: {listed(open_groups)}.{tail}")
    return tuple(sentences)


def _in_order(attribute: Attribute, cells: Sequence[Cell]) -> list[str]:
    there = {cell.group for cell in cells}
    return [group_words(attribute.name, group) for group in attribute.groups if group in there]


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
