"""Which numbers are one pupil: chains, circles, quarrels, corrections, worked by hand."""

import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest

from records.identity.link_log import LINKS
from records.identity.links import Links, resolve

A, B, C, D = 1, 2, 3, 4
T, U = 90, 91  # temporary numbers
D1, D2, D3 = date(2025, 1, 10), date(2025, 2, 10), date(2025, 3, 10)
SCHOOL = 900001


def word(number: int, former: int, day: date = D1, *, school: int = SCHOOL, deleted: bool = False) -> dict[str, object]:
    return {
        "number": number,
        "former": former,
        "number_temporary": number in (T, U),
        "former_temporary": former in (T, U),
        "school": school,
        "entry_date": pd.Timestamp(2024, 9, 2),
        "known_on": pd.Timestamp(day),
        "deleted": deleted,
        "source": "f",
        "row": 2,
    }


def links(*words: dict[str, object]) -> Links:
    columns = [*(column.name for column in LINKS.columns), "known_on", "deleted", "source", "row"]
    frames = [pd.DataFrame(list(order), columns=pd.Index(columns)) for order in itertools.permutations(words)]
    found = [resolve(frame.astype({"deleted": bool, "known_on": "datetime64[s]"})) for frame in frames]
    for other in found[1:]:
        assert told(other) == told(found[0])
        assert other.contested.tolist() == found[0].contested.tolist()
        assert other.unproven.tolist() == found[0].unproven.tolist()
    return found[0]


def told(found: Links) -> dict[int, tuple[int, str]]:
    return {
        alias: (pupil, str(np.datetime64(day, "D")))
        for alias, pupil, day in zip(found.alias.tolist(), found.pupil.tolist(), found.proven_on, strict=True)
    }


def test_nothing_said_links_nobody():
    found = links()
    assert (len(found), found.of(np.array([A, B])).tolist()) == (0, [A, B])


def test_a_new_number_is_the_pupil_of_the_old_one():
    found = links(word(B, A))
    assert told(found) == {B: (A, "NaT")}
    assert found.of(np.array([A, B, C])).tolist() == [A, A, C]
    assert found.members(B) == found.members(A) == (A, B)


def test_a_chain_ends_at_its_first_permanent_number():
    """T became A, A became B, B became C: the pupil is A, under whom the longest history lies."""
    found = links(word(A, T), word(B, A, D2), word(C, B, D3))
    assert told(found) == {T: (A, "2025-01-10"), B: (A, "NaT"), C: (A, "NaT")}


def test_a_temporary_number_is_proven_on_the_day_it_first_meets_a_permanent_one():
    """T became U in January, and U became A in March: of T, too, nobody knew before March."""
    found = links(word(U, T), word(A, U, D3))
    assert told(found) == {T: (A, "2025-03-10"), U: (A, "2025-03-10")}


def test_the_first_day_a_word_was_said_counts():
    assert told(links(word(A, T, D3), word(A, T, D1), word(A, T, D2, school=900002))) == {T: (A, "2025-01-10")}


def test_temporary_numbers_among_themselves_prove_nobody():
    found = links(word(U, T))
    assert (len(found), found.unproven.tolist()) == (0, [T, U])


def test_two_pupils_who_claim_one_former_number_are_joined_to_neither():
    found = links(word(B, A), word(C, A, D2), word(D, C))
    assert told(found) == {D: (C, "NaT")}
    assert found.contested.tolist() == [A]


def test_a_quarrel_over_a_temporary_number_leaves_it_unproven():
    found = links(word(B, T), word(C, T))
    assert (len(found), found.unproven.tolist(), found.contested.tolist()) == (0, [T], [T])


def test_two_claims_of_one_chain_are_no_quarrel():
    """A became B, B became C, and one school wrote the older number beside C."""
    assert told(links(word(B, A), word(C, B, D2), word(C, A, D3, school=900002))) == {B: (A, "NaT"), C: (A, "NaT")}


def test_a_circle_ends_at_the_number_that_was_left_first():
    assert told(links(word(B, A, D2), word(A, B, D1))) == {A: (B, "NaT")}


def test_two_numbers_that_became_one_are_one_pupil():
    assert told(links(word(C, A, D2), word(C, B, D1, school=900002))) == {A: (B, "NaT"), C: (B, "NaT")}


def test_a_later_word_on_the_same_enrolment_takes_the_place_of_the_earlier():
    """The school mistyped the former number, and corrected it."""
    assert told(links(word(B, A, D1), word(B, C, D2))) == {B: (C, "NaT")}


def test_a_link_taken_back_does_not_return_with_the_next_export():
    assert told(links(word(B, A, D1), word(B, A, D2, deleted=True))) == {}


@pytest.mark.parametrize("deleted_on", [D1, D2])
def test_taking_back_one_link_leaves_the_others(deleted_on):
    assert told(links(word(B, A, D1), word(C, A, D1), word(C, A, deleted_on, deleted=True))) == {B: (A, "NaT")}
