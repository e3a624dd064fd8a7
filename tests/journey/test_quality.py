"""A school loses marks on the way: it is held and told so, the others go on; the rows arrive, and it is cleared."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from casework.deployments import record_deployment
from fairness.trust import create_demo_trust
from records.home import HOME_FILE, Home
from records.synthetic.people import upn_check_letters
from serving.jobs.intake import read_exports
from serving.jobs.nightly import score_network
from tests import export_files as files
from tests.command_line import DONE, Belong, refused
from tests.deployed import TODAY, clear, put_deployed, tiny_bundle
from tests.factories import HALF_TERMS
from tests.journey.api import as_job

NORTH, SOUTH = 900001, 900002
PUPILS = 25
MONDAYS = [date(2026, 4, 13) + timedelta(weeks=at) for at in (0, 1, 2, 3, 4, 5, 7, 8, 9)]
BEFORE = date(2026, 6, 15)
BUNDLE = tiny_bundle()


@pytest.fixture
def home(casework_home: Home, tmp_path: Path) -> Iterator[Home]:
    """Two schools of 25 pupils with nine weeks of marks, of which the south lost 40 % of the week of 8 June."""
    kept, there = (casework_home.path / HOME_FILE).read_bytes(), set(casework_home.path.iterdir())
    home = replace(casework_home, shards=2)
    (home.path / HOME_FILE).write_text(f"demo = true\nshards = 2\ntoday = {TODAY.isoformat()}\n")
    _export(tmp_path / "first", lost=True)
    assert read_exports(home, tmp_path / "first", lambda said: None).exit_code == DONE
    put_deployed(home, BUNDLE, create_demo_trust(home))
    with as_job(home) as session:
        record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
    yield home
    (casework_home.path / HOME_FILE).write_bytes(kept)
    clear(casework_home)
    for made in set(casework_home.path.iterdir()) - there:
        # What was loaded, put aside and accepted: another test's files may say the same.
        if made.is_dir() and made.name != "secrets":
            shutil.rmtree(made)


def _upns() -> list[str]:
    bodies = np.array([f"9{at:011d}" for at in range(2 * PUPILS)])
    return np.char.add(upn_check_letters(bodies), bodies).tolist()


def _export(folder: Path, *, lost: bool) -> None:
    """Write what both schools sent; `lost`: each pupil of the south lacks two days of the week of 8 June."""
    known, upns = "2024-07-01", _upns()
    urns = dict(zip(upns, [NORTH] * PUPILS + [SOUTH] * PUPILS, strict=True))
    schools = [f"{urn},2019999,{name},SS,2020-09-01,{known}" for urn, name in ((NORTH, "North"), (SOUTH, "South"))]
    files.write(folder, "schools.csv", *schools)
    halves = [f"half_term,{name},{first},{last},{known}" for name, first, last in HALF_TERMS]
    files.write(folder, "calendars.csv", *(f"{urn},{half}" for urn in (NORTH, SOUTH) for half in halves))
    person = "Invented,Pupil,2012-03-04"
    files.write(
        folder,
        "enrolments.csv",
        *(f"{upn},,{person},{urn},9,C,2024-09-02,,2024-09-02" for upn, urn in urns.items()),
    )
    for urn in (NORTH, SOUTH):
        mine = [upn for upn in upns if urns[upn] == urn]
        drawn = np.random.default_rng(urn).choice(["/", "L", "O"], size=(PUPILS, 5 * len(MONDAYS)), p=[0.8, 0.12, 0.08])
        rows = []
        for week, monday in enumerate(MONDAYS):
            days = [monday + timedelta(days=at) for at in range(5)]
            gone = lost and urn == SOUTH and monday == date(2026, 6, 8)
            for place, upn in enumerate(mine):
                # Two of five days, other ones for each pupil: every day of the week has fifteen of 25 pupils.
                kept = [at for at in range(5) if not gone or (place + at) % 5 > 1]
                rows += [f"{upn},{urn},{days[at]},AM,{drawn[place, 5 * week + at]},{days[at]}" for at in kept]
                rows += [f"{upn},{urn},{days[at]},PM,\\,{days[at]}" for at in kept]
        files.write(folder, f"marks_{urn}_{int(lost)}.csv", *rows)


def _log(home: Home, day: date) -> dict[int, dict[str | None, int]]:
    """Return for each school how many pupils the log holds by why they were not scored; None: scored."""
    with as_job(home) as session:
        rows = session.execute(
            text(
                "SELECT school_urn, abstain, count(*) AS number, count(probability) AS scored, "
                "count(*) FILTER (WHERE flagged) AS flagged FROM scores WHERE as_of = :day GROUP BY 1, 2"
            ),
            {"day": day},
        ).all()
    found: dict[int, dict[str | None, int]] = {}
    for row in rows:
        assert row.scored == (0 if row.abstain else row.number)
        assert row.flagged == 0 or not row.abstain
        found.setdefault(row.school_urn, {})[row.abstain] = row.number
    return found


def test_a_school_that_lost_marks_is_held_until_they_arrive(home: Home, tmp_path: Path, belong: Belong):
    night = score_network(home, BEFORE)
    assert [(one.school, one.held_since) for one in night.held] == [(SOUTH, date(2026, 6, 8))]
    assert _log(home, BEFORE) == {NORTH: {None: PUPILS}, SOUTH: {"school_held": PUPILS}}
    with as_job(home) as session:
        schools = {row.urn: row for row in session.execute(text("SELECT * FROM schools"))}
    assert (schools[NORTH].up_to_date, schools[NORTH].note) == (True, "")
    assert schools[SOUTH].up_to_date is False
    assert "60% of the marks due (150 of 250); the school week before it had 100%" in schools[SOUTH].note

    # A week later nothing has come; the command says what to ask, and writes it down.
    said = belong("quality", "--home", home.path)
    assert said.code == DONE
    assert "1 of 2 schools is HELD" in said.out
    assert "Held since 8 June 2026" in said.out
    assert "Ask for that week's export again" in said.out
    page = tmp_path / "report.html"
    assert belong("quality", "--home", home.path, "--out", page).code == DONE
    written = page.read_text(encoding="utf-8")
    assert "Held since 8 June 2026" in written
    for upn in _upns():
        assert upn not in said.out + written

    # The whole file again, with the missing rows: nothing is counted twice, and the school is cleared.
    _export(tmp_path / "again", lost=False)
    assert read_exports(home, tmp_path / "again", lambda said: None).exit_code == DONE
    night = score_network(home)
    assert night.held == ()
    assert _log(home, TODAY) == {NORTH: {None: PUPILS}, SOUTH: {None: PUPILS}}
    with as_job(home) as session:
        assert session.execute(text("SELECT bool_and(up_to_date AND note = '') FROM schools")).scalar_one()
    assert "none is held" in belong("quality", "--home", home.path).out


def test_a_named_person_accepts_a_doubt_for_a_time(home: Home, belong: Belong):
    """The doubt stays in the report with the name; the school is scored again."""
    ask = ("quality", "--home", home.path, "--accept")
    terms = ("--until", "2026-06-30", "--reason", "Two days of visits, seen in the visits log", "--by", "Head of data")
    refused(belong(*ask, "fewer_marks"), "--accept needs --school URN, --until")
    refused(belong(*ask, "tea_leaves", "--school", SOUTH, *terms), "'tea_leaves' is no rule that holds a school")
    refused(belong(*ask, "fewer_marks", "--school", NORTH, *terms), "no doubt of the rule 'fewer_marks' holds")
    refused(belong(*ask, "fewer_marks", "--school", 1, *terms), "the network has no school 1; it has 900001, 900002")
    refused(belong(*ask, "fewer_marks", "--school", SOUTH, *terms[:4]), "needs the name of the person")
    refused(belong("quality", "--home", home.path, "--out", "report.pdf"), "ends in .md or .html")
    said = belong(*ask, "fewer_marks", "--school", SOUTH, *terms)
    assert said.code == DONE
    assert "Accepted by Head of data until 2026-06-30: In the week of 8 June 2026" in said.out
    (line,) = (home.path / "quality" / "accepted.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["since"] == ["2026-06-08"]
    assert score_network(home).held == ()
    assert _log(home, TODAY)[SOUTH] == {None: PUPILS}
    told = belong("quality", "--home", home.path, "--school", SOUTH).out
    assert "none is held; 1 with something to ask" in told
    assert "Accepted by Head of data on 22 June 2026, until 30 June 2026: Two days of visits" in told
