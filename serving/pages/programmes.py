"""Programmes of support: whom each reaches, at what cost, and whether those with most need are among them.

One page that a funding panel can read. Nothing is worked out here but shares and costs, from counts that are rounded
already; places and groups stand in a fixed order, and nobody is ranked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from casework.audit_log import look
from casework.permissions import check_may, may
from casework.places import NETWORK, SCHOOL, rate
from casework.programme_figures import Effect, ProgrammeRelease, ReachCounts, effects_of, programme_releases, reach_of
from casework.programmes import Programme, every_programme
from casework.support_kinds import KINDS
from serving.form_fields import id_of, select_field
from serving.page import NotFound, Page, Visit
from serving.pages.places import NOT_SHOWN, cut_words, in_order, place_words, school_names
from serving.rendering import day_words

_FIRST: Final = (SCHOOL, "deprivation")


def show_programmes(visit: Visit) -> Response:
    """Show every programme, the newest first."""
    found = every_programme(visit.session, visit.person)
    look(visit.session, visit.person, "see_programmes")
    rows = []
    for one in found:
        out = programme_releases(visit.session, one.id)
        counts = _whole(reach_of(visit.session, visit.person, out[0])) if out else {}
        rows.append(
            {
                "id": one.id,
                "name": one.name,
                "cells": [
                    one.funder,
                    f"{day_words(one.start_on)} to {day_words(one.end_on)}",
                    _count(counts.get("reached")) if out else "not counted yet",
                    out[0].period if out else "",
                ],
            }
        )
    return visit.show(
        "programmes.html", title="Programmes", rows=rows, may_enter=may(visit.person, "manage_programmes")
    )


def show_programme(visit: Visit) -> Response:
    """Show one programme in one period."""
    programme = named_programme(visit)
    look(visit.session, visit.person, "see_programmes", detail=str(programme.id))
    names = school_names(visit)
    out = programme_releases(visit.session, programme.id)
    release = next((one for one in out if one.period == visit.asked("period")), out[0] if out else None)
    effects = effects_of(visit.session, visit.person, programme.id)
    return visit.show(
        "programme.html",
        title="A programme",
        name=programme.name,
        programme_id=programme.id,
        facts=facts_of(programme, names),
        may_enter=may(visit.person, "manage_programmes"),
        effects=[effect_words(one) for one in effects],
        release=_release(visit, release, names) if release else None,
        periods=select_field("period", "Period", [(one.period, one.period) for one in out], release.period)
        if release
        else None,
    )


def named_programme(visit: Visit) -> Programme:
    """Return the programme that the address names. Raises NotAllowed, NotFound."""
    check_may(visit.person, "see_programmes")
    asked = id_of(visit.part("programme_id"))
    found = next((one for one in every_programme(visit.session, visit.person) if one.id == asked), None)
    if found is None:
        raise NotFound
    return found


def facts_of(programme: Programme, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return what the programme is, as rows of a list."""
    costs = []
    if programme.budget_pounds is not None:
        costs.append(f"{pounds(programme.budget_pounds)} in all")
    if programme.hour_pence is not None:
        costs.append(f"£{programme.hour_pence / 100:,.2f} an hour")
    return [
        ("Paid for by", programme.funder),
        ("Runs", f"{day_words(programme.start_on)} to {day_words(programme.end_on)}"),
        ("Pays for", "; ".join(KINDS[kind].words for kind in programme.kinds)),
        ("Costs", ", ".join(costs)),
        ("Schools", "; ".join(sorted(names.get(school, f"School {school}") for school in programme.schools))),
    ]


def pounds(number: float) -> str:
    """Return whole pounds: '£1,250'."""
    return f"£{round(number):,}"


