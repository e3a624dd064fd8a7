"""Users in a process of their own: each opens the list, then pupils from it, over a connection kept open.

`python -m benchmarks.pages_load PLAN.json` prints, as its last line, the seconds of each kind of page.
"""

import http.client
import json
import random
import re
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

_LINK = re.compile(rb'href="(/pupils/[0-9a-f-]{36})"')
_PUPILS_A_LIST = 3


class User(threading.Thread):
    """One person: the list, three pupils of it, the list again; between pages a moment's reading, if any."""

    def __init__(self, plan: dict[str, Any], cookie: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.plan = plan
        self.random = random.Random(seed)  # which pupil to open, no secret
        self.headers = {"Cookie": cookie, "Host": f"127.0.0.1:{plan['port']}"}
        self.connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=60)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.fault = ""

    def run(self) -> None:
        """Open pages until the plan's end; what fails is kept as words for the main thread."""
        try:
            until = time.monotonic() + self.plan["seconds"]
            self.read()  # people do not all begin in the same moment
            while time.monotonic() < until:
                pupils = _LINK.findall(self.open("list", "/pupils"))
                assert pupils, "a list without pupils"
                for pupil in self.random.sample(pupils, min(_PUPILS_A_LIST, len(pupils))):
                    self.open("pupil", pupil.decode())
        except Exception as error:  # whatever it is, the benchmark must not pass over it
            self.fault = f"{type(error).__name__}: {error}"

    def open(self, kind: str, path: str) -> bytes:
        """Open a page, note how long it took, and read for a moment."""
        began = time.perf_counter()
        try:
            answer = self._asked(path)
        except http.client.RemoteDisconnected:
            # The site closes what was idle for five seconds; a browser then connects anew, once.
            self.connection.close()
            answer = self._asked(path)
        body = answer.read()
        self.seconds[kind].append(time.perf_counter() - began)
        assert answer.status == 200, f"{kind} answered {answer.status}"
        self.read()
        return body

    def read(self) -> None:
        """Read for a moment, if the plan says so."""
        if self.plan["reading"]:
            time.sleep(self.random.expovariate(1 / self.plan["reading"]))

    def _asked(self, path: str) -> http.client.HTTPResponse:
        self.connection.request("GET", path, headers=self.headers)
        return self.connection.getresponse()


def main() -> None:
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    users = [User(plan, cookie, seed) for seed, cookie in enumerate(plan["cookies"])]
    for user in users:
        user.start()
    for user in users:
        user.join()
    faults = [user.fault for user in users if user.fault]
    if faults:
        raise SystemExit(f"{len(faults)} users failed: {faults[0]}")
    seconds: dict[str, list[float]] = defaultdict(list)
    for user in users:
        for kind, measured in user.seconds.items():
            seconds[kind] += measured
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
