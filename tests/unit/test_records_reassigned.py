"""An event that a school gives to another pupil leaves the first, in whatever order its versions come."""

import itertools
from datetime import date

import pandas as pd
import pytest

from records import delta
from records.history import latest
from records.home import Home
from records.intake.ingest import ingest
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from records.store import Store
from records.tables import BEHAVIOUR
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT, CLOCK

SHARDS = 3
# With this pepper Ann, Bob and Cat lie in three different shards.
SEED = 17
FIRST = files.INCIDENT
THEN = FIRST.replace(ANN, BOB).replace("2025-03-04,false", "2025-03-10,false")
BACK = FIRST.replace("2025-03-04,false", "2025-03-12,false")
NAMES = {"ann": ANN, "bob": BOB, "cat": CAT}


def who(home: Home) -> dict[int, list[str]]:
    """Return day of March → whose event it is known to be."""
    found: dict[int, list[str]] = {}
    names = {int(pseudonyms([upn], read_pepper(home))[0]): name for name, upn in NAMES.items()}
    parts = [Store(home).rows("behaviour", shard)[0] for shard in range(SHARDS)]
    for day in (4, 5, 10, 11, 12, 13):
        known = pd.concat([latest(part, BEHAVIOUR, date(2025, 3, day)) for part in parts])
        found[day] = sorted(names[pupil] for pupil in known["pupil"])
    return found


def landed(folder, order) -> Home:
    home = files.make_home(folder / "home", shards=SHARDS)
    create_pepper(home, demo_seed=SEED)
    for number, row in enumerate(order):
        source = files.write(folder / str(number), f"behaviour_900001_{number}.csv", row)
        ingest(home, source, clock=CLOCK, save_identities=None)
    return home


@pytest.mark.parametrize("order", list(itertools.permutations([FIRST, THEN, BACK]))[::2])
def test_an_event_is_one_pupils_at_a_time(tmp_path, order):
    expected = {4: [], 5: ["ann"], 10: ["ann"], 11: ["bob"], 12: ["bob"], 13: ["ann"]}
    assert who(landed(tmp_path, order)) == expected


def test_the_deletion_is_written_once_and_says_what_took_the_event_away(tmp_path):
    home = landed(tmp_path, [FIRST, THEN])
    files.write(tmp_path / "3", "behaviour_900001_other.csv", FIRST.replace("e1,", "e2,"), FIRST)
    ingest(home, tmp_path / "3", clock=CLOCK, save_identities=None)
    rows, _ = delta.read(home.history, BEHAVIOUR, None)
    (deletion,) = rows[rows["deleted"]].to_dict("records")
    (taker,) = rows[(rows["known_on"] == "2025-03-10") & ~rows["deleted"]].to_dict("records")
    assert (deletion["source"], deletion["row"]) == (taker["source"], taker["row"])
    assert who(home)[13] == ["ann", "bob"]  # e2 is Ann's


@pytest.mark.parametrize("order", [[FIRST, THEN], [THEN, FIRST]])
def test_the_deletion_lands_in_the_commit_of_the_version_that_calls_for_it(tmp_path, order):
    """So that a kill between two commits cannot leave the event with both pupils."""
    home = landed(tmp_path, order[:1])
    table = delta.open_table(home.history, BEHAVIOUR)
    ingest(home, files.write(tmp_path / "2", "behaviour_900001_then.csv", order[1]), clock=CLOCK, save_identities=None)
    after = delta.open_table(home.history, BEHAVIOUR)
    assert after.version() == table.version() + 1
    assert delta.read(home.history, BEHAVIOUR, None)[0]["deleted"].sum() == 1


def test_an_event_under_a_pupils_new_number_is_not_taken_from_them(tmp_path):
    """First under the old number, then under the new one; that both are one pupil's is said only later."""
    home = landed(tmp_path, [FIRST, THEN])
    linking = files.ENROLMENT.replace(f"{ANN},,", f"{BOB},{ANN},")
    ingest(home, files.write(tmp_path, "enrolments_900001.csv", linking), clock=CLOCK, save_identities=None)
    assert who(home) == {4: [], 5: ["ann"], 10: ["ann"], 11: ["ann"], 12: ["ann"], 13: ["ann"]}
