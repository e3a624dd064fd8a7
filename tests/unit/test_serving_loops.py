"""Who waits for machine code while a process loads it."""

import pytest

from features.machine import PLAIN
from serving.jobs.loops import FEW, WITHOUT, LoadedLoops

MACHINE = object()


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> LoadedLoops:
    """Loops whose machine code is never there by itself: asked for, it is MACHINE."""
    made = LoadedLoops()
    monkeypatch.setattr(made, "_loaded", lambda: MACHINE)
    return made


def test_the_first_pupils_do_not_wait_and_those_after_them_leave_the_processor_to_the_loading(
    loops: LoadedLoops,
) -> None:
    assert [loops(10) for _ in range(WITHOUT // 10)] == [PLAIN] * (WITHOUT // 10)
    assert loops(1) is MACHINE


def test_a_post_of_many_pupils_waits_at_once(loops: LoadedLoops) -> None:
    assert loops(FEW + 1) is MACHINE
    assert loops(1) is PLAIN
