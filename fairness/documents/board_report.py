"""The board's report on one audit, from the view that was stored with it: nothing is worked out anew here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fairness.documents.document import Block, Document, facts, grid, head, points, words
from fairness.documents.figure_blocks import count, figure_blocks, lower, number
from fairness.documents.plain_words import VERDICT_WORDS, plain_words
from fairness.figures import NOT_SHOWN, WORDS
from fairness.words import heading

_CANNOT_SEE = (
    (
        "These figures count suspensions and exclusions, which are decisions adults made, not what pupils needed. If "
        "one group has been sanctioned more for the same behaviour, a model can look fair here and still carry that on."
    ),
    "They say nothing of single pupils, of groups that nobody declared, or of what the help offered is worth.",
)


@dataclass(frozen=True, kw_only=True)
class Past:
    """One earlier or the same audit, as the history lists it."""

    on: date
    model: str
    result: str
    signed: bool


def board_report(view: Mapping[str, Any], *, network: str, demo: bool, history: Sequence[Past] = ()) -> Document:
    """Return the report of a stored view (`fairness.report.view`).

    Raises
    ------
    KeyError
        The view was stored before there was a report; the audit must be made again.
    """
    about, counts = view["about"], view["counts"]
    first, last = (day_words(date.fromisoformat(day)) for day in counts["period"])
    audited = date.fromisoformat(about["created_on"])
    subtitle = (
        f"{network}: {about['approach']}, bundle {about['bundle'][:12]}, audited on {day_words(audited)}. "
        f"Lists of {first} to {last}."
    )
    if demo:
        subtitle += " Demonstration: no child in it exists."
    return Document(
        title="Fairness audit: report to the board",
        subtitle=subtitle,
        on=audited,
        blocks=(
            *_first_page(view),
            Block(kind="page"),
            *plain_words(),
            Block(kind="page"),
            *_glance(view),
            *_figures(view),
            *_beside(view),
            *_evidence(view),
            *_method(view),
            *_limits(view),
            *_history(history),
            *_check(about),
        ),
    )


def _first_page(view: Mapping[str, Any]) -> tuple[Block, ...]:
    first, counts = view["first"], view["counts"]
    box = Block(kind="box", title=VERDICT_WORDS[first["verdict"]], text=first["sentence"])
    settle = grid(
        "What would settle it, for the comparison in each row that waits longest",
        ("Group", "What is compared", "With the outcome", "Needed", "How long"),
        [
            (f"{row['by']}: {lower(row['group'])}", row["figure"], row["there_are"], row["needed"], row["wait"])
            for row in first["settle"]
        ],
        widths=(5, 6, 3, 3, 4),
    )
    return (
        box,
        head("What it means for pupils"),
        *words(*first["for_pupils"]),
        *(words(view["past_lists"]) if view["past_lists"] else ()),
        *_found(view),
        *settle,
        *(
            words(
                "Needed: pupils of the group with the outcome in the terms audited, with which a group that is "
                "treated just like the others is shown to be so four times in five."
            )
            if settle
            else ()
        ),
        head("What the board can do"),
        *words(first["next"]),
        *_waiver(view.get("waiver")),
        *words(
            f"The audit looked at about {counts['pupils']:,} pupils of {counts['schools']} schools in "
            f"{' and '.join(counts['terms'])}."
        ),
    )


def _found(view: Mapping[str, Any]) -> tuple[Block, ...]:
    """What the gate said beyond its headline: failures and what is not settled, by group."""
    said = view["sentences"]
    if not said:
        return words(view["headline"])
    title = "What was found" if view["first"]["verdict"] == "FAIL" else "What is not settled"
    return (head(title), *words(view["headline"]), *points(said))


def _waiver(waiver: Mapping[str, Any] | None) -> tuple[Block, ...]:
    if not waiver:
        return ()
    review = waiver["review_date"]
    return facts(
        (
            ("The waiver ends on", day_words(date.fromisoformat(waiver["expires_on"]))),
            ("Looked at again on", day_words(date.fromisoformat(review)) if review else ""),
            ("Why", waiver["reason"]),
            ("How it is watched", waiver["monitoring_plan"]),
            ("Signed by", ", ".join(waiver["signers"])),
        )
    )


def _glance(view: Mapping[str, Any]) -> tuple[Block, ...]:
    """Results in words only: a row for each judged group, a column for each figure."""
    figures = view["figures"]
    blocks: dict[str, dict[str, list[str]]] = {}
    for at, figure in enumerate(figures):
        for block in figure["blocks"]:
            groups = blocks.setdefault(str(block["title"]), {})
            for row in block["rows"]:
                groups.setdefault(str(row["group"]), [NOT_SHOWN] * len(figures))[at] = str(row["word"]).capitalize()
    rows: list[tuple[str, ...]] = []
    for title, groups in blocks.items():
        judged = [(group, *said) for group, said in groups.items() if any(_judged(word) for word in said)]
        rows += [(title,), *judged] if judged else []
    widths = (4, *(3 for _ in figures))
    return (
        head("Results at a glance"),
        *grid("", ("Group", *(figure["title"] for figure in figures)), rows, widths=widths),
    )


def _judged(word: str) -> bool:
    return word.lower() != WORDS["shown"]


def _figures(view: Mapping[str, Any]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for at, figure in enumerate([*view["figures"], *([view["lift"]] if view["lift"] else [])]):
        blocks += figure_blocks(figure, f"report-{at}")
    for at, fold in enumerate(view["folds"]):
        blocks.append(head(fold["title"]))
        for place, figure in enumerate(fold["figures"]):
            blocks += figure_blocks(figure, f"fold-{at}-{place}", level=2)
    return tuple(blocks)


def _beside(view: Mapping[str, Any]) -> tuple[Block, ...]:
    practice = [
        (
            f"{row['attribute']}: {lower(row['group'])}",
            count(row["incidents"]),
            number(row["sanctions_for_each_expected"]),
            row["likely_range"],
        )
        for row in view["practice"]
    ]
    rules = [(row["approach"], row["found"] or NOT_SHOWN, row["right"] or NOT_SHOWN) for row in view["baselines"]]
    return (
        head("Compared with simple rules"),
        *words("The model must find more pupils than a rule anyone can apply, with the same number of flags."),
        *grid(
            "",
            ("Way of choosing pupils", "Found in time", "Flags that were right"),
            rules,
            numeric=(1, 2),
            widths=(4, 1, 1),
        ),
        head("What happens after an incident"),
        *words(
            "Sanctions for each one expected if every incident of the same recorded severity were treated alike. It is "
            "no verdict on the model: error figures cannot see an unjust sanction that the model has learned to expect."
        ),
        *grid(
            "",
            ("Group", "Incidents", "Sanctions for each expected", "Likely range"),
            practice,
            numeric=(1, 2, 3),
            widths=(4, 2, 2, 2),
        ),
    )


def _evidence(view: Mapping[str, Any]) -> tuple[Block, ...]:
    tables = view["evidence"]
    blocks: list[Block] = [head("Further evidence")] if tables else []
    if tables:
        blocks += words("Shown beside the verdict; none of it changes the verdict.")
    for table in tables:
        blocks += [head(table["title"], 2), *words(table["explains"])]
        blocks += grid("", table["heads"], table["rows"], widths=table["widths"])
    return (*blocks, head("What the audit cannot see"), *words(*_CANNOT_SEE))


def _method(view: Mapping[str, Any]) -> tuple[Block, ...]:
    return (head("How it was done"), *points(view["method"]))


def _limits(view: Mapping[str, Any]) -> tuple[Block, ...]:
    limits = view["limits"]
    return (
        head("Limits in force"),
        *words(
            f"Policy {limits['policy']}, decided by the {limits['owner']} on "
            f"{day_words(date.fromisoformat(limits['decided_on']))}. No law sets these numbers; each is the board's, "
            "with its reason."
        ),
        *grid(
            "",
            ("What is compared", "Limit", "The board's reason"),
            [(row["figure"], heading(row["limit"]), row["reason"]) for row in limits["figures"]],
            widths=(3, 3, 6),
        ),
        *grid(
            "",
            ("Compared by", "Groups, and how they count", "The board's reason"),
            [(row["by"], f"{heading(row['groups'])}: {row['judged']}", row["reason"]) for row in limits["groups"]],
            widths=(3, 4, 5),
        ),
        *words(f"Use: {limits['usefulness']}", f"Small numbers: {limits['disclosure']}"),
    )


def _history(history: Sequence[Past]) -> tuple[Block, ...]:
    rows = [
        (day_words(past.on), past.model, past.result, "Signed" if past.signed else "Not signed") for past in history
    ]
    table = grid("", ("Audited on", "Model", "Result", "What came of it"), rows, widths=(2, 2, 2, 4))
    return (head("Audits and approvals so far"), *table) if table else ()


def _check(about: Mapping[str, Any]) -> tuple[Block, ...]:
    made = ", ".join(f"{name} {version}" for name, version in about["made_with"].items())
    return (
        head("How to check it"),
        *words("Digests are SHA-256. The same records, model and policy give the same audit and this same report."),
        *facts(
            (
                ("Model (bundle)", about["bundle"]),
                ("Audit", about["audit"]),
                ("Policy", about["policy"]),
                ("Flags and outcomes audited", about["evaluation"]),
                ("Made with", made),
            )
        ),
    )


def day_words(day: date) -> str:
    """Return '22 June 2026'."""
    return f"{day.day} {day:%B %Y}"
