"""The simulated network's size and shapes: one school or many, in clusters, and the compact export."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stdnum.gb import upn as standard

from records.synthetic import clusters
from records.synthetic.clusters import clusters_of
from records.synthetic.compact import WeekLedger
from records.synthetic.events import TYPES
from records.synthetic.network import build_schools
from records.synthetic.people import _birth_days
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.register import CODES
from records.synthetic.simulate import Simulated, simulate
from records.synthetic.truth import read_truth
from records.synthetic.whole_files import WholeFiles
from serving.jobs.simulation import UnknownFormat, kind_of, simulate_as

AUTUMN = date(2024, 10, 14)
PLAN = NetworkPlan(pupils=300, schools=5, years=(2024,), until=date(2024, 12, 2), seed=4, mess=0.5)
WRONG_DATES = ("1900-01-01", "2024-02-30", "31/12/2024")


@cache
def rows(out: Path, table: str) -> pd.DataFrame:
    """Return the rows of every file of a table, packed or not, as text."""
    paths = sorted([*out.glob(f"{table}*.csv"), *out.glob(f"{table}*.csv.gz")])
    return pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths], ignore_index=True)


def digest(folder: Path) -> str:
    """Return one digest of every file's name and bytes."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(str(path.relative_to(folder)).encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A year and an autumn of 900 pupils with all mess there is."""
    out = tmp_path_factory.mktemp("year") / "out"
    return simulate(NetworkPlan(pupils=900, schools=6, years=(2023, 2024), until=AUTUMN, seed=6, mess=1), out)


class TestHowMany:
    @pytest.mark.parametrize(("phase", "groups"), [("PS", {"R", "6"}), ("SS", {"7", "11"}), ("SP", {"R", "11"})])
    def test_one_school_of_any_phase_is_a_network(self, tmp_path: Path, phase: str, groups: set[str]) -> None:
        plan = NetworkPlan(pupils=60, schools=1, phase=phase, years=(2024,), until=AUTUMN, seed=1)
        made = simulate(plan, tmp_path / "out")
        assert [school.phase for school in made.schools] == [phase]
        assert groups <= set(rows(made.out, "enrolments")["year_group"])
        assert 50 < made.pupils < 75

    def test_the_number_of_schools_follows_from_the_pupils(self) -> None:
        sizes = (700, 12_000, 120_000, 1_200_000)
        assert [NetworkPlan(pupils=n, seed=1).number_of_schools for n in sizes] == [1, 14, 140, 1395]

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"pupils": 30, "schools": 3}, "12 to 4,000 pupils, so 3 of them cannot have 30"),
            ({"pupils": 9000, "schools": 2}, "2 of them cannot have 9,000"),
            ({"phase": "XX"}, "phase must be one of PS, SS, AT, SP, not XX"),
            ({"pupils": 4_000_000}, "at most 3,000,000 pupils"),
            ({"schools": 0}, "0 of them cannot have"),
        ],
    )
    def test_what_is_no_network_is_refused(self, wrong: dict[str, object], sentence: str) -> None:
        with pytest.raises(SimulationRefused, match=sentence):
            replace(PLAN, **wrong)  # type: ignore[arg-type]  # the wrong values are the test


