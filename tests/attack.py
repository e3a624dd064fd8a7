"""Someone who has everything that was published, knows every total, and tries to work out what was hidden.

It reads the published JSON alone, never the room that decides what is hidden. Unknowns are each group's counts;
what was published, and what must be true of counts, are linear bounds on them; `scipy.optimize.linprog` then finds
how small and how large a hidden count can be.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

STEP = 5
LEAST = 10
HALF = 0.005 + 1e-9
COUNTS = ("pupils", "terms", "positives", "found", "late", "wrong")
# What each published share counts, out of what, in the counts above.
SHARES = {
    "recall": (("found",), ("positives",)),
    "false_alarms": (("wrong",), ("positives",)),
    "fpr_ratio": (("wrong",), ("terms", "-positives")),
    "precision_ratio": (("found",), ("found", "late", "wrong")),
    "selection_ratio": (("found", "late", "wrong"), ("terms",)),
    "false_omission": (("positives", "-found"), ("terms", "-found")),
}
# Counts that no published figure names and that are hidden all the same where they are small.
ASKED = {
    "pupils": ("pupils",),
    "positives": ("positives",),
    "found": ("found",),
    "missed": ("positives", "-found"),
    "wrong": ("wrong",),
    "flagged": ("found", "late", "wrong"),
    "flagged and not right": ("late", "wrong"),
}


@dataclass(frozen=True)
class Published:
    """One report as published, the terms and the model it is of, and everybody's counts, which anybody may know.

    Pupils and outcomes of a term are the same for every model audited on it; flags are a model's own. `by_term` are
    everybody's counts of each term; `in_terms` what is given of a group in one term (attribute, group, term): its
    positives to the nearest five and its recall and false alarms to two decimals, which is more than is published.
    """

    shown: Mapping[str, Any]
    totals: Mapping[str, int]
    terms: tuple[str, ...]
    model: str
    by_term: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    in_terms: Mapping[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)

    def own(self, names: Iterable[str]) -> list[str]:
        """Return the unknowns that these counts are the sum of: outcomes by term, flags by model."""
        found = []
        for name in names:
            sign, plain = ("-", name[1:]) if name.startswith("-") else ("", name)
            if plain in {"found", "late", "wrong"}:
                found += [f"{sign}{plain} {self.model} {term}" for term in self.terms]
            elif plain == "pupils":
                found.append(name)
            else:
                found += [f"{sign}{plain} {term}" for term in self.terms]
        return found


@dataclass
class Attack:
    """Unknowns by name, and the linear bounds gathered so far."""

    names: dict[tuple[Any, ...], int] = field(default_factory=dict)
    under: list[tuple[dict[int, float], float]] = field(default_factory=list)
    equal: list[tuple[dict[int, float], float]] = field(default_factory=list)
    sealed: tuple[csr_array, csr_array] | None = None

    def row(self, key: Sequence[Any], counts: Iterable[str], times: float = 1.0) -> dict[int, float]:
        """Return the sum of a group's counts as coefficients; '-' before a name takes it off."""
        row: dict[int, float] = {}
        for name in counts:
            place = self.names.setdefault((*key, name.removeprefix("-")), len(self.names))
            row[place] = row.get(place, 0.0) + (-times if name.startswith("-") else times)
        return row

    def at_most(self, row: Mapping[int, float], end: float) -> None:
        """Add: the sum is at most the end."""
        self.under.append((dict(row), end))

    def between(self, row: Mapping[int, float], low: float, high: float) -> None:
        """Add: the sum lies between the ends."""
        self.at_most(row, high)
        self.at_most({place: -times for place, times in row.items()}, -low)

    def same(self, row: Mapping[int, float], value: float) -> None:
        """Add: the sum is known."""
        self.equal.append((dict(row), value))

    def ends(self, row: Mapping[int, float]) -> tuple[float, float]:
        """Return the least and the most that the sum can be, given everything."""
        if self.sealed is None or self.sealed[0].shape[1] != len(self.names):
            self.sealed = (self._matrix(self.under), self._matrix(self.equal))
        wanted = np.zeros(len(self.names))
        wanted[list(row)] = list(row.values())
        under, equal = self.sealed
        found = []
        for sign in (1, -1):
            said = linprog(
                sign * wanted,
                A_ub=under,
                b_ub=[end for _, end in self.under],
                A_eq=equal,
                b_eq=[end for _, end in self.equal],
                bounds=(0, None),
            )
            if said.status == 3:
                found.append(-sign * math.inf)
                continue
            assert said.status == 0, said.message
            found.append(sign * said.fun)
        return found[0], found[1]

    def _matrix(self, rows: Sequence[tuple[dict[int, float], float]]) -> csr_array:
        places = [(at, place, times) for at, (one, _) in enumerate(rows) for place, times in one.items()]
        lines, columns, values = zip(*places, strict=True)
        return csr_array((values, (lines, columns)), shape=(len(rows), len(self.names)))


def together(*rows: Mapping[int, float]) -> dict[int, float]:
    """Return the sum of rows of coefficients."""
    found: dict[int, float] = {}
    for row in rows:
        for place, times in row.items():
            found[place] = found.get(place, 0.0) + times
    return found


