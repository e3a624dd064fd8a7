"""The notebooks run from clean, one after the other, on one small simulated home; and define nothing."""

import ast
import os
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from records.clock import clock_of
from records.home import create_home
from records.intake.ingest import ingest
from records.pseudonym import create_pepper
from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from serving.jobs.board_settings import settings_under_policy
from serving.jobs.demo_days import TODAY, YEARS
from serving.jobs.gatekeeping import audit_candidate
from training.candidate import save_candidate
from training.run import train

ROOT = Path(__file__).resolve().parents[2]
BOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with six hundred simulated pupils, a candidate with few rounds, and its audit."""
    place = tmp_path_factory.mktemp("notebooks")
    home = create_home(place / "home", demo=True, today=TODAY, shards=2)
    create_pepper(home, demo_seed=1)
    simulate(NetworkPlan(pupils=600, schools=4, years=YEARS, until=TODAY, seed=20261122), place / "exports")
    # No notebook reads a name: none is saved, and no database starts.
    ingest(home, place / "exports", clock=clock_of(home), save_identities=None)
    settings = replace(settings_under_policy(home), rounds_most=40, train_every=8, least_outcomes=10, processes=1)
    candidate = train(home, settings, mlruns=None, observed_until=TODAY)
    save_candidate(home, candidate)
    audit_candidate(home, candidate.bundle.digest, TODAY)
    return home.path


def test_there_are_five() -> None:
    assert [book.stem[:2] for book in BOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_defines_nothing_and_keeps_no_output(book: Path) -> None:
    for cell in nbformat.read(book, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        assert cell.outputs == [], f"{book.name} keeps an output, which could show pupils; clear it"
        assert cell.execution_count is None
        defined = [
            node
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        ]
        assert not defined, f"{book.name} defines something; give it a room and a test"


@pytest.mark.filterwarnings("ignore")  # of the notebook client's own event loop; what a notebook warns of stays in it
@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stem)
def test_a_notebook_runs_from_clean(book: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELONG_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))))
    cells = nbformat.read(book, as_version=4)
    NotebookClient(cells, timeout=120, resources={"metadata": {"path": str(book.parent)}}).execute()
    shown = [output for cell in cells.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
