"""The nightly check of the log of looks, and its head for whoever keeps it outside: a cut end shows there only."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from casework.audit_log import ChainState, Head
from casework.database import connect, looks_key, scoped
from casework.log_checks import check_log
from records.home import Home
from records.refusal import Refusal


class HeadRefused(Refusal):
    """The file of an earlier head cannot be read."""


def check_looks(home: Home, kept: Path | None = None) -> ChainState:
    """Check every look of the chain, keep the answer for the page, and bring the file of heads up to date.

    Parameters
    ----------
    kept
        A file that another custodian keeps: the chain must still hold the head in it, and gets the new one only
        where it does. A file that is not there yet is made.

    Raises
    ------
    HeadRefused
        The file is there and says no head.
    """
    exported = _read_head(kept) if kept is not None and kept.exists() else None
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            state = check_log(session, looks_key(home), datetime.now(UTC), exported)
    finally:
        engine.dispose()
    if kept is not None and state.ok:
        _write_head(kept, state.head)
    return state


def _read_head(file: Path) -> Head:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return Head(seq=int(said["looks"]), hash=str(said["head"]))
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise HeadRefused(
            f"{file} holds no head of the log of looks; name the file that an earlier check wrote"
        ) from error


def _write_head(file: Path, head: Head) -> None:
    partial = file.with_name(f"{file.name}.partial")
    said = {"looks": head.seq, "head": head.hash, "written_at": datetime.now(UTC).isoformat(timespec="seconds")}
    partial.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, file)
