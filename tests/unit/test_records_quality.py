"""Doubts about whole tables: each rule on both sides of its threshold, on schools small enough to count by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from records.calendar import Days, calendar_from, days_between
from records.codes import INCIDENT_TYPE
from records.quality.acceptances import Acceptance
from records.quality.aside import FileShare
from records.quality.counts import SchoolCounts
from records.quality.doubts import Doubt, stand
from records.quality.incidents import SEVERITIES, Events
from records.quality.registers import YEARS, Register
from records.quality.rules import RULES
from tests.factories import SCHOOL, frame, term_calendar

# Monday 22 June 2026, in the fourth week after half-term (25 to 29 May).
AS_OF = date(2026, 6, 22)
OPEN = calendar_from(frame("calendars", term_calendar())).open_days[SCHOOL]


def school(
    as_of: date = AS_OF,
    *,
    roll: Mapping[str, int] | None = None,
    open_days: Days = OPEN,
    joined: date = date(2020, 9, 1),
    weeks: int = 10,
) -> SchoolCounts:
    """Return a school whose registers are whole: everyone on roll marked present in every open session."""
    first = as_of - timedelta(weeks=weeks, days=as_of.weekday())
    days = np.arange(np.datetime64(first), np.datetime64(as_of))
    opened = np.isin(days, open_days)
    on_roll = np.zeros((len(days), len(YEARS)), dtype=np.int64)
    for year, pupils in (roll or {"9": 20, "10": 20}).items():
        on_roll[:, YEARS.index(year)] = pupils
    on_roll[days < np.datetime64(joined)] = 0
    marks = np.repeat((on_roll * opened[:, None])[:, None, :], 2, axis=1)
    none = np.zeros(len(days), dtype=np.int64)
    register = Register(
        days=days,
        open=opened,
        roll=on_roll,
        marks=marks,
        possible=marks.sum(axis=2),
        absent=np.zeros((len(days), 2), dtype=np.int64),
        unexplained=none,
        recoded=none.copy(),
        explainable=none.copy(),
    )
    return with_register(
        SchoolCounts(
            school=SCHOOL,
            name="Test School",
            as_of=as_of,
            joined=joined,
            calendar=open_days,
            register=register,
            newest=None,
            events=events(as_of, open_days, [0] * 20),
        ),
        marks=marks,
    )


def with_register(counts: SchoolCounts, **changed: np.ndarray) -> SchoolCounts:
    """Return the school with other counts in its register, and its newest mark worked out anew."""
    register = replace(counts.register, **changed)
    if "marks" in changed and "possible" not in changed:
        register = replace(register, possible=register.marks.sum(axis=2))
    return replace(counts, register=register, newest=register.newest)


def without(counts: SchoolCounts, start: date, end: date, pupils: int | None = None, year: str = "9") -> SchoolCounts:
    """Return the school with that many marks fewer in every session of the days; all of them where not said."""
    marks = counts.register.marks.copy()
    rows = (counts.register.days >= np.datetime64(start)) & (counts.register.days <= np.datetime64(end))
    if pupils is None:
        marks[rows] = 0
    else:
        place = YEARS.index(year)
        marks[rows, :, place] = np.maximum(marks[rows, :, place] - pupils, 0)
    return with_register(counts, marks=marks)


def events(as_of: date, open_days: Days, numbers: list[int]) -> Events:
    """Return that many events in each of the last weeks with school; by default all of one type and severity 2."""
    mondays = np.unique(open_days - (open_days.astype(np.int64) + 3) % 7)
    mondays = mondays[mondays + 7 <= np.datetime64(as_of)][-len(numbers) :]
    number = np.array(numbers[-len(mondays) :], dtype=np.int64)
    types = np.zeros((len(mondays), len(INCIDENT_TYPE.codes)), dtype=np.int64)
    severities = np.zeros((len(mondays), SEVERITIES), dtype=np.int64)
    types[:, 0], severities[:, 1] = number, number
    return Events(
        mondays=mondays,
        open_days=np.full(len(mondays), 5, dtype=np.int64),
        types=types,
        severities=severities,
        points=2 * number,
        pointed=number,
    )


def doubts(counts: SchoolCounts, *names: str) -> list[Doubt]:
    """Return the school's doubts, of these rules only where some are named."""
    return [doubt for doubt in stand(counts).doubts if not names or doubt.rule in names]


