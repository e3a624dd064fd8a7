"""A pupil who stood here under two numbers is shown once."""

from datetime import date

import pytest

from casework.linked import retire_linked
from tests.database import NORTH, identity, job_session, publication, publish_now, save_pupils, superuser

ONE, OTHER, ALONE = 501, 502, 503
DAY = date(2026, 6, 24)


@pytest.fixture
def home(casework_home):
    save_pupils(casework_home, *(identity(pupil, NORTH) for pupil in (ONE, OTHER, ALONE)))
    publish_now(casework_home, publication(dict.fromkeys((ONE, OTHER, ALONE), NORTH), flagged=(ONE, OTHER, ALONE)))
    return casework_home


def test_the_row_of_the_other_number_is_retired_and_its_case_closed(home):
    with job_session(home) as session:
        # ALONE is linked to a pupil who has no row here: nobody else would stand for them.
        assert retire_linked(session, [(OTHER, ONE), (ALONE, 999)], DAY) == 1
        assert retire_linked(session, [(OTHER, ONE)], DAY) == 0
        assert retire_linked(session, [], DAY) == 0
    with superuser(home) as connection:
        left = connection.execute("SELECT pseudonym, left_on FROM pupils ORDER BY 1").fetchall()
        cases = connection.execute(
            "SELECT pseudonym, state, closed_on FROM cases JOIN pupils p ON p.id = pupil_id ORDER BY 1"
        ).fetchall()
    assert left == [(ONE, None), (OTHER, DAY), (ALONE, None)]
    assert cases == [(ONE, "open", None), (OTHER, "closed", DAY), (ALONE, "open", None)]
