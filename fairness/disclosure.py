"""Which figures may be shown: small counts are hidden with everything that would give them away."""

from collections.abc import Sequence

from fairness.findings import Cell, PracticeRow
from fairness.policy import Disclosure


def hides(cell: Cell, rule: Disclosure) -> bool:
    """Return whether a cell's figures are hidden: a group, a base, or what is counted, under the least count.

    A count of nought of a large enough base is shown: that nobody of a group was reached is what an
    audit is for. The verdict in words is always shown.
    """
    if min(cell.pupils, cell.n, cell.positives) < rule.primary:
        return True
    if cell.estimate is None:
        return False
    # For a ratio to what was expected the estimate is no share of n; its base is far over the least count.
    hits = cell.estimate * cell.n if cell.estimate <= 1 else float(cell.n)
    return any(0.5 < count < rule.primary - 0.5 for count in (hits, cell.n - hits))


def hidden_cells(cells: Sequence[Cell], rule: Disclosure) -> set[tuple[str, str, str]]:
    """Return the attribute, group and metric of every cell whose figures are hidden.

    Secondary hiding is worked out within one attribute and one metric: its groups add up to everybody.
    """
    families: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        families.setdefault((cell.attribute, cell.metric), []).append(cell)
    found = set()
    for family in families.values():
        hidden = with_secondary([hides(cell, rule) for cell in family], [cell.pupils for cell in family])
        found |= {(cell.attribute, cell.group, cell.metric) for cell, hide in zip(family, hidden, strict=True) if hide}
    return found


def hides_practice(row: PracticeRow, rule: Disclosure) -> bool:
    """Return whether a row of sanctions is hidden."""
    return min(row.incidents, row.sanctions) < rule.primary


def with_secondary(hidden: Sequence[bool], sizes: Sequence[int]) -> list[bool]:
    """Return which of an attribute's groups are hidden: never one alone.

    A single hidden group is everybody less the others; the smallest of the others is hidden with it.
    """
    found = list(hidden)
    shown = [place for place, hide in enumerate(found) if not hide]
    if found.count(True) == 1 and shown:
        found[min(shown, key=lambda place: sizes[place])] = True
    return found


def rounded(count: int, rule: Disclosure) -> int:
    """Return the count rounded to the policy's step."""
    return rule.round * round(count / rule.round)
