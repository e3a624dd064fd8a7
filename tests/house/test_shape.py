"""The house stays small enough to read: files, functions, reasons beside every exception."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("records", "features", "training", "fairness", "casework", "learning", "serving")
SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
PYTHON = SOURCES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_ARGUMENTS = 7


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_a_file_stays_under_the_hard_stop(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{named(path)} has {lines} lines: split it by idea, never by number"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_functions_stay_readable(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or 0) - node.lineno + 1 - len((ast.get_docstring(node) or "").splitlines())
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments = [argument for argument in given if argument.arg not in ("self", "cls")]
        where = f"{named(path)}, line {node.lineno}: {node.name}"
        assert length <= LONGEST_FUNCTION, f"{where} has {length} lines: name its parts"
        # Doors declare what they take as arguments; a framework fills them, no caller has to.
        if "serving/cli" not in named(path) and "serving/commands" not in named(path):
            assert len(arguments) <= MOST_ARGUMENTS, (
                f"{where} takes {len(arguments)}: make a value of what belongs together"
            )


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_module_says_what_it_is(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{named(path)} has no first line that says what it is"


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_every_exception_to_a_rule_has_its_reason(path):
    bare = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[\w\-, ]+\])?|pragma:\s*no cover)\s*$")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        assert not bare.search(line), f"{named(path)}, line {number}: say after the exception why it is one"
