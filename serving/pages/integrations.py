"""Access of other systems: what each may read of which schools, given, its secret renewed, and taken back."""

import re
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from casework.callers import SCOPES
from casework.integrations import (
    CALLS_PER_MINUTE,
    GRACE_DAYS,
    LONGEST_DAYS,
    Granted,
    HeldSecret,
    NewIntegration,
    add_integration,
    integrations,
    revoke_integration,
    revoke_secret,
    rotate_integration,
)
from casework.rules import RuleBroken
from casework.staff_read import school_names
from serving.form_fields import date_field, id_of, needed_date, told_errors, urn_of
from serving.page import NotFound, Page, Visit
from serving.rendering import day_words

# More schools than these are typed, not ticked: a form carries a hundred fields at most.
TICKED_MOST: Final = 40
_SAVED = {
    "revoked": "Its access is taken away: the next call is refused.",
    "secret": "The secret is withdrawn: the next call with it is refused.",
}


def show_integrations(visit: Visit) -> Response:
    """List every system, those with access first."""
    found = integrations(visit.session, visit.today)
    names = dict(school_names(visit.session))
    rows = [_row(one, names) for one in sorted(found, key=lambda one: not one.live)]
    return visit.show("integrations.html", title="Other systems", rows=rows, saved=_SAVED.get(visit.asked("saved"), ""))


def show_grant(visit: Visit) -> Response:
    """Show the form that gives a system access."""
    return _grant(visit)


