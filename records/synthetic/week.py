"""One school week of the whole network: state, hazard, sanctions, register, incidents, and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from records.synthetic import events, published, register, sanctions, schedule, season, state
from records.synthetic.mess import event_rows, mark_rows, suspension_rows
from records.synthetic.register import CODE
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import CATEGORIES, Ledger, Rows, reason_index
from records.synthetic.sanctions import Sanctioned, Setting
from records.synthetic.schedule import Decided
from records.synthetic.tally import Tally, empty_tally
from records.synthetic.truth import WeekTruth
from records.synthetic.world import World

BURN_IN_WEEKS, SCALE_WEEKS = 40, 20
CODES_CHANGED = np.datetime64("2024-08-19")
Streams = Mapping[str, np.random.Generator]


class Takes(Protocol):
    """What rows are handed to."""

    ledgers: Mapping[str, Ledger]


@dataclass(frozen=True, kw_only=True)
class Live:
    """What changes from week to week. `decided` keeps the suspensions' rows for the census."""

    latent: state.Latent
    spells: register.Spells
    out: schedule.Out
    scale: sanctions.Scale
    tally: Tally
    event_numbers: Mapping[str, npt.NDArray[np.int64]]
    decided: tuple[Rows, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Now:
    """One week as it begins: its number, where pupils stand, open days (pupils, 5), intensities, sanctions."""

    week: int
    setting: Setting
    opened: npt.NDArray[np.bool_]
    found: sanctions.Weights
    sanctioned: Sanctioned
    decided: Decided


def burn_in(world: World, draw: Streams) -> Live:
    """Return the state of the first morning: forty weeks without records, of which twenty set the scale."""
    pupils = len(world.people.upn)
    latent, setting = state.start(pupils, draw["state"]), world.setting(0)
    on_roll = world.rolls.school[:, 0] != NOT_ON_ROLL
    seen: list[sanctions.Weights] = []
    for _ in range(BURN_IN_WEEKS):
        latent = state.step(latent, world.traits, draw["state"])
        found = sanctions.weights(latent, world.traits, setting)
        seen.append(found)
        scale = sanctions.scale_from([found], on_roll, setting.band)
        number = draw["events"].poisson(sanctions.incident_rate(found, scale, setting.band))
        chance = sanctions.hazard(found, scale, setting.band)
        sanctioned = draw["sanctions"].random(pupils) < -np.expm1(-chance)
        latent = state.after(latent, (number * 2.0).astype(np.float32), sanctioned)
    return Live(
        latent=latent,
        spells=register.no_spells(pupils),
        out=schedule.nobody_out(pupils),
        scale=sanctions.scale_from(seen[-SCALE_WEEKS:], on_roll, setting.band),
        tally=empty_tally(pupils, world.rolls.year_group.shape[1]),
        event_numbers={name: np.zeros(len(world.schools), np.int64) for name in ("behaviour", "positives")},
    )


def live_week(world: World, live: Live, week: int, takes: Takes, draw: Streams) -> tuple[Live, WeekTruth]:
    """Return the state after a school week and the hazards it began with; its rows go to the ledgers."""
    setting, opened = world.setting(week), world.days_of_week(week, world.open_days)
    latent = state.step(live.latent, world.traits, draw["state"])
    found = sanctions.weights(latent, world.traits, setting)
    at_risk = opened.any(axis=1) & (live.out.last < world.day(week))
    hazards = np.where(at_risk, sanctions.hazard(found, live.scale, setting.band), 0).astype(np.float32)
    sanctioned = sanctions.draw_sanctions(hazards, at_risk, setting.band, draw["sanctions"])
    decided = schedule.decide(sanctioned, world.rolls.school[:, week], world.open_days, world.day(week), live.out)
    live = replace(live, latent=latent, out=decided.out)
    now = Now(week=week, setting=setting, opened=opened, found=found, sanctioned=sanctioned, decided=decided)
    live, marks = _mark(world, live, now, draw)
    school = world.rolls.school[:, week]
    takes.ledgers["marks"].add(mark_rows(school, marks.code, world.day(week), world.mess, draw["mess"]))
    recorded, kept = suspension_rows(_suspension_rows(world, week, sanctioned, decided), world.mess, draw["mess"])
    takes.ledgers["suspensions"].add(recorded)
    live = _record(world, live, now, marks, takes, draw)
    _expel(world, week, sanctioned, draw["sanctions"])
    on_roll = np.flatnonzero(world.rolls.school[:, week] != NOT_ON_ROLL).astype(np.int32)
    truth = WeekTruth(week=world.moments[week].monday, pupils=on_roll, hazard=hazards[on_roll])
    return replace(live, decided=(*live.decided, kept)), truth


def _mark(world: World, live: Live, now: Now, draw: Streams) -> tuple[Live, register.WeekMarks]:
    week, setting, opened, found = now.week, now.setting, now.opened, now.found
    moment, people, group = world.moments[week], world.people, world.year_group(week)
    shut = world.days_of_week(week, world.shut_days)
    forced = season.seasonal_marks(moment, group, world.special(week), people, draw["season"])
    dictated = schedule.forced_marks(now.decided, now.sanctioned, world.day(week), opened)
    forced = np.where(dictated >= 0, dictated, forced)
    forced = np.where(opened[:, :, None], forced, -1)
    forced[shut] = CODE["Y4"]
    effect = world.effect("absence", world.rolls.school[:, week])
    chances = register.start_chances(found, live.scale, setting.band, season.season(moment, group, effect, people))
    share = np.array([published.attendance(name)["L"] / 56 for name in published.BANDS])[setting.band]
    late = np.minimum(share * live.scale.of("late", found.late, setting.band), 0.85).astype(np.float32)
    spells, marks = register.mark_week(
        live.spells,
        chances,
        late,
        register.WeekSetting(open=opened, forced=forced, before_2024=bool(moment.monday < CODES_CHANGED)),
        draw["register"],
    )
    return replace(live, spells=spells), marks


def _record(world: World, live: Live, now: Now, marks: register.WeekMarks, takes: Takes, draw: Streams) -> Live:
    """Hand incidents and achievements to the ledgers, count the week, and return the state that remembers it."""
    week, found, setting = now.week, now.found, now.setting
    in_school = marks.in_school
    incidents = events.draw_incidents(
        sanctions.incident_rate(found, live.scale, setting.band),
        live.latent.strain(world.traits),
        in_school,
        draw["events"],
    )
    cause = events.sanction_incidents(now.sanctioned, draw["events"])
    cause = replace(cause, weekday=now.decided.trigger - world.day(week))
    incidents = events.joined(incidents, cause)
    praise = events.draw_praise(sanctions.praise_rate(found, live.scale, setting.band), in_school, draw["events"])
    for name, rows in (
        ("behaviour", _event_rows(world, week, incidents)),
        ("positives", _event_rows(world, week, praise)),
    ):
        numbered = _numbered(rows, live.event_numbers[name])
        takes.ledgers[name].add(event_rows(numbered, world.day(week), world.mess, draw["mess"]))
    pupils = len(in_school)
    points = np.bincount(incidents.pupil, events.POINTS[incidents.severity], minlength=pupils).astype(np.float32)
    struck = np.zeros(pupils, bool)
    struck[now.sanctioned.pupil] = True
    _count(world, live.tally, now, marks, incidents)
    return replace(live, latent=state.after(live.latent, points, struck))


def _count(world: World, tally: Tally, now: Now, marks: register.WeekMarks, incidents: events.Events) -> None:
    week, setting, sanctioned = now.week, now.setting, now.sanctioned
    year, term = world.rolls.year_of_week[week], world.term(week)
    on_roll = world.rolls.school[:, week] != NOT_ON_ROLL
    tally.codes[:, year, term] += register.count_codes(marks)
    np.add.at(tally.incidents, (incidents.pupil, year), 1)
    out = sanctioned.category != "PERM"
    np.add.at(tally.suspensions, (sanctioned.pupil[out], year), 1)
    np.add.at(tally.permanent, (sanctioned.pupil[~out], year), 1)
    tally.band[on_roll, year] = setting.band[on_roll]
    tally.weeks[year] += 1


def _expel(world: World, week: int, sanctioned: Sanctioned, rng: np.random.Generator) -> None:
    """Take the permanently excluded off the roll four to six weeks later, when the review has ended."""
    wait = rng.integers(4, 7, len(sanctioned.pupil))
    for pupil, category, weeks in zip(sanctioned.pupil, sanctioned.category, wait, strict=True):
        if category == "PERM":
            world.rolls.school[pupil, week + int(weeks) :] = NOT_ON_ROLL


def _suspension_rows(world: World, week: int, found: Sanctioned, decided: Decided) -> Rows:
    return {
        "school": world.rolls.school[found.pupil, week],
        "pupil": found.pupil.astype(np.int32),
        "start_date": decided.start,
        "sessions": np.where(found.category == "PERM", -1, np.maximum(found.days * 2, 1)),
        "category": np.array([CATEGORIES.index(str(c)) for c in found.category], np.int64),
        "reason1": reason_index(found.reason),
        "reason2": reason_index(found.second_reason),
        "reason3": np.zeros(len(found.pupil), np.int64),
        "updated": decided.trigger,
    }


def _event_rows(world: World, week: int, found: events.Events | events.Praise) -> Rows:
    rows: dict[str, npt.NDArray[np.integer]] = {
        "school": world.rolls.school[found.pupil, week],
        "pupil": found.pupil.astype(np.int32),
        "date": world.day(week) + found.weekday,
        "type": found.type,
    }
    if isinstance(found, events.Praise):
        return {**rows, "points": found.points}
    return {
        **rows,
        "period": found.period,
        "severity": found.severity,
        "points": events.POINTS[found.severity],
        "location": found.location,
        "role": found.role,
        "outcome": found.outcome,
    }


def _numbered(rows: Rows, last_number: npt.NDArray[np.int64]) -> Rows:
    """Return the rows with each school's own running event number."""
    number = np.empty(len(rows["school"]), np.int64)
    for school in range(len(last_number)):
        mine = np.flatnonzero(rows["school"] == school)
        number[mine] = last_number[school] + 1 + np.arange(len(mine))
        last_number[school] += len(mine)
    return {**rows, "event": number}
