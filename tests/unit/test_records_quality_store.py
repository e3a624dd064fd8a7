"""Counting in the store: what was known on the day, each mark once, and what the home says about doubts."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from records import delta
from records.arrow import schema_of
from records.history import known
from records.home import Home, create_home
from records.quality import aside
from records.quality.acceptances import Acceptance, NotAccepted, accept, read_acceptances
from records.quality.counts import SchoolCounts, count_schools
from records.quality.doubts import ThresholdRefused, read_rules, standings
from records.quality.registers import YEARS
from records.quality.rules import RULES
from records.store import Store
from records.tables import TABLES
from tests.factories import SCHOOL, frame, term_calendar

AS_OF = date(2026, 6, 22)
MONDAY = date(2026, 6, 15)
Rows = Sequence[Mapping[str, Any]]


def put(home: Home, **tables: Rows) -> Store:
    """Land rows, and the one school with its calendar."""
    known_on = date(2024, 7, 1)
    tables = {"schools": [{"known_on": known_on}], "calendars": term_calendar(), **tables}
    for name, rows in tables.items():
        arrow = pa.Table.from_pandas(frame(name, rows), schema=schema_of(TABLES[name]), preserve_index=False)
        delta.append(home.history, TABLES[name], [delta.Landing(name, arrow)], home.shards)
    return Store(home)


def count(store: Store, as_of: date = AS_OF) -> SchoolCounts:
    (counts,) = count_schools(store, as_of)
    return counts


@pytest.fixture
def home(tmp_path):
    return create_home(tmp_path / "home", demo=True, today=AS_OF, shards=2)


class TestCounts:
    def mark(self, pupil: int, **changed: Any) -> dict[str, Any]:
        return {"pupil": pupil, "date": MONDAY, **changed}

    def at(self, counts: SchoolCounts, day: date = MONDAY) -> int:
        return int(np.flatnonzero(counts.register.days == np.datetime64(day))[0])

    def test_the_newest_version_known_that_day_counts_once(self, home):
        """Pupil 1: marked absent, explained on Wednesday. 2: deleted. 3: changed on the day itself. 4: not on roll."""
        later = MONDAY + timedelta(days=2)
        marks = [
            self.mark(1, code="N"),
            self.mark(1, code="I", known_on=later),
            self.mark(2),
            self.mark(2, deleted=True, known_on=later),
            self.mark(3, code="N"),
            self.mark(3, code="/", known_on=AS_OF),
            self.mark(4),
        ]
        put(home, marks=marks, enrolments=[{"pupil": pupil} for pupil in (1, 2, 3)])
        counts = count(Store(home))
        register, at = counts.register, self.at(counts)
        assert register.marks[at].sum(axis=1).tolist() == [2, 0]
        assert register.marks[at, 0, YEARS.index("9")] == 2
        assert (register.possible[at, 0], register.absent[at, 0], register.unexplained[at]) == (3, 2, 1)
        assert register.roll[at].sum() == 3
        assert counts.newest == MONDAY

    def test_an_absence_made_attendance_after_eight_days_is_a_late_change(self, home):
        as_of = MONDAY + timedelta(days=20)
        marks = [
            *(self.mark(1, code="O"), self.mark(1, code="/", known_on=MONDAY + timedelta(days=8))),
            *(self.mark(2, code="O"), self.mark(2, code="/", known_on=MONDAY + timedelta(days=7))),
            *(self.mark(3, code="/"), self.mark(3, code="O", known_on=MONDAY + timedelta(days=9))),
        ]
        put(home, marks=marks, enrolments=[{"pupil": pupil} for pupil in (1, 2, 3)])
        register = count(Store(home), as_of).register
        assert (register.recoded.sum(), register.explainable.sum()) == (1, 2)

    def test_a_roll_is_counted_from_the_first_day_to_the_last(self, home):
        enrolments = [
            {"pupil": 1, "entry_date": date(2026, 6, 16), "leaving_date": date(2026, 6, 17)},
            {"pupil": 2, "year_group": "N2"},  # nursery: never scored
            {"pupil": 3, "status": "G"},  # a guest is another school's pupil
        ]
        marks = [self.mark(1, date=MONDAY + timedelta(days=day)) for day in range(4)]
        put(home, marks=marks, enrolments=enrolments)
        counts = count(Store(home))
        at = self.at(counts)
        assert counts.register.roll[at : at + 4].sum(axis=1).tolist() == [0, 1, 1, 0]
        assert counts.register.marks[at : at + 4].sum(axis=(1, 2)).tolist() == [0, 1, 1, 0]

    def test_the_store_and_the_plain_reading_agree(self, home):
        """A thousand random marks with corrections and deletions: the same sums as `known` gives."""
        random = np.random.default_rng(20261122)
        days = [MONDAY - timedelta(days=int(back)) for back in random.integers(0, 40, 1000)]
        marks = [
            self.mark(
                int(random.integers(1, 20)),
                date=day,
                session=str(random.choice(["AM", "PM"])),
                code=str(random.choice(["/", "O", "N", "X"])),
                known_on=day + timedelta(days=int(random.integers(0, 30))),
                deleted=bool(random.random() < 0.1),
            )
            for day in days
        ]
        put(home, marks=marks, enrolments=[{"pupil": pupil} for pupil in range(1, 20)])
        store = Store(home)
        plain = pd.concat([known(store.history(shard), AS_OF)["marks"] for shard in store.shards])
        register = count(store).register
        assert register.marks.sum() == len(plain)
        assert register.absent.sum() == plain["code"].isin(["O", "N"]).sum()
        assert register.unexplained.sum() == (plain["code"] == "N").sum()
        by_day = plain.groupby("date").size()
        counted = pd.Series(register.marks.sum(axis=(1, 2)), index=pd.DatetimeIndex(register.days).as_unit("s"))
        assert counted[counted > 0].to_dict() == by_day.to_dict()

    def test_events_are_counted_in_the_week_of_their_newest_version(self, home):
        """One event moved back a week, one deleted, one graded anew."""
        monday = MONDAY - timedelta(weeks=1)
        events = [
            {"pupil": 1, "event_id": "a", "date": MONDAY},
            {"pupil": 1, "event_id": "a", "date": monday, "known_on": MONDAY},
            {"pupil": 2, "event_id": "b", "date": MONDAY},
            {"pupil": 2, "event_id": "b", "date": MONDAY, "deleted": True, "known_on": MONDAY + timedelta(days=1)},
            {"pupil": 3, "event_id": "c", "date": MONDAY, "severity": 2, "points": 3},
            {"pupil": 3, "event_id": "c", "date": MONDAY, "severity": 5, "points": 8, "known_on": date(2026, 6, 17)},
        ]
        put(home, behaviour=events)
        counts = count(Store(home)).events
        weeks = [int(np.flatnonzero(counts.mondays == np.datetime64(day))[0]) for day in (monday, MONDAY)]
        assert counts.types[weeks].sum(axis=1).tolist() == [1, 1]
        assert counts.severities[weeks].tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 0, 1]]
        assert counts.points[weeks].tolist() == [1, 8]
        assert counts.open_days[weeks].tolist() == [5, 5]

    def test_a_pupil_on_two_rolls_is_counted_at_both(self, home):
        other = SCHOOL + 1
        enrolments = [{"pupil": 1}, {"pupil": 1, "school": other}, {"pupil": 2}, {"pupil": 2, "school": other}]
        enrolments[2]["status"], enrolments[3]["status"] = "M", "S"
        known_on = date(2024, 7, 1)
        schools = [{"school": urn, "known_on": known_on} for urn in (SCHOOL, other)]
        put(home, enrolments=enrolments, schools=schools, calendars=[*term_calendar(), *term_calendar(other)])
        found = count_schools(Store(home), AS_OF)
        assert [one.on_two_rolls for one in found] == [1, 1]

    def test_an_empty_home_has_no_school(self, home):
        assert standings(Store(home), AS_OF) == ()

    def test_what_was_put_aside_is_told_by_file_without_a_value(self, home):
        put(home, marks=[self.mark(pupil, source="aaaa") for pupil in range(1, 4)])
        folder = home.quarantine / "aaaa"
        folder.mkdir(parents=True)
        heading = "file,line,column,value_class,rule,remedy\n"
        fault = 'marks.csv,{0},code,text,"not in the list","use a code"\n'
        twice = 'marks.csv,5,date,text,"no date","write a date"\n'
        (folder / "faults.csv").write_text(heading + fault.format(5) + fault.format(6) + twice)
        (one,) = aside.shares(Store(home))
        assert (one.file, one.quarantined, one.landed, one.schools) == ("marks.csv", 2, 3, (SCHOOL,))
        assert one.share == pytest.approx(2 / 5)
        told = aside.reasons(home)
        assert told[["why", "rows"]].sort_values("why").values.tolist() == [["no date", 1], ["not in the list", 2]]


class TestWhatTheHomeSays:
    def acceptance(self, **changed: Any) -> Acceptance:
        said = {
            "rule": "stale",
            "school": SCHOOL,
            "since": (MONDAY,),
            "by": "Head of data",
            "on": AS_OF,
            "until": AS_OF + timedelta(days=30),
            "reason": "The school's server moves house",
        }
        return Acceptance(**{**said, **changed})

    def test_acceptances_are_added_and_never_changed(self, home):
        first, second = self.acceptance(), self.acceptance(rule="fewer_marks")
        accept(home, first)
        before = (home.path / "quality" / "accepted.jsonl").read_bytes()
        accept(home, second)
        after = (home.path / "quality" / "accepted.jsonl").read_bytes()
        assert after.startswith(before)
        assert read_acceptances(home) == (first, second)
        assert (home.path / "quality" / "accepted.jsonl").stat().st_mode & 0o077 == 0

    def test_a_line_cut_off_accepts_nothing_and_stops_nothing(self, home):
        accept(home, self.acceptance())
        with (home.path / "quality" / "accepted.jsonl").open("a") as file:
            file.write('{"rule": "stale", "scho\n')
        assert len(read_acceptances(home)) == 1

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"by": " "}, "needs the name of the person"),
            ({"reason": "fine"}, "needs a reason of 10 to 500 characters"),
            ({"until": AS_OF - timedelta(days=1)}, "an acceptance ends between today, 2026-06-22, and 2026-08-21"),
            ({"until": AS_OF + timedelta(days=61)}, "an acceptance ends between today"),
        ],
    )
    def test_an_acceptance_needs_a_person_a_reason_and_an_end(self, home, changed, sentence):
        with pytest.raises(NotAccepted, match=sentence):
            accept(home, self.acceptance(**changed))
        assert read_acceptances(home) == ()

    def test_the_network_may_choose_other_thresholds(self, home):
        (home.path / "quality.toml").write_text("[thresholds]\nfewer_marks = 0.4\nstale = 10\n")
        changed = {rule.name: rule.threshold for rule in read_rules(home)}
        assert {name for name, threshold in changed.items() if threshold != _own()[name]} == {"fewer_marks", "stale"}
        assert changed["fewer_marks"] == 0.4

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            ("[thresholds]\nfewer = 0.4", "it may name never_sent, stale"),
            ("thresholds = 3", "thresholds must be a table"),
            ("[limits]\nstale = 4", "quality.toml says limits"),
            ("[thresholds]\nstale = true", "stale is True; write it as a number"),
            ("[thresholds]\nfewer_marks = 30", "above 0 and at most 1"),
            ("[thresholds]\nstale = nan", "above 0 and at most 40"),
            ("[thresholds", "cannot be read"),
        ],
    )
    def test_a_threshold_that_is_none_is_refused(self, home, said, sentence):
        (home.path / "quality.toml").write_text(said)
        with pytest.raises(ThresholdRefused, match=sentence):
            read_rules(home)


def _own() -> dict[str, float]:
    return {rule.name: rule.threshold for rule in RULES}
