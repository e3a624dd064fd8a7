"""One school week of the whole network: state, hazard, sanctions, register, incidents, and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from records.synthetic import draws, events, register, sanctions, schedule, season, state
from records.synthetic.arrangements import registers, study_at_home
from records.synthetic.mess import (
    event_rows,
    mark_rows,
    marked_after_move,
    suspension_rows,
    without_missing,
)
from records.synthetic.register import CODE
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import CATEGORIES, Ledger, Rows, reason_index
from records.synthetic.sanctions import Sanctioned, Setting
from records.synthetic.schedule import Decided
from records.synthetic.support import Asked, Support, begin, no_support
from records.synthetic.tally import Cell, Tally, count_events, count_marks, empty_tally
from records.synthetic.truth import WeekTruth
from records.synthetic.world import World

BURN_IN_WEEKS = 40
CODES_CHANGED = np.datetime64("2024-08-19")
Streams = Mapping[str, np.random.Generator]


class Takes(Protocol):
    """What rows are handed to."""

    ledgers: Mapping[str, Ledger]


@dataclass(frozen=True, kw_only=True)
class Live:
    """What changes from week to week: `hazard` is the last week's; `decided` keeps suspensions for the census."""

    latent: state.Latent
    spells: register.Spells
    out: schedule.Out
    scale: sanctions.Scale
    tally: Tally
    event_numbers: Mapping[str, npt.NDArray[np.int64]]
    hazard: npt.NDArray[np.float32]
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
    """Return the state of the first morning: forty weeks without records."""
    pupils = len(world.people.upn)
    latent, setting, place = state.start(pupils, len(world.schools), draw["state"]), world.setting(0), world.place(0)
    scale = sanctions.london_scale()
    for _ in range(BURN_IN_WEEKS):
        latent = state.step(latent, world.traits, place, draw["state"])
        found = sanctions.weights(latent, world.traits, setting)
        number = draws.poisson(
            sanctions.incident_rate(found, scale, setting.band), draw["events"].random(pupils, dtype=np.float32)
        )
        chance = sanctions.hazards(found, scale, setting, latent, world.traits).actual
        sanctioned = draw["sanctions"].random(pupils) < -np.expm1(-chance)
        latent = state.after(latent, (number * 2.0).astype(np.float32), sanctioned)
    return Live(
        latent=latent,
        spells=register.no_spells(pupils),
        out=schedule.nobody_out(pupils),
        scale=scale,
        tally=empty_tally(pupils, world.rolls.year_group.shape[1]),
        event_numbers={name: np.zeros(len(world.schools), np.int64) for name in ("behaviour", "positives")},
        hazard=np.zeros(pupils, np.float32),
    )


def live_week(
    world: World, live: Live, week: int, takes: Takes, draw: Streams, plan: Support = no_support
) -> tuple[Live, WeekTruth]:
    """Return the state after a school week and the truth it began with; its rows go to the ledgers.

    `plan` says who starts support this week.
    """
    setting, opened = world.setting(week), world.days_of_week(week, world.open_days)
    starts = plan(_asked(world, live, week))
    latent = replace(live.latent, relief=begin(live.latent.relief, starts))
    latent = state.step(latent, world.traits, world.place(week), draw["state"])
    found = sanctions.weights(latent, world.traits, setting)
    at_risk = opened.any(axis=1) & (live.out.last < world.day(week))
    hazards = sanctions.hazards(found, live.scale, setting, latent, world.traits)
    year = world.rolls.year_of_week[week]
    days_left = sanctions.MOST_DAYS - live.tally.days_lost[:, year].astype(np.int64)
    sanctioned = sanctions.draw_sanctions(hazards, at_risk, setting, days_left, draw["sanctions"])
    decided = schedule.decide(sanctioned, world.rolls.school[:, week], world.open_days, world.day(week), live.out)
    live = replace(live, latent=latent, out=decided.out, hazard=hazards.actual * at_risk)
    now = Now(week=week, setting=setting, opened=opened, found=found, sanctioned=sanctioned, decided=decided)
    live, marks = _mark(world, live, now, takes, draw)
    much_later = world.planted.chance("recorded_late", world.rolls.school[:, week])
    recorded, kept = suspension_rows(
        _suspension_rows(world, week, sanctioned, decided),
        world.mess,
        draw["mess"],
        None if much_later is None else much_later[sanctioned.pupil],
    )
    takes.ledgers["suspensions"].add(recorded)
    live = _record(world, live, now, marks, takes, draw)
    _expel(world, week, sanctioned, draw["sanctions"])
    return replace(live, decided=(*live.decided, kept)), _truth(world, week, latent, hazards, at_risk)


def _asked(world: World, live: Live, week: int) -> Asked:
    urns = np.array([*(school.urn for school in world.schools), 0], np.int64)
    return Asked(
        monday=world.moments[week].monday,
        upn=world.people.upn,
        urn=urns[world.rolls.school[:, week]],
        hazard=live.hazard,
    )


