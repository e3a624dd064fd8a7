"""What is hidden stays hidden: everything published is put into a linear programme, and no small count comes out.

A hidden count must not be placed more closely than a shown one is, and shown ones are rounded to five.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from fairness import disclosure, subtraction
from fairness.policy import read_policy
from fairness.report import view
from fairness.words import group_words, heading
from tests.attack import ASKED, LEAST, STEP, Attack, Published, ends_of, groups_of, is_hidden, read
from tests.flags_made_up import made_audit, made_pupils

POLICY = read_policy()
AUTUMN, SPRING, SUMMER = "2025/26 Autumn", "2025/26 Spring", "2025/26 Summer"


def networks(count: int) -> Iterator[tuple[int, object]]:
    """Networks of 150 to 3,000 pupils; in some a few pupils' groups are not known."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        unknown = float(rng.choice([0.0, 0.004, 0.03]))
        yield seed, made_pupils(seed, int(rng.integers(150, 3000)), (AUTUMN, SPRING, SUMMER), POLICY, unknown=unknown)


def true_counts(audit):
    """(attribute, group's words) -> each of the counts asked for, read off the audit itself."""
    found = {}
    for cell in audit.cells:
        mine = found.setdefault((cell.attribute, heading(group_words(cell.attribute, cell.group))), {})
        mine |= {"pupils": cell.pupils, "positives": cell.positives}
        hits = 0 if cell.estimate is None else round(cell.estimate * cell.n)
        if cell.metric == "recall":
            mine |= {"found": hits, "missed": cell.n - hits}
        elif cell.metric == "false_alarms":
            mine["wrong"] = hits
        elif cell.metric == "precision_ratio":
            mine |= {"flagged": cell.n, "flagged and not right": cell.n - hits}
    return found


def come_out(attack, report, audit):
    """Return how many small counts the report hides, and those of them (or of those it shows) that come out."""
    true, small, out = true_counts(audit), 0, []
    for attribute, group, rows in groups_of(report.shown):
        counts = true[attribute, group]
        few = [name for name in ASKED if 0 < counts[name] < LEAST]
        if not is_hidden(rows):
            out += [f"{attribute} {group}: {name} {counts[name]} is shown" for name in few]
            continue
        small += len(few)
        for name in few:
            low, high = ends_of(attack, (attribute, group), name, report)
            if high - low < STEP:
                out.append(f"{attribute} {group}: {name} {counts[name]} lies in {low:.2f} to {high:.2f}")
    return small, out


def published(made, terms, model, *earlier, seed):
    audit, totals = made_audit(made, terms, POLICY, seed=seed)
    audit = replace(audit, created_on=audit.created_on + timedelta(days=len(earlier)))
    shown = view(audit, policy=POLICY, earlier=earlier)
    return audit, Published(shown, totals, terms, model, totals_by_term(audit), given_in_terms(audit, shown))


def totals_by_term(audit):
    """Everybody's counts of each term, which anybody may know."""
    found = {}
    for term in audit.evidence.terms:
        cells = {cell.metric: cell for cell in term.cells if cell.attribute == "all"}
        recall, wrong = cells["recall"], cells["false_alarms"]
        hits = [0 if cell.estimate is None else round(cell.estimate * cell.n) for cell in (recall, wrong)]
        found[term.term] = {"positives": recall.n, "found": hits[0], "wrong": hits[1]}
    return found


def given_in_terms(audit, shown):
    """Of each group and term that the tables term by term show: more than they show of it."""
    words = {
        heading(group_words(attribute.name, group)): (attribute.name, group)
        for attribute in POLICY.attributes
        if len(attribute.columns) == 1
        for group in attribute.groups
    }
    seen = set()
    for table in shown["evidence"]:
        for row in table["rows"] if table["title"].startswith("Term by term") else ():
            for term, said in zip(table["heads"][1:], row[1:], strict=False):
                if any(letter.isdigit() for letter in said):
                    seen.add((*words[row[0]], term))
    found = {}
    for term in audit.evidence.terms:
        for cell in term.cells:
            if (cell.attribute, cell.group, term.term) in seen and cell.metric in {"recall", "false_alarms"}:
                key = (cell.attribute, heading(group_words(cell.attribute, cell.group)), term.term)
                mine = found.setdefault(key, {"positives": STEP * round(cell.positives / STEP), "shares": {}})
                mine["shares"][cell.metric] = round(cell.estimate, 2)
    return found


def test_nothing_small_comes_out_of_one_report():
    """5 seconds of a processor."""
    small = terms = 0
    for seed, made in networks(8):
        audit, report = published(made, (AUTUMN, SPRING), "a", seed=seed)
        attack = Attack()
        read(attack, report)
        few, out = come_out(attack, report, audit)
        assert out == [], f"network {seed}"
        small += few
        terms += len(report.in_terms)
    assert small > 100
    assert terms > 20


@pytest.mark.parametrize("later", [(AUTUMN, SPRING), (SPRING, SUMMER)], ids=["another model", "a term later"])
def test_nothing_small_comes_out_of_two_reports_laid_side_by_side(later):
    for seed, made in networks(3):
        first, report = published(made, (AUTUMN, SPRING), "a", seed=seed)
        second, then = published(made, later, "b", first, seed=seed + 100)
        attack = Attack()
        read(attack, report)
        read(attack, then)
        assert come_out(attack, report, first)[1] == [], f"network {seed}, the first report"
        assert come_out(attack, then, second)[1] == [], f"network {seed}, the second report"


def test_without_its_partners_a_small_count_comes_out(monkeypatch):
    """The attack has teeth: hide the small groups alone, as rounding alone would, and it finds some of them."""
    monkeypatch.setattr(
        disclosure, "hidden_parts", lambda parts, *_, **__: frozenset(part.key for part in parts if part.small)
    )
    found = []
    for seed, made in networks(12):
        audit, report = published(made, (AUTUMN, SPRING), "a", seed=seed)
        attack = Attack()
        read(attack, report)
        found += come_out(attack, report, audit)[1]
        if any("lies in" in one for one in found):
            break
    assert any("lies in" in one for one in found)
    assert subtraction.hidden_parts is not disclosure.hidden_parts
