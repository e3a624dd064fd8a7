"""The further evidence in tables and plain words: what is shown beside the verdict and never decides it.

No table here gives a count: shares and ratios alone, each hidden where it rests on a few pupils, so that there is
little to take from each other. Groups that the figures hide are hidden here too.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fairness.cells import Cell
from fairness.disclosure import Key, hidden_counts
from fairness.exhibits import Coverage, Evidence, Funnel, PracticeSlice, Recording, TermCells
from fairness.figures import NOT_SHOWN, WORDS, Hidden
from fairness.findings import EVERYONE
from fairness.metrics import BY_NAME
from fairness.policy import Policy
from fairness.words import attribute_words, group_words, heading

Table = dict[str, Any]
_FOLLOWED = {"removal": "Removals", "suspension": "Suspensions"}
_READS = {
    "too_few": "too few pupils",
    "in_line": "in line with the network",
    "low": "lower than chance alone would give",
    "high": "higher than chance alone would give",
    "very_low": "far lower than chance would give",
    "very_high": "far higher than chance would give",
}
_BY_TERM = ("recall", "false_alarms")
_MOST_ROWS = 12
_OUTCOMES = {
    "agrees": "no clear difference",
    "worse": "fares worse under it",
    "better": "fares better under it",
    "too_few": "too few pupils",
}


def further(evidence: Evidence, policy: Policy, hidden: Hidden) -> list[Table]:
    """Return the evidence as tables: title, explains, heads and rows of text; a table without rows is left out.

    `hidden` are the (attribute, group) and (attribute, group, term) that `fairness.disclosure` hides.
    """
    made: list[Table] = []
    for funnel in evidence.funnels:
        made += _funnel(funnel, policy)
    made += [*_terms(evidence.terms, policy, hidden)]
    for make in (_proxies, _left_out, _other_outcomes, _tipping):
        made += make(evidence, policy, hidden)
    made += _practice(evidence.practice, policy)
    made += _recording(evidence.recording, policy)
    made += _coverage(evidence.coverage, policy)
    return [table for table in made if table["rows"]]


def _table(
    title: str, explains: str, heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int] = ()
) -> Table:
    return {
        "title": title,
        "explains": explains,
        "heads": list(heads),
        "rows": [list(row) for row in rows],
        "widths": list(widths or (3, *(2 for _ in heads[1:]))),
    }


def _funnel(funnel: Funnel, policy: Policy) -> list[Table]:
    counted = [
        (("school", str(one.school)), _positives_and_hits(one.positives, one.estimate, funnel.metric == "recall"))
        for one in funnel.schools
    ]
    hidden = hidden_counts(counted, policy.disclosure)
    rows = []
    for one in funnel.schools:
        hide = ("school", str(one.school)) in hidden or one.estimate is None
        rows.append(
            (
                f"School {one.school}",
                NOT_SHOWN if hide else _number(one.estimate),
                NOT_SHOWN if hide else _range(one.low_95, one.high_95),
                _READS[one.reads].capitalize(),
            )
        )
    title = f"School by school: {BY_NAME[funnel.metric].title.lower()}"
    explains = (
        "A small school's figure swings widely by chance. Beside each stands the range in which 95 in 100 schools of "
        f"its size would lie if all were like the network ({_number(funnel.network)})."
    )
    return [_table(title, explains, ("School", "Its figure", "Expected by chance", "How it reads"), rows)]


def _positives_and_hits(positives: int, share: float | None, among: bool) -> dict[str, int]:
    if share is None or not among:
        return {"positives": positives}
    hits = round(share * positives)
    return {"positives": positives, "hits": hits, "rest": positives - hits}


def _terms(terms: Sequence[TermCells], policy: Policy, hidden: Hidden) -> Iterable[Table]:
    for metric in _BY_TERM:
        rows: list[tuple[str, ...]] = []
        for attribute in (one for one in policy.attributes if one.gate == "full"):
            rows.append((heading(attribute_words(attribute.name)),))
            for group in attribute.groups:
                cells = [_cell_of(term, attribute.name, group, metric) for term in terms]
                if any(cells):
                    said = [_in_term(cell, term.term, hidden) for cell, term in zip(cells, terms, strict=True)]
                    rows.append((heading(group_words(attribute.name, group)), *said))
        title = f"Term by term: {BY_NAME[metric].title.lower()}"
        explains = "Each term judged by itself. One term has few pupils suspended, so most are not settled."
        yield _table(title, explains, ("Group", *(term.term for term in terms)), rows if terms else [])


def _cell_of(term: TermCells, attribute: str, group: str, metric: str) -> Cell | None:
    wanted = (attribute, group, metric)
    return next((cell for cell in term.cells if (cell.attribute, cell.group, cell.metric) == wanted), None)


def _in_term(cell: Cell | None, term: str, hidden: Hidden) -> str:
    if cell is None:
        return NOT_SHOWN
    word = WORDS[cell.verdict]
    if (cell.attribute, cell.group, term) in hidden or cell.harm is None:
        return word.capitalize()
    return f"{_number(cell.harm)} ({word})"


def _proxies(evidence: Evidence, policy: Policy, _: Hidden) -> list[Table]:
    least = policy.disclosure.primary
    rows = [
        (
            f"{heading(attribute_words(test.attribute))}: {group_words(test.attribute, test.group)}",
            _number(test.auc),
            _number(test.auc_given_outcome),
            "Yes" if test.alert else "No",
            ", ".join(one.feature.replace("_", " ") for one in test.inputs[:3]) or "none",
        )
        for test in evidence.proxies
        if test.auc is not None and min(test.of_group, test.pupils - test.of_group) >= least
    ]
    explains = (
        "No protected characteristic is an input, but inputs together may give one away. 0.50 is a guess; 1.00 is "
        f"certainty; over {evidence.proxy_alert:.2f} is to be looked into. The second figure compares pupils of the "
        "same outcome."
    )
    heads = ("Group", "Can it be told?", "Given the outcome", "To look into", "Inputs that tell most")
    return [_table("Can a group be told from the inputs?", explains, heads, rows, (6, 2, 2, 2, 6))]


def _left_out(evidence: Evidence, policy: Policy, hidden: Hidden) -> list[Table]:
    rows = []
    for one in evidence.left_out:
        seen = [change for change in one.shortfalls if (change.attribute, change.group) not in hidden]
        widest = [max((0.0, *(getattr(change, side) for change in seen))) for side in ("with_all", "without")]
        rows.append(
            (
                heading(one.name.replace("_", " ")),
                f"{_points(one.recall_change)} ({_points(one.lower)} to {_points(one.upper)})",
                f"{_points(widest[0])} to {_points(widest[1])}" if seen else NOT_SHOWN,
                "Worth trying" if one.suggested else "",
            )
        )
    explains = (
        "The model trained again without an input: how many more or fewer pupils in 100 it finds, and the widest gap "
        "between a group and all others before and after."
    )
    heads = ("Left out", "Pupils found, in 100", "Widest gap, in 100", "")
    # The gate's reader wants what matters; every row is in the audit's own file.
    kept = sorted(rows, key=lambda row: row[3] == "")[:_MOST_ROWS]
    return [_table("What leaving an input out would change", explains, heads, kept)]


def _other_outcomes(evidence: Evidence, policy: Policy, hidden: Hidden) -> list[Table]:
    rows = []
    for outcome in evidence.other_outcomes:
        apart = [
            f"{group_words(reading.attribute, reading.group)}: {_OUTCOMES[reading.reads]}"
            for reading in outcome.disagrees
        ]
        enough = outcome.positives >= policy.inference.min_positives and not outcome.why
        said = "; ".join(apart) or "No group fares clearly otherwise"
        rows.append((heading(outcome.means), said if enough else "Too few pupils to say"))
    explains = (
        "A suspension is a decision that adults make. The same flags are set against other things that can happen to "
        "a pupil; where a group fares otherwise there, the audit's own outcome may be part of the reason."
    )
    return [_table("Other outcomes", explains, ("Outcome", "Who fares otherwise"), rows, (1, 1))]


def _tipping(evidence: Evidence, policy: Policy, hidden: Hidden) -> list[Table]:
    rows = [
        (
            f"{heading(group_words(point.attribute, point.group))}: {BY_NAME[point.metric].title.lower()}",
            WORDS[point.verdict].capitalize(),
            _in_100(point.to_doubt),
            _in_100(point.to_reverse),
        )
        for point in evidence.tipping
        if (point.attribute, point.group) not in hidden
    ]
    explains = (
        "If some of a group's suspensions were an adult's discretion and no need of the pupil, how many in 100 would "
        "it take for the result to be in doubt, or to turn round? A small number says that the result rests on the "
        "sanctions being just."
    )
    # The most easily moved first: they are what a board should ask about.
    kept = sorted(rows, key=lambda row: float(row[2]) if row[2].isdigit() else 101.0)[:_MOST_ROWS]
    return [
        _table(
            "How much discretion would move a result",
            explains,
            ("Result", "Now", "In doubt", "Turned"),
            kept,
            (6, 2, 2, 2),
        )
    ]


def _practice(slices: Sequence[PracticeSlice], policy: Policy) -> list[Table]:
    least = policy.disclosure.primary
    shown = [one for one in slices if min(one.incidents, one.sanctions) >= least and one.ratio is not None]

    def rows(of: Callable[[PracticeSlice], bool]) -> list[tuple[str, ...]]:
        return [
            (
                _who(one),
                _FOLLOWED[one.sanction],
                _number(one.ratio),
                _range(one.lower, one.upper),
                "Stands out" if one.notable else "",
            )
            for one in shown
            if of(one)
        ]

    heads = ("Whose incidents", "Followed by", "For each expected", "Likely range", "")
    explains = (
        "Sanctions after incidents, for each one expected if they had ended as other pupils' incidents of the same "
        "recorded severity {where}. Suspensions are counted by themselves too: removals, being many more, "
        "would hide them. Not a verdict on the model: a model that learns unjust sanctions predicts them."
    )
    return [
        _table(
            "Sanctions in the same school",
            explains.format(where="in the same school did"),
            heads,
            rows(lambda one: one.school is None and one.against == "school"),
        ),
        _table(
            "Schools that sanction more than others",
            explains.format(where="in other schools did"),
            heads,
            rows(lambda one: one.school is not None and one.attribute == EVERYONE),
        ),
        _table(
            "Groups that stand out within one school",
            explains.format(where="in that school did"),
            heads,
            rows(lambda one: one.school is not None and one.attribute != EVERYONE and one.notable),
        ),
    ]


def _who(one: PracticeSlice) -> str:
    group = "" if one.attribute == EVERYONE else heading(group_words(one.attribute, one.group))
    return ", ".join(part for part in ("" if one.school is None else f"School {one.school}", group) if part)


def _recording(rows: Sequence[Recording], policy: Policy) -> list[Table]:
    counted: list[tuple[Key, dict[str, int]]] = [
        (
            (row.attribute, row.group),
            {"without": row.without_incident, "with": row.suspensions - row.without_incident},
        )
        for row in rows
    ]
    hidden = hidden_counts(counted, policy.disclosure)
    said = []
    for row in rows:
        if (row.attribute, row.group) in hidden or row.share is None:
            continue
        said.append(
            (
                f"{heading(attribute_words(row.attribute))}: {group_words(row.attribute, row.group)}",
                _number(row.share),
                _number(row.rest_share),
                "Stands out" if row.over else "",
            )
        )
    days = rows[0].days if rows else 0
    explains = (
        f"The share of suspensions before which no incident of the pupil was written down in {days} days. Where it is "
        "high, behaviour is recorded less than it is sanctioned, and the model sees less."
    )
    heads = ("Group", "Without an incident", "All others", "")
    return [_table("Suspensions with nothing recorded before them", explains, heads, said)]


def _coverage(rows: Sequence[Coverage], policy: Policy) -> list[Table]:
    said = [
        (
            f"{heading(attribute_words(row.attribute))}: {group_words(row.attribute, row.group)}",
            _covered(row.evaluated, row.on_roll, policy),
            _covered(row.suspended_evaluated, row.suspended, policy),
        )
        for row in rows
    ]
    explains = "Of each group's pupils on roll, and of those suspended, how many in 100 are in the audit's figures."
    heads = ("Group", "Pupils on roll", "Pupils suspended")
    return [_table("Who is in the audit", explains, heads, said)]


def _covered(inside: int, whole: int, policy: Policy) -> str:
    least = policy.disclosure.primary
    if min(inside, whole) < least:
        return NOT_SHOWN
    if whole == inside:
        return "All"
    return "Nearly all" if 0 < whole - inside < least else f"{100 * inside / whole:.0f}"


def _in_100(share: float | None) -> str:
    if share is None:
        return "None does"
    return "Under 1" if share < 0.01 else f"{100 * share:.0f}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _number(value: float | None) -> str:
    return NOT_SHOWN if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _range(low: float | None, high: float | None) -> str:
    return NOT_SHOWN if low is None or high is None else f"{_number(low)} to {_number(high)}"
