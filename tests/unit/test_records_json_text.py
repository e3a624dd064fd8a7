"""JSON from outside: what is refused, where, and that nothing crashes (FAULTS 3, 4, 6, 19)."""

import pytest

from records.text import json_text
from records.text.json_text import Number, parse
from records.text.sheet import FileRefused


def test_numbers_stay_as_they_are_written_and_texts_stay_texts():
    found = parse(b'\xef\xbb\xbf{"a": 1e999, "b": 12345678901234567890, "c": "5", "d": [true, null, -2.50]}', "p.json")
    assert found == {"a": "1e999", "b": "12345678901234567890", "c": "5", "d": [True, None, "-2.50"]}
    assert isinstance(found, dict)
    assert [type(found[name]) for name in "abc"] == [Number, Number, str]


@pytest.mark.parametrize("opens", [b"[", b'{"a":'])
def test_200_000_levels_are_refused_at_the_first_too_many(opens):
    with pytest.raises(FileRefused, match=rf"deep.json, byte {64 * len(opens)}: values are nested more than 64 deep"):
        parse(opens * 200_000, "deep.json")


def test_brackets_inside_a_text_are_no_levels():
    assert parse(b'["' + b"[" * 500 + b'"]', "p.json") == ["[" * 500]


def test_a_text_that_is_never_closed_takes_no_longer_than_it_is():
    """500,000 escaped quotes: a pattern that tries again from each would not end today."""
    with pytest.raises(FileRefused, match="it is not JSON from here on"):
        parse(b"[" + b"[]," * 70 + b'"' + b'\\"' * 500_000, "p.json")


@pytest.mark.parametrize(
    ("data", "place", "what"),
    [
        (b'{"a": NaN}', "somewhere in it", "it holds NaN, which is no number"),
        (b"[-Infinity]", "somewhere in it", "it holds -Infinity, which is no number"),
        (b'{"upn": "R2", "upn": "B8"}', "somewhere in it", "an object names one of its keys twice"),
        (b'["Zo\xeb"]', "byte 4", "this byte is not UTF-8, the encoding of JSON"),
        (b'["a",\n "b" oh]', "line 2, column 6", "it is not JSON from here on"),
        (b"", "line 1, column 1", "it is not JSON from here on"),
        (b'["\\ud800"]', "somewhere in it", "a text holds half of a character (an unpaired surrogate)"),
        (b'{"\\udfff": 1}', "somewhere in it", "a text holds half of a character (an unpaired surrogate)"),
    ],
)
def test_what_cannot_be_one_value_is_refused_with_its_place(data, place, what):
    with pytest.raises(FileRefused) as refused:
        parse(data, "p.json")
    assert (refused.value.place, refused.value.what) == (place, what)


def test_a_whole_character_written_as_a_pair_is_read():
    assert parse(b'["\\ud83d\\ude00"]', "p.json") == ["\N{GRINNING FACE}"]


def test_a_file_over_the_cap_is_refused(monkeypatch):
    monkeypatch.setattr(json_text, "PAGE_CAP_BYTES", 1 << 20)
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        parse(b" " * ((1 << 20) + 1), "p.json")


def test_a_refusal_repeats_nothing_of_the_file():
    with pytest.raises(FileRefused) as refused:
        parse(b'{"surname": "Testann" Synthetic}', "p.json")
    assert "Testann" not in str(refused.value)
    assert "Synthetic" not in str(refused.value)
