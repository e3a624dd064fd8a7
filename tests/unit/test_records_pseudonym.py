"""Pseudonyms: which numbers prove a pupil, and that the key decides the pseudonym."""

import os
from pathlib import Path

import pytest

from records import pseudonym
from records.home import create_home
from records.pseudonym import PepperRefused, create_pepper, doubt, pseudonyms, read_pepper
from tests.export_files import ANN, BOB

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("upn", "why"),
    [
        (ANN, ""),
        (BOB, ""),
        ("b8012 00005001", ""),  # the check letter proves that it is the same number
        ("A801200005001", pseudonym.WRONG_LETTER),
        ("M80120000500A", pseudonym.TEMPORARY),
        ("L80120000500A", pseudonym.WRONG_LETTER),
        ("", pseudonym.EMPTY),
        ("  ", pseudonym.EMPTY),
        ("21db2df8-fa0", pseudonym.NOT_A_UPN),
        ("B80120000500", pseudonym.NOT_A_UPN),
        ("B8012000\u09665001", pseudonym.NOT_A_UPN),  # a digit, but not one of ours
        ("B80120000500I", pseudonym.NOT_A_UPN),  # I is no letter of a UPN
        ("R838200005001", ""),  # Dorset, founded 2019: not in python-stdnum's list, still a UPN
    ],
)
def test_what_proves_a_pupil(upn, why):
    assert doubt(upn) == why


def test_a_pseudonym_is_the_first_63_bits_of_the_keyed_hash():
    # From another program: openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f gives 97bcf3e731910e11...
    # and the top bit is left out.
    assert pseudonyms([ANN], KEY).tolist() == [0x17BCF3E731910E11]


def test_the_same_number_in_another_spelling_is_the_same_pupil():
    assert pseudonyms([BOB.lower(), f" {BOB} "], KEY).tolist() == pseudonyms([BOB, BOB], KEY).tolist()


def test_another_key_makes_other_pseudonyms():
    assert pseudonyms([ANN], KEY)[0] != pseudonyms([ANN], KEY[::-1])[0]


def test_the_pepper_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    home = create_home(tmp_path / "home")
    create_pepper(home)
    first = read_pepper(home)
    create_pepper(home)
    assert read_pepper(home) == first
    assert len(first) == 32
    assert (home.secrets / "pepper-v1").stat().st_mode & 0o777 == 0o600


def test_a_pepper_that_others_can_read_is_refused(tmp_path: Path):
    home = create_home(tmp_path / "home")
    create_pepper(home)
    os.chmod(home.secrets / "pepper-v1", 0o644)
    with pytest.raises(PepperRefused, match="set its mode to 600"):
        read_pepper(home)


def test_a_lost_pepper_is_not_replaced_once_records_have_landed(tmp_path: Path):
    home = create_home(tmp_path / "home")
    (home.history / "marks").mkdir(parents=True)
    with pytest.raises(PepperRefused, match="restore it from its own backup"):
        create_pepper(home)


@pytest.mark.parametrize(("text", "why"), [("zz", "hexadecimal"), ("abcd", "shorter")])
def test_a_damaged_pepper_is_refused(tmp_path: Path, text: str, why: str):
    home = create_home(tmp_path / "home")
    path = home.secrets / "pepper-v1"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(PepperRefused, match=why):
        read_pepper(home)


def test_only_a_demonstration_has_a_foreseeable_pepper(tmp_path):
    peppers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        home = create_home(tmp_path / name, demo=True)
        create_pepper(home, demo_seed=seed)
        peppers.append(read_pepper(home))
    assert peppers[0] == peppers[1] != peppers[2]
    with pytest.raises(PepperRefused, match="only a demonstration's pepper"):
        create_pepper(create_home(tmp_path / "real"), demo_seed=1)
