"""`GET /api/v1/flags`, `/changes` and `/pupils/{id}/history`: what a school's own system may pull."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.exc import OperationalError

from casework.callers import LISTS_READ, SCORES_READ, Integration
from casework.freshness import Withheld
from casework.lists_read import MOST, Asked, read_changes, read_lists
from casework.recorded_history import read_history
from serving.api import cursors, examples
from serving.api.answers import CAUTION
from serving.api.credentials import needs, site_of, unavailable
from serving.api.health import may_score
from serving.api.list_answers import (
    ChangesAnswer,
    HistoryAnswer,
    ListsAnswer,
    changes_answer,
    history_answer,
    lists_answer,
)
from serving.api.problems import FieldFault, Problem, ProblemRoute, Refusal, fields_wrong
from serving.api.schemas import URN_LEAST, URN_MOST
from serving.site import Site

DEMONSTRATION = "Demonstration: the pupils are simulated and the signatures are a demonstration's."

router = APIRouter(tags=["lists"], route_class=ProblemRoute)

Caller = Annotated[Integration, Depends(needs(LISTS_READ))]
School = Annotated[
    int | None, Query(ge=URN_LEAST, le=URN_MOST, description="Only this school's list (URN).", examples=[990001])
]
Cursor = Annotated[
    str | None, Query(max_length=cursors.LONGEST, description="`next` of the answer before; left out: from the start.")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Most pupils in one answer.")]
Since = Annotated[
    datetime | None,
    Query(
        description="Only what changed after this moment, with its zone, those who left a list included.",
        examples=["2026-06-15T06:00:00Z"],
    ),
]
_NOT_JSON: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}
_SECURITY: dict[str, Any] = {"security": [{"integration": [LISTS_READ]}]}


def _responses(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {"application/json": {"example": example}}},
        **{
            status: {**_NOT_JSON, "description": why}
            for status, why in (
                (401, "No token, or not one that Belong gave out."),
                (403, "The integration lacks the scope lists:read."),
                (404, "A school or pupil that the integration does not hold."),
                (422, "A parameter is wrong: named, its value never repeated."),
                (429, "The integration calls more often than it may."),
                (503, "The database cannot be reached."),
            )
        },
    }


@router.get(
    "/flags", summary="Who is on the week's lists", responses=_responses(examples.LISTS), openapi_extra=_SECURITY
)
def get_flags(
    request: Request,
    caller: Caller,
    school: School = None,
    updated_after: Since = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ListsAnswer:
    """Return the pupils on the lists of the integration's schools with recorded facts, those longest unchanged first.

    Probability, rise and reasons come only with `scores:read`. Each pupil told of is entered in the log of looks.
    """
    site = site_of(request)
    check_school(caller, school)
    moment = in_utc(updated_after)
    where = f"flags {school} {moment and moment.isoformat()}"
    after = cursors.unseal(site.seal, caller, where, cursor)
    asked = Asked(school=school, after=after, updated_after=moment, most=limit)
    refused = why_not_scoring(site, caller)
    try:
        with site.database(caller.schools) as session:
            read = read_lists(session, caller, asked, site.today(), refused)
    except OperationalError:
        raise unavailable() from None
    following = cursors.seal(site.seal, caller, where, read.last) if read.more else None
    return lists_answer(read, list_notices(site, caller, read.notice, refused), following)


@router.get(
    "/changes", summary="What changed on the lists", responses=_responses(examples.CHANGES), openapi_extra=_SECURITY
)
def get_changes(
    request: Request, caller: Caller, school: School = None, cursor: Cursor = None, limit: Limit = 100
) -> ChangesAnswer:
    """Return what changed after the cursor, oldest first. Keep `next` and ask again with it: no change is missed."""
    site = site_of(request)
    check_school(caller, school)
    where = f"changes {school}"
    asked = Asked(school=school, after=cursors.unseal(site.seal, caller, where, cursor), most=limit)
    refused = why_not_scoring(site, caller)
    try:
        with site.database(caller.schools) as session:
            read = read_changes(session, caller, asked, site.today(), refused)
    except OperationalError:
        raise unavailable() from None
    following = cursors.seal(site.seal, caller, where, read.last)
    return changes_answer(read, list_notices(site, caller, read.notice, refused), following)


@router.get(
    "/pupils/{pupil}/history",
    summary="One pupil's recorded past",
    responses=_responses(examples.HISTORY),
    openapi_extra=_SECURITY,
)
def get_history(request: Request, caller: Caller, pupil: uuid.UUID) -> HistoryAnswer:
    """Return weeks, events and times on the list as recorded, and past scores with `scores:read`. A look is logged."""
    site = site_of(request)
    refused = why_not_scoring(site, caller)
    try:
        with site.database(caller.schools) as session:
            history = read_history(session, caller, pupil, site.today(), refused)
    except OperationalError:
        raise unavailable() from None
    if history is None:
        raise Refusal(404, "no_such_pupil", "This integration has no such pupil.")
    return history_answer(history, list_notices(site, caller, history.notice, refused))


def check_school(caller: Integration, school: int | None) -> None:
    """Refuse (404) a school that the integration does not hold: whether it exists is not its business."""
    if school is not None and school not in caller.schools:
        raise Refusal(404, "no_such_school", "This integration has no such school.")


def in_utc(moment: datetime | None) -> datetime | None:
    """Return the moment in UTC; refuse (422) one without a zone, which would mean another on another computer."""
    if moment is None:
        return None
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, in a zone that goes beyond it
        pass
    fault = "must be a moment with its zone, for example 2026-06-15T06:00:00Z"
    raise fields_wrong([FieldFault(field="updated_after", fault=fault)])


def why_not_scoring(site: Site, caller: Integration) -> Withheld | None:
    """Return why no score may be shown now to a caller who could read one; lists and facts are shown all the same."""
    if SCORES_READ not in caller.scopes:
        return None
    try:
        may_score(site)
    except Refusal as refusal:
        return Withheld(code=refusal.code, sentence=str(refusal))
    return None


def list_notices(site: Site, caller: Integration, stale: str | None, refused: Withheld | None) -> list[str]:
    """Return what every reader of these lists must be told."""
    said = [CAUTION] if SCORES_READ in caller.scopes else []
    if site.home.demo:
        said.append(DEMONSTRATION)
    if refused is not None:
        said.append(f"Belong is not scoring. {refused.sentence}")
    return [*said, stale] if stale else said
