"""A client of Belong's interface for programs, printed from its description by `make generate`: do not edit.

It needs httpx and nothing else. Give it the site's address and the file that `belong integration add` wrote:

    with Belong.from_file("https://belong.example.org", "riverside-mis.json") as belong:
        for pupil in belong.pages():
            print(pupil["school"], pupil["facts"])
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx


class Problem(Exception):
    """Belong refused: `code` is for programs, the text for people. Neither ever repeats what was sent."""

    def __init__(self, answer: httpx.Response) -> None:
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        super().__init__(said.get("detail") or said.get("error_description") or f"status {answer.status_code}")
        self.status = answer.status_code
        self.code = said.get("code") or said.get("error") or ""
        self.errors = said.get("errors", [])


def _given(said: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (said or {}).items() if value is not None}


class Belong:
    """Calls Belong with a token that it renews by itself, and waits where it is asked to."""

    def __init__(self, address: str, client_id: str, client_secret: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=60)
        self._credentials = (client_id, client_secret)
        self._token, self._until = "", 0.0

    @classmethod
    def from_file(cls, address: str, file: str) -> "Belong":
        """Read id and secret from the file that `belong integration add` wrote."""
        said = json.loads(Path(file).read_text(encoding="utf-8"))
        return cls(address, said["client_id"], said["client_secret"])

    def __enter__(self) -> "Belong":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def pages(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """Give every pupil on the lists, page after page; the arguments are those of `get_flags`."""
        cursor = None
        while True:
            page = self.get_flags(cursor=cursor, **asked)
            yield from page["pupils"]
            cursor = page["next"]
            if cursor is None:
                return

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        **said: Any,
    ) -> Any:
        asked, sent = _given(params), _given(headers)
        for _ in range(3):
            answer = self._http.request(method, path, params=asked, headers=sent | self._bearer(), **said)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            time.sleep(float(answer.headers.get("retry-after", "1")))
        if answer.status_code != httpx.codes.OK:
            raise Problem(answer)
        return answer.json()

    def _bearer(self) -> dict[str, str]:
        if time.monotonic() > self._until:
            form = {"grant_type": "client_credentials"}
            answer = self._http.post("/api/v1/token", data=form, auth=self._credentials)
            if answer.status_code != httpx.codes.OK:
                raise Problem(answer)
            said = answer.json()
            # A minute early: a token must not end on its way.
            self._token, self._until = said["access_token"], time.monotonic() + said["expires_in"] - 60
        return {"Authorization": f"Bearer {self._token}"}

    def live(self) -> Any:
        """Is the process up?"""
        return self._call("GET", "/api/v1/health/live")

    def ready(self) -> Any:
        """May it score?"""
        return self._call("GET", "/api/v1/health/ready")

    def get_flags(
        self,
        *,
        school: int | None = None,
        updated_after: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """Who is on the week's lists. Needs the scope lists:read."""
        return self._call(
            "GET",
            "/api/v1/flags",
            params={
                "school": school,
                "updated_after": updated_after,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def get_changes(
        self,
        *,
        school: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """What changed on the lists. Needs the scope lists:read."""
        return self._call(
            "GET",
            "/api/v1/changes",
            params={
                "school": school,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def get_history(self, pupil: str) -> Any:
        """One pupil's recorded past. Needs the scope lists:read."""
        return self._call("GET", f"/api/v1/pupils/{pupil}/history")

    def post_scores(
        self,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Score pupils from their records. Needs the scope scores:read."""
        return self._call(
            "POST",
            "/api/v1/scores",
            json=body,
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def post_rows(self, body: dict[str, Any]) -> Any:
        """Score feature rows worked out elsewhere with this package. Needs the scope scores:read."""
        return self._call(
            "POST",
            "/api/v1/rows",
            json=body,
        )
