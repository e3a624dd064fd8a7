"""The one room that decides which figures may be shown: page, report, PDF, JSON and model card all ask here.

A group's figures are shown together or not at all: its metrics share their counts, so that one shown beside another
hidden would give the hidden one away. The verdict in words is always shown.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from fairness.exhibits import TermCells
from fairness.findings import EVERYONE, Cell, PracticeRow
from fairness.metrics import BY_NAME
from fairness.policy import Disclosure, Policy
from fairness.subtraction import ANY, Count, Part, Span, Sum, hidden_parts

# Figures are published to so many decimals; what follows from a figure is worked out from those.
PLACES = 2
Key = tuple[str, ...]
_PUPILS, _POSITIVES = "pupils", "positives"


def hides(cell: Cell, rule: Disclosure) -> bool:
    """Return whether a cell's figures are hidden for its own sake: too few pupils, a small base, a small count.

    A count of nought of a large enough base is shown: that nobody of a group was reached is what an
    audit is for.
    """
    if min(cell.pupils, cell.positives) < rule.primary:
        return True
    return any(0.5 < count.value < rule.primary - 0.5 for count in _counts(cell, rule).values())


def hidden_groups(
    cells: Sequence[Cell], policy: Policy, *, already: Collection[Key] = (), terms: Sequence[TermCells] = ()
) -> frozenset[Key]:
    """Return the (attribute, group) of every group whose figures are hidden, and (attribute, group, term) of a term's.

    Parameters
    ----------
    already
        Groups hidden in an earlier audit of the same terms: they stay hidden, so that two reports laid beside
        each other tell no more than one.
    terms
        The same groups' cells of each term alone: a group's terms add up to the group.
    """
    parts = [_part(key, mine, policy) for key, mine in _by_group(cells).items()]
    sums = _sums({part.key: part for part in parts}, policy)
    for term in terms:
        of_term = [_part((*key, term.term), mine, policy) for key, mine in _by_group(term.cells).items()]
        sums += [
            _whole([part for part in of_term if part.key[0] == name]) for name in {part.key[0] for part in of_term}
        ]
        parts += of_term
    for key in {part.key[:2] for part in parts if len(part.key) > 2}:
        mine = tuple(part.key for part in parts if part.key[:2] == key and len(part.key) > 2)
        sums.append(Sum(parts=mine, total=key, known={}, spare={}, left_out=frozenset({_PUPILS})))
    return hidden_parts(parts, sums, least=policy.disclosure.primary, already=already)


def _by_group(cells: Iterable[Cell]) -> dict[Key, list[Cell]]:
    groups: dict[Key, list[Cell]] = {}
    for cell in cells:
        if cell.attribute != EVERYONE:
            groups.setdefault((cell.attribute, cell.group), []).append(cell)
    return groups


def hidden_cells(
    cells: Sequence[Cell], policy: Policy, *, already: Collection[Key] = (), terms: Sequence[TermCells] = ()
) -> set[tuple[str, str, str]]:
    """Return the attribute, group and metric of every cell whose figures are hidden (as `hidden_groups`)."""
    groups = hidden_groups(cells, policy, already=already, terms=terms)
    return {
        (cell.attribute, cell.group, cell.metric)
        for cell in cells
        if (cell.attribute, cell.group) in groups or (cell.attribute == EVERYONE and hides(cell, policy.disclosure))
    }


def hidden_practice(rows: Sequence[PracticeRow], policy: Policy) -> frozenset[Key]:
    """Return the (attribute, group) of every group whose sanctions are hidden."""
    rule = policy.disclosure
    counted = [((row.attribute, row.group), {"incidents": row.incidents, "sanctions": row.sanctions}) for row in rows]
    return hidden_counts(counted, rule)


def hidden_counts(rows: Iterable[tuple[Key, Mapping[str, int]]], rule: Disclosure) -> frozenset[Key]:
    """Return which rows of plain counts are hidden: those with a count from 1 to under the least, and partners.

    Rows whose keys begin alike (all but the last part of the key) add up to a total that anybody may know.
    """
    parts = [
        Part(
            key=key,
            size=max(counts.values(), default=0),
            counts={name: Count(value=value, shown=_rounded_span(value, rule)) for name, value in counts.items()},
            small=any(0 < value < rule.primary for value in counts.values()) or max(counts.values(), default=0) == 0,
        )
        for key, counts in rows
    ]
    families: dict[Key, list[Part]] = {}
    for part in parts:
        families.setdefault(part.key[:-1], []).append(part)
    return hidden_parts(parts, [_whole(family) for family in families.values()], least=rule.primary)


def rounded(count: float, rule: Disclosure) -> int:
    """Return the count rounded to the policy's step."""
    return rule.round * round(count / rule.round)


