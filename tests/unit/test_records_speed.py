"""The quick ways of an ingest give what the slow ones say: numbers, repeats, rules, quotes, crowded columns."""

import io
import random
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from stdnum.gb import upn as upn_standard

from records import delta
from records.arrow import schema_of
from records.pseudonym import Prover, doubt, pseudonyms
from records.rows.doubles import doubles
from records.rows.row_rules import ROW_RULES, Coded, Values, breaking
from records.tables import MARKS
from records.text import damage, delimited
from records.text.damage import Text, refuse_damage
from records.text.delimited import read_sheet
from records.text.sheet import Distinct, FileRefused, distinct
from records.upns import ALPHABET, sound
from tests.export_files import ANN, BOB, CAT

DAY = date(2025, 7, 1)


def numbers(count: int) -> list[str]:
    """Return valid numbers, and each again with one character changed, in small letters, too long, too short."""
    rng = random.Random(7)
    made = []
    for _ in range(count):
        digits = "".join(rng.choice("0123456789") for _ in range(12))
        valid = upn_standard.calc_check_digit(digits) + digits
        place = rng.randrange(13)
        changed = valid[:place] + rng.choice(ALPHABET + "IOS é-") + valid[place + 1 :]
        made += [valid, changed, valid.lower(), valid + "0", valid[:-1], valid[:4] + " " + valid[4:]]
    return [*made, "", "é" * 13, "٣" * 13, "M80120000500A"]


def test_the_quick_look_at_a_number_passes_only_what_the_slow_one_proves():
    tried = numbers(150)
    quick = sound(tried)
    proven = np.array([not doubt(number) for number in tried])
    written_plainly = np.array([number == number.upper().replace(" ", "") for number in tried])
    assert quick.tolist() == (proven & written_plainly).tolist()
    assert quick.sum() >= 150


def test_numbers_beyond_one_block_are_looked_at_too(monkeypatch):
    monkeypatch.setattr("records.upns._SOME", 2)
    assert sound([ANN, BOB, "A201100018042", CAT, ""]).tolist() == [True, True, False, True, False]


def test_a_number_keeps_its_pseudonym_and_its_doubt_however_often_it_is_met():
    prover = Prover(b"k" * 32)
    first = (ANN, "", BOB.lower())
    made, doubts = prover.prove(first)
    again, same = prover.prove(first)
    assert (made.tolist(), doubts) == (again.tolist(), same)
    other, other_doubts = prover.prove((CAT, "", ANN))
    assert other[2] == made[0]
    assert list(doubts) == list(other_doubts) == [1]
    assert other.tolist() == pseudonyms([CAT, "", ANN], b"k" * 32).tolist()
    assert made[2] == pseudonyms([BOB], b"k" * 32)[0]


def test_the_pseudonym_is_the_first_63_bits_of_the_standard_keyed_hash():
    """RFC 4231, test case 2: the key 'Jefe', and a hash that begins 5bdcc146bf60754e."""
    from records.pseudonym import _keyed

    assert _keyed(["what do ya want for nothing?"], b"Jefe").tolist() == [0x5BDCC146BF60754E]


def test_a_row_that_says_the_same_again_is_found_however_many_columns_tell_rows_apart():
    few = [distinct(["a", "b", "a", "a", "b"]), distinct(["x", "x", "x", "y", "x"])]
    everyone = np.ones(5, dtype=bool)
    assert doubles(few, everyone).tolist() == [False, False, True, False, True]
    # The first row is not asked, so the third is the first to say it; the last still repeats the second.
    assert doubles(few, np.array([False, True, True, True, True])).tolist() == [False] * 4 + [True]
    # Six columns of 4,096 values are 2^72 combinations: in 64 bits the first column would lose its upper half.
    values = tuple(str(value) for value in range(4_096))
    first = Distinct(values, np.arange(4_096, dtype=np.int32))
    same = Distinct(values, np.zeros(4_096, dtype=np.int32))
    assert not doubles([first, *[same] * 5], np.ones(4_096, dtype=bool)).any()