def _truth(
    world: World, week: int, latent: state.Latent, found: sanctions.Hazards, at_risk: npt.NDArray[np.bool_]
) -> WeekTruth:
    who = np.flatnonzero(world.rolls.school[:, week] != NOT_ON_ROLL).astype(np.int32)
    return WeekTruth(
        week=world.moments[week].monday,
        pupils=who,
        hazard=(found.actual * at_risk)[who],
        need=latent.felt[who],
        without_support=(found.unsupported * at_risk)[who],
        without_injustice=(found.fair * at_risk)[who],
    )


def _mark(world: World, live: Live, now: Now, takes: Takes, draw: Streams) -> tuple[Live, register.WeekMarks]:
    """Take the week's registers: hand their rows to the ledger, count them, and return the true marks."""
    week, setting, opened, found = now.week, now.setting, now.opened, now.found
    moment, people, group = world.moments[week], world.people, world.year_group(week)
    shut = world.days_of_week(week, world.shut_days)
    forced = season.seasonal_marks(moment, group, world.special(week), people, draw["season"])
    forced = study_at_home(forced, group)
    dictated = schedule.forced_marks(now.decided, now.sanctioned, world.day(week), opened)
    forced = np.where(dictated >= 0, dictated, forced)
    forced = np.where(opened[:, :, None], forced, -1)
    forced[shut] = CODE["Y4"]
    times = season.season(moment, group, world.absence(week, setting.band), people)
    spells, marks = register.mark_week(
        live.spells,
        register.start_chances(found, live.scale, setting.band, times),
        register.lateness(live.scale.of("late", found.late, setting.band), setting.band),
        register.WeekSetting(open=opened, forced=forced, spell=world.traits.spell),
        draw["register"],
    )
    school, mess = world.rolls.school[:, week], draw["mess"]
    chances = {name: world.planted.chance(name, school) for name in ("miscoded", "marked_present")}
    written = register.unjustly(marks.code, chances, mess)
    final = _hand_over(world, now, register.as_written(written, moment.monday < CODES_CHANGED), takes, mess)
    count_marks(live.tally, register.in_new_codes(final, written), final, _cell(world, now))
    return replace(live, spells=spells), marks


def _hand_over(
    world: World, now: Now, code: npt.NDArray[np.int8], takes: Takes, mess: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Hand the rows of the week's registers to the ledger; return the codes as they stand in the end."""
    week, ledger = now.week, takes.ledgers["marks"]
    school, group, monday = world.rolls.school[:, week], world.year_group(week), world.day(week)
    never = register.never_explained(now.setting.band)
    final = code
    # The second schools' registers are as many as stay there: they draw from a stream of their own.
    other = np.random.default_rng(draws.key_of_week(mess))
    for who, at, mine in registers(world.rolls.dual, week, school, code):
        chance, rng = (never, mess) if who is None else (never[who], other)
        rows, stands = mark_rows(at, mine, monday, chance, world.mess, rng)
        if who is None:
            final = stands
        else:
            rows = {**rows, "pupil": who[rows["pupil"]].astype(np.int32)}
        ledger.add(without_missing(rows, group, world.not_taken[:, week]))
    old, moved = world.rolls.school[:, max(week - 1, 0)], world.place(week).moved
    ledger.add(marked_after_move(old, moved, now.opened, monday, world.mess, mess))
    return final


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
    chance = world.planted.chance("under_recorded", world.rolls.school[:, week])
    written = events.written_down(incidents, chance, draw["events"])
    praise = events.draw_praise(sanctions.praise_rate(found, live.scale, setting.band), in_school, draw["events"])
    for name, rows in (
        ("behaviour", _event_rows(world, week, written)),
        ("positives", _event_rows(world, week, praise)),
    ):
        numbered = _numbered(rows, live.event_numbers[name])
        takes.ledgers[name].add(event_rows(numbered, world.day(week), world.mess, draw["mess"]))
    pupils = len(in_school)
    points = np.bincount(incidents.pupil, events.POINTS[incidents.severity], minlength=pupils).astype(np.float32)
    struck = np.zeros(pupils, bool)
    struck[now.sanctioned.pupil] = True
    count_events(live.tally, written.pupil, now.sanctioned, _cell(world, now))
    return replace(live, latent=state.after(live.latent, points, struck))


def _cell(world: World, now: Now) -> Cell:
    week = now.week
    year = int(world.rolls.year_of_week[week])
    moment = world.moments[week]
    return Cell(
        year=year,
        term=world.term(week),
        first=week == 0 or int(world.rolls.year_of_week[week - 1]) != year,
        month=moment.month,
        band=now.setting.band,
        on_roll=world.rolls.school[:, week] != NOT_ON_ROLL,
    )


def _expel(world: World, week: int, sanctioned: Sanctioned, rng: np.random.Generator) -> None:
    """Take the permanently excluded off the roll four to six weeks later, when the review has ended."""
    wait = 4 + 3 * draws.uniforms(draws.key_of_week(rng), (sanctioned.pupil,), 1)[0]
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
