"""What must be true of the whole repository."""

import importlib
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("records", "features", "training", "fairness", "casework", "learning", "serving")
# Spelt apart, so that this file does not contain what it looks for.
HOSTS = [r"pypi\.o" + "rg", "pythonho" + "sted", r"registry\.np" + "mjs", r"deb\.deb" + "ian"]
PATHS = [r"(^|[^\w./])/(wo" + "rk|ro" + "ot|ho" + r"me/\w+)/"]
WORDS = ["offen" + "der", "un" + "biased", "de" + "bias"]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def text_files() -> list[Path]:
    binary = {".png", ".ico", ".woff2", ".parquet", ".gz"}
    return [path for path in tracked() if path.suffix not in binary]


@pytest.mark.parametrize("name", FLOORS)
def test_a_top_level_package_is_ours_and_not_a_namesake(name):
    """`records` and `features` are common words: another distribution must not answer in their place."""
    module = importlib.import_module(name)
    assert Path(module.__file__).is_relative_to(ROOT)
    owners = set(metadata.packages_distributions().get(name, []))
    assert owners <= {"belong"}, f"another distribution also installs {name!r}: {owners}"


def test_no_host_path_or_word_that_does_not_belong_here():
    found = []
    for path in text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        rules = HOSTS + PATHS + ([] if path.name == "decisions.md" else WORDS)
        found += [
            f"{path.relative_to(ROOT)}: {rule}" for rule in rules if re.search(rule, text, re.IGNORECASE | re.MULTILINE)
        ]
    assert not found


def test_the_lock_has_a_hash_for_every_package_and_no_address():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    packages = re.split(r"\n(?=\S)", lock.strip())
    assert len(packages) > 50
    assert [package.split(" ")[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_npm_lock_has_no_address():
    assert "://" not in re.sub(
        r'"(url|funding)": "[^"]*"', "", (ROOT / "package-lock.json").read_text(encoding="utf-8")
    )


def test_nothing_reads_what_lies_outside_the_repository():
    shared = re.compile(r"\.\./sha" + "red")
    reading = [
        path.name for path in text_files() if path.suffix == ".py" and shared.search(path.read_text(encoding="utf-8"))
    ]
    assert not reading


def test_mlruns_and_homes_stay_out_of_git():
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    assert {name for name in names if name.startswith(("mlruns/", "var/"))} == {"mlruns/README.md"}


def test_every_decision_cited_in_code_exists():
    numbers = {
        int(n) for n in re.findall(r"^(\d+)\. ", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), re.MULTILINE)
    }
    cited = set()
    for path in text_files():
        if path.suffix == ".py":
            cited |= {int(n) for n in re.findall(r"docs/decisions\.md, (\d+)", path.read_text(encoding="utf-8"))}
    assert cited <= numbers
