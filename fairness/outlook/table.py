"""The gate's chances by size of network, simulated beforehand and kept beside the code: `power.json`.

Made by `python -m benchmarks.gate_power --full --write` for the policy that Belong ships with; it says nothing about
another policy, for which networks are drawn on the spot.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from fairness.outlook.chances import Chances
from fairness.policy import Policy

TABLE = "power.json"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One size of network: a fair world, and one in which each of these groups is found .20 less often."""

    pupils: int
    fair: Chances
    struck: Mapping[str, Chances]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows by size; `policy` is the digest of what decides, `dials` group → share of its incidents not written down."""

    policy: str
    dials: Mapping[str, float]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Chances for one network, 0 to 1: of PASS and FAIL in a fair world, of FAIL for a group .20 worse, by group.

    `settled`: attribute → chance that each of its comparisons is settled, in a fair world. `draws` networks stand
    behind each, so a chance p is known to about 2 x sqrt(p (1 - p) / draws).
    """

    pupils: int
    draws: int
    passed: float
    failed: float
    settled: Mapping[str, float]
    struck: Mapping[str, float]


def write_table(rows: Sequence[Row], policy: Policy, dials: Mapping[str, float], file: Path) -> None:
    """Write the table."""
    said = {
        "policy": policy.deciding_digest,
        "dials": {group: round(share, 4) for group, share in dials.items()},
        "rows": [
            {"pupils": row.pupils, "fair": _plain(row.fair), "struck": {g: _plain(c) for g, c in row.struck.items()}}
            for row in rows
        ],
    }
    file.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _plain(found: Chances) -> dict[str, Any]:
    return {
        "draws": found.draws,
        "passed": found.passed,
        "failed": found.failed,
        "named": found.named,
        "settled": dict(found.settled),
    }


def read_table() -> Table:
    """Return the table that Belong ships with."""
    said = json.loads(files("fairness.outlook").joinpath(TABLE).read_text(encoding="utf-8"))
    rows = tuple(
        Row(
            pupils=row["pupils"],
            fair=Chances(**row["fair"]),
            struck={group: Chances(**found) for group, found in row["struck"].items()},
        )
        for row in said["rows"]
    )
    return Table(policy=said["policy"], dials=said["dials"], rows=rows)


def outlook(table: Table, pupils: int) -> Outlook:
    """Return the chances of a network of this size: between two rows a straight line on the logarithm of pupils.

    A smaller network than the table's smallest has that one's chances, which are then too good; a larger than its
    largest likewise, too poor.
    """
    sizes = [row.pupils for row in table.rows]
    place = min(max(sum(size <= pupils for size in sizes) - 1, 0), len(sizes) - 2)
    below, above = table.rows[place], table.rows[place + 1]
    reach = math.log(above.pupils / below.pupils)
    along = min(max(math.log(pupils / below.pupils) / reach, 0.0), 1.0)

    def between(low: float, high: float) -> float:
        return low + along * (high - low)

    one, two = below.fair, above.fair
    return Outlook(
        pupils=pupils,
        draws=min(one.draws, two.draws),
        passed=between(one.passed / one.draws, two.passed / two.draws),
        failed=between(one.failed / one.draws, two.failed / two.draws),
        settled={
            name: between(count / one.draws, two.settled[name] / two.draws) for name, count in one.settled.items()
        },
        struck={
            group: between(found.named / found.draws, above.struck[group].named / above.struck[group].draws)
            for group, found in below.struck.items()
        },
    )