class TestClusters:
    def test_a_large_network_falls_into_clusters_of_whole_schools(self) -> None:
        found = clusters_of(NetworkPlan(pupils=1_200_000, seed=1))
        assert len(found) == 24
        sizes = [sum(site.size for site in cluster.sites) for cluster in found]
        assert sum(sizes) == pytest.approx(1_200_000)
        assert max(sizes) < 60_000
        sites = [site for cluster in found for site in cluster.sites]
        assert [site.number for site in sites] == list(range(1395))
        assert len({(site.authority, site.establishment) for site in sites}) == 1395
        # An establishment number from 1000 on could be a real school's.
        assert max(site.establishment for site in sites) < 1000
        assert {len({site.authority for site in cluster.sites}) for cluster in found} == {1, 2}

    def test_no_cluster_has_more_schools_than_int8_can_number(self) -> None:
        assert max(len(c.sites) for c in clusters_of(NetworkPlan(pupils=12_000, schools=1000, seed=1))) == 100

    def test_a_school_lies_in_the_borough_of_its_number(self) -> None:
        (cluster,) = clusters_of(replace(PLAN, schools=3))
        schools = build_schools(cluster.sites, years=(2024,), until=AUTUMN, rng=np.random.default_rng(1))
        assert [(s.laestab, s.borough) for s in schools] == [
            ("2020001", "Camden"),
            ("2090001", "Lewisham"),
            ("3030001", "Bexley"),
        ]

    def test_any_number_of_processes_gives_the_same_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clusters, "MOST_SCHOOLS", 3)
        plan = replace(PLAN, until=date(2024, 10, 7), compact=True)
        made = [
            simulate(plan, tmp_path / name, truth=tmp_path / f"{name}.parquet", jobs=jobs)
            for name, jobs in (("one", 1), ("two", 2))
        ]
        out = made[0].out
        assert digest(out) == digest(made[1].out)
        assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
        assert made[0].rows == made[1].rows
        assert sorted(path.name for path in (out / "census").iterdir()) == ["2024_autumn_001", "2024_autumn_002"]
        assert set(rows(out, "schools")["urn"]) == {str(900001 + n) for n in range(5)}
        upns = [
            set(pd.concat(map(pd.read_csv, out.glob(f"enrolments_{tag}_*.csv.gz")))["upn"]) for tag in ("001", "002")
        ]
        assert upns[0]
        assert not upns[0] & upns[1]
        assert read_truth(tmp_path / "one.parquet")["upn"].nunique() == made[0].pupils
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "one.parquet", "two", "two.parquet"]


