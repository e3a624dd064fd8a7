"""The bundle's bytes are proven before anything parses them."""

import json
from pathlib import Path
from typing import Any

import lightgbm as lgb
import pytest

from training import bundle as bundles
from training.bundle import Bundle, BundleRefused, DigestMismatch, read_verified, scoring_digest, sha256

BOOSTER = b"tree\nversion=v4\n"


def manifest(**changed: Any) -> dict[str, Any]:
    """Return the least manifest that is one."""
    said: dict[str, Any] = dict.fromkeys(bundles.NEEDED, "x")
    return (
        said
        | {
            "schema": bundles.SCHEMA,
            "approach": "model",
            "kind": "booster",
            "model_sha256": sha256(BOOSTER),
            "base_rates": {"all": 0.014},
        }
        | changed
    )


def test_a_bundle_written_is_the_bundle_read(tmp_path: Path) -> None:
    one = Bundle(manifest(), BOOSTER)
    one.write(tmp_path)
    assert read_verified(tmp_path, one.digest).manifest == one.manifest
    assert one.digest == sha256((tmp_path / "bundle.json").read_bytes())


@pytest.mark.parametrize("file", ["bundle.json", "model.txt"])
@pytest.mark.parametrize("place", [0, 7, -1])
def test_one_flipped_byte_is_refused_before_a_model_is_parsed(
    tmp_path: Path, file: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("a model was parsed")

    monkeypatch.setattr(lgb, "Booster", parsed)
    one = Bundle(manifest(), BOOSTER)
    one.write(tmp_path)
    content = bytearray((tmp_path / file).read_bytes())
    content[place] ^= 1
    (tmp_path / file).write_bytes(bytes(content))
    with pytest.raises(DigestMismatch, match="fetch the bundle again"):
        read_verified(tmp_path, one.digest)


def test_a_truncated_model_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    one = Bundle(manifest(), BOOSTER)
    one.write(tmp_path)
    (tmp_path / "model.txt").write_bytes(BOOSTER[:-1])
    with pytest.raises(DigestMismatch, match="not the one its manifest names"):
        read_verified(tmp_path, one.digest)
    (tmp_path / "model.txt").unlink()
    with pytest.raises(DigestMismatch, match=r"model\.txt is missing"):
        read_verified(tmp_path, one.digest)


def test_another_whole_bundle_under_the_name_is_refused(tmp_path: Path) -> None:
    Bundle(manifest(horizon_weeks=4), BOOSTER).write(tmp_path)
    with pytest.raises(DigestMismatch, match="is not the one with digest"):
        read_verified(tmp_path, Bundle(manifest(), BOOSTER).digest)


def test_json_that_says_the_same_in_other_bytes_is_another_bundle(tmp_path: Path) -> None:
    one = Bundle(manifest(), BOOSTER)
    one.write(tmp_path)
    spaced = json.dumps(json.loads(one.manifest_bytes), indent=1).encode()
    (tmp_path / "bundle.json").write_bytes(spaced)
    with pytest.raises(DigestMismatch, match="not canonical JSON"):
        read_verified(tmp_path, sha256(spaced))


def test_every_number_of_the_manifest_is_in_the_digest() -> None:
    digests = {
        Bundle(manifest(**change), BOOSTER).digest
        for change in ({}, {"horizon_weeks": 5}, {"base_rates": {"all": 0.0141}}, {"scoring_digest": "y"})
    }
    assert len(digests) == 4


def test_a_manifest_that_lacks_something_is_refused() -> None:
    said = manifest()
    del said["flag_rule"]
    with pytest.raises(BundleRefused, match="the manifest lacks flag_rule"):
        Bundle(said, BOOSTER)
    with pytest.raises(BundleRefused, match="reads 'belong-bundle/2'"):
        Bundle(manifest(schema="belong-bundle/1"), BOOSTER)
    with pytest.raises(BundleRefused, match="no canonical JSON"):
        _ = Bundle(manifest(base_rates={"all": float("nan")}), BOOSTER).digest


def test_the_scoring_code_has_one_digest_and_a_changed_line_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scoring_digest()
    assert before == scoring_digest()
    real = bundles.files

    class Changed:
        """The package with one line more in `flags.py`."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def joinpath(self, name: str) -> Any:
            if name != "flags.py":
                return self.inner.joinpath(name)
            (tmp_path / name).write_bytes(self.inner.joinpath(name).read_bytes() + b"\n# once more\n")
            return tmp_path / name

    monkeypatch.setattr(bundles, "files", lambda name: Changed(real(name)) if name == "training" else real(name))
    assert scoring_digest() != before
