"""A pupil with several numbers is one pupil in the store, and held rows land once a number is proven."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from records import delta
from records.clock import Clock
from records.history import latest
from records.home import Home
from records.identity import link_log, rehoming
from records.identity.identities import Identities
from records.intake import held
from records.intake.ingest import ingest
from records.intake.summary import IngestSummary
from records.protected import ProtectedStore
from records.pseudonym import create_pepper, pseudonyms, read_pepper
from records.rights.parting import NoSuchLink, Parting, part
from records.store import Store
from records.tables import MARKS
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT, CLOCK, TODAY

TEMPORARY = "M80120000500A"
SHARDS = 3
# With this pepper Ann, Bob and Cat lie in three different shards, and the temporary number in Ann's.
SEED = 17


def run(home: Home, source: Path, given: list[Identities] | None = None, clock: Clock = CLOCK) -> IngestSummary:
    return ingest(home, source, clock=clock, save_identities=None if given is None else given.append)


def new_home(tmp_path: Path) -> Home:
    home = files.make_home(tmp_path / "home", shards=SHARDS)
    create_pepper(home, demo_seed=SEED)
    return home


def marks(folder: Path, upn: str, *days: int, school: int = 900001, code: str = "/") -> Path:
    rows = [f"{upn},{school},2025-03-{day:02},AM,{code},2025-03-{day:02}" for day in days]
    return files.write(folder, f"marks_{school}_{upn}_{'-'.join(map(str, days))}.csv", *rows)


def enrolled(folder: Path, upn: str, former: str = "", *, school: int = 900001, on: str = "2025-03-20") -> Path:
    row = f"{upn},{former},Testann,Synthetic,2011-03-04,{school},9,C,2025-03-03,,{on}"
    return files.write(folder, f"enrolments_{school}_{upn}_{former}_{on}.csv", row)


def token(home: Home, upn: str) -> int:
    return int(pseudonyms([upn], read_pepper(home))[0])


def days(home: Home, as_of: date = date(2025, 6, 1)) -> dict[int, list[int]]:
    """Return pupil → the days of their marks, as known on a day."""
    found: dict[int, list[int]] = {}
    for shard in Store(home).shards:
        rows = latest(Store(home).rows("marks", shard)[0], MARKS, as_of).sort_values("date")
        for pupil, day in zip(rows["pupil"].tolist(), rows["date"], strict=True):
            assert pupil % SHARDS == shard
            found.setdefault(pupil, []).append(day.day)
    return found


@pytest.mark.parametrize("upns", [(ANN, BOB), (BOB, ANN), (CAT, BOB)])
def test_rows_under_an_old_and_a_new_number_meet_in_one_pupil(tmp_path, upns):
    old, new = upns
    home = new_home(tmp_path)
    run(home, marks(tmp_path, old, 3))
    run(home, marks(tmp_path, new, 4))
    assert days(home) == {token(home, old): [3], token(home, new): [4]}
    summary = run(home, enrolled(tmp_path, new, old))
    assert (summary.links, summary.contested) == (1, 0)
    assert "Linked: 1 former or temporary numbers" in summary.as_text()
    run(home, marks(tmp_path, new, 5))
    run(home, marks(tmp_path, old, 6))
    assert days(home) == {token(home, old): [3, 4, 5, 6]}


def test_characteristics_follow_the_pupil_too(tmp_path):
    home = new_home(tmp_path)
    run(home, files.golden_census(tmp_path / "census"))
    run(home, enrolled(tmp_path, ANN, CAT))
    people = ProtectedStore(home).read("characteristics")
    assert people["pupil"].tolist() == [token(home, CAT)]
    shard = token(home, CAT) % SHARDS
    assert len(ProtectedStore(home).read("characteristics", shard)) == 1


def test_a_temporary_number_is_held_and_lands_when_a_school_says_whose_it_is(tmp_path):
    home = new_home(tmp_path)
    source = marks(tmp_path, TEMPORARY, 3, 4)
    summary = run(home, source)
    assert (summary.tables["marks"].accepted, summary.tables["marks"].held.total()) == (0, 2)
    assert days(home) == {}
    given: list[Identities] = []
    summary = run(home, enrolled(tmp_path, ANN, TEMPORARY), given)
    assert summary.tables["marks"].released == 2
    assert "Released: 2 held rows landed" in summary.as_text()
    assert days(home) == {token(home, ANN): [3, 4]}
    assert not list(home.held.rglob("*.parquet"))
    assert given[0].rows["pupil"].tolist() == [token(home, ANN)]
    assert given[0].links.values.tolist() == [[token(home, TEMPORARY), token(home, ANN)]]
    # They keep the file and line they came from, and were nobody's before the school said whose they are.
    rows = Store(home).rows("marks", token(home, ANN) % SHARDS)[0].sort_values("row")
    (digest,) = {path.name[:16] for path in (home.path / "loads").iterdir() if "marks" in path.read_text()}
    assert rows[["source", "row"]].values.tolist() == [[digest, 2], [digest, 3]]
    assert set(rows["known_on"]) == {pd.Timestamp(2025, 3, 20)}
    assert days(home, date(2025, 3, 20)) == {}
    assert days(home, date(2025, 3, 21)) == {token(home, ANN): [3, 4]}


def test_a_temporary_numbers_older_row_does_not_undo_a_newer_one(tmp_path):
    """Under T: present, recorded on the 3rd. Under the pupil's own: ill, recorded on the 10th. Linked on the 20th."""
    home = new_home(tmp_path)
    run(home, marks(tmp_path, TEMPORARY, 3))
    run(home, files.write(tmp_path, "marks_900001_own.csv", f"{ANN},900001,2025-03-03,AM,I,2025-03-10"))
    run(home, enrolled(tmp_path, ANN, TEMPORARY))
    rows, _ = Store(home).rows("marks", token(home, ANN) % SHARDS)
    assert latest(rows, MARKS, date(2025, 6, 1))["code"].tolist() == ["I"]


