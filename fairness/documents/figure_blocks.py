"""One figure of an audit as parts of a document, and how its numbers are written."""

from collections.abc import Mapping
from typing import Any

from fairness.documents.document import Block, grid, head, words
from fairness.documents.interval_chart import chart_of
from fairness.figures import NOT_SHOWN


def figure_blocks(figure: Mapping[str, Any], name: str, *, level: int = 1) -> tuple[Block, ...]:
    """Return one figure: what it says, its chart, the same numbers as a table, and whose are not shown."""
    shown, hidden = _parted(figure)
    said = (figure["explains"], figure["overall"], figure["limit_text"])
    chart = chart_of(shown, name)
    picture: tuple[Block, ...] = ()
    if chart is not None:
        told = "; ".join(f"{row['group']}: {row['word']}" for block in shown["blocks"] for row in block["rows"])
        picture = (Block(kind="picture", svg=str(chart), title=figure["title"], text=f"{told}."),)
    own = figure["own_share"]
    heads = ["Group", "Pupils", "Suspended", *(["Group's own"] if own else [])]
    heads += ["Against others" if own else "Figure", "Likely range", "Result"]
    rows: list[tuple[str, ...]] = []
    for block in shown["blocks"]:
        rows += [(block["title"],)] if block["title"] else []
        rows += [_figure_row(row, own) for row in block["rows"]]
    widths = (5, 2, 2, *((2,) if own else ()), 2, 3, 3)
    numeric = tuple(range(1, len(heads) - 1))
    return (
        head(figure["title"], level),
        *words(" ".join(one for one in said if one)),
        *picture,
        *grid("", heads, rows, numeric=numeric, widths=widths),
        *words(_not_shown(hidden, judged=bool(figure["judged"]))),
    )


def _not_shown(hidden: str, *, judged: bool) -> str:
    if not hidden:
        return ""
    if not judged:
        return "Other groups are not shown: their figures rest on few pupils, or would give such a group away."
    return f"Not shown, as they rest on few pupils or would give such a group away: {hidden}."


def _parted(figure: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the figure without the rows that are hidden, and those in words with their results."""
    blocks, hidden = [], []
    for block in figure["blocks"]:
        rows = [row for row in block["rows"] if row["estimate"] is not None or row["share"] is not None]
        hidden += [f"{lower(row['group'])} ({row['word']})" for row in block["rows"] if row not in rows]
        if rows:
            blocks.append({**block, "rows": rows})
    return {**figure, "blocks": blocks}, "; ".join(hidden)


def _figure_row(row: Mapping[str, Any], own: bool) -> tuple[str, ...]:
    return (
        row["group"],
        count(row["n"]),
        count(row["positives"]),
        *((number(row["share"]),) if own else ()),
        number(row["estimate"]),
        span(row["lower"], row["upper"]),
        str(row["word"]).capitalize(),
    )


def number(value: float | None) -> str:
    """Return a figure to two decimals, or that it is not shown."""
    return NOT_SHOWN if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def span(lower: float | None, upper: float | None) -> str:
    """Return a range in words."""
    if lower is None and upper is None:
        return NOT_SHOWN
    if lower is None or upper is None:
        return f"at least {number(lower)}" if upper is None else f"at most {number(upper)}"
    return f"{number(lower)} to {number(upper)}"


def count(value: int | str) -> str:
    """Return a count with its thousands apart, or the words in its place."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def lower(text: str) -> str:
    """Return the words as in the middle of a sentence, but keep names: 'Asian', 'EHC plan', 'English ...'."""
    kept = text.split(" ", maxsplit=1)[0] in {"Asian", "Black", "Mixed", "White", "English", "EHC", "SEN"}
    return text if kept else f"{text[:1].lower()}{text[1:]}"
