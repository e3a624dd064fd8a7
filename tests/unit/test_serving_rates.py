"""How often an integration may call: as `limits` counts, without its threads."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serving.rates import Counts, Rates


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands until it is put on."""
    held = SimpleNamespace(now=1_782_000_000.0)
    monkeypatch.setattr(time, "time", lambda: held.now)
    return held


def caller(client_id: str, calls_per_minute: int) -> SimpleNamespace:
    return SimpleNamespace(client_id=client_id, calls_per_minute=calls_per_minute)


def test_one_call_too_many_waits_and_another_caller_does_not(clock: SimpleNamespace) -> None:
    rates, mine = Rates(), caller("mis", 3)
    assert [rates.wait(mine) for _ in range(3)] == [None] * 3
    wait = rates.wait(mine)
    assert wait is not None
    assert 1 <= wait <= 60
    assert rates.wait(caller("timetable", 3)) is None
    clock.now += 121
    assert rates.wait(mine, 3) is None
    assert rates.wait(mine) is not None


def test_it_counts_as_limits_own_storage_does(clock: SimpleNamespace) -> None:
    """Four hundred calls at odd moments, some for several rows at once: each let in, or not, by both alike."""
    drawn, item = np.random.default_rng(7), RateLimitItemPerMinute(20)
    both = [SlidingWindowCounterRateLimiter(storage) for storage in (Counts(), MemoryStorage())]
    let_in = []
    for _ in range(400):
        clock.now += float(drawn.exponential(2.5))
        cost = int(drawn.integers(1, 4))
        ours, theirs = (one.hit(item, "mis", cost=cost) for one in both)
        assert ours == theirs
        let_in.append(ours)
    assert 0 < sum(let_in) < len(let_in)


def test_what_is_over_is_forgotten_and_no_thread_is_started_for_it(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counts()
    limiter = SlidingWindowCounterRateLimiter(counts)

    def started(self: threading.Thread) -> None:
        pytest.fail("a thread was started to count a call")

    monkeypatch.setattr(threading.Thread, "start", started)
    for _ in range(200):
        clock.now += 60
        for client in ("mis", "timetable"):
            assert limiter.hit(RateLimitItemPerMinute(5), client)
    assert len(counts.storage) <= 6
