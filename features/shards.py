"""One piece of work over every shard of a home: here, in processes of this machine, or on a Dask cluster.

Shards never need each other (docs/decisions.md, 3), so where each is worked on changes nothing in what comes of it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar, cast

from records.refusal import Refusal

T = TypeVar("T")
# A worker that dies takes its shards with it; each is then worked on anew, elsewhere, so many times.
ATTEMPTS = 3
SECONDS_TO_ANSWER = 20


class NoCluster(Refusal):
    """No Dask scheduler answers at the address, or none of its workers."""


def over_shards(work: Callable[[int], T], shards: int, *, processes: int = 1, dask: str | None = None) -> Iterator[T]:
    """Yield what the work returns for shard 0, 1, 2 ..., in their order.

    Parameters
    ----------
    work
        Takes a shard's number. It and what it returns travel between processes: no open files, no frames it could
        read by itself. On a cluster every worker must reach the home by the same path and run the same code.
    processes
        How many at a time on this machine; 1: in this process.
    dask
        Address of a Dask scheduler, for example 'tcp://10.0.0.5:8786': the work is done there instead.

    Raises
    ------
    NoCluster
        Nothing answers at that address, or no worker is there.
    """
    if dask is not None:
        yield from _on_cluster(work, shards, dask)
    elif processes == 1 or shards == 1:
        yield from map(work, range(shards))
    else:
        # Spawned, not forked: LightGBM's and Arrow's threads do not survive a fork.
        with ProcessPoolExecutor(min(processes, shards), mp_context=get_context("spawn")) as pool:
            yield from pool.map(work, range(shards))


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Give a Dask client of the scheduler at the address.

    Raises
    ------
    NoCluster
        Nothing answers there, it is no address, or the scheduler has no worker: work would wait for ever.
    """
    # Every process of this machine would pay most of a second and 40 MB for what only a cluster needs.
    import distributed  # noqa: PLC0415 - see above

    try:
        client = cast(Any, distributed.Client)(address, timeout=SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoCluster(
            f"no Dask scheduler answers at {address!r}; start one with `dask scheduler` and workers with `dask worker`"
        ) from error
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise NoCluster(f"the Dask scheduler at {address} has no worker; start one with `dask worker {address}`")
        yield client


def _on_cluster(work: Callable[[int], T], shards: int, address: str) -> Iterator[T]:
    with connected(address) as client:
        # Two for each thread: nobody waits, and results not fetched yet never fill the workers' memory.
        ahead = 2 * max(1, sum(client.nthreads().values()))
        waiting: deque[Any] = deque()
        for shard in range(shards):
            waiting.append(client.submit(work, shard, pure=False, retries=ATTEMPTS))
            if len(waiting) == ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