def test_a_quarrel_is_said_and_joins_nobody(tmp_path):
    home = new_home(tmp_path)
    for upn in (ANN, BOB, CAT):
        run(home, marks(tmp_path, upn, 3, school=900001))
    run(home, enrolled(tmp_path, BOB, ANN))
    assert len(days(home)) == 2
    summary = run(home, enrolled(tmp_path, CAT, ANN))
    assert (summary.links, summary.contested) == (0, 1)
    assert "DOUBT: 1 former numbers are claimed by two pupils" in summary.as_text()
    assert days(home) == {token(home, upn): [3] for upn in (ANN, BOB, CAT)}


def test_rows_that_landed_under_a_link_are_parted_again_when_it_is_taken_back(tmp_path):
    home = new_home(tmp_path)
    run(home, enrolled(tmp_path, BOB, ANN))
    run(home, marks(tmp_path, TEMPORARY, 7))
    run(home, marks(tmp_path, ANN, 3))
    run(home, marks(tmp_path, BOB, 4))
    run(home, enrolled(tmp_path, ANN, TEMPORARY))
    assert days(home) == {token(home, ANN): [3, 4, 7]}
    assert link_log.withdraw(home, token(home, BOB), token(home, ANN), pd.Timestamp(2025, 4, 1)) == 1
    assert link_log.withdraw(home, token(home, ANN), token(home, TEMPORARY), pd.Timestamp(2025, 4, 1)) == 1
    run(home, marks(tmp_path, BOB, 5))
    assert days(home) == {token(home, ANN): [3], token(home, BOB): [4, 5]}
    # The names that came under the link are Ann's no longer: the file that brought them is read again.
    given: list[Identities] = []
    summary = run(home, enrolled(tmp_path, BOB, ANN), given)
    assert (len(summary.loaded), given[0].rows["pupil"].tolist()) == (1, [token(home, BOB)])
    assert (summary.tables["enrolments"].repeated, summary.tables["enrolments"].landed) == (0, 0)
    assert days(home) == {token(home, ANN): [3], token(home, BOB): [4, 5]}


def test_a_wrong_check_letter_links_nobody(tmp_path):
    home = new_home(tmp_path)
    assert run(home, enrolled(tmp_path, BOB, "A201100018042")).links == 0
    assert run(home, enrolled(tmp_path, BOB, BOB, on="2025-03-21")).links == 0


