"""How often an integration may call: its own limit from the grant, counted over a sliding minute in this process."""

import math
import threading
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from casework.callers import Integration


class Counts(MemoryStorage):
    """Counts in memory, and forgets those that are over when a new minute begins.

    `MemoryStorage` starts a thread to forget them, at nearly every call; where all cores are at work, the call waits
    until that thread has had its turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self._one_at_a_time = threading.Lock()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to a count that is over after so many seconds from its first; return what it is now."""
        with self._one_at_a_time:
            now = time.time()
            if self.expirations.get(key, 0.0) <= now:
                for old in [name for name, until in self.expirations.items() if until <= now]:
                    self.clear(old)
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            return self.storage[key]

    def decr(self, key: str, amount: int = 1) -> int:
        """Take from a count; return what it is now."""
        with self._one_at_a_time:
            self.storage[key] = max(0, self.storage[key] - amount)
            return self.storage[key]


class Rates:
    """Counts calls by client id. One process serves one network, so its memory is enough (docs/decisions.md, 64)."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(Counts())

    def wait(self, caller: Integration, calls: int = 1) -> int | None:
        """Count a call, or several; return the seconds to wait where it is one too many, else None."""
        item = RateLimitItemPerMinute(caller.calls_per_minute)
        if self._limiter.hit(item, caller.client_id, cost=calls):
            return None
        until = self._limiter.get_window_stats(item, caller.client_id).reset_time
        return max(1, math.ceil(until - time.time()))
