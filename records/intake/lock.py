"""One ingest at a time: two at once would each write what the other has not read."""

import contextlib
import os
import sys
from collections.abc import Iterator

from records.home import Home
from records.refusal import Refusal

LOCK_FILE = "ingest.lock"


class IngestRunning(Refusal):
    """Another ingest is writing into this home."""


@contextlib.contextmanager
def only_ingest(home: Home) -> Iterator[None]:
    """Hold the home's lock; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    IngestRunning
        Another process holds it.
    """
    with only_one(home, LOCK_FILE) as mine:
        if not mine:
            raise IngestRunning(
                f"another `belong ingest` is writing into {home.path}; wait until it has ended, then run this again"
            )
        yield


@contextlib.contextmanager
def only_one(home: Home, name: str) -> Iterator[bool]:
    """Hold a lock of the home and yield whether it was to be had; the system lets go when the process ends."""
    descriptor = os.open(home.path / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(descriptor)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  # there only on Windows

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415  # not there on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