class TestCompact:
    def test_marks_fold_into_weeks_by_hand(self) -> None:
        code = {name: CODES.index(name) for name in ("/", "N", "I", "L")}
        # Monday is day 70. Pupil 2's absence of Tuesday morning is explained in the next week.
        told = [
            # school, pupil, date, session, code, updated
            (0, 1, 70, 0, code["/"], 70),
            (0, 2, 71, 0, code["N"], 71),
            (0, 1, 74, 1, code["L"], 74),
            (0, 2, 71, 0, code["I"], 78),
            (0, 1, 72, 0, code["N"], 72),
            (0, 1, 72, 0, code["I"], 73),
            (0, 1, 73, 0, code["/"], 90),
            (0, 1, -2, 0, code["/"], 70),
        ]
        columns = np.array(told).T
        names = ("school", "pupil", "date", "session", "code", "updated")
        ledger = WeekLedger(until=80, a_monday=0)
        ledger.add(dict(zip(names, columns, strict=True)))
        weeks = ledger.take(100)
        found = {
            (int(p), int(w), int(u)): {i: CODES[c] for i, c in enumerate(m) if c >= 0}
            for p, w, u, m in zip(weeks["pupil"], weeks["week"], weeks["updated"], weeks["marks"], strict=True)
        }
        assert found == {
            (1, -2, 70): {0: "/"},
            (1, 70, 74): {0: "/", 4: "I", 9: "L"},
            (2, 70, 71): {2: "N"},
            (2, 70, 78): {2: "I"},
        }

    def test_the_register_says_the_same_in_both_forms(self, tmp_path: Path) -> None:
        plain = simulate(PLAN, tmp_path / "plain")
        packed = simulate(replace(PLAN, compact=True), tmp_path / "packed")
        marks = rows(plain.out, "marks").sort_values("updated_on", kind="stable")
        marks = marks[~marks["date"].isin(WRONG_DATES)]
        last = marks.groupby(["upn", "urn", "date", "session"])["code"].last()
        weeks = rows(packed.out, "weeks").sort_values("updated_on", kind="stable")
        assert (weeks["marks"].str.len() == 20).all()
        wrong = weeks["week_start"].isin(WRONG_DATES)
        assert wrong.any()
        weeks = weeks[~wrong]
        mondays = pd.to_datetime(weeks["week_start"])
        assert (mondays.dt.day_of_week == 0).all()
        sessions = [
            weeks[["upn", "urn", "updated_on"]].assign(
                date=(mondays + pd.Timedelta(days=slot // 2)).dt.strftime("%Y-%m-%d"),
                session=("AM", "PM")[slot % 2],
                code=weeks["marks"].str.slice(2 * slot, 2 * slot + 2).str.strip(),
            )
            for slot in range(10)
        ]
        told = pd.concat(sessions).sort_values("updated_on", kind="stable")
        seen = told[told["code"] != ""].groupby(["upn", "urn", "date", "session"])["code"].last()
        pd.testing.assert_series_equal(seen, last)
        for table in ("behaviour", "positives", "suspensions", "enrolments"):
            both = [set(rows(made.out, table).itertuples(index=False, name=None)) for made in (plain, packed)]
            assert both[0] == both[1], table
        assert digest(plain.out / "census") == digest(packed.out / "census")


class TestOtherFormats:
    def test_another_system_s_files_stand_beside_the_census(self, tmp_path: Path) -> None:
        plan = NetworkPlan(pupils=60, schools=1, years=(2024,), until=AUTUMN, seed=1)
        said: list[str] = []
        made, written = simulate_as("arbor", plan, tmp_path / "out", truth=None, say=said.append, jobs=1)
        assert written > made.rows["marks"]
        assert list(made.out.glob("arbor_*.csv"))
        assert not list(made.out.glob("marks_*"))
        assert (made.out / "census" / "2024_autumn" / "pupilonroll.csv").exists()
        assert said[-1] == "writing as arbor"
        with pytest.raises(SimulationRefused, match="is not empty"):
            simulate_as("arbor", plan, tmp_path / "out", truth=None, say=said.append, jobs=1)

    def test_the_format_follows_the_size(self) -> None:
        assert [kind_of(None, pupils) for pupils in (200_000, 200_001)] == ["network", "compact"]
        assert kind_of("network", 1_200_000) == "network"
        with pytest.raises(UnknownFormat, match="at most 20,000 pupils, not 20,001"):
            kind_of("ctf", 20_001)
        assert kind_of("compact", 20_001, places=True) == "compact"
        with pytest.raises(UnknownFormat, match="ctf does not say where pupils live; give --places with --as network"):
            kind_of("ctf", 200, places=True)


class TestShapes:
    def test_some_secondaries_have_a_sixth_form_that_studies_at_home(self, year: Simulated) -> None:
        enrolments, marks = rows(year.out, "enrolments"), rows(year.out, "marks")
        older = set(enrolments["upn"][enrolments["year_group"].isin(["12", "13"])])
        assert len(older) > 30
        at_home = marks[marks["code"] == "X"]
        assert set(at_home["upn"]) <= older
        assert len(at_home) > 30 * len(older)

    def test_a_dually_registered_pupil_is_due_at_one_school_at_a_time(self, year: Simulated) -> None:
        enrolments, marks = rows(year.out, "enrolments"), rows(year.out, "marks")
        second, main = (
            enrolments[enrolments["status"] == status][["upn", "urn"]].drop_duplicates() for status in ("S", "M")
        )
        assert len(second) > 0
        assert set(second["upn"]) == set(main["upn"])
        assert not set(second.itertuples(index=False, name=None)) & set(main.itertuples(index=False, name=None))
        key = ["upn", "date", "session"]
        there, here = (marks.merge(who).drop_duplicates(key, keep="last") for who in (second, main))
        both = there.merge(here, on=key)
        assert len(both) > 30
        # Mess may change one of the two marks; the others stand against each other.
        assert ((both["code_x"] == "D") != (both["code_y"] == "D")).mean() > 0.95
        assert 0.2 < (both["code_x"] == "D").mean() < 0.9

    def test_upns_change_and_the_enrolment_names_the_former_one(self, year: Simulated) -> None:
        enrolments = rows(year.out, "enrolments")
        changed = enrolments[enrolments["former_upn"] != ""].drop_duplicates(["upn", "former_upn"])
        assert set(changed["former_upn"].str[-1].str.isdigit()) == {True, False}
        assert all(standard.is_valid(upn) for upn in changed["former_upn"])
        assert changed["former_upn"].is_unique
        assert set(changed["former_upn"]) & set(rows(year.out, "marks")["upn"])

    def test_a_few_pupils_are_out_of_the_year_of_their_age(self) -> None:
        born = _birth_days(np.full(4000, 2015), np.random.default_rng(1))
        usual = (born >= np.datetime64("2010-09-01")) & (born < np.datetime64("2011-09-01"))
        assert 0.001 < 1 - usual.mean() < 0.01


class TestLeavers:
    def test_the_census_lists_who_left_since_the_one_before(self, year: Simulated) -> None:
        folder = year.out / "census" / "2024_autumn"
        gone, now = rows(folder, "pupilnolongeronroll"), rows(folder, "pupilonroll")
        school = rows(folder, "schoolcensus").set_index("schoolcensustableid")["urn"]
        enrolments = rows(year.out, "enrolments")
        left = enrolments[enrolments["leaving_date"] != ""].drop_duplicates(["upn", "urn"], keep="last")
        found = gone.assign(urn=gone["schoolcensustableid"].map(school)).merge(left, on=["upn", "urn"])
        assert len(gone) > 30
        assert len(found) > 0.95 * len(gone)  # a few changed their UPN in between
        dates = pd.to_datetime(found["leavingdate"], format="%Y-%b-%d %H:%M:%S").dt.strftime("%Y-%m-%d")
        assert (dates == found["leaving_date"]).all()
        assert len(now.merge(gone, on=["upn", "schoolcensustableid"])) == 0

    def test_their_sanctions_and_sessions_stand_with_the_school_they_left(self, year: Simulated) -> None:
        listed: Counter[str] = Counter()
        for folder in sorted((year.out / "census").iterdir()):
            gone = set(rows(folder, "pupilnolongeronroll")["pupilnolongeronrolltableid"])
            for table in ("termlyexclusionsoffroll", "termlysessiondetailsoffroll"):
                found = rows(folder, table)["pupilnolongeronrolltableid"]
                assert set(found) <= gone, (folder.name, table)
                listed[table] += len(found)
        assert listed["termlyexclusionsoffroll"] > 0
        assert listed["termlysessiondetailsoffroll"] > 30


class TestWholeFiles:
    def test_files_come_twice_and_registers_are_missing(self, year: Simulated) -> None:
        again = sorted(path for path in year.out.iterdir() if "_again" in path.name)
        assert again
        for path in again:
            assert path.read_bytes() == path.with_name(path.name.replace("_again", "")).read_bytes()
        marks = rows(year.out, "marks")
        week = pd.to_datetime(marks["date"], format="%Y-%m-%d", errors="coerce").dt.to_period("W")
        sent = pd.crosstab(marks["urn"], week) > 0
        empty = int((~sent).sum().sum())
        # The two patterns of half-terms differ by two weeks a year; what is missing beyond them was lost.
        assert 2 * 6 < empty + 12 < 40

    def test_a_new_system_counts_and_names_otherwise_from_its_day_on(self) -> None:
        types = {name: TYPES.index(name) for name in ("Insolence", "Defiance", "Disruption")}
        wrong = WholeFiles(lost=((1, 7, 11),), changed=np.array([9, 10_000]), mess=0, rng=np.random.default_rng(1))
        events = {
            "school": np.array([0, 0, 0, 1]),
            "date": np.array([8, 9, 9, 9]),
            "type": np.array([types["Insolence"], types["Insolence"], types["Disruption"], types["Insolence"]]),
            "points": np.array([2, 2, 8, 2]),
        }
        told = wrong.apply("behaviour", events)
        assert told["points"].tolist() == [2, 10, 40, 2]
        assert [TYPES[i] for i in told["type"]] == ["Insolence", "Defiance", "Disruption", "Insolence"]
        kept = wrong.apply("marks", {"school": np.array([0, 1, 1, 1]), "date": np.array([8, 6, 11, 12])})
        assert kept["date"].tolist() == [8, 6, 12]

    def test_none_of_it_without_mess(self, tmp_path: Path) -> None:
        out = simulate(replace(PLAN, until=AUTUMN, mess=0), tmp_path / "out").out
        assert not [path for path in out.iterdir() if "again" in path.name]
        assert set(rows(out, "enrolments")["former_upn"]) == {""}
        assert rows(out, "behaviour")["points"].astype(int).max() <= 8