@pytest.mark.parametrize("rows", [2, 400], ids=["fewer rows than combinations", "more rows than combinations"])
def test_a_rule_asked_about_combinations_breaks_the_same_rows(rows):
    rng = np.random.default_rng(1)
    days = np.array(["2025-03-03", "2025-03-08", "2025-07-02", "NaT"], "datetime64[s]")
    columns = {name: Coded(days, rng.integers(0, 4, rows).astype(np.int32)) for name in ("date", "known_on")}
    row_by_row = {name: column.values[column.codes] for name, column in columns.items()}
    asked = [rule for rule in ROW_RULES if rule.applies_to(MARKS)]
    assert len(asked) == 3
    for rule in asked:
        found = breaking(rule, columns, DAY)
        expected = rule.breaks(Values(row_by_row, DAY))
        assert (np.zeros(rows, dtype=bool) if found is None else found).tolist() == expected.tolist()
        assert rows == 2 or expected.any()


def test_a_rule_that_no_combination_breaks_looks_at_no_row():
    monday = Coded(np.array(["2025-03-03"], "datetime64[s]"), np.zeros(9, dtype=np.int32))
    assert {breaking(rule, {"date": monday, "known_on": monday}, DAY) for rule in ROW_RULES[:2]} == {None}


def text_of(body: bytes) -> Text:
    return Text(data=body, start=0, end=len(body.rstrip(b"\r\n")), file="x.csv", columns=2, delimiter=",")


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        (b'a,b\n"1","2"\n', True),
        (b'a,b\r\n"1","O""Test, Ann"\r\n"",""\r\n', True),
        (b'a,b\n"""1""","2"', True),
        (b'a,b\n1,"2"x\n', False),
        (b'a,b\n1,x"2"\n', False),
        (b'a,b\n1,"2\n3","4"\n', False),
        (b'a,b\n1,"2\n', False),
    ],
)
def test_quotes_are_plain_or_each_line_is_looked_at(body, plain):
    assert damage._quotes_are_plain(text_of(body)) is plain


def test_a_quoted_export_is_not_looked_at_line_by_line(monkeypatch):
    monkeypatch.setattr(damage, "_damaged_lines", lambda _: pytest.fail("the slow way"))
    refuse_damage(text_of(b"a,b\n" + b'"1","2"\r\n' * 100))


def test_damage_is_found_in_any_block_and_at_its_edges(monkeypatch):
    monkeypatch.setattr(damage, "BLOCK_BYTES", 8)
    good = b"a,b\n" + b"1,2\n" * 20
    refuse_damage(text_of(good.replace(b"\n", b"\r\n")))
    for line in range(2, 21):
        start = 4 * (line - 1)
        faults = {
            "an empty line": good[:start] + b"\n" + good[start:],
            "carriage return inside": good[: start + 1] + b"\r" + good[start + 1 :],
            "not UTF-8": good[:start] + b"\xff" + good[start + 1 :],
        }
        for what, body in faults.items():
            with pytest.raises(FileRefused, match=what) as refusal:
                refuse_damage(text_of(body))
            assert refusal.value.place == (f"byte {start}" if what == "not UTF-8" else f"line {line}")


def test_a_column_of_many_values_is_read_like_any_other(monkeypatch):
    """What a large file's first bytes show decides how a column is read, never what it says."""
    rows = [f"{n % 3_000},{n % 7},é{n % 11}" for n in range(9_000)]
    data = ("a,b,c\r\n" + "\r\n".join(rows) + "\r\n").encode()
    slowly = read_sheet(data, file="x.csv", heading=("a", "b", "c"))
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 14)
    monkeypatch.setattr(delimited, "SAMPLE_BYTES", 1 << 14)
    crowded: list[str] = []
    parse = delimited._parse
    monkeypatch.setattr(
        delimited,
        "_parse",
        lambda text, end, types: (crowded.extend(n for n in types if types[n] == pa.string()), parse(text, end, types))[
            1
        ],
    )
    found = read_sheet(data, file="x.csv", heading=("a", "b", "c"))
    assert crowded == ["a"]
    assert found.rows == slowly.rows == 9_000
    for name in "abc":
        assert found.columns[name].text().tolist() == slowly.columns[name].text().tolist()
    assert found.source == slowly.source


