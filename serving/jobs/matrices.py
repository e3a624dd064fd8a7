"""One shard's features on a day: what a process or a cluster's worker is asked for by its number."""

from datetime import date

from features.compiled import build
from features.matrix import Matrix
from records.home import Home
from records.store import Store


def shard_matrix(home: Home, day: date, shard: int) -> Matrix:
    """Return the matrix of one shard on one day, read where this runs."""
    return build(Store(home).history(shard), [day])
