"""The client that is printed from the description speaks to the interface."""

import importlib.util
from collections.abc import Iterator
from types import ModuleType

import pytest

from casework.integrations import rotate_integration
from serving.generate import FOLDER
from serving.jobs.granting import write_credentials
from tests.database import pupil_id
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.journey.api import Listing, as_job, officer, request, running_lists


@pytest.fixture(scope="module")
def listing() -> Iterator[Listing]:
    with running_lists() as found:
        yield found


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("belong_client", FOLDER / "belong_client.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_printed_client_speaks_to_the_interface(listing, client, tmp_path):
    with as_job(listing.api.home) as session:
        write_credentials(tmp_path / "c.json", "whole", rotate_integration(session, officer(), "whole", TODAY))
    address, mine = str(listing.api.client.base_url), str(pupil_id(listing.api.home, 1))
    with client.Belong.from_file(address, str(tmp_path / "c.json")) as belong:
        assert belong.live() == {"status": "live"}
        assert belong.ready()["status"] == "ready"
        assert mine in {pupil["pupil"] for pupil in belong.pages(limit=1, school=SCHOOL)}
        changes = belong.get_changes(limit=1)
        assert changes["more"]
        assert not belong.get_changes(cursor=changes["next"], limit=10)["more"]
        assert belong.get_history(mine)["school"] == SCHOOL
        first = belong.post_scores(request(), idempotency_key="once")
        assert first == belong.post_scores(request(), idempotency_key="once")
        with pytest.raises(client.Problem) as refused:
            belong.get_flags(school=OTHER_SCHOOL)
        assert (refused.value.status, refused.value.code) == (404, "no_such_school")
        with pytest.raises(client.Problem) as refused:
            belong.post_scores({})
        assert (refused.value.code, refused.value.errors[0]["field"]) == ("fields_wrong", "as_of")
    with client.Belong(address, "whole", "wrong") as stranger, pytest.raises(client.Problem) as refused:
        stranger.live()
    assert (refused.value.status, refused.value.code) == (401, "invalid_client")