def marks(day: int) -> pa.Table:
    """Return two marks of one day, of pupils in shards 0 and 1 of two."""
    schema = schema_of(MARKS)
    codes = {name: pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int16()), ["AM"]) for name in ("session", "code")}
    days = pa.array([day, day], pa.int32()).cast(pa.date32())
    plain = {"pupil": [10, 11], "school": [900001] * 2, "deleted": [False] * 2, "source": ["f"] * 2, "row": [day, day]}
    values = {**{name: pa.array(said, schema.field(name).type) for name, said in plain.items()}, **codes}
    return pa.table([values.get(name, days) for name in schema.names], schema=schema)


def test_crowded_shards_are_written_together_and_say_the_same(tmp_path):
    for day in range(5):
        delta.append(tmp_path, MARKS, [delta.Landing(f"load {day}", marks(20_000 + day))], 2)
    order = ["pupil", "row"]
    before = delta.read(tmp_path, MARKS, None)[0].sort_values(order, ignore_index=True)
    assert delta.compact(tmp_path, MARKS, most_files=5) == 0
    assert delta.compact(tmp_path, MARKS, most_files=4) == 2
    there = delta.open_table(tmp_path, MARKS)
    assert there is not None
    assert len(there.file_uris()) == 2
    pd.testing.assert_frame_equal(delta.read(tmp_path, MARKS, None)[0].sort_values(order, ignore_index=True), before)
    assert delta.read(tmp_path, MARKS, 1)[0]["pupil"].tolist() == [11] * 5
    assert delta.append(tmp_path, MARKS, [delta.Landing("load 3", marks(20_003))], 2) == 0
    assert delta.compact(tmp_path, replace(MARKS, name="none")) == 0


def test_a_file_that_cannot_hold_what_is_asked_for_is_not_opened(tmp_path, monkeypatch):
    """A thousand schools' files are asked for repeats school by school: each must not open all the others'."""
    for day in range(4):
        delta.append(tmp_path, MARKS, [delta.Landing(f"load {day}", marks(20_000 + day))], 2)
    opened = []
    real = delta._rows_of
    monkeypatch.setattr(delta, "_rows_of", lambda files, *rest: (opened.append(len(files)), real(files, *rest))[1])
    within = delta.ranges_of(pa.concat_tables([marks(20_001), marks(20_002)]), ["known_on", "school", "no column"])
    assert set(within) == {"known_on", "school"}
    assert sorted(delta.scan(tmp_path, MARKS, 0, ["row"], within=within)["row"].to_pylist()) == [20_001, 20_002]
    assert delta.scan(tmp_path, MARKS, 0, ["row"], within={"school": (900_002, 900_009)}).num_rows == 0
    assert delta.scan(tmp_path, MARKS, 0, ["row"]).num_rows == 4
    assert opened == [2, 0, 4]


def test_the_file_of_a_benchmark_is_valid_and_the_same_for_one_seed(tmp_path):
    from benchmarks.network_week import make_week, write_marks

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_marks(make_week(40, 3), tmp_path / folder, files=1)
    (path,) = (tmp_path / "a").iterdir()
    assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    rows = pd.read_csv(io.BytesIO(path.read_bytes()))
    assert len(rows) == 400
    assert sound(rows["upn"].unique().tolist()).sum() == 40
    assert not rows.duplicated(["upn", "date", "session"]).any()