def rules(counts: SchoolCounts) -> list[str]:
    return sorted({doubt.rule for doubt in doubts(counts)})


class TestWhatMustRaiseNothing:
    @pytest.mark.parametrize(
        "as_of",
        [
            date(2026, 6, 8),  # a week after half-term
            date(2026, 6, 1),  # the first day after it: five closed days behind
            date(2025, 9, 15),  # the training day of 1 September, and the summer before
            date(2026, 4, 20),  # Easter
            date(2026, 8, 10),  # in the holidays
        ],
    )
    def test_holidays_and_training_days_are_gaps_not_doubts(self, as_of):
        assert rules(school(as_of)) == []

    def test_iso_week_53_and_the_new_year(self):
        """2026 has a week 53: 28 December to 3 January, all of it holiday here."""
        open_days = np.concatenate(
            [days_between(date(2026, 11, 2), date(2026, 12, 18)), days_between(date(2027, 1, 4), date(2027, 2, 12))]
        )
        for as_of in (date(2027, 1, 4), date(2027, 1, 5), date(2027, 1, 11), date(2027, 1, 18)):
            assert rules(school(as_of, open_days=open_days)) == []

    def test_year_11_has_left_in_june_with_or_without_leaving_dates(self):
        counts = school(roll={"10": 40, "11": 40})
        assert rules(without(counts, date(2026, 5, 11), AS_OF, 40, year="11")) == []

    def test_a_school_that_joins_in_april_has_no_history_before(self):
        counts = school(joined=date(2026, 5, 4))
        assert counts.register.marks[:14].sum() == 0
        assert rules(counts) == []

    def test_a_small_school_with_a_class_missing(self):
        """Forty pupils; eight of them without marks for a week: 80 % is a thing to live with."""
        assert rules(without(school(), date(2026, 6, 15), AS_OF, 8)) == []

    def test_the_days_since_the_last_export_are_not_due_yet(self):
        """Data to Tuesday on the Monday after: three open days behind, and the week is compared by what was due."""
        assert rules(without(school(), date(2026, 6, 17), AS_OF)) == []

    def test_a_school_without_pupils_on_roll_divides_by_nought_nowhere(self):
        counts = school()
        nobody = replace(counts.register, roll=0 * counts.register.roll, marks=0 * counts.register.marks)
        assert rules(replace(counts, register=nobody)) == []


