"""The quality report: where each school's records stand, and what to ask it. No pupil is in it."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from records.clock import clock_of
from records.home import Home
from records.quality.acceptances import Acceptance, accept
from records.quality.aside import FileShare, reasons, shares
from records.quality.doubts import Doubt, Standing, standings
from records.quality.rule import day_words
from records.quality.rules import RULES
from records.refusal import Refusal
from records.store import Store
from serving.rendering import count_words, environment

FILES_NAMED = 10
_TOLD = ["fate", "why", "remedy", "rows", "files"]


class NoSuchDoubt(Refusal):
    """What was to be accepted or shown is not there."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Where the network, or one school of it, stands as of a day.

    Attributes
    ----------
    put_aside
        Rows put aside by fate, reason and remedy: `fate`, `why`, `remedy`, `rows`, `files`.
    files
        Files with rows put aside, the largest share first. Where one school was asked for, both are of
        the files that name it.
    """

    network: str
    as_of: date
    standings: tuple[Standing, ...]
    put_aside: pd.DataFrame
    files: tuple[FileShare, ...]

    @property
    def held(self) -> tuple[Standing, ...]:
        """Schools that are not scored."""
        return tuple(one for one in self.standings if one.held)

    @property
    def asked(self) -> tuple[Standing, ...]:
        """Schools that are scored and have something to be asked."""
        return tuple(one for one in self.standings if one.doubts and not one.held)

    @property
    def fine(self) -> tuple[Standing, ...]:
        """Schools without a doubt."""
        return tuple(one for one in self.standings if not one.doubts)

    @property
    def verdict(self) -> str:
        """The report in one line."""
        if not self.standings:
            return "No school's records have landed yet."
        schools = count_words(len(self.standings), "school", "schools")
        if not self.held:
            return f"{schools}: none is held; {len(self.asked)} with something to ask."
        verb = "is" if len(self.held) == 1 else "are"
        return (
            f"{len(self.held)} of {schools} {verb} HELD, not up to date: no pupil there is scored; "
            f"{len(self.asked)} more with something to ask."
        )


def report_of(home: Home, school: int | None = None) -> Report:
    """Return the report as of today, of the whole network or of one school.

    Raises
    ------
    NoSuchDoubt
        The network has no such school.
    """
    store, today = Store(home), clock_of(home).today()
    files, told = shares(store), reasons(home)
    found = standings(store, today, files=files)
    if school is not None:
        found = (_of(found, school),)
        files = tuple(one for one in files if school in one.schools)
        told = told[told["source"].isin([one.source for one in files])]
    return Report(
        network=home.network, as_of=today, standings=found, put_aside=_summed(told), files=files[:FILES_NAMED]
    )


def accept_doubt(home: Home, *, rule: str, school: int, until: date, reason: str, by: str) -> tuple[Doubt, ...]:
    """Record that a person accepts the doubts of a rule that hold a school today; return those doubts.

    Raises
    ------
    NoSuchDoubt
        There is no such rule or school, or no doubt of the rule holds the school.
    NotAccepted
        The acceptance lacks a name, a reason or a proper end.
    """
    holding = [one.name for one in RULES if one.holds]
    if rule not in holding:
        raise NoSuchDoubt(f"{rule!r} is no rule that holds a school; those are {', '.join(holding)}")
    today = clock_of(home).today()
    standing = _of(standings(Store(home), today), school)
    doubts = tuple(doubt for doubt in standing.doubts if doubt.rule == rule and doubt.holding)
    if not doubts:
        raise NoSuchDoubt(f"no doubt of the rule {rule!r} holds school {school}; see belong quality --school {school}")
    since = tuple(doubt.since for doubt in doubts)
    accept(home, Acceptance(rule=rule, school=school, since=since, by=by, on=today, until=until, reason=reason))
    return doubts


def as_markdown(report: Report) -> str:
    """Return the report as Markdown, which a terminal shows as well."""
    lines = [f"# Quality of records: {report.network}", "", f"As of {day_words(report.as_of)}. {report.verdict}", ""]
    if report.held:
        lines += ["## Held: not scored until this is settled", ""]
        lines += [line for one in report.held for line in _school(one)]
    if report.asked:
        lines += ["## Scored, with something to ask", ""]
        lines += [line for one in report.asked for line in _school(one)]
    if report.fine:
        lines += ["## Nothing to ask", ""]
        lines += [f"- {one.name} ({one.school}), records to {_to(one)}" for one in report.fine] + [""]
    if len(report.put_aside):
        lines += ["## Rows put aside so far", ""]
        for fate, why, remedy, rows, files in report.put_aside[_TOLD].to_numpy(object).tolist():
            words = f"{count_words(rows, 'row', 'rows')} of {count_words(files, 'file', 'files')}"
            lines.append(f"- {fate}, {words}: {'; '.join(filter(None, [why, remedy]))}")
        lines.append("")
    if report.files:
        lines += ["## Files of which most was put aside", ""]
        lines += [
            f"- {one.file}: {one.aside:,} of {one.aside + one.landed:,} rows ({one.share:.1%}); "
            f"{one.quarantined:,} quarantined, {one.held:,} held"
            for one in report.files
        ]
        lines.append("")
    return "\n".join(lines)


def as_html(report: Report) -> str:
    """Return the report as one page that needs nothing beside it."""
    return environment({}).get_template("quality_report.html").render(report=report)


def _school(one: Standing) -> list[str]:
    since = one.held_since
    held = f"Held since {day_words(since)}. " if since else ""
    lines = [f"### {one.name} ({one.school})", "", f"{held}Records to {_to(one)}.", ""]
    for doubt in one.doubts:
        lines.append(f"- {doubt.sentence} {doubt.remedy} (`{doubt.rule}`)")
        if doubt.accepted is not None:
            said = doubt.accepted
            lines.append(
                f"  Accepted by {said.by} on {day_words(said.on)}, until {day_words(said.until)}: {said.reason}"
            )
    return [*lines, ""]


def _to(one: Standing) -> str:
    return day_words(one.data_to) if one.data_to else "no day: none has come"


def _of(found: tuple[Standing, ...], school: int) -> Standing:
    for one in found:
        if one.school == school:
            return one
    raise NoSuchDoubt(f"the network has no school {school}; it has {', '.join(str(one.school) for one in found)}")


def _summed(told: pd.DataFrame) -> pd.DataFrame:
    grouped = told.groupby(["fate", "why", "remedy"], as_index=False).agg(rows=("rows", "sum"), files=("file", "count"))
    return grouped.sort_values(["fate", "rows", "why"], ascending=[False, False, True], ignore_index=True)
