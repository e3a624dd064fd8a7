"""Pulling schools' records from Wonde's interface: the one place of the command line that calls another host."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import httpx

from records.clock import clock_of
from records.home import Home
from records.readers.wonde_pull import BASE, PullRefused, Wonde, read_token
from records.readers.wonde_pull import pull as pull_school

TOKEN_VARIABLE: Final = "BELONG_WONDE_TOKEN"  # noqa: S105  # the name of a variable, not a token
TRIES: Final = 5
LONGEST_WAIT_SECONDS: Final = 60
# Asked too often, or not there for the moment: worth asking again. Anything else is an answer.
_PASSING: Final = frozenset({429, 502, 503, 504})
_SAID: Final[Mapping[int, str]] = {
    401: "it does not know the token; make a new one at Wonde and put it in its place",
    403: "the token may not read this; ask the school to approve it at Wonde",
    404: "it knows no such school under this token; check the identifier",
}


def pull(
    home: Home,
    schools: Sequence[str],
    *,
    since: date | None,
    say: Callable[[str], None],
    base: str = BASE,
    transport: httpx.BaseTransport | None = None,
) -> tuple[Path, ...]:
    """Pull each school into the landing folder and return the folders, one for each school and day.

    Parameters
    ----------
    since
        Ask for records changed from this day on; None: from the day of the school's last pull before today,
        and where there is none, for everything.
    transport
        What carries requests instead of the network.

    Raises
    ------
    PullRefused
        There is no token, or an answer cannot be used. Schools before it have been pulled whole.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or read_token(home)
    today = clock_of(home).today()
    made = []
    with httpx.Client(timeout=60, follow_redirects=False, transport=transport) as client:
        for number, school in enumerate(schools, start=1):
            say(f"school {number} of {len(schools)}")
            wonde = Wonde(lambda address, headers: _fetch(client, address, headers), token, school, base)
            made.append(pull_school(home, wonde, today=today, updated_after=since or _last_pull(home, school, today)))
    return tuple(made)


def _last_pull(home: Home, school: str, today: date) -> date | None:
    days = []
    for folder in (home.landing / f"wonde-{school}").glob("*/"):
        with suppress(ValueError):
            days.append(date.fromisoformat(folder.name))
    return max((day for day in days if day < today), default=None)


def _fetch(client: httpx.Client, address: str, headers: Mapping[str, str]) -> bytes:
    """Return the body of a good answer; ask again where the trouble may pass."""
    for attempt in range(1, TRIES + 1):
        try:
            answer = client.get(address, headers=dict(headers))
        except httpx.HTTPError as error:
            # The error's own words hold the address, which names a school; its kind says enough.
            trouble, wait = f"it cannot be reached ({type(error).__name__})", float(2**attempt)
        else:
            if answer.status_code == httpx.codes.OK:
                return answer.content
            trouble = _SAID.get(answer.status_code, f"it answered {answer.status_code}")
            if answer.status_code not in _PASSING:
                break
            asked = answer.headers.get("Retry-After", "")
            wait = float(asked) if asked.isdecimal() else float(2**attempt)
        if attempt < TRIES:
            time.sleep(min(wait, LONGEST_WAIT_SECONDS))
    raise PullRefused(f"Wonde: {trouble}; nothing of this school was landed")
