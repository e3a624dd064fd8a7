"""`GET /api/v1/flags`, `/changes` and `/pupils/{id}/history`: what a school's own system may pull."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.exc import OperationalError

from casework.callers import LISTS_READ, SCORES_READ, Integration
from casework.freshness import Withheld
from casework.lists_read import MOST, Asked, read_changes, read_lists
from casework.recorded_history import read_history
from serving.api import cursors, examples
from serving.api.answers import CAUTION
from serving.api.credentials import needs, site_of, unavailable
from serving.api.list_answers import (
    ChangesAnswer,
    HistoryAnswer,
    ListsAnswer,
    changes_answer,
    history_answer,
    lists_answer,
)
from serving.api.problems import FIELDS_WRONG, NOT_OURS, WHEN, FieldFault, ProblemRoute, Refusal, fields_wrong
from serving.api.schemas import URN_LEAST, URN_MOST
from serving.api.told import (
    NO_DATABASE,
    NO_PUPIL,
    NO_SCHOOL,
    NO_TOKEN,
    TOO_OFTEN,
    Responses,
    Told,
    example_of,
    lacks,
    refusals,
)
from serving.scoring import Refused
from serving.site import Site
from serving.speaking import speaking

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
_SECURITY: dict[str, Any] = {"security": [{"integration": [LISTS_READ]}]}
_FIELDS: Final = (
    FieldFault(field="updated_after", fault=WHEN),
    FieldFault(field="limit", fault=f"must be at most {MOST}"),
)


def _responses(answer: str, example: dict[str, Any], nothing: Told, fields: tuple[FieldFault, ...]) -> Responses:
    wrong = Told(
        status=422,
        why="A parameter is wrong: named, its value never repeated.",
        code="fields_wrong",
        sentence=FIELDS_WRONG,
        faults=fields,
    )
    told = refusals(NO_TOKEN, lacks(LISTS_READ), nothing, wrong, TOO_OFTEN, NO_DATABASE)
    return {200: example_of(answer, example), **told}


@router.get(
    "/flags",
    summary="Who is on the week's lists",
    responses=_responses("A page of the lists.", examples.LISTS, NO_SCHOOL, _FIELDS),
    openapi_extra=_SECURITY,
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
    "/changes",
    summary="What changed on the lists",
    responses=_responses("Changes, oldest first.", examples.CHANGES, NO_SCHOOL, _FIELDS[1:]),
    openapi_extra=_SECURITY,
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
    responses=_responses("What is recorded.", examples.HISTORY, NO_PUPIL, (FieldFault(field="pupil", fault=NOT_OURS),)),
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
    raise fields_wrong([FieldFault(field="updated_after", fault=WHEN)])


def why_not_scoring(site: Site, caller: Integration) -> Withheld | None:
    """Return why no score may be shown now to a caller who could read one; lists and facts are shown all the same."""
    if SCORES_READ not in caller.scopes:
        return None
    found = speaking(site)
    return Withheld(code=found.code, sentence=found.sentence) if isinstance(found, Refused) else None


def list_notices(site: Site, caller: Integration, stale: str | None, refused: Withheld | None) -> list[str]:
    """Return what every reader of these lists must be told."""
    said = [CAUTION] if SCORES_READ in caller.scopes else []
    if site.home.demo:
        said.append(DEMONSTRATION)
    if refused is not None:
        said.append(f"Belong is not scoring. {refused.sentence}")
    return [*said, stale] if stale else said