def test_no_number_stands_in_the_log_of_links(tmp_path):
    home = new_home(tmp_path)
    run(home, enrolled(tmp_path, BOB, ANN))
    (word,) = link_log.read_log(home).to_dict("records")
    assert (word["number"], word["former"]) == (token(home, BOB), token(home, ANN))
    assert (word["row"], word["known_on"]) == (2, pd.Timestamp(2025, 3, 20))
    assert link_log.links_folder(home).stat().st_mode & 0o077 == 0
    for path in link_log.links_folder(home).rglob("*"):
        assert not path.is_file() or not {ANN.encode(), BOB.encode()} & {path.read_bytes()}


@pytest.fixture(scope="module")
def unlinked(tmp_path_factory):
    """A home with marks under three numbers, one of them temporary and held."""
    folder = tmp_path_factory.mktemp("unlinked")
    home = new_home(folder)
    for day, upn in enumerate((TEMPORARY, CAT, BOB), start=3):
        run(home, marks(folder, upn, day))
    return home


class Killed(BaseException):
    """The process ends here."""


STEPS = [
    (link_log, "enter"),
    (delta, "add"),
    (rehoming, "settle"),
    (held, "_take_out"),
    (held, "finished"),
    (held, "_release"),
]


@pytest.mark.parametrize(("room", "step"), STEPS)
@pytest.mark.parametrize("after", [False, pytest.param(True, marks=pytest.mark.drill)])
def test_killed_at_any_step_of_a_link_the_next_ingest_ends_where_an_undisturbed_one_does(
    tmp_path, monkeypatch, unlinked, room, step, after
):
    shutil.copytree(unlinked.path, tmp_path / "home")
    home = replace(unlinked, path=tmp_path / "home")
    assert len({token(home, upn) % SHARDS for upn in (CAT, BOB, TEMPORARY)}) == SHARDS
    both = tmp_path / "both"
    enrolled(both, BOB, CAT)
    enrolled(both, CAT, TEMPORARY)
    real = getattr(room, step)

    def dying(*args: object) -> object:
        result = real(*args) if after else None
        raise Killed(result)

    with monkeypatch.context() as patch:
        patch.setattr(room, step, dying)
        with pytest.raises(Killed):
            run(home, both)
    before = days(home)
    assert before in (
        {token(home, CAT): [4], token(home, BOB): [5]},
        {token(home, CAT): [4, 5]},
        {token(home, CAT): [3, 4, 5]},
    )
    run(home, both, clock=Clock(TODAY))
    assert days(home) == {token(home, CAT): [3, 4, 5]}
    stored = [delta.read(home.history, MARKS, shard)[0] for shard in range(SHARDS)]
    assert all(len(rows) == len(rows.drop_duplicates()) for rows in stored)
    assert not list(home.held.rglob("*.parquet"))


def test_a_person_parts_two_pupils_at_once_and_is_told_which_exports_to_send_again(tmp_path):
    home = new_home(tmp_path)
    run(home, marks(tmp_path, ANN, 3))
    run(home, marks(tmp_path, BOB, 4))
    wrong = enrolled(tmp_path, BOB, ANN)
    run(home, wrong)
    assert days(home) == {token(home, ANN): [3, 4]}
    decision = Parting(number=BOB, former=ANN, by="officer", note="The school typed another pupil's number.")
    done = part(home, decision, clock=CLOCK, save_identities=None)
    assert (done.words, done.exports) == (1, (wrong.name,))
    assert days(home) == {token(home, ANN): [3], token(home, BOB): [4]}
    (kept,) = (link_log.links_folder(home) / "withdrawn.jsonl").read_text().splitlines()
    assert not [said for said in (ANN, BOB, str(token(home, ANN)), str(token(home, BOB))) if said in kept]
    given: list[Identities] = []
    run(home, wrong, given)
    assert given[0].rows["pupil"].tolist() == [token(home, BOB)]
    # The school's next export says the same wrong word again: it joins nobody.
    assert run(home, enrolled(tmp_path, BOB, ANN, on="2025-03-21")).links == 0


@pytest.mark.parametrize(("number", "former", "said"), [(ANN, BOB, "no school said"), (BOB, "x", "no UPN")])
def test_a_link_that_nobody_said_is_not_taken_back(tmp_path, number, former, said):
    home = new_home(tmp_path)
    run(home, enrolled(tmp_path, BOB, ANN))
    with pytest.raises(NoSuchLink, match=said) as refusal:
        part(home, Parting(number=number, former=former, by="o", note="n"), clock=CLOCK, save_identities=None)
    assert not [upn for upn in (ANN, BOB) if upn in str(refusal.value)]