def _part(key: Key, cells: Sequence[Cell], policy: Policy) -> Part:
    rule, first = policy.disclosure, cells[0]
    counts = {
        _PUPILS: Count(
            value=first.pupils,
            shown=_rounded_span(first.pupils, rule),
            # A hidden group of so few is said to be 'fewer than' so many.
            hidden=(0, rule.primary - 1) if first.pupils < rule.primary else ANY,
        ),
        _POSITIVES: Count(
            value=first.positives, shown=_rounded_span(first.positives, rule), hidden=_said_of_positives(first, policy)
        ),
    }
    for cell in cells:
        counts |= {f"{cell.metric} {name}": count for name, count in _counts(cell, rule).items()}
    return Part(key=key, size=first.pupils, counts=counts, small=any(hides(cell, rule) for cell in cells))


def _said_of_positives(cell: Cell, policy: Policy) -> Span:
    """Return what the verdict's own words say of a hidden group: 'too few pupils' is under the policy's least."""
    attribute = next((one for one in policy.attributes if one.name == cell.attribute), None)
    judged = attribute is not None and attribute.gate != "report" and cell.group in attribute.groups
    least = policy.inference.min_positives
    if not judged or cell.rest_positives < least:
        return ANY
    return (0, least - 1) if cell.positives < least else (least, math.inf)


def _counts(cell: Cell, rule: Disclosure) -> dict[str, Count]:
    """Return what a metric counts: its base, what is counted and, where that is part of the base, what is left.

    Expected counts are no counts of pupils, so a ratio to them has a base alone.
    """
    metric = BY_NAME.get(cell.metric)
    window = _rounded_span(cell.n, rule)
    if cell.estimate is None or metric is None or metric.rows != "pupil_terms":
        return {"base": Count(value=cell.n, shown=window)}
    pairs = _pairs(cell.estimate, window)
    found = {"base": [base for base, _ in pairs], "hits": [hits for _, hits in pairs]}
    values = {"base": float(cell.n), "hits": cell.estimate * cell.n}
    if metric.among:
        found["rest"] = [base - hits for base, hits in pairs]
        values["rest"] = (1 - cell.estimate) * cell.n
    return {name: Count(value=values[name], shown=(min(ends), max(ends))) for name, ends in found.items()}


def _pairs(share: float, window: Span) -> list[tuple[int, int]]:
    """Return every whole base and count that a reader could have in mind: those whose share is published as this one.

    Counts are whole, so a share to two decimals often leaves few: 0.57 of 33 to 37 pupils is 20 of 35 or 21 of 37.
    """
    half = 0.5 * 10**-PLACES + 1e-9
    middle = round(share, PLACES)
    found: list[tuple[int, int]] = []
    for base in range(math.ceil(window[0]), math.floor(window[1]) + 1):
        low, high = math.ceil((middle - half) * base), math.floor((middle + half) * base)
        found += [(base, hits) for hits in {max(0, low), max(0, high)} if low <= hits <= high]
    # A number that no test or file should hold, but might: nothing is then taken for granted.
    return found or [(round(window[0]), 0), (round(window[1]), round(window[1]))]


def _rounded_span(count: float, rule: Disclosure) -> Span:
    middle = rounded(count, rule)
    return max(0.0, middle - rule.round / 2), middle + rule.round / 2


def _sums(parts: Mapping[Key, Part], policy: Policy) -> list[Sum]:
    """Return every sum that holds: an attribute's groups are everybody, and two attributes' groups those of one."""
    sums = []
    for attribute in policy.attributes:
        mine = [part for key, part in parts.items() if key[0] == attribute.name]
        sums.append(_whole(mine))
        if len(attribute.columns) > 1:
            sums += _margins(mine, attribute.name, attribute.columns, attribute.groups, policy)
    return sums


def _whole(parts: Sequence[Part]) -> Sum:
    names = {name for part in parts for name in part.counts}
    known = {name: sum(part.counts[name].value for part in parts if name in part.counts) for name in names}
    return Sum(parts=tuple(part.key for part in parts), total=None, known=known, spare={})


def _margins(
    parts: Sequence[Part], attribute: str, columns: Sequence[str], declared: Sequence[str], policy: Policy
) -> list[Sum]:
    singles = {one.columns[0]: one for one in policy.attributes if len(one.columns) == 1}
    undeclared = [part for part in parts if part.key[1] not in declared]
    spare: dict[str, float] = {}
    for part in undeclared:
        for name, count in part.counts.items():
            spare[name] = spare.get(name, 0.0) + count.value
    sums = []
    for place, column in enumerate(columns):
        if column not in singles:
            continue
        for group in singles[column].groups:
            inside = [key for key in (part.key for part in parts) if _side(key[1], place, len(columns)) == group]
            if inside:
                total = (singles[column].name, group)
                sums.append(Sum(parts=tuple(inside), total=total, known={}, spare=spare))
    return sums


def _side(group: str, place: int, sides: int) -> str | None:
    named = group.split(", ")
    return named[place] if len(named) == sides else None
