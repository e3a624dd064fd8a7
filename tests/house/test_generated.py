"""Generated pages say what the code says."""

import pytest

from serving.generate import FOLDER, PAGES, whole


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_fresh(name):
    stands = (FOLDER / name).read_text(encoding="utf-8")
    assert stands == whole(name), f"docs/generated/{name} is stale: run `make generate` and commit it"


def test_no_other_page_lies_among_the_generated_ones():
    # Whoever imports the client that lies here leaves its byte code beside it.
    assert {path.name for path in FOLDER.iterdir()} - {"__pycache__"} == {name for name in PAGES if "/" not in name}
