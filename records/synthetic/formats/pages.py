"""Pages of a supplier's JSON as its interface would answer, pull after pull."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

PER_PAGE = 200

Record = Mapping[str, Any]


def write_json(path: Path, value: object) -> None:
    """Write a value as compact JSON in UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def write_pages(folder: Path, endpoint: str, records: Iterable[Record]) -> int:
    """Write the records in pages of 200, `<endpoint>_<page>.json`; return how many. No record, no page."""
    left = iter(records)
    page: Sequence[Record] = list(islice(left, PER_PAGE))
    number, written = 1, 0
    while page:
        following = list(islice(left, PER_PAGE))
        pagination = {
            "more": bool(following),
            "next": f"/{endpoint}/?page={number + 1}" if following else None,
            "previous": f"/{endpoint}/?page={number - 1}" if number > 1 else None,
            "per_page": PER_PAGE,
            "current_page": number,
        }
        write_json(folder / f"{endpoint}_{number}.json", {"data": page, "meta": {"pagination": pagination}})
        written += len(page)
        page, number = following, number + 1
    return written


def whole(text: str) -> int | None:
    """Return a number as JSON writes it, or null for nothing."""
    return int(text) if text else None


def or_none(text: str) -> str | None:
    """Return a text, or null for nothing."""
    return text or None
