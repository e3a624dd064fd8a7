"""Another program run in the foreground, which leaves nothing behind however it is ended."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

PATIENCE_SECONDS = 3


def until_ended(words: Sequence[str], settings: Mapping[str, str]) -> int:
    """Run the program until it ends, or until Ctrl-C or a termination ends it; return its exit code, 0 if ended.

    A program that starts others leaves them running when it alone is ended: it gets a process group of
    its own, and the whole group is ended with it.
    """
    before = signal.signal(signal.SIGTERM, _end)
    with subprocess.Popen(words, env=settings, start_new_session=True) as started:  # noqa: S603 - our own words only
        try:
            return started.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end_group(started)
            signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_group(started: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "killpg"):  # Windows has no groups of this kind
        started.terminate()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(started.pid, number)
        except ProcessLookupError:
            return
        try:
            started.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
