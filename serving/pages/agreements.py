"""The register of agreements: what may be read from whom, why, until when, and what nothing covers; to read only."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal

from starlette.responses import Response

from casework.partners import KINDS
from casework.register import shown_register
from casework.staff_read import school_names
from records.agreements import EVERY_SOURCE, REGISTERED, Agreement, Register
from records.partnerships import Partnership
from records.rights.processing_record import partner_sees, warnings
from records.tables import TABLES
from records.transfers import Transfer
from serving.page import Page, Visit
from serving.rendering import count_words, day_words

_STANDING: Final[Mapping[str, str]] = {
    "valid": "In force",
    "not yet": "Not in force yet",
    "ended": "Ended: it covers nothing",
    "not assessed": "Without a signed impact assessment: it covers nothing",
}
# A job reads the register every night; one that is older shows that none ran.
_OLD_DAYS: Final = 7


def show_agreements(visit: Visit) -> Response:
    """Show every agreement with the days it has left, transfers between schools, and what nothing covers."""
    shown = shown_register(visit.session, visit.person)
    if shown is None:
        return visit.show("agreements.html", title="Agreements", read_on=None)
    register, names = shown.register, dict(school_names(visit.session))
    return visit.show(
        "agreements.html",
        title="Agreements",
        read_on=shown.read_on,
        old=(visit.today - shown.read_on).days > _OLD_DAYS,
        controller=register.network,
        warnings=warnings(register, visit.today),
        agreements=[_agreement(one, register, names, visit.today) for one in register.agreement],
        transfers=[_transfer(one, names, visit.today) for one in register.transfer],
        partners=[_partner(one, names, visit.today) for one in register.partner],
        uncovered=_by_table(register.uncovered(visit.today)),
    )


def days_left(one: Agreement | Transfer | Partnership, today: date) -> str:
    """Return how an agreement stands, and how long."""
    standing = _STANDING[one.standing(today)]
    if one.standing(today) != "valid":
        return standing
    return f"{standing}, {count_words((one.ends - today).days + 1, 'day', 'days')} left"


def _agreement(one: Agreement, register: Register, names: Mapping[int, str], today: date) -> dict[str, Any]:
    tables = dict.fromkeys(field.split(".")[0] for field in one.fields)
    return {
        **_common(one, today),
        "rows": [
            ("Sources", "Every source" if EVERY_SOURCE in one.sources else _sentence(", ".join(one.sources))),
            ("Schools", _schools(one.schools, names)),
            ("Purpose", one.purpose),
            ("Lawful basis", one.lawful_basis),
            ("Condition for special categories", one.condition or "Not needed: nothing protected is covered"),
            ("Answers for it", one.controller),
            ("Shared with", _sentence("; ".join(one.recipients) or "nobody")),
            ("Impact assessment", _assessed(one)),
        ],
        "tables": [_table(one, name, register) for name in tables],
    }


def _transfer(one: Transfer, names: Mapping[int, str], today: date) -> dict[str, Any]:
    return {
        **_common(one, today),
        "rows": [
            ("Of pupils who leave", _schools(one.leaving, names)),
            ("For the staff of", _schools(one.joining, names)),
            ("Purpose", one.purpose),
            ("Lawful basis", one.lawful_basis),
            ("Records shown", ", ".join(one.tables) or "No records"),
            ("An open case", "Goes on, with its reviews" if one.cases else "Is closed"),
            ("Impact assessment", _assessed(one)),
        ],
        "tables": [],
    }


def _partner(one: Partnership, names: Mapping[int, str], today: date) -> dict[str, Any]:
    return {
        **_common(one, today),
        "rows": [
            ("Partner", KINDS[one.kind]),
            ("Schools", _schools(one.schools, names)),
            ("Purpose", one.purpose),
            ("Lawful basis", one.lawful_basis),
            ("Sees", _sentence(partner_sees(one))),
            ("Impact assessment", _assessed(one)),
        ],
        "tables": [],
    }


def _common(one: Agreement | Transfer | Partnership, today: date) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "standing": days_left(one, today),
        "days": f"{day_words(one.starts)} to {day_words(one.ends)}",
    }


def _table(one: Agreement, name: str, register: Register) -> dict[str, str]:
    whole = f"{name}.*" in one.fields
    table = REGISTERED[name]
    return {
        "means": table.means,
        "name": name,
        "fields": "Every field" if whole else ", ".join(sorted(field for held, field in one.covered if held == name)),
        "protected": "Protected: for auditing only" if name in TABLES and table.protected else "",
        "kept": count_words(register.retention_years(table), "year", "years"),
    }


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _assessed(one: Agreement | Transfer | Partnership) -> str:
    if one.assessed_on is None:
        return "Missing: nothing is covered until there is one"
    return f"{one.impact_assessment}, signed {day_words(one.assessed_on)}"


def _schools(named: Literal["all"] | tuple[int, ...], names: Mapping[int, str]) -> str:
    return "Every school" if named == "all" else ", ".join(names.get(urn, f"School {urn}") for urn in named)


def _by_table(fields: Iterable[str]) -> list[dict[str, str]]:
    found: dict[str, list[str]] = {}
    for field in fields:
        table, _, column = field.partition(".")
        found.setdefault(table, []).append(column)
    return [
        {"name": name, "means": REGISTERED[name].means, "fields": ", ".join(columns)} for name, columns in found.items()
    ]


PAGES = (
    Page(
        name="agreements",
        path="/agreements",
        permission="see_agreements",
        navigation="Agreements",
        show=show_agreements,
    ),
)
