"""How often an integration may call: its own limit from the grant, counted over a sliding minute in this process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from casework.callers import Integration


class Rates:
    """Counts calls by client id. One process serves one network, so its memory is enough (docs/decisions.md, 64)."""

    def __init__(self) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait(self, caller: Integration, calls: int = 1) -> int | None:
        """Count a call, or several; return the seconds to wait where it is one too many, else None."""
        item = RateLimitItemPerMinute(caller.calls_per_minute)
        if self._limiter.hit(item, caller.client_id, cost=calls):
            return None
        until = self._limiter.get_window_stats(item, caller.client_id).reset_time
        return max(1, math.ceil(until - time.time()))
