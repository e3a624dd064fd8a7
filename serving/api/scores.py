"""`POST /api/v1/scores`: posted records in, chances with reasons out, under the approval that allows it."""

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from casework.audit_log import look
from casework.callers import SCORES_READ, Integration
from serving.api.answers import CAUTION, ScoresAnswer
from serving.api.bodies import MOST_BYTES, parsed, read_body
from serving.api.checks import faults
from serving.api.credentials import needs, site_of
from serving.api.examples import ANSWER, REQUEST
from serving.api.health import approval_answer, may_score
from serving.api.posted import posted
from serving.api.problems import Problem, ProblemRoute, Refusal, fields_wrong
from serving.api.schemas import ScoresRequest
from serving.school_days import read_school_days
from serving.scoring import Deployed

router = APIRouter(tags=["scores"], route_class=ProblemRoute)

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ScoresRequest"},
                "examples": {"a week's pupils": {"value": REQUEST}},
            }
        },
    },
    "security": [{"integration": [SCORES_READ]}],
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": ANSWER}}},
    **{
        status: {"model": Problem, "description": why, "content": {"application/problem+json": {}}}
        for status, why in (
            (400, "Not JSON."),
            (401, "No token, or not one that Belong gave out."),
            (403, "The integration lacks the scope scores:read."),
            (404, "A school that the integration does not hold."),
            (413, "More than 10 MB."),
            (422, "A field is wrong: named, its value never repeated."),
            (503, "Nothing may serve; `code` says why."),
        )
    },
}


async def body_of(request: Request) -> ScoresRequest:
    """Return the request's body, strictly read; refusals as in `serving.api.bodies`."""
    body = await read_body(request, "application/json")
    return await run_in_threadpool(parsed, ScoresRequest, body)


def deployed_of(request: Request) -> Deployed:
    """Return the bundle that may serve now, or refuse with 503."""
    return may_score(site_of(request))


# The order of the arguments is the order of the questions: who calls, may anything be scored, what was sent.
@router.post(
    "/scores",
    summary="Score pupils from their records",
    responses=_RESPONSES,
    openapi_extra=_BODY,
    max_body_size=4 * MOST_BYTES,
)
def post_scores(
    request: Request,
    integration: Annotated[Integration, Depends(needs(SCORES_READ))],
    deployed: Annotated[Deployed, Depends(deployed_of)],
    body: Annotated[ScoresRequest, Depends(body_of)],
) -> ScoresAnswer:
    """Return, for each pupil: the chance of the outcome within the horizon, whether it is rising, why.

    A pupil who cannot be scored (too new, records not up to date, a suspension under way or already
    decided) has `not_scored` with the reason. Each call is entered in the log of looks; if that
    cannot be written, nothing is answered.
    """
    check_schools(body, integration.schools)
    site = site_of(request)
    network = read_school_days(site.home)
    found = faults(body, today=site.today(), phases={} if network is None else network.phases)
    if found:
        raise fields_wrong(found)
    # Engine and model are imported with the first call, not while the process starts (serving/scoring.py).
    from serving.api.scored import score  # noqa: PLC0415  # see above

    records = posted(body, network)
    scores = score(deployed, records, body, *([site.loops(len(body.pupils))] if site.loops else []))
    with site.database(integration.schools) as session:
        for school, pupils in sorted(Counter(pupil.school for pupil in body.pupils).items()):
            detail = f"{pupils} posted pupils as of {body.as_of.isoformat()} by bundle {deployed.digest[:12]}"
            look(session, integration, "score_posted", school=school, detail=detail)
    return ScoresAnswer(
        as_of=body.as_of,
        horizon_school_weeks=deployed.bundle.manifest["horizon_weeks"],
        outcome=deployed.scorer.outcome.words,
        bundle=deployed.digest,
        approval=approval_answer(deployed),
        demonstration=deployed.demo,
        notices=notices(deployed),
        scores=scores,
    )


def check_schools(body: ScoresRequest, schools: frozenset[int] | None) -> None:
    """Refuse (404) schools that the integration does not hold: whether they exist is not its business."""
    if schools is None:
        return
    other = [at for at, pupil in enumerate(body.pupils) if pupil.school not in schools]
    if other:
        raise Refusal(404, "no_such_school", f"pupils[{other[0]}].school: this integration has no such school.")


def notices(deployed: Deployed) -> list[str]:
    """Return what every reader of these scores must be told."""
    said = [CAUTION]
    if deployed.scorer.kind == "rule":
        said.append(f"No model is used, but a transparent rule: {deployed.scorer.means}.")
    if deployed.demo:
        said.append("Demonstration: the pupils are simulated and the signatures are a demonstration's.")
    if deployed.approval.verdict == "WAIVED":
        last = deployed.approval.expires_on.isoformat()
        said.append(f"The audit could not settle every limit; the board allows use until {last} under a waiver.")
    return said
