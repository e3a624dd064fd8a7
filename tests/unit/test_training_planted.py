"""Faults planted in a trial copy of the code that looks forward: each is caught by a named test of its own.

A trial copy is the module's source with one line changed. The named test is run against it and must fail;
against the module as it is, it passes every day.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

GUARDS = "tests.unit.test_training_outcomes"
SPLIT_GUARDS = "tests.unit.test_training_splits"


@dataclass(frozen=True)
class Planted:
    """One line of a module changed, and the test that must notice: by name, with its arguments."""

    module: str
    was: str
    becomes: str
    guards: str
    test: str
    arguments: tuple[object, ...] = ()


def edge(place: int) -> tuple[object, ...]:
    """Return the arguments of the test of the horizon's edges at this place of its list."""
    [mark] = importlib.import_module(GUARDS).test_a_start_counts_from_as_of_until_six_school_weeks_later.pytestmark
    return tuple(mark.args[1][place])


PLANTED = {
    "a label that peeks one day past its horizon": Planted(
        "training.outcomes",
        """rows[f"{name}_on"] < rows["horizon_end"]""",
        """rows[f"{name}_on"] <= rows["horizon_end"]""",
        GUARDS,
        "test_a_start_counts_from_as_of_until_six_school_weeks_later",
        edge(3),
    ),
    "a label that leaves out the day itself": Planted(
        "training.outcomes",
        """by="pupil", direction="forward")""",
        """by="pupil", direction="forward", allow_exact_matches=False)""",
        GUARDS,
        "test_a_start_counts_from_as_of_until_six_school_weeks_later",
        edge(1),
    ),
    "a label believed one day too early": Planted(
        "training.outcomes",
        "timedelta(days=settings.settle_days)",
        "timedelta(days=settings.settle_days - 1)",
        GUARDS,
        "test_a_horizon_is_believed_a_week_after_its_end_and_not_a_day_before",
    ),
    "a label that counts what was withdrawn": Planted(
        "training.outcomes",
        """latest(history.tables["suspensions"], SUSPENSIONS, observed_until)""",
        """history.tables["suspensions"]""",
        GUARDS,
        "test_a_suspension_withdrawn_later_is_no_outcome_and_one_moved_is_where_it_was_moved_to",
    ),
    "a training label that reaches a week into calibration": Planted(
        "training.splits",
        "end <= following for end in ends",
        "end <= following + timedelta(days=7) for end in ends",
        SPLIT_GUARDS,
        "test_every_horizon_ends_before_the_next_period_begins",
        (6,),
    ),
    "a fold that judges weeks whose labels it was fitted on": Planted(
        "training.splits",
        ">= settings.horizon_weeks + 1",
        ">= 0",
        SPLIT_GUARDS,
        "test_folds_go_forward_with_a_gap_and_keep_a_pupil_on_one_side",
    ),
}


def trial_copy(fault: Planted) -> ModuleType:
    """Return the module with the one line changed; the real one stays as it is."""
    source = Path(str(importlib.import_module(fault.module).__file__)).read_text(encoding="utf-8")
    assert source.count(fault.was) == 1, f"{fault.module} no longer says {fault.was!r}: plant the fault anew"
    spec = spec_from_loader(f"{fault.module}_trial_copy", loader=None)
    assert spec is not None
    copy = module_from_spec(spec)
    sys.modules[copy.__name__] = copy
    exec(compile(source.replace(fault.was, fault.becomes), copy.__name__, "exec"), copy.__dict__)
    return copy


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Callable[[Planted, bool], None]:
    """Return a caller of the fault's named test, against the trial copy or against the module as it is."""

    def run(fault: Planted, planted: bool) -> None:
        guards = importlib.import_module(fault.guards)
        if planted:
            copy = trial_copy(fault)
            for name in ("mature", "periods", "forward_folds"):
                if hasattr(guards, name) and hasattr(copy, name):
                    monkeypatch.setattr(guards, name, getattr(copy, name))
        getattr(guards, fault.test)(*fault.arguments)

    return run


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_caught_by_its_named_test(name: str, guard: Callable[[Planted, bool], None]) -> None:
    guard(PLANTED[name], False)
    with pytest.raises(AssertionError):
        guard(PLANTED[name], True)
