"""The record of processing (UK GDPR, Article 30), printed from the data-sharing register."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from records.agreements import REGISTERED, Agreement, Register
from records.partnerships import Partnership
from records.tables import TABLES
from records.transfers import Transfer

SOON = timedelta(days=60)
# No law says how often an impact assessment is looked at again; two years is our own habit.
OLD_ASSESSMENT = timedelta(days=730)


def warnings(register: Register, today: date) -> tuple[str, ...]:
    """Return what somebody should see to, in plain sentences: the most urgent first."""
    every: tuple[Agreement | Transfer | Partnership, ...] = (*register.agreement, *register.transfer, *register.partner)
    ended = [one for one in every if one.standing(today) == "ended"]
    bare = [one for one in every if one.standing(today) == "not assessed"]
    soon = [one for one in every if one.standing(today) == "valid" and one.ends - today <= SOON]
    old = [
        one
        for one in every
        if one.standing(today) == "valid" and one.assessed_on is not None and today - one.assessed_on > OLD_ASSESSMENT
    ]
    return (
        *(f"'{one.id}' ended on {one.ends.isoformat()}: it covers nothing now. Renew it." for one in ended),
        *(f"'{one.id}' has no signed impact assessment: it covers nothing until it has." for one in bare),
        *(f"'{one.id}' ends on {one.ends.isoformat()}, in {(one.ends - today).days} days." for one in soon),
        *(f"'{one.id}' was assessed on {one.assessed_on}, over two years ago: look at it again." for one in old),
    )


def as_markdown(register: Register, today: date) -> str:
    """Return the record of processing as a page: who, what, why, on what basis, until when, for how long."""
    return "\n".join(_lines(register, today)) + "\n"


def _lines(register: Register, today: date) -> Iterator[str]:
    yield from (f"# Record of processing, {today.isoformat()}", "")
    network = register.network
    yield f"{network.name}; contact: {network.contact}; data protection officer: {network.data_protection_officer}."
    yield ""
    told = warnings(register, today)
    if told:
        yield from ("## To see to", "", *(f"- {sentence}" for sentence in told), "")
    for one in register.agreement:
        yield from _agreement(one, register, today)
    for transfer in register.transfer:
        yield from _transfer(transfer, today)
    for partner in register.partner:
        yield from _partner(partner, today)
    uncovered = register.uncovered(today)
    yield from ("## Covered by no valid agreement", "")
    yield "Dropped when read, and never kept:" if uncovered else "Nothing: every declared field is covered."
    yield from ("", *(f"- `{field}`" for field in uncovered))


def _agreement(one: Agreement, register: Register, today: date) -> Iterator[str]:
    sources = "every source" if "*" in one.sources else ", ".join(one.sources)
    yield from _described(
        one,
        today,
        ("Purpose", one.purpose),
        ("Lawful basis", one.lawful_basis),
        ("Special category condition", one.condition or "none needed: no protected table"),
        ("Controller", one.controller),
        ("Shared with", "; ".join(one.recipients) or "nobody"),
        ("Sources", sources),
        ("Schools", _schools(one.schools)),
    )
    yield from ("", "| table | fields | protected | kept |", "|---|---|---|---|")
    for name in dict.fromkeys(field.split(".")[0] for field in one.fields):
        table = REGISTERED[name]
        all_of_it = f"{name}.*" in one.fields
        fields = "all" if all_of_it else ", ".join(sorted(column for held, column in one.covered if held == name))
        protected = "yes" if name in TABLES and table.protected else "no"
        yield f"| {name} | {fields} | {protected} | {register.retention_years(table)} years |"
    yield ""


def _transfer(one: Transfer, today: date) -> Iterator[str]:
    yield from _described(
        one,
        today,
        ("Purpose", one.purpose),
        ("Lawful basis", one.lawful_basis),
        ("Of pupils who leave", _schools(one.leaving)),
        ("For the staff of", _schools(one.joining)),
        ("Records shown", ", ".join(one.tables) or "none"),
        ("An open case", "goes on, with its reviews" if one.cases else "is closed"),
    )
    yield ""


def _partner(one: Partnership, today: date) -> Iterator[str]:
    yield from _described(
        one,
        today,
        ("Partner", one.kind),
        ("Purpose", one.purpose),
        ("Lawful basis", one.lawful_basis),
        ("Schools", _schools(one.schools)),
        ("Sees", partner_sees(one)),
    )
    yield ""


def _described(one: Agreement | Transfer | Partnership, today: date, *said: tuple[str, str]) -> Iterator[str]:
    """Head what was agreed with its title, and say what it is in rows, the standing first and the assessment last."""
    nothing = "nothing is covered" if isinstance(one, Agreement) else "nothing is shared"
    assessed = f"{one.impact_assessment}, signed {one.assessed_on}" if one.assessed_on else f"none: {nothing}"
    standing = f"`{one.id}`, {one.standing(today)}: {one.starts.isoformat()} to {one.ends.isoformat()}"
    yield from (f"## {one.title}", "", "| | |", "|---|---|")
    rows = (("Agreement", standing), *said, ("Impact assessment", assessed))
    yield from (f"| {name} | {value} |" for name, value in rows)


def partner_sees(one: Partnership) -> str:
    """Return in words what a partner sees by its agreement."""
    actions = "actions agreed with it on a pupil's case, by its own reference and without a name or record"
    places = "actions on places, and counts by place that are rounded and hidden"
    return "; ".join(words for words, is_so in ((actions, one.actions), (places, one.places)) if is_so)


def _schools(named: Literal["all"] | tuple[int, ...]) -> str:
    return "every school" if named == "all" else f"URN {', '.join(str(urn) for urn in named)}"
