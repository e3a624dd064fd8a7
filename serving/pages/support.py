"""Writing down support: one short form for an offer, and the same form for how it goes."""

import re
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from casework.cases import PupilPage
from casework.permissions import check_may
from casework.programmes import Programme, programmes_for
from casework.rules import RuleBroken
from casework.support import (
    REVIEWS,
    STANDINGS,
    NoSuchSupport,
    SupportSaid,
    change_support,
    offer_support,
)
from casework.support_kinds import KINDS
from casework.support_read import Support, decided_kind, hours_words, support_of
from serving.form_fields import date_field, id_of, needed_date, select_field, told_errors, typed_date
from serving.page import NotFound, Page, Visit
from serving.pages.pupil import read_pupil
from serving.pages.said import READ_BY_FAMILY, choice, words_field

_STANDINGS_AT_FIRST = ("taken_up", "waiting", "declined")


def offer_form(visit: Visit) -> Response:
    """Ask what is offered; what the case's last decision began with is chosen already."""
    return _form(visit, read_pupil(visit), None)


def save_offer(visit: Visit) -> Response:
    """Keep the offer, and go back to the pupil."""
    pupil = read_pupil(visit)
    try:
        offer_support(visit.session, visit.person, pupil.pupil_id, _said(visit), visit.value("key"), visit.today)
    except RuleBroken as error:
        return _form(visit, pupil, None, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=support#support")


def change_form(visit: Visit) -> Response:
    """Show the form as the support stands now."""
    pupil = read_pupil(visit)
    return _form(visit, pupil, _support(visit, pupil))


def save_change(visit: Visit) -> Response:
    """Keep how it stands, and go back to the pupil."""
    pupil = read_pupil(visit)
    support = _support(visit, pupil)
    version = visit.value("version")
    try:
        change_support(
            visit.session,
            visit.person,
            support,
            int(version) if version.isdecimal() and len(version) < 9 else 0,
            _said(visit),
            visit.value("key"),
            visit.today,
        )
    except RuleBroken as error:
        return _form(visit, pupil, support, error)
    except NoSuchSupport:
        raise NotFound from None
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=support#support")


def _support(visit: Visit, pupil: PupilPage) -> Support:
    found = id_of(visit.part("support_id"))
    support = support_of(visit.session, pupil.pupil_id, found) if found else None
    if support is None:
        raise NotFound
    return support


def _said(visit: Visit) -> SupportSaid:
    programme = visit.value("programme")
    if programme and id_of(programme) is None:
        raise RuleBroken("Select a programme that this school is in, or none.", "programme")
    return SupportSaid(
        kind=visit.value("kind"),
        provider=visit.value("provider"),
        programme_id=id_of(programme),
        offered_on=needed_date(visit, "offered_on", "Enter the day of the offer."),
        standing=visit.value("standing"),
        start_on=typed_date(visit, "start_on"),
        end_on=typed_date(visit, "end_on"),
        hours=_hours(visit.value("hours")),
        review=visit.value("review"),
        note=visit.value("note"),
        pupil_said=visit.value("pupil_said"),
        family_said=visit.value("family_said"),
    )


def _hours(typed: str) -> Decimal | None:
    if not typed:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", typed):
        raise RuleBroken("Enter hours as a number, for example 6 or 6.5.", "hours")
    return Decimal(typed)


def _given(visit: Visit, pupil: PupilPage, support: Support | None) -> dict[str, str]:
    """Return what stands in each field when the form is first shown."""
    if support is None:
        decided = decided_kind(visit.session, pupil.case.id) if pupil.case else None
        return {"kind": decided.name if decided else "", **_parts("offered_on", visit.today)}
    return {
        "kind": support.kind.name,
        "provider": support.provider,
        "programme": str(support.programme_id or ""),
        "standing": support.standing,
        "hours": "" if support.hours is None else hours_words(support.hours),
        "review": support.review,
        "note": support.note,
        **_parts("offered_on", support.offered_on),
        **_parts("start_on", support.start_on),
        **_parts("end_on", support.end_on),
    }


def _parts(name: str, day: Any) -> dict[str, str]:
    return {f"{name}-{part}": str(getattr(day, part)) for part in ("day", "month", "year")} if day else {}


def _form(visit: Visit, pupil: PupilPage, support: Support | None, error: RuleBroken | None = None) -> Response:
    check_may(visit.person, "record_support", pupil.school)
    if not visit.form:  # shown for the first time: the fields read what stands there already
        visit.form = {name: (value,) for name, value in _given(visit, pupil, support).items()}
    fields = _fields(visit, programmes_for(visit.session, pupil.school, visit.today), support)
    return visit.show(
        "support_form.html",
        title="Support that is offered" if support is None else "How the support goes",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        caption=pupil.name,
        back=f"/pupils/{pupil.pupil_id}",
        action=visit.request.url.path,
        kinds=[(kind.words, kind.means) for kind in KINDS.values()],
        version=support.version if support else 0,
        key=visit.value("key") or uuid.uuid4().hex,
        fields=list(fields.values()),
    )


def _fields(visit: Visit, paying: Sequence[Programme], support: Support | None) -> dict[str, dict[str, Any]]:
    standings = {name: STANDINGS[name] for name in (_STANDINGS_AT_FIRST if support is None else STANDINGS)}
    kinds = select_field(
        "kind", "What is offered?", [(k.name, k.words) for k in KINDS.values()], visit.value("kind"), "Choose"
    )
    fields = {
        "kind": _bold(kinds),
        "standing": choice(visit, "standing", "How does it stand?", standings),
        "offered_on": date_field(visit, "offered_on", "When was it offered?"),
        "start_on": date_field(
            visit, "start_on", "First day (optional)", "Of support that is taken up. Left empty, the day of the offer."
        ),
        "provider": _line(visit, "provider", "Who gives it? (optional)", "A role or a partner, not a person's name."),
    }
    known = {one.id: one.name for one in paying}
    if support is not None and support.programme is not None:
        known.setdefault(support.programme.id, support.programme.name)
    if known:
        chosen = select_field(
            "programme",
            "Which programme pays for it?",
            [(str(one), name) for one, name in known.items()],
            visit.value("programme"),
            "No programme",
        )
        fields["programme"] = _bold(chosen)
    if support is not None:
        fields |= {
            "end_on": date_field(visit, "end_on", "Last day (optional)", "When it ended, or is planned to."),
            "hours": _line(visit, "hours", "Hours given so far (optional)", "For example, 6 or 6.5.", width=4),
            "review": choice(visit, "review", "How does it go? (optional)", REVIEWS),
            "note": words_field(visit, "note", "Anything to add (optional)", READ_BY_FAMILY),
        }
    for name, label in (
        ("pupil_said", "What does the pupil say of it? (optional)"),
        ("family_said", "What does the family say of it? (optional)"),
    ):
        fields[name] = {**words_field(visit, name, label, f"In their words. {READ_BY_FAMILY}"), "rows": 2}
    return fields


def _bold(select: dict[str, Any]) -> dict[str, Any]:
    return {**select, "shape": "select", "label": {**select["label"], "classes": "govuk-label--s"}}


def _line(visit: Visit, name: str, label: str, hint: str, width: int = 0) -> dict[str, Any]:
    return {
        "shape": "input",
        "id": name,
        "name": name,
        "value": visit.value(name),
        "label": {"text": label, "classes": "govuk-label--s"},
        "hint": {"text": hint},
        "classes": f"govuk-input--width-{width}" if width else "",
    }


PAGES = (
    Page(
        name="write down support",
        path="/pupils/{pupil_id}/support",
        permission="record_support",
        show=offer_form,
        save=save_offer,
    ),
    Page(
        name="say how support goes",
        path="/pupils/{pupil_id}/support/{support_id}",
        permission="record_support",
        show=change_form,
        save=save_change,
    ),
)