class TestRegisters:
    def test_thirty_percent_fewer_marks_than_the_week_before(self):
        """12 of 40 pupils without marks for five days: 280 of 400 marks, 70 % after 100 %."""
        (doubt,) = doubts(without(school(), date(2026, 6, 15), AS_OF, 12))
        assert (doubt.rule, doubt.since, doubt.holding) == ("fewer_marks", date(2026, 6, 15), True)
        assert "70% of the marks due (280 of 400); the school week before it had 100%" in doubt.sentence
        assert rules(without(school(), date(2026, 6, 15), AS_OF, 11)) == []

    def test_the_week_before_a_holiday_is_the_week_before(self):
        """Half-term lies between: the week of 1 June is compared with that of 18 May."""
        found = doubts(without(school(), date(2026, 6, 1), date(2026, 6, 5), 16), "fewer_marks")
        assert [doubt.since for doubt in found] == [date(2026, 6, 1)]

    def test_a_loss_weeks_ago_still_stands(self):
        found = doubts(without(school(), date(2026, 5, 4), date(2026, 5, 8)), "fewer_marks")
        assert [doubt.since for doubt in found] == [date(2026, 5, 4)]

    def test_registers_that_are_thin_from_the_start(self):
        """21 of 40 pupils never marked: no week is thinner than the one before, and each has 47.5 %."""
        counts = without(school(roll={"9": 40}), date(2026, 1, 1), AS_OF, 21)
        (doubt,) = doubts(counts, "thin_week")
        assert doubt.holding
        assert "only 48% of the marks due (190 of 400)" in doubt.sentence
        assert not doubts(without(school(roll={"9": 40}), date(2026, 1, 1), AS_OF, 20), "thin_week")

    @pytest.mark.parametrize(("last", "raised"), [(date(2026, 6, 12), True), (date(2026, 6, 15), False)])
    def test_five_open_days_without_a_mark(self, last, raised):
        """Friday 12 June leaves the five days of a week behind it; Monday 15 June four."""
        found = doubts(without(school(), last + timedelta(days=1), AS_OF), "stale")
        assert bool(found) is raised
        if raised:
            assert (found[0].since, found[0].holding) == (date(2026, 6, 15), True)
            assert "12 June 2026: 5 school days" in found[0].sentence

    def test_half_term_makes_no_mark_old(self):
        """Data to Wednesday 20 May on 3 June: two open days, five of holiday, two open days."""
        counts = without(school(date(2026, 6, 3)), date(2026, 5, 21), date(2026, 6, 3))
        assert rules(counts) == []

    @pytest.mark.parametrize(("as_of", "raised"), [(date(2026, 6, 5), False), (date(2026, 6, 8), True)])
    def test_a_school_that_never_sent_anything(self, as_of, raised):
        """Joined on 1 June: on Friday four school days are past, on Monday five."""
        joined = date(2026, 6, 1)
        counts = without(school(as_of, joined=joined), date(2026, 1, 1), as_of)
        assert rules(counts) == (["never_sent"] if raised else [])

    def test_everybody_absent_on_an_open_day(self):
        """38 of 40 is 95 %: a closure that nobody entered. 37 is a bad day."""
        counts = school()
        at = int(np.flatnonzero(counts.register.days == np.datetime64("2026-06-16"))[0])
        absent = counts.register.absent.copy()
        absent[at] = (38, 37)
        (doubt,) = doubts(with_register(counts, absent=absent))
        assert (doubt.rule, doubt.since, doubt.holding) == ("all_absent", date(2026, 6, 16), True)
        assert "38 of the 40 pupils in the morning register" in doubt.sentence
        absent[at] = 37
        assert rules(with_register(counts, absent=absent)) == []

    def test_a_closure_in_the_register_is_no_absence(self):
        """Coded Y4 or #, nobody's session was possible: nothing is counted against anyone."""
        counts = school()
        at = int(np.flatnonzero(counts.register.days == np.datetime64("2026-06-16"))[0])
        possible = counts.register.possible.copy()
        possible[at] = 0
        assert rules(with_register(counts, possible=possible)) == []

    def test_a_register_that_was_not_taken(self):
        counts = school()
        marks = counts.register.marks.copy()
        at = int(np.flatnonzero(counts.register.days == np.datetime64("2026-06-16"))[0])
        marks[at, 1] = 0
        (doubt,) = doubts(with_register(counts, marks=marks))
        assert (doubt.rule, doubt.holding) == ("session_untaken", False)
        assert "afternoon of 16 June 2026" in doubt.sentence

    def test_a_whole_year_group_without_marks(self):
        """Ten of fifty pupils, a fifth: no drop of 30 %, but nobody of year 7 was marked."""
        counts = school(roll={"7": 10, "8": 20, "9": 20})
        gone = without(counts, date(2026, 6, 8), date(2026, 6, 12), 10, year="7")
        (doubt,) = doubts(gone)
        assert (doubt.rule, doubt.since, doubt.holding) == ("year_unmarked", date(2026, 6, 8), False)
        assert "year 7 of about 10 pupils has next to no marks (0 of 100)" in doubt.sentence
        assert rules(without(counts, date(2026, 6, 8), date(2026, 6, 12), 9, year="7")) == []

    def test_marks_left_at_n_for_more_than_five_school_days(self):
        counts = school()
        standing_at_n = np.where(counts.register.open, 1, 0)
        (doubt,) = doubts(with_register(counts, unexplained=standing_at_n))
        assert (doubt.rule, doubt.holding) == ("unexplained", False)
        # A week of the whole register is younger than five school days, and not counted.
        recent = standing_at_n * (counts.register.days >= np.datetime64("2026-06-15")) * 40
        assert rules(with_register(counts, unexplained=recent)) == []

    def test_absences_changed_long_after_the_day(self):
        counts = school()
        at = int(np.flatnonzero(counts.register.open)[0])
        changed, of = np.zeros_like(counts.register.recoded), np.zeros_like(counts.register.recoded)
        changed[at], of[at] = 20, 200
        (doubt,) = doubts(with_register(counts, recoded=changed, explainable=of))
        assert (doubt.rule, doubt.holding) == ("recoded", False)
        assert "20 of 200 absences (10%)" in doubt.sentence
        of[at] = 201
        assert rules(with_register(counts, recoded=changed, explainable=of)) == []

    def test_registers_on_days_that_the_calendar_calls_closed(self):
        """The school moved its half-term and told nobody: a week taken that should be shut."""
        moved = np.union1d(OPEN, days_between(date(2026, 5, 25), date(2026, 5, 29)))
        counts = school(open_days=moved)
        named = replace(
            counts, calendar=OPEN, register=replace(counts.register, open=np.isin(counts.register.days, OPEN))
        )
        (doubt,) = doubts(named)
        assert (doubt.rule, doubt.since, doubt.holding) == ("open_when_closed", date(2026, 5, 25), False)
        none = replace(counts, calendar=OPEN[:0], register=replace(counts.register, open=0 * counts.register.open > 0))
        assert [(doubt.rule, doubt.holding) for doubt in doubts(none)] == [("no_term_dates", True)]


