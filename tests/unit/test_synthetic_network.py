"""The simulated network: the files it writes, what they may hold, and how near the figures are."""

import csv
import hashlib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from stdnum.gb import upn as standard

from records import codes
from records.synthetic.people import make_upns, upn_check_letters
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.report import report
from records.synthetic.simulate import Simulated, simulate
from records.synthetic.truth import MEASURES, TruthInside, read_truth

UNTIL = date(2024, 6, 19)  # a Wednesday: the cut falls within a week
HEADERS = {
    "schools": "urn,laestab,name,phase,open_date,updated_on",
    "calendars": "urn,kind,name,start_date,end_date,updated_on",
    "enrolments": (
        "upn,former_upn,forename,surname,date_of_birth,urn,year_group,status,entry_date,leaving_date,updated_on"
    ),
    "marks": "upn,urn,date,session,code,updated_on",
    "behaviour": "event_id,upn,urn,date,period,type,severity,points,location,role,outcome,updated_on,deleted",
    "positives": "event_id,upn,urn,date,type,points,updated_on,deleted",
    "suspensions": "upn,urn,start_date,sessions,category,reason1,reason2,reason3,updated_on,deleted",
}


TINY = NetworkPlan(pupils=300, schools=4, years=(2023,), seed=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A year of 900 pupils without mess, cut off in the last half-term."""
    folder = tmp_path_factory.mktemp("small")
    return simulate(
        NetworkPlan(pupils=900, schools=6, years=(2023,), until=UNTIL, seed=3, mess=0),
        folder / "out",
        truth=folder / "truth.parquet",
    )


@cache
def rows(out: Path, table: str) -> list[dict[str, str]]:
    """Return the rows of every file of a table."""
    found: list[dict[str, str]] = []
    for path in sorted(out.glob(f"{table}*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found.extend(csv.DictReader(file))
    return found


def digest(folder: Path) -> str:
    """Return one digest of every file's name and bytes."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(str(path.relative_to(folder)).encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    def run(name: str, seed: int) -> str:
        until = date(2023, 10, 30)
        simulate(replace(TINY, until=until, seed=seed, mess=1), tmp_path / name)
        return digest(tmp_path / name)

    first = run("a", 5)
    assert run("b", 5) == first
    assert run("c", 6) != first


def test_every_file_has_exactly_its_header(small: Simulated) -> None:
    seen = set()
    for path in small.out.glob("*.csv"):
        table = path.stem.split("_")[0]
        assert path.read_text(encoding="utf-8").split("\n")[0] == HEADERS[table], path.name
        seen.add(table)
    assert seen == set(HEADERS)


def test_all_four_phases_are_there_and_pupils_are_suspended_in_every_term(small: Simulated) -> None:
    assert {row["phase"] for row in rows(small.out, "schools")} == {"PS", "SS", "AT", "SP"}
    starts = [row["start_date"] for row in rows(small.out, "suspensions")]
    for start, end in (("2023-09", "2024-01"), ("2024-01", "2024-04"), ("2024-04", "2024-07")):
        assert sum(start <= day < end for day in starts) >= 5, (start, len(starts))


def test_upns_are_valid_distinct_and_belong_to_no_real_school(small: Simulated) -> None:
    upns = {row["upn"] for row in rows(small.out, "enrolments")}
    assert all(standard.is_valid(upn) for upn in upns)
    # An establishment number below 1000 is nobody's.
    assert {upn[4] for upn in upns} == {"0"}
    many = make_upns(np.repeat([2012, 2013], 40_000), np.random.default_rng(1))
    assert len(set(many.tolist())) == 80_000


def test_the_check_letter_of_a_known_upn() -> None:
    # R201100018042 and B801200005001 are worked examples of the DfE's guide.
    assert upn_check_letters(np.array(["201100018042", "801200005001"])).tolist() == ["R", "B"]


def test_nothing_happens_or_is_recorded_from_until_on(small: Simulated) -> None:
    end = UNTIL.isoformat()
    for table in HEADERS:
        assert max(row["updated_on"] for row in rows(small.out, table)) < end, table
    for table in ("marks", "behaviour", "positives"):
        days = [row["date"] for row in rows(small.out, table)]
        assert max(days) < end
        assert min(days) >= "2023-09-04"
    # The last half-term comes week by week; its last file reaches the day before the cut.
    stamps = sorted(path.stem[-8:] for path in small.out.glob("marks_900001_*.csv"))
    assert stamps[-2:] == ["20240616", "20240618"]


def test_codes_come_from_the_lists_and_old_years_use_old_ones(small: Simulated) -> None:
    marks = {row["code"] for row in rows(small.out, "marks")}
    assert marks <= set(codes.ATTENDANCE.codes)
    assert {"/", "\\", "L", "I", "O", "N", "E", "M"} <= marks
    # C2, J1, K and Y4 came with the 2024 regulations.
    assert not marks & {"C2", "J1", "K", "Y4"}
    behaviour = rows(small.out, "behaviour")
    assert {row["type"] for row in behaviour} <= set(codes.INCIDENT_TYPE.codes)
    assert {row["outcome"] for row in behaviour} <= set(codes.INCIDENT_OUTCOME.codes)
    assert {row["reason1"] for row in rows(small.out, "suspensions")} <= set(codes.EXCLUSION_REASON.codes)


def test_without_mess_a_day_has_two_marks_and_only_unexplained_absences_are_corrected(small: Simulated) -> None:
    marks = rows(small.out, "marks")
    first: dict[tuple[str, ...], str] = {}
    again = []
    for row in marks:
        key = (row["upn"], row["urn"], row["date"], row["session"])
        if row["updated_on"] > row["date"]:
            again.append(key)
        else:
            assert key not in first
            first[key] = row["code"]
    assert {first[key] for key in again} == {"N"}
    mornings = sum(key[3] == "AM" for key in first)
    assert 2 * mornings == len(first)


def test_a_suspended_pupil_is_marked_e_on_the_days_of_the_suspension(small: Simulated) -> None:
    marked = {(row["upn"], row["date"]): row["code"] for row in rows(small.out, "marks") if row["session"] == "PM"}
    served = [
        marked.get((row["upn"], row["start_date"]), "past the end")
        for row in rows(small.out, "suspensions")
        if row["category"] == "SUSP"
    ]
    assert served.count("E") == len(served) - served.count("past the end")
    assert served.count("past the end") <= 3
    assert len(served) > 20


def test_some_suspensions_are_entered_before_they_start(small: Simulated) -> None:
    ahead = [row["start_date"] > row["updated_on"] for row in rows(small.out, "suspensions")]
    assert 0.5 < np.mean(ahead) < 1.0


def test_protected_characteristics_leave_through_the_census_only(small: Simulated) -> None:
    assert not {"sex", "ethnicity", "senprovision", "language"} & set(",".join(HEADERS.values()).split(","))
    census = rows(small.out / "census" / "2024_spring", "pupilonroll")
    assert {row["sex"] for row in census} == {"M", "F"}
    assert {row["senprovision"] for row in census} == {"N", "K", "E"}
    assert {row["ethnicity"] for row in census} <= set(codes.ETHNICITY.codes)
    assert {row["language"] for row in census} <= set(codes.LANGUAGE.codes)
    entry = {(row["upn"], row["urn"]): row["entry_date"] for row in rows(small.out, "enrolments")}
    row = census[0]
    assert entry[row["upn"], "900001"] in {_iso(row["entrydate"])}


def _iso(day: str) -> str:
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    year, month, number = day.partition(" ")[0].split("-")
    return f"{year}-{months.split().index(month) + 1:02d}-{number}"


def test_mess_brings_wrong_rows_temporary_upns_and_corrections(tmp_path: Path) -> None:
    out = tmp_path / "out"
    simulate(NetworkPlan(pupils=900, schools=6, years=(2023,), until=date(2024, 1, 15), seed=3, mess=1), out)
    marks = rows(out, "marks")
    assert {row["code"] for row in marks} & {"?", "AA", "9X"}
    assert {row["date"] for row in marks} & {"1900-01-01", "2024-02-30", "31/12/2024"}
    temporary = {row["upn"] for row in rows(out, "enrolments") if row["upn"][-1].isalpha()}
    assert temporary
    assert {row["deleted"] for row in rows(out, "behaviour")} == {"true", "false"}
    lines = [tuple(row.values()) for row in marks]
    assert len(set(lines)) < len(lines)


def test_truth_lies_outside_and_tells_who_is_at_risk(small: Simulated, tmp_path: Path) -> None:
    with pytest.raises(TruthInside, match="outside the exports"):
        simulate(TINY, tmp_path / "x", truth=tmp_path / "x" / "truth.parquet")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "home.toml").touch()
    with pytest.raises(TruthInside, match="outside any home"):
        simulate(TINY, tmp_path / "y", truth=tmp_path / "home" / "t.parquet")
    assert small.truth is not None
    truth = read_truth(small.truth)
    assert set(truth.columns) == {"upn", "week", *MEASURES}
    assert truth["hazard"].between(0, 0.7).all()
    suspended = {row["upn"] for row in rows(small.out, "suspensions")}
    ever = truth.groupby("upn", observed=True)["hazard"].mean()
    risk = ever[ever.index.isin(suspended)].mean() / ever[~ever.index.isin(suspended)].mean()
    assert risk > 3
    # The hazards add up to the sanctions that happened, within what chance allows (4 standard deviations).
    happened, expected = len(rows(small.out, "suspensions")), truth["hazard"].sum()
    assert abs(happened - expected) < 4 * np.sqrt(expected)


