"""The Python client in docs/generated/belong_client.py, printed from the interface's own description."""

import re
from typing import Any

from serving.api.routes import PREFIX, openapi

_HEAD = '''"""A client of Belong's interface for programs, printed from its description by `make generate`: do not edit.

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
            answer = self._http.post("TOKEN", data=form, auth=self._credentials)
            if answer.status_code != httpx.codes.OK:
                raise Problem(answer)
            said = answer.json()
            # A minute early: a token must not end on its way.
            self._token, self._until = said["access_token"], time.monotonic() + said["expires_in"] - 60
        return {"Authorization": f"Bearer {self._token}"}
'''
_TYPES = {"integer": "int", "string": "str", "number": "float", "boolean": "bool"}


def page() -> str:
    """Return the client: a method for each operation of the interface but the token's own, which it calls itself."""
    parts = [_HEAD.replace('"TOKEN"', f'"{PREFIX}/token"')]
    for path, operations in openapi()["paths"].items():
        if path != f"{PREFIX}/token":
            parts += [_method(path, method, said) for method, said in operations.items()]
    return "\n".join(parts)


def _method(path: str, method: str, said: dict[str, Any]) -> str:
    name = said["operationId"].split("_api_v1")[0]
    given = said.get("parameters", [])
    in_path = [one for one in given if one["in"] == "path"]
    named = [one for one in given if one["in"] != "path"]
    taken = ["self", *(f"{one['name']}: {_type(one)}" for one in in_path)]
    taken += ["body: dict[str, Any]"] if "requestBody" in said else []
    taken += ["*", *(f"{_plain(one)}: {_type(one)} | None = None" for one in named)] if named else []
    passed = [f'"{method.upper()}"', f'f"{path}"' if in_path else f'"{path}"']
    passed += ["json=body"] if "requestBody" in said else []
    passed += _group(named, "query", "params") + _group(named, "header", "headers")
    scopes = [scope for one in said.get("security", []) for scope in one.get("integration", [])]
    needs = f" Needs the scope {', '.join(scopes)}." if scopes else ""
    ends = "" if said["summary"].endswith("?") else "."
    lines = [f"    def {name}(", *(f"        {one}," for one in taken), "    ) -> Any:"]
    if not named:
        lines = [f"    def {name}({', '.join(taken)}) -> Any:"]
    lines.append(f'        """{said["summary"]}{ends}{needs}"""')
    if len(passed) > 2:  # more than method and path
        return "\n".join(
            [*lines, "        return self._call(", *(f"            {one}," for one in passed), "        )", ""]
        )
    return "\n".join([*lines, f"        return self._call({', '.join(passed)})", ""])


def _group(named: list[dict[str, Any]], where: str, argument: str) -> list[str]:
    mine = [one for one in named if one["in"] == where]
    if not mine:
        return []
    pairs = "".join(f'                "{one["name"]}": {_plain(one)},\n' for one in mine)
    return [argument + "={\n" + pairs + "            }"]


def _plain(one: dict[str, Any]) -> str:
    return re.sub(r"\W", "_", one["name"]).lower()


def _type(one: dict[str, Any]) -> str:
    schema = one["schema"]
    kinds = [kind["type"] for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return _TYPES[kinds[0]]
