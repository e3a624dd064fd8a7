"""What was pulled from a supplier's interface and saved: a folder for each school, a folder in it for each pull.

`<school>/<marker>.json` says which school it is; pages are `<endpoint>_<page>.json`, beside it or in a
folder for each pull, whose names sort as the pulls were made (2025-07-01, 2025-07-08 ...). A pull may name
pupils and records of the pulls before it, so those stay where they are.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from records.readers.reading import Content, Load, PassedOver
from records.text.delimited import read_bytes
from records.text.json_text import PAGE_CAP_BYTES, parse
from records.text.sheet import FileRefused

PAGE_NAME = re.compile(r"(?P<endpoint>[a-z][a-z_-]*)_(?P<page>[1-9][0-9]{0,5})\.json")
DATED = re.compile(r"(\d{4}-\d\d-\d\d)(_\w+)?")
ENDPOINTS_NAMED = "not an endpoint that Belong keeps"


@dataclass(frozen=True)
class PageFile:
    """A saved page: its endpoint, its number in the pull, its file."""

    endpoint: str
    page: int
    path: Path


@dataclass(frozen=True)
class Page:
    """The records of one page; `source` is the first 16 hexadecimal digits of the file's SHA-256."""

    file: str
    source: str
    records: Sequence[Any]


@dataclass(frozen=True)
class Pull:
    """One pull of one school.

    Attributes
    ----------
    school
        The marker file.
    folder
        Where its pages lie.
    pages
        Its pages, by endpoint and number.
    other
        JSON files in the folder that are no pages of an endpoint we keep.
    """

    school: Path
    folder: Path
    pages: tuple[PageFile, ...]
    other: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What a summary calls it."""
        school = self.school.parent.name
        return school if self.folder == self.school.parent else f"{school}/{self.folder.name}"

    @property
    def day(self) -> date | None:
        """The day in the folder's name, if its name is one."""
        match = DATED.fullmatch(self.folder.name)
        try:
            return date.fromisoformat(match[1]) if match else None
        except ValueError:
            return None

    def of(self, endpoint: str) -> list[PageFile]:
        """Return the pages of an endpoint, in order."""
        return [page for page in self.pages if page.endpoint == endpoint]


ReadPull = Callable[[Pull, Sequence[Pull], date], Content]


def pulls_of(
    paths: Sequence[Path], today: date, *, marker: str, endpoints: frozenset[str], read: ReadPull
) -> tuple[list[Load], list[Path]]:
    """Return a load for each pull under a folder that holds the marker file, and the files left."""
    schools = {path.parent: path for path in paths if path.name == marker}
    mine: dict[Path, dict[Path, list[Path]]] = {folder: {} for folder in schools}
    left = []
    for path in paths:
        school = next((folder for folder in (path.parent, path.parent.parent) if folder in schools), None)
        if school is None or path.suffix.lower() != ".json":
            left.append(path)
        elif path != schools[school]:
            mine[school].setdefault(path.parent, []).append(path)
    loads = []
    for school, folders in sorted(mine.items()):
        # The school's own folder first: a folder's path sorts before those in it.
        pulls = [_pull(schools[school], folder, found, endpoints) for folder, found in sorted(folders.items())]
        for number, pull in enumerate(pulls):
            read_it = partial(_read, pull=pull, earlier=tuple(pulls[:number]), today=today, read=read)
            used = (pull.school, *(page.path for page in pull.pages), *pull.other)
            loads.append(Load(pull.name, used, read_it))
    return loads, left


def read_page(page: PageFile, *, last: bool) -> Page:
    """Return the page's records.

    Raises
    ------
    FileRefused
        It is no page of JSON, or says that more pages follow where none does.
    """
    found, source = read_json(page.path)
    records = found.get("data") if isinstance(found, dict) else None
    if not isinstance(records, list):
        raise FileRefused(
            file=page.path.name,
            place="data",
            what="there is no list of records under data",
            remedy="save each page as the interface returns it",
        )
    if last and _more_follow(found):
        raise FileRefused(
            file=page.path.name,
            place="meta.pagination.more",
            what="it says that more pages follow, and none is here",
            remedy="pull the endpoint to its end",
        )
    return Page(page.path.name, source, records)


def read_json(path: Path) -> tuple[Any, str]:
    """Return the file's value and the first 16 digits of its digest, or raise FileRefused."""
    data = read_bytes(path, PAGE_CAP_BYTES)
    return parse(data, path.name), hashlib.sha256(data).hexdigest()[:16]


def _pull(school: Path, folder: Path, paths: Sequence[Path], endpoints: frozenset[str]) -> Pull:
    pages, other = [], []
    for path in sorted(paths):
        match = PAGE_NAME.fullmatch(path.name)
        if match and match["endpoint"] in endpoints:
            pages.append(PageFile(match["endpoint"], int(match["page"]), path))
        else:
            other.append(path)
    return Pull(school, folder, tuple(sorted(pages, key=lambda page: (page.endpoint, page.page))), tuple(other))


def _read(_: Sequence[Path], *, pull: Pull, earlier: Sequence[Pull], today: date, read: ReadPull) -> Content:
    for endpoint in dict.fromkeys(page.endpoint for page in pull.pages):
        numbers = [page.page for page in pull.of(endpoint)]
        if numbers != list(range(1, len(numbers) + 1)):
            raise FileRefused(
                file=f"{pull.name}/{endpoint}",
                place="its pages",
                what=f"the pages are not 1 to {len(numbers)}, each once",
                remedy="pull the endpoint again, to its end",
            )
    content = read(pull, earlier, today)
    passed = tuple(PassedOver(path.name, ENDPOINTS_NAMED) for path in pull.other)
    return Content(content.batches, (*content.passed_over, *passed))


def _more_follow(found: Mapping[str, Any]) -> bool:
    meta = found.get("meta")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    return isinstance(pagination, dict) and pagination.get("more") is True
