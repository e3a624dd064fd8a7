"""Then and now beside a flag's reasons: what changed, what would lower the figure, and a past too short to say."""

from datetime import date

import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from casework.database import connect, scoped
from casework.explanation import Explanation, explanation_of, latest_flag
from tests.database import NORTH, identity, publication, publish_now, pupil_id, save_pupils


def explained(home, pseudonym: int) -> Explanation:
    """Return what the web process reads of a pupil's newest flag."""
    pupil = pupil_id(home, pseudonym)
    engine = connect(home, "app")
    try:
        with scoped(engine, frozenset({NORTH})) as session:
            flag = latest_flag(session, pupil)
            assert flag is not None
            return explanation_of(session, flag, "SS")
    finally:
        engine.dispose()


def test_then_and_now_are_read_in_their_order_with_figures_in_words(casework_home):
    save_pupils(casework_home, identity(11))
    changes = [
        (11, 2, "down", "Attendance", "second", "most", True),
        (11, 1, "up", "Punctuality", "first", "most", False),
    ]
    columns = ["pupil", "position", "way", "group", "sentence", "share", "changeable"]
    publish_now(casework_home, publication({11: NORTH}, flagged=(11,), changes=pd.DataFrame(changes, columns=columns)))
    found = explained(casework_home, 11)
    assert (found.eased_on, found.eased_words) == (date(2026, 4, 13), "about 8 in 100")
    assert [(c.way, c.sentence, c.changeable) for c in found.changes] == [
        ("up", "first", False),
        ("down", "second", True),
    ]
    assert [(lever.sentence, lever.probability_words) for lever in found.levers] == [
        ("If punctuality were again as before 13 April", "about 14 in 100")
    ]


def test_where_the_past_is_too_short_only_the_reasons_are_told(casework_home):
    save_pupils(casework_home, identity(11))
    whole = publication({11: NORTH}, flagged=(11,))
    none = {"changes": whole.changes.iloc[:0], "levers": whole.levers.iloc[:0]}
    flags = whole.flags.assign(eased_on=pd.NaT, eased=None)
    publish_now(casework_home, publication({11: NORTH}, flagged=(11,), flags=flags, **none))
    found = explained(casework_home, 11)
    assert (found.eased_on, found.changes, found.levers) == (None, (), ())
    assert len(found.reasons_for) == 1


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE flags SET eased = NULL", "flags_eased_check_both"),
        ("UPDATE levers SET probability = 1.2", "levers_probability_check"),
        ("UPDATE changes SET way = 'sideways'", "changes_way_check"),
    ],
)
def test_the_database_itself_refuses_half_a_then_and_what_is_no_figure(casework_home, statement, rule):
    save_pupils(casework_home, identity(11))
    publish_now(casework_home, publication({11: NORTH}, flagged=(11,)))
    engine = connect(casework_home, "owner")
    with pytest.raises(IntegrityError, match=rule), scoped(engine, None) as session:
        session.execute(text(statement))
    engine.dispose()