def test_what_cannot_be_simulated_is_refused(tmp_path: Path) -> None:
    for wrong in ({"years": (2023, 2025)}, {"mess": 1.5}, {"schools": 30}, {"until": date(2023, 9, 1)}):
        with pytest.raises(SimulationRefused, match=r"years must|mess must|a school needs|until must"):
            replace(TINY, **wrong)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.csv").touch()
    with pytest.raises(SimulationRefused, match="is not empty"):
        simulate(TINY, tmp_path / "full")


def test_rates_lie_within_broad_published_bands(tmp_path: Path) -> None:
    done = simulate(NetworkPlan(pupils=3000, schools=8, years=(2023,), seed=11), tmp_path / "out")
    frame = report(done.counted)
    errors = dict(zip(zip(frame["band"], frame["figure"], strict=True), frame["relative_error"], strict=True))
    for band, name, low, high in (
        ("secondary years", "sessions missed %", 0.85, 1.15),
        ("secondary years", "persistently absent %", 0.8, 1.2),
        ("secondary years", "code L %", 0.75, 1.25),
        ("primary years", "sessions missed %", 0.85, 1.15),
        ("secondary years", "suspensions per 100 (London)", 0.6, 1.5),
        ("secondary years", "pupils suspended % (London)", 0.6, 1.5),
        ("secondary years", "suspensions, fsm fsm to all", 0.5, 1.6),
    ):
        assert low < 1 + errors[band, name] < high, (band, name, errors[band, name])
    # Independently of the tally: suspensions in the files per 100 pupils of Years 7 to 11.
    older = {r["upn"] for r in rows(done.out, "enrolments") if r["year_group"] in {"7", "8", "9", "10", "11"}}
    counted = len({(r["upn"], r["start_date"]) for r in rows(done.out, "suspensions") if r["upn"] in older})
    assert 6 < 100 * counted / len(older) < 17
