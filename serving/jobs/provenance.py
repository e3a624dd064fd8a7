"""Which code and which libraries an audit was made with: the repository's commit, the lock file, the versions."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from fairness.approval.record import MadeFrom
from training.bundle import sha256

ROOT = Path(__file__).resolve().parents[2]
LOCK = "requirements.lock"
_LIBRARIES = ("fairlearn", "lightgbm", "numpy", "pandas", "rfc8785", "scikit-learn", "scipy", "securesystemslib")


def made_from(root: Path = ROOT) -> MadeFrom:
    """Return what the code at this root is; what an installed copy cannot say has its reason beside it."""
    missing = {}
    lock, commit, dirty = None, None, None
    try:
        lock = sha256((root / LOCK).read_bytes())
    except OSError:
        missing["requirements_lock"] = f"there is no {LOCK} beside the code: an installed copy does not carry it"
    try:
        if not (root / ".git").exists():
            raise FileNotFoundError
        commit = _git(root, "rev-parse", "HEAD")
        dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        missing["git_commit"] = missing["git_dirty"] = "the code lies in no git repository that can be read here"
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}
    return MadeFrom(git_commit=commit, git_dirty=dirty, lock=lock, versions=versions, missing=missing)


def _git(root: Path, *words: str) -> str:
    found = subprocess.run(  # noqa: S603  # our own words, no shell
        ["git", "-C", str(root), *words],  # noqa: S607  # whichever git the machine has
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return found.stdout.strip()
