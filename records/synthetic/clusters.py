"""Clusters: groups of neighbouring schools that are simulated one after another, so that memory stays flat.

Pupils move within a cluster only. Each has random streams and UPNs of its own, so a cluster's files do not
depend on which others were made before it, or beside it.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from records.synthetic.network import Site, sites
from records.synthetic.plan import NetworkPlan

# Measured: 0.4 GB for 50,000 pupils over a year, however many clusters follow (benchmarks/simulate.py).
MOST_PUPILS, MOST_SCHOOLS = 50_000, 100
STREAMS = (
    "schools", "rolls", "people", "traits", "state", "sanctions", "register", "events", "mess", "season", "files",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One group of schools: its place among all of them, from 0, and its sites."""

    number: int
    of: int
    sites: tuple[Site, ...]

    @property
    def tag(self) -> str:
        """Its name in file names: '' where it is the only one."""
        return f"{self.number + 1:03d}" if self.of > 1 else ""

    def streams(self, seed: int) -> dict[str, np.random.Generator]:
        """Return a generator per purpose: a change in one room leaves the draws of the others alone."""
        root = np.random.SeedSequence(seed, spawn_key=(self.number,) if self.number else ())
        children = zip(STREAMS, root.spawn(len(STREAMS)), strict=True)
        return {name: np.random.default_rng(child) for name, child in children}


def clusters_of(plan: NetworkPlan) -> tuple[Cluster, ...]:
    """Return the plan's clusters, of whole schools and about equal size."""
    schools = plan.number_of_schools
    groups = max(ceil(plan.pupils / MOST_PUPILS), ceil(schools / MOST_SCHOOLS))
    found = sites(pupils=plan.pupils, schools=schools, phase=plan.phase, groups=groups)
    return tuple(Cluster(number=number, of=groups, sites=chosen) for number, chosen in enumerate(found))