class TestSystemChange:
    """Twelve weeks of 40 events, then a change on 1 June: three weeks of something else."""

    CHANGED = date(2026, 6, 1)

    def events(self, numbers: list[int] | None = None) -> Events:
        return events(AS_OF, OPEN, numbers or [40] * 15)

    def test_other_types(self):
        made = self.events()
        types = made.types.copy()
        types[-3:, 0], types[-3:, 1] = 24, 16
        (doubt,) = doubts(replace(school(), events=replace(made, types=types)))
        assert (doubt.rule, doubt.since, doubt.holding) == ("types_shift", self.CHANGED, True)
        assert "40% of them would have to change type" in doubt.sentence
        types[-3:, 0], types[-3:, 1] = 25, 15
        assert rules(replace(school(), events=replace(made, types=types))) == []

    def test_another_scale_of_severity(self):
        made = self.events()
        severities = made.severities.copy()
        severities[-3:, 1], severities[-3:, 4] = 20, 20
        (doubt,) = doubts(replace(school(), events=replace(made, severities=severities)))
        assert (doubt.rule, doubt.since) == ("severity_shift", self.CHANGED)
        assert "mean severity 2.0 before and 3.5 after" in doubt.sentence

    def test_other_points(self):
        made = self.events()
        points = made.points.copy()
        points[-3:] = 160
        (doubt,) = doubts(replace(school(), events=replace(made, points=points)))
        assert (doubt.rule, doubt.since) == ("points_shift", self.CHANGED)
        assert "4.0 points on average; it carried 2.0" in doubt.sentence
        points[-3:] = 150
        assert rules(replace(school(), events=replace(made, points=points))) == []

    @pytest.mark.parametrize(("after", "raised"), [(0, True), (13, True), (14, False), (80, False), (121, True)])
    def test_a_third_or_three_times_the_events(self, after, raised):
        counts = replace(school(), events=self.events([40] * 12 + [after] * 3))
        assert rules(counts) == (["events_shift"] if raised else [])
        if raised:
            assert doubts(counts)[0].since == self.CHANGED

    def test_few_events_are_compared_with_nothing(self):
        """Nine a week: 27 to be expected in three weeks, and none came. It may be a calm month."""
        assert rules(replace(school(), events=self.events([9] * 12 + [0] * 3))) == []

    def test_a_school_that_began_to_write_events_down_has_no_weeks_before(self):
        """Nothing for nine weeks, then forty a week for six: a beginning, not a change."""
        assert rules(replace(school(), events=self.events([0] * 9 + [40] * 6))) == []

    def test_weeks_past_the_newest_register_are_not_calm(self):
        counts = replace(school(), events=self.events([40] * 12 + [0] * 3), newest=date(2026, 5, 21))
        assert not doubts(counts, "events_shift")

    def test_an_old_change_is_not_found_again_in_a_younger_week(self):
        """Ten weeks ago, beyond the eight looked back on."""
        made = events(AS_OF, OPEN, [40] * 20)
        points = made.points.copy()
        points[-10:] = 200
        assert rules(replace(school(), events=replace(made, points=points))) == []


