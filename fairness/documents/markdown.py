"""A document as Markdown: for a repository, or for a person to go on writing in."""

import re
from collections.abc import Iterator, Sequence

from fairness.documents.document import Block, Document


def as_markdown(document: Document) -> str:
    """Return the document as Markdown; a picture is told in words."""
    lines = [f"# {_plain(document.title)}", "", _plain(document.subtitle), ""]
    if document.draft:
        lines += [
            (
                "**Draft.** It was written from the records of a training run, the board's policy and the register of "
                "agreements. People must check it, and write what is missing, before anyone relies on it."
            ),
            "",
        ]
    for block in document.blocks:
        lines += [*_lines(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def _lines(block: Block) -> Iterator[str]:
    if block.kind == "heading":
        yield f"{'#' * (block.level + 1)} {_plain(block.text)}"
    elif block.kind == "words":
        yield _plain(block.text)
    elif block.kind == "box":
        yield f"> **{_plain(block.title)}** {_plain(block.text)}"
    elif block.kind == "points":
        yield from (f"- {_plain(item)}" for item in block.items)
    elif block.kind == "facts":
        yield from _table(("", ""), block.rows)
    elif block.kind == "grid":
        if block.title:
            yield f"**{_plain(block.title)}**"
            yield ""
        yield from _table(block.heads, block.rows)
    elif block.kind == "picture":
        yield f"*{_plain(block.title)}.* {_plain(block.text)}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield _row([f"**{row[0]}**", *[""] * (len(heads) - 1)] if len(row) == 1 < len(heads) else row)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Return the text with what Markdown or HTML would read as markup made harmless, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split())) if text else text
