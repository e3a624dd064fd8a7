"""A document as a value: a title and blocks of plain words, tables and pictures. Every form is made from this one."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import rfc8785


@dataclass(frozen=True, kw_only=True)
class Block:
    """One part of a document, and what it is.

    Attributes
    ----------
    kind
        heading (`text`, `level` 1 or 2), words (`text`), points (`items`), box (`title`, `text`), facts (`rows`
        of two), grid (`title`, `heads`, `rows`), picture (`svg`, `title`, `text` in place of the picture), page
        (a new page begins).
    rows
        A row of one cell is a heading across a grid.
    numeric
        Places of a grid's columns that hold numbers.
    widths
        How wide a grid's columns are beside each other; empty: as wide as they need.
    """

    kind: Literal["heading", "words", "points", "box", "facts", "grid", "picture", "page"]
    text: str = ""
    title: str = ""
    level: int = 1
    items: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    svg: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole document. `on` dates it, whenever it is printed; `missing` is what people have yet to write."""

    title: str
    subtitle: str
    on: date
    blocks: tuple[Block, ...]
    draft: bool = False
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document as plain JSON values."""
        said = asdict(self) | {"on": self.on.isoformat()}
        return _plain(said)  # type: ignore[no-any-return]  # a dictionary stays one

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785): what an approval can name."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()


def head(text: str, level: int = 1) -> Block:
    """Return a heading."""
    return Block(kind="heading", text=text, level=level)


def words(*texts: str) -> tuple[Block, ...]:
    """Return paragraphs."""
    return tuple(Block(kind="words", text=text) for text in texts if text)


def points(items: Sequence[str]) -> tuple[Block, ...]:
    """Return a list of points, or nothing for none."""
    return (Block(kind="points", items=tuple(items)),) if items else ()


def facts(rows: Sequence[tuple[str, str]]) -> tuple[Block, ...]:
    """Return names and what they are, one under the other; rows without a value are left out."""
    kept = tuple(row for row in rows if row[1])
    return (Block(kind="facts", rows=kept),) if kept else ()


def grid(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    widths: Sequence[int] = (),
) -> tuple[Block, ...]:
    """Return a table, or nothing where it has no row."""
    if not rows:
        return ()
    kept = tuple(tuple(row) for row in rows)
    return (
        Block(kind="grid", title=title, heads=tuple(heads), rows=kept, numeric=tuple(numeric), widths=tuple(widths)),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
