"""Files at rest: sealed as they stream in, and opened only whole, in order and under their own key."""

import hashlib
import os
import stat
import uuid

import pytest

from casework import sealed_files
from casework.sealed_files import BLOCK_BYTES, CannotOpen, SealedWriter, blocks_of

MASTER = bytes(range(32))
NAME = b"Testann Synthetic"


@pytest.fixture
def sealed(tmp_path):
    """Three blocks and a bit, written in pieces that do not fit the blocks."""
    file_id, data = uuid.uuid4(), NAME + os.urandom(3 * BLOCK_BYTES)
    writer = SealedWriter(tmp_path / "one.sealed")
    for start in range(0, len(data), 700_001):
        writer.write(data[start : start + 700_001])
    key = writer.finish(MASTER, file_id)
    writer.keep()
    writer.close()
    assert writer.digest == hashlib.sha256(data).hexdigest()
    return writer.path, file_id, key, data


def test_what_was_written_comes_back_a_block_at_a_time(sealed):
    path, file_id, key, data = sealed
    blocks = list(blocks_of(path, MASTER, file_id, key))
    assert b"".join(blocks) == data
    assert [len(block) for block in blocks] == [BLOCK_BYTES] * 3 + [len(NAME)]
    assert NAME not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[: 2 * (BLOCK_BYTES + 16)],
        lambda data: data[BLOCK_BYTES + 16 :],
        lambda data: data[BLOCK_BYTES + 16 : 2 * (BLOCK_BYTES + 16)] + data[: BLOCK_BYTES + 16],
        lambda data: data[:5] + bytes([data[5] ^ 1]) + data[6:],
        lambda data: data + b"more",
        lambda data: b"",
    ],
    ids=["end cut off", "start cut off", "blocks exchanged", "a bit", "more", "nothing"],
)
def test_a_file_that_was_changed_does_not_open(sealed, harm):
    path, file_id, key, _ = sealed
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(CannotOpen, match="send the file again"):
        list(blocks_of(path, MASTER, file_id, key))


def test_neither_another_key_nor_another_id_opens_it(sealed):
    path, file_id, key, _ = sealed
    for master, whose in ((bytes(32), file_id), (MASTER, uuid.uuid4())):
        with pytest.raises(CannotOpen):
            list(blocks_of(path, master, whose, key))


def test_what_no_page_keeps_is_deleted(tmp_path):
    writer = SealedWriter(tmp_path / "one.sealed")
    writer.write(b"x" * (sealed_files.BLOCK_BYTES + 1))
    writer.close()
    assert list(tmp_path.iterdir()) == []