def save_grant(visit: Visit) -> Response:
    """Give access, and show the secret, this once."""
    try:
        new = _new(visit)
        secret = add_integration(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _grant(visit, error)
    return _secret(visit, new.client_id, secret, "")


def show_one(visit: Visit) -> Response:
    """Show one system: what it may read, its secrets and when each was last used."""
    return _one(visit, _read(visit))


def save_rotation(visit: Visit) -> Response:
    """Make a new secret, and show it, this once; the one before works on for the days of grace."""
    found = _read(visit)
    days = visit.value("grace_days")
    try:
        if not days.isdecimal() or len(days) > 3:
            raise RuleBroken("Enter for how many days the secret before still works, 0 to 90.", "grace_days")
        secret = rotate_integration(visit.session, visit.person, found.client_id, visit.today, int(days))
    except RuleBroken as error:
        return _one(visit, found, error)
    kept = f"The secret before works until {day_words(visit.today + timedelta(days=int(days)))}, that day included."
    return _secret(visit, found.client_id, secret, kept if int(days) else "The secret before works no more.")


def save_secret_gone(visit: Visit) -> Response:
    """Withdraw one secret."""
    found, secret = _read(visit), id_of(visit.value("secret"))
    if secret is None:
        raise NotFound
    try:
        revoke_secret(visit.session, visit.person, found.client_id, secret, visit.today)
    except RuleBroken as error:
        return _one(visit, found, error)
    return visit.go(f"/systems/{found.client_id}?saved=secret")


def save_revocation(visit: Visit) -> Response:
    """Take all access of a system away."""
    found = _read(visit)
    try:
        revoke_integration(visit.session, visit.person, found.client_id, visit.today)
    except RuleBroken as error:
        return _one(visit, found, error)
    return visit.go("/systems?saved=revoked")


def _read(visit: Visit) -> Granted:
    found = [one for one in integrations(visit.session, visit.today) if one.client_id == visit.part("client_id")]
    if not found:
        raise NotFound
    return found[0]


def _new(visit: Visit) -> NewIntegration:
    """Return what the form grants. Raises RuleBroken; an id that has access already is not granted over."""
    client_id = visit.value("client_id").lower()
    if any(one.client_id == client_id and one.live for one in integrations(visit.session, visit.today)):
        raise RuleBroken("This system has access already. Take it away first, or choose another id.", "client_id")
    name, scopes = visit.value("name"), frozenset(visit.values("scope"))
    if not re.fullmatch(r"[a-z0-9-]{3,60}", client_id):
        raise RuleBroken("Enter an id of letters, digits and hyphens, 3 to 60 of them.", "client_id")
    if not name or len(name) > 200 or not name.isprintable():
        raise RuleBroken("Enter what people call the system.", "name")
    if not scopes or scopes - SCOPES.keys():
        raise RuleBroken("Select what it may read.", "scope")
    typed = re.split(r"[\s,;]+", " ".join(visit.values("school")).strip())
    schools = [urn_of(one) for one in typed if one]
    strange = [one for one in typed if one and (urn_of(one) is None)]
    known = {urn for urn, _ in school_names(visit.session)}
    if strange or not schools or {one for one in schools if one} - known:
        raise RuleBroken("Select at least one school of this network. A system never sees them all unasked.", "school")
    last = needed_date(visit, "expires_on", "Enter the last day of its access.")
    if not visit.today <= last <= visit.today + timedelta(days=LONGEST_DAYS):
        raise RuleBroken(f"The last day must be within {LONGEST_DAYS} days from today.", "expires_on")
    return NewIntegration(
        client_id=client_id,
        name=name,
        scopes=scopes,
        schools=frozenset(one for one in schools if one is not None),
        expires_on=last,
        calls_per_minute=CALLS_PER_MINUTE,
    )


def _grant(visit: Visit, error: RuleBroken | None = None) -> Response:
    schools = school_names(visit.session)
    fields: dict[str, dict[str, Any]] = {
        "client_id": _input(visit, "client_id", "Id", "Letters, digits and hyphens, for example riverside-mis."),
        "name": _input(visit, "name", "Name", "What people call the system."),
        "scope": _ticks(
            visit, "scope", "What it may read", [(name, words.capitalize()) for name, words in SCOPES.items()]
        ),
        "school": (
            _ticks(visit, "school", "Schools", [(str(urn), name) for urn, name in schools])
            if len(schools) <= TICKED_MOST
            else _typed_schools(visit)
        ),
        "expires_on": date_field(
            visit, "expires_on", "Last day of its access", f"At most {LONGEST_DAYS} days from today."
        ),
    }
    return visit.show(
        "integration_grant.html",
        title="Give a system access",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        fields=fields,
        ticked=len(schools) <= TICKED_MOST,
        schools=[] if len(schools) <= TICKED_MOST else [f"{urn} {name}" for urn, name in schools],
        calls=CALLS_PER_MINUTE,
    )


def _one(visit: Visit, found: Granted, error: RuleBroken | None = None) -> Response:
    grace = _input(
        visit, "grace_days", "Days for which the secret before still works", "0 to 90: time to put the new one in."
    )
    fields = {
        "grace_days": {
            **grace,
            "value": visit.value("grace_days") or str(GRACE_DAYS),
            "inputmode": "numeric",
            "classes": "govuk-input--width-3",
        }
    }
    row = _row(found, dict(school_names(visit.session)))
    return visit.show(
        "integration.html",
        title="One system",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved=_SAVED.get(visit.asked("saved"), ""),
        row=row,
        secrets=[_held(secret, at, len(found.secrets)) for at, secret in enumerate(found.secrets)],
        field=fields["grace_days"],
    )


def _secret(visit: Visit, client_id: str, secret: str, before: str) -> Response:
    return visit.show(
        "integration_secret.html",
        title="A secret, shown once",
        client_id=client_id,
        secret=secret,
        before=before,
        token_address=f"{visit.site.address}/api/v1/token",
    )


def _row(one: Granted, names: dict[int, str]) -> dict[str, Any]:
    used = [secret.last_used_on for secret in one.secrets if secret.last_used_on]
    return {
        "client_id": one.client_id,
        "name": one.name,
        "scopes": [SCOPES[scope].capitalize() for scope in one.scopes],
        "schools": ", ".join(names.get(urn, str(urn)) for urn in one.schools),
        "live": one.live,
        "standing": f"Until {day_words(one.expires_on)}" if one.live else "No access",
        "used": f"Last on {day_words(max(used))}" if used else "Never",
        "calls": f"{one.calls_per_minute:,} a minute at most",
    }


def _held(secret: HeldSecret, at: int, number: int) -> dict[str, Any]:
    return {
        "id": secret.id,
        "words": "The secret" if number == 1 else ("The older secret" if at == 0 else "The newer secret"),
        "made": day_words(secret.made_on),
        "ends": f"Until {day_words(secret.ends_on)}" if secret.ends_on else "As long as the access",
        "used": f"Last used on {day_words(secret.last_used_on)}" if secret.last_used_on else "Never used",
    }


def _input(visit: Visit, name: str, label: str, hint: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "value": visit.value(name),
        "label": {"text": label, "classes": "govuk-label--s"},
        "hint": {"text": hint},
        "classes": "govuk-input--width-20",
    }


def _ticks(visit: Visit, name: str, legend: str, choices: list[tuple[str, str]]) -> dict[str, Any]:
    chosen = visit.values(name)
    return {
        "name": name,
        "idPrefix": name,
        "classes": "govuk-checkboxes--small",
        "fieldset": {"legend": {"text": legend, "classes": "govuk-fieldset__legend--s"}},
        "items": [{"value": value, "text": words, "checked": value in chosen} for value, words in choices],
    }


def _typed_schools(visit: Visit) -> dict[str, Any]:
    return {
        "id": "school",
        "name": "school",
        "value": visit.value("school"),
        "label": {"text": "Schools", "classes": "govuk-label--s"},
        "hint": {"text": "Their unique reference numbers (URN), one on each line. They are listed below."},
    }


PAGES = (
    Page(
        name="other systems",
        path="/systems",
        permission="grant_integration",
        navigation="Other systems",
        show=show_integrations,
    ),
    Page(
        name="give a system access",
        path="/systems/add",
        permission="grant_integration",
        show=show_grant,
        save=save_grant,
    ),
    Page(name="one system", path="/systems/{client_id}", permission="grant_integration", show=show_one),
    Page(
        name="make a new secret",
        path="/systems/{client_id}/secret",
        permission="grant_integration",
        save=save_rotation,
    ),
    Page(
        name="withdraw a secret",
        path="/systems/{client_id}/secret/withdraw",
        permission="grant_integration",
        save=save_secret_gone,
    ),
    Page(
        name="take a system's access away",
        path="/systems/{client_id}/revoke",
        permission="grant_integration",
        save=save_revocation,
    ),
)
