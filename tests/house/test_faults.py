"""`docs/faults.md` names a test for every fault, and every test it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
NODE = re.compile(r"^- `(tests/[\w/]+\.py)::([\w:]+)`$")


@cache
def named_in(file: str) -> frozenset[str]:
    """Return the tests of a file as pytest names them, parameters left out."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    found = set()
    for one in ast.parse(path.read_text(encoding="utf-8")).body:
        inside = one.body if isinstance(one, ast.ClassDef) else [one]
        first = f"{one.name}::" if isinstance(one, ast.ClassDef) else ""
        found |= {first + each.name for each in inside if isinstance(each, ast.FunctionDef)}
    return frozenset(name for name in found if name.split("::")[-1].startswith("test_"))


def faults() -> dict[str, list[str]]:
    """Return each fault of the page, by its first words, with the lines that name its tests."""
    found: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("**"):
            found[line.removeprefix("**")] = []
        elif line.startswith("- "):
            found[list(found)[-1]].append(line)
    return found


def test_every_fault_has_a_test():
    assert len(faults()) > 30
    assert [fault for fault, named in faults().items() if not named] == []


def test_every_test_named_is_there():
    lines = [line for named in faults().values() for line in named]
    nodes = [NODE.match(line) for line in lines]
    assert [line for line, node in zip(lines, nodes, strict=True) if node is None] == []
    gone = [node[0] for node in nodes if node is not None and node[2] not in named_in(node[1])]
    assert gone == [], "docs/faults.md names tests that are not there: name the one that answers the fault now"