def read(attack: Attack, report: Published) -> None:
    """Add everything that one report says; another may be added to it."""
    by_attribute: dict[str, list[str]] = {}
    words = {(attribute, group): rows["recall"]["word"] for attribute, group, rows in groups_of(report.shown)}
    _said(attack, words, report)
    for attribute, group, rows in groups_of(report.shown):
        key = (attribute, group)
        by_attribute.setdefault(attribute, []).append(group)
        _true_of_counts(attack, key, report)
        first = next(iter(rows.values()))
        if isinstance(first["n"], int):
            _window(attack, attack.row(key, ["pupils"]), first["n"])
        elif str(first["n"]).startswith("fewer"):
            attack.at_most(attack.row(key, ["pupils"]), LEAST - 1)
        if isinstance(first["positives"], int):
            _window(attack, attack.row(key, report.own(["positives"])), first["positives"])
        for metric, row in rows.items():
            if row["share"] is not None and metric in SHARES:
                hits, base = (report.own(names) for names in SHARES[metric])
                _share(attack, key, hits, base, row["share"])
                if metric == "recall" and row["estimate"] is not None:
                    _rest(attack, key, row["share"] + row["estimate"], report)
    _terms(attack, by_attribute, report)
    for attribute, groups in by_attribute.items():
        for name in COUNTS:
            rows = [attack.row((attribute, group), report.own([name])) for group in groups]
            attack.same(together(*rows), report.totals[name])
    _margins(attack, by_attribute, report)


def _terms(attack: Attack, by_attribute: Mapping[str, Sequence[str]], report: Published) -> None:
    for (attribute, group, term), given in report.in_terms.items():
        alone = replace(report, terms=(term,))
        positives = alone.own(["positives"])
        _window(attack, attack.row((attribute, group), positives), given["positives"])
        for metric, share in given["shares"].items():
            hits = alone.own(SHARES[metric][0])
            _share(attack, (attribute, group), hits, positives, share)
    for term, totals in report.by_term.items():
        alone = replace(report, terms=(term,))
        for attribute, groups in by_attribute.items():
            for name in ("positives", "found", "wrong"):
                rows = [attack.row((attribute, group), alone.own([name])) for group in groups]
                attack.same(together(*rows), totals[name])


def groups_of(shown: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield attribute, group and its published row by metric."""
    figures = [*shown["figures"], *(figure for fold in shown["folds"] for figure in fold["figures"])]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for figure in figures:
        for block in figure["blocks"]:
            for row in block["rows"]:
                found.setdefault((block["attribute"], row["group"]), {})[figure["metric"]] = row
    for (attribute, group), rows in found.items():
        yield attribute, group, rows


def is_hidden(rows: Mapping[str, Any]) -> bool:
    """Whether a group's figures are not shown."""
    return all(row["share"] is None and row["estimate"] is None for row in rows.values())


def ends_of(attack: Attack, key: Sequence[str], count: str, report: Published) -> tuple[float, float]:
    """Return how closely one of a hidden group's counts can be placed."""
    return attack.ends(attack.row(key, report.own(ASKED[count])))


def _true_of_counts(attack: Attack, key: Sequence[str], report: Published) -> None:
    for term in report.terms:
        attack.at_most(attack.row(key, [f"terms {term}", "-pupils"]), 0)
        attack.at_most(attack.row(key, [f"positives {term}", f"-terms {term}"]), 0)
    attack.at_most(attack.row(key, report.own(["pupils", "-terms"])), 0)
    attack.at_most(attack.row(key, report.own(["found", "late", "-positives"])), 0)
    attack.at_most(attack.row(key, report.own(["wrong", "positives", "-terms"])), 0)


def _window(attack: Attack, row: Mapping[int, float], said: int) -> None:
    attack.between(row, said - STEP / 2, said + STEP / 2)


def _share(attack: Attack, key: Sequence[str], hits: Sequence[str], base: Sequence[str], share: float) -> None:
    top, bottom = attack.row(key, hits), attack.row(key, base)
    for end, sign in ((share + HALF, 1), (share - HALF, -1)):
        scaled = {place: -end * times for place, times in bottom.items()}
        attack.at_most({place: sign * times for place, times in together(top, scaled).items()}, 0)


def _rest(attack: Attack, key: Sequence[str], share: float, report: Published) -> None:
    """The gap to all others and the group's own share give the share of all others, to within a point."""
    found, positives = attack.row(key, report.own(["found"])), attack.row(key, report.own(["positives"]))
    for end, sign in ((share + 2 * HALF, 1), (share - 2 * HALF, -1)):
        # (total found - found) - end x (total positives - positives) <= 0, or >= 0.
        row = together({place: -times for place, times in found.items()}, {p: end * t for p, t in positives.items()})
        most = sign * (end * report.totals["positives"] - report.totals["found"])
        attack.at_most({place: sign * times for place, times in row.items()}, most)


def _said(attack: Attack, words: Mapping[tuple[str, str], str], report: Published) -> None:
    """Any word but 'too few' is thirty or more with the outcome; 'too few' is fewer, where another group has thirty."""
    enough = {key for key, word in words.items() if word not in {"too few pupils", "shown only"}}
    for key, word in words.items():
        positives = attack.row(key, report.own(["positives"]))
        if key in enough:
            attack.at_most({place: -times for place, times in positives.items()}, -30)
        elif word == "too few pupils" and any(other[0] == key[0] for other in enough):
            attack.at_most(positives, 29)


def _margins(attack: Attack, by_attribute: Mapping[str, Sequence[str]], report: Published) -> None:
    """Girls are girls of every provision; the words of a group of two characteristics name both."""
    both = by_attribute.get("sex_x_sen", ())
    if any(group == "Not known" for group in both):
        return
    for attribute in ("sex", "sen"):
        for group in by_attribute.get(attribute, ()):
            inside = [one for one in both if group.lower() in one.lower().split(", ")]
            for name in COUNTS if inside else ():
                rows = [attack.row(("sex_x_sen", one), report.own([name])) for one in inside]
                whole = attack.row((attribute, group), report.own([name]))
                attack.same(together(*rows, {place: -times for place, times in whole.items()}), 0)
