"""Pulling pages from Wonde's interface into the landing folder, by a client that the caller gives.

Nothing here opens a connection: `fetch` does. The token lies in the home's secrets, goes into one header and
nowhere else, and never to another host than the one that was asked: a page's `next` is followed only there.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from records.home import Home
from records.readers.wonde import MARKER
from records.refusal import Refusal
from records.text.json_text import PAGE_CAP_BYTES, parse
from records.text.sheet import FileRefused

BASE = "https://api.wonde.com/v1.0/"
TOKEN_FILE = "wonde-token"  # noqa: S105 - the name of a file, not a token
PAGES_CAP = 100_000
PER_PAGE = 200
INCLUDES: Mapping[str, str] = {"students": "education_details,extended_details"}
# Pupils and codes are asked for whole: records of the other endpoints name them.
WHOLE = ("students", "attendance-codes")
CHANGED = ("attendance", "behaviours", "achievements", "exclusions", "deletions")
_SCHOOL_ID = re.compile(r"[A-Za-z0-9]{1,40}")

Fetch = Callable[[str, Mapping[str, str]], bytes]
"""An address and headers → the body of a good answer; anything else it raises."""


class PullRefused(Refusal):
    """An answer cannot be used, or the token cannot; the message holds neither token nor pupil."""


@dataclass(frozen=True)
class Wonde:
    """Wonde's interface for one school: its domain differs by region.

    Attributes
    ----------
    fetch
        The caller's client.
    token
        Sent as a Bearer token.
    school
        Wonde's own identifier of the school.
    """

    fetch: Fetch
    token: str
    school: str
    base: str = BASE

    def __post_init__(self) -> None:
        if not _SCHOOL_ID.fullmatch(self.school):
            raise PullRefused("a Wonde school identifier is letters and digits; check the one given")
        if urlsplit(self.base).scheme != "https" or not self.base.endswith("/"):
            raise PullRefused(f"{self.base} is not an https address that ends with /; a token goes to no other")

    def about(self) -> bytes:
        """Return the answer about the school itself."""
        return self._get(f"{self.base}schools/{self.school}")

    def pages(self, endpoint: str, updated_after: date | None = None) -> Iterator[bytes]:
        """Yield the endpoint's pages, as they come, to the last.

        Raises
        ------
        PullRefused
            An answer is no page, or its `next` leads to another host, in a circle or without end.
        """
        asked: dict[str, Any] = {"per_page": PER_PAGE}
        if endpoint in INCLUDES:
            asked["include"] = INCLUDES[endpoint]
        if updated_after is not None:
            asked["updated_after"] = f"{updated_after.isoformat()} 00:00:00"
        address: str | None = f"{self.base}schools/{self.school}/{endpoint}/?{urlencode(asked)}"
        met: set[str] = set()
        while address is not None:
            if address in met or len(met) >= PAGES_CAP:
                raise PullRefused(f"{endpoint}: page {len(met) + 1} leads back or never ends; ask the supplier")
            met.add(address)
            body = self._get(address)
            following = _next(body, endpoint, len(met))
            address = None if following is None else self._same_host(urljoin(address, following), endpoint)
            yield body

    def _get(self, address: str) -> bytes:
        body = self.fetch(address, {"Authorization": f"Bearer {self.token}", "Accept": "application/json"})
        if len(body) > PAGE_CAP_BYTES:
            raise PullRefused(f"an answer is larger than {PAGE_CAP_BYTES >> 20} MB; ask for fewer records a page")
        return body

    def _same_host(self, address: str, endpoint: str) -> str:
        wanted, found = urlsplit(self.base), urlsplit(address)
        if (found.scheme, found.netloc) != (wanted.scheme, wanted.netloc):
            raise PullRefused(f"{endpoint}: the next page lies on another host; the token is not sent there")
        return address


def read_token(home: Home) -> str:
    """Return the token in the home's secrets.

    Raises
    ------
    PullRefused
        It is missing, empty, or readable by others than its owner.
    """
    path = home.secrets / TOKEN_FILE
    try:
        token, mode = path.read_text(encoding="ascii").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise PullRefused(f"secrets/{TOKEN_FILE} cannot be read; write Wonde's token there") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PullRefused(f"secrets/{TOKEN_FILE} can be read by others than its owner; set its mode to 600")
    if not token:
        raise PullRefused(f"secrets/{TOKEN_FILE} is empty; write Wonde's token there")
    return token


def pull(home: Home, wonde: Wonde, *, today: date, updated_after: date | None = None) -> Path:
    """Write a pull of one school into the home's landing folder; return its folder.

    The folder appears whole: a pull broken off leaves nothing that an ingest would read. A second pull of one
    day replaces the first, so `updated_after` must then be what it was.

    Raises
    ------
    PullRefused
        See `Wonde.pages`.
    """
    school = home.landing / f"wonde-{wonde.school}"
    # Not in the landing folder: an ingest meanwhile must not find half a pull.
    partial = home.path / "pulling" / wonde.school
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    try:
        (partial / MARKER).write_bytes(wonde.about())
        pages = partial / today.isoformat()
        pages.mkdir()
        for endpoint, after in _asked(updated_after):
            for number, body in enumerate(wonde.pages(endpoint, after), start=1):
                (pages / f"{endpoint}_{number}.json").write_bytes(body)
        school.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = school / pages.name
        shutil.rmtree(whole, ignore_errors=True)
        os.replace(partial / MARKER, school / MARKER)
        os.replace(pages, whole)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return whole


def _asked(updated_after: date | None) -> Sequence[tuple[str, date | None]]:
    return [*((endpoint, None) for endpoint in WHOLE), *((endpoint, updated_after) for endpoint in CHANGED)]


def _next(body: bytes, endpoint: str, number: int) -> str | None:
    try:
        found = parse(body, f"{endpoint}_{number}")
    except FileRefused as refusal:
        raise PullRefused(str(refusal)) from refusal
    meta = found.get("meta") if isinstance(found, dict) else None
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise PullRefused(f"{endpoint}, page {number}: there is no list under data; check the token's permissions")
    following = pagination.get("next") if isinstance(pagination, dict) else None
    return following if isinstance(following, str) and following else None