def effect_words(effect: Effect) -> dict[str, str]:
    """Return an estimate in words: what it is, its interval, how it was found and what it rests on."""
    settled = "We cannot tell yet: the interval holds no effect as well."
    if effect.upper < 0:
        settled = "Fewer than without it, by more than chance makes."
    elif effect.lower > 0:
        settled = "More than without it, by more than chance makes: find out why before it goes on."
    return {
        "outcome": effect.outcome,
        "size": f"{effect.estimate:+.1f} {effect.unit} (95% interval {effect.lower:+.1f} to {effect.upper:+.1f})",
        "settled": settled,
        "how": f"{effect.design}, about {effect.pupils:,} pupils, published on {day_words(effect.published_on)}.",
        "rests_on": effect.rests_on,
    }


def _release(visit: Visit, release: ProgrammeRelease, names: Mapping[int, str]) -> dict[str, Any]:
    found = reach_of(visit.session, visit.person, release)
    whole = _whole(found)
    cuts = (*_FIRST, *sorted({one.cut for one in found} - {*_FIRST, NETWORK}))
    by_cut = {cut: in_order([one for one in found if one.cut == cut], names) for cut in cuts}
    return {
        "period": release.period,
        "days": f"{day_words(release.start_on)} to {day_words(release.end_on)}",
        "known_on": day_words(release.known_on),
        "sentences": sentences(whole, release.cost_pounds),
        "reach": [_table(cut, mine, names, "offered", "reached") for cut, mine in by_cut.items() if mine],
        "equity": [
            _table(cut, mine, names, "need", "need_reached")
            for cut, mine in by_cut.items()
            if mine and any("need" in one.counts for one in mine)
        ],
    }


def sentences(whole: Mapping[str, int | None], cost_pounds: int | None) -> list[str]:
    """Return what a panel reads first: take-up, cost for each pupil reached, and of those with most need."""
    offered, reached, need, among = (whole.get(name) for name in ("offered", "reached", "need", "need_reached"))
    told = []
    if offered is None or reached is None:
        told.append("How many it reached is not shown: too few pupils, or one of its counts would tell of them.")
    elif offered == 0:
        told.append("Nobody was offered its support in this period.")
    else:
        told.append(
            f"About {offered:,} pupils were offered its support, and about {reached:,} took it up{_share(whole)}."
        )
    if cost_pounds is not None and reached:
        each = f"{pounds(cost_pounds)} in this period, about {pounds(cost_pounds / reached)} for each pupil reached."
        told.append(f"It cost {each}")
    else:
        told.append("What it cost for each pupil reached is not known.")
    if need and among is not None:
        told.append(
            f"Of about {need:,} pupils with most need, it reached about {among:,}: {_percent(among / need)} of them."
        )
    else:
        told.append("How many of those with most need it reached is not shown.")
    return told


def _share(whole: Mapping[str, int | None]) -> str:
    share = rate(whole, "reached", "offered")
    return "" if share is None else f" ({_percent(share)})"


def _table(cut: str, places: Sequence[ReachCounts], names: Mapping[int, str], base: str, part: str) -> dict[str, Any]:
    rows = []
    for one in places:
        share = rate(one.counts, part, base)
        cells = [_count(one.counts.get(base)), _count(one.counts.get(part))]
        cells.append(NOT_SHOWN if share is None else _percent(share))
        rows.append({"name": place_words(one.cut, one.place, names), "cells": cells})
    return {"caption": f"By {cut_words(cut).lower()}", "rows": rows}


def _whole(found: Sequence[ReachCounts]) -> Mapping[str, int | None]:
    return next((one.counts for one in found if one.cut == NETWORK), {})


def _count(count: int | None) -> str:
    return NOT_SHOWN if count is None else f"{count:,}"


def _percent(share: float) -> str:
    # Both counts are rounded by themselves, so a part may come out above its whole.
    return f"{min(share, 1.0):.0%}"


PAGES = (
    Page(
        name="programmes",
        path="/programmes",
        permission="see_programmes",
        navigation="Programmes",
        show=show_programmes,
    ),
    Page(name="one programme", path="/programmes/{programme_id}", permission="see_programmes", show=show_programme),
)
