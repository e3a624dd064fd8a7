"""Which counts are hidden, on tables small enough to work out by hand. Least count 10, rounded to 5."""

import pytest

from fairness.disclosure import hidden_counts, hidden_practice, rounded
from fairness.findings import PracticeRow
from fairness.policy import read_policy

RULE = read_policy().disclosure


def hidden(*rows):
    """Return the hidden ones of (family, row, count)."""
    found = hidden_counts([((family, name), {"pupils": count}) for family, name, count in rows], RULE)
    return {name for _, name in found}


def test_a_small_count_is_hidden_with_the_smallest_other_that_gives_it_away():
    """104 in all, 60 and 40 shown to within 2.5 each: 4 lies within -1 to 9, less than ten wide: 40 goes too."""
    assert hidden(("a", "few", 4), ("a", "more", 40), ("a", "most", 60)) == {"few", "more"}


def test_rounding_alone_hides_a_small_count_among_many_groups():
    """Six others, each to within 2.5: 4 lies within 0 to 4 + 15 or so, and nothing else needs to go."""
    assert hidden(("a", "few", 4), *(("a", f"group {at}", 50 + at) for at in range(6))) == {"few"}


def test_two_small_counts_hide_each_other_only_if_they_leave_room():
    """2 and 3 beside one of 200: together 2.5 to 7.5, so each lies within 0 to 7.5: the 200 goes as well."""
    assert hidden(("a", "one", 2), ("a", "two", 3), ("a", "most", 200)) == {"one", "two", "most"}


def test_a_row_of_nothing_has_nothing_to_show_and_another_family_is_not_touched():
    assert hidden(("a", "none", 0), ("a", "ten", 10), ("a", "most", 60)) == {"none"}
    assert hidden(("a", "few", 4), ("a", "most", 60), ("b", "ten", 10), ("b", "most too", 70)) == {"few", "most"}


def test_where_all_are_small_all_are_hidden():
    assert hidden(("a", "one", 1), ("a", "two", 2)) == {"one", "two"}


@pytest.mark.parametrize(("count", "said"), [(12, 10), (13, 15), (147, 145), (148, 150), (0, 0)])
def test_counts_are_rounded_to_five(count, said):
    assert rounded(count, RULE) == said


def test_few_sanctions_hide_a_group_and_its_partner():
    def row(group, incidents, sanctions):
        return PracticeRow(
            attribute="sex",
            group=group,
            incidents=incidents,
            sanctions=sanctions,
            expected=20.0,
            ratio=1.0,
            lower=0.5,
            upper=2.0,
        )

    policy = read_policy()
    assert hidden_practice([row("female", 400, 9), row("male", 400, 31)], policy) == {
        ("sex", "female"),
        ("sex", "male"),
    }
    assert hidden_practice([row("female", 400, 29), row("male", 400, 31)], policy) == frozenset()