class TestOthers:
    def test_a_pupil_on_two_rolls(self):
        (doubt,) = doubts(replace(school(), on_two_rolls=1))
        assert (doubt.rule, doubt.holding) == ("two_rolls", False)

    def test_a_file_with_many_rows_put_aside(self):
        def one(aside: int) -> FileShare:
            return FileShare(file="a.csv", source="s", quarantined=aside, held=0, landed=400 - aside, schools=(SCHOOL,))

        (doubt,) = doubts(replace(school(), aside=(one(20),)))
        assert doubt.rule == "put_aside"
        assert "20 of the 400 rows of a.csv did not land (5%)" in doubt.sentence
        assert rules(replace(school(), aside=(one(19),))) == []


class TestStanding:
    def held(self) -> SchoolCounts:
        return without(school(), date(2026, 6, 15), AS_OF, 12)

    def acceptance(self, **changed: object) -> Acceptance:
        said = {
            "rule": "fewer_marks",
            "school": SCHOOL,
            "since": (date(2026, 6, 15),),
            "by": "Head of data",
            "on": AS_OF,
            "until": AS_OF + timedelta(days=7),
            "reason": "Year 9 was at camp",
        }
        return Acceptance(**{**said, **changed})

    def test_a_doubt_that_holds_is_the_schools_note(self):
        found = stand(self.held())
        assert (found.held, found.held_since) == (True, date(2026, 6, 15))
        assert found.note.startswith("In the week of 15 June 2026 the registers hold 70% of the marks due")
        assert found.note.endswith("Until this is settled no pupil of the school is scored")
        assert (stand(school()).held, stand(school()).note) == (False, "")

    def test_an_accepted_doubt_is_still_told_and_does_not_hold(self):
        found = stand(self.held(), accepted=[self.acceptance()])
        assert (found.held, found.note) == (False, "")
        assert [doubt.accepted is not None for doubt in found.doubts] == [True]

    @pytest.mark.parametrize(
        "changed",
        [
            {"school": 900002},
            {"rule": "stale"},
            {"since": (date(2026, 6, 8),)},  # an older loss was accepted, not this one
            {"until": AS_OF - timedelta(days=1)},  # it has run out
            {"on": AS_OF + timedelta(days=1)},  # looked at as of a day before it was said
        ],
    )
    def test_an_acceptance_of_something_else_accepts_nothing(self, changed):
        assert stand(self.held(), accepted=[self.acceptance(**changed)]).held

    def test_every_rule_has_a_name_of_its_own_and_says_what_to_ask(self):
        assert len({rule.name for rule in RULES}) == len(RULES)
        assert all(rule.remedy.endswith(".") and rule.because for rule in RULES)
