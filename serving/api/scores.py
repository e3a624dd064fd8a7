"""`POST /api/v1/scores`: posted records in, chances with reasons out, under the approval that allows it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from casework.audit_log import look
from casework.callers import SCORES_READ, Integration
from casework.database import see_schools
from casework.posted_keys import remember
from casework.stored_scores import StoredScore, read_stored
from serving.api.answers import CAUTION, PupilAnswer, ScoresAnswer
from serving.api.bodies import MOST_BYTES, parsed, read_body
from serving.api.checks import faults
from serving.api.credentials import check_rate, claims_of, integration_of, site_of, unavailable
from serving.api.examples import ANSWER, REQUEST
from serving.api.health import approval_answer, deployed_or_refused
from serving.api.posted import posted
from serving.api.problems import FIELDS_WRONG, FieldFault, ProblemRoute, Refusal, fields_wrong
from serving.api.schemas import ScoresRequest
from serving.api.tokens import Claims
from serving.api.told import (
    NO_TOKEN,
    NOT_JSON,
    NOT_SCORING,
    TOO_OFTEN,
    TOO_SLOW,
    Told,
    example_of,
    lacks,
    not_sent_as,
    refusals,
    too_large,
)
from serving.school_days import SchoolDays, read_school_days
from serving.scoring import Deployed
from serving.site import NO_SCHOOLS, Site
from serving.speaking import may_speak

ANSWER_CHANGED: Final = (
    "What was answered under this Idempotency-Key holds no longer: a model or records came in between. "
    "Take a new key for today's answer."
)

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
_RESPONSES = {
    200: example_of("One entry a pupil, in the order sent.", ANSWER),
    **refusals(
        NOT_JSON,
        NO_TOKEN,
        lacks(SCORES_READ),
        Told(
            status=404,
            why="A school or a pupil that the integration does not hold: whether there is one is not said.",
            code="no_such_school",
            sentence="pupils[0].school: this integration has no such school.",
        ),
        TOO_SLOW,
        Told(
            status=409,
            why="Another answer was given under this Idempotency-Key.",
            code="answer_changed",
            sentence=ANSWER_CHANGED,
        ),
        too_large("10 MB"),
        not_sent_as("application/json", "not_json"),
        Told(
            status=422,
            why="A field is wrong: named, its value never repeated.",
            code="fields_wrong",
            sentence=FIELDS_WRONG,
            faults=(FieldFault(field="pupils[0].upn", fault="is not a field of this request"),),
        ),
        TOO_OFTEN,
        NOT_SCORING,
    ),
}


Key = Annotated[
    str | None,
    Header(
        pattern=r"^[!-~]{1,100}$",
        description="Up to 100 characters of the caller's own, new for each post and the same for each try of it.",
    ),
]


@router.post(
    "/scores",
    summary="Score pupils from their records",
    response_model=ScoresAnswer,
    responses=_RESPONSES,
    openapi_extra=_BODY,
    max_body_size=4 * MOST_BYTES,
)
async def post_scores(request: Request, idempotency_key: Key = None) -> Response:
    """Return, for each pupil: the chance of the outcome within the horizon, whether it rises, why, what would lower it.

    Pupils are posted with their records, or named by Belong's id where it holds them. A pupil who cannot be
    scored (too new, records not up to date, a suspension under way or already decided) has `not_scored` with
    the reason. Each call is entered in the log of looks; if that cannot be written, nothing is answered. The
    same post under the same `Idempotency-Key` within a day gets the same answer, or 409 where it has changed.
    """
    # Nobody's body is read who has no token of ours; all else is asked in one thread and one transaction.
    claims = claims_of(request)
    body = await read_body(request, "application/json")
    said = await run_in_threadpool(answered, site_of(request), claims, body, idempotency_key)
    return Response(said, media_type="application/json")


def answered(site: Site, claims: Claims, body: bytes, key: str | None) -> str:
    """Return the answer to a post, as JSON; refuse in this order: who calls, may anything be scored, what was sent."""
    try:
        with site.database(NO_SCHOOLS) as session:
            integration = integration_of(session, claims, SCORES_READ, site.today())
            found = may_speak(site, session)
            check_rate(site, integration)
            deployed, request = deployed_or_refused(found), parsed(ScoresRequest, body)
            network = _checked(site, integration, request)
            see_schools(session, integration.schools)
            stored = _read_stored(session, site, integration, deployed, request)
            missing = [at for at, pupil in enumerate(request.stored) if pupil not in stored]
            asking = Asking(integration, deployed, request, network, key)
            made = "" if missing else _answer(session, site, asking, stored)
    except OperationalError:
        raise unavailable() from None
    # Refused here and not above: that somebody looked for stored pupils is in the log, whatever came of it.
    if missing:
        raise Refusal(404, "no_such_pupil", f"stored[{missing[0]}]: this integration has no such pupil.")
    if isinstance(made, Refusal):
        raise made
    return made


@dataclass(frozen=True)
class Asking:
    """Who asks, of which model, what, by whose school days, and under which `Idempotency-Key`."""

    integration: Integration
    deployed: Deployed
    body: ScoresRequest
    network: SchoolDays | None
    key: str | None


def _answer(session: Session, site: Site, asking: Asking, stored: Mapping[UUID, StoredScore]) -> str | Refusal:
    """Return the answer, or the refusal of its key; raise what is refused before anything is read."""
    body, deployed = asking.body, asking.deployed
    made = ScoresAnswer(
        as_of=body.as_of,
        horizon_school_weeks=deployed.bundle.manifest["horizon_weeks"],
        outcome=deployed.scorer.outcome.words,
        bundle=deployed.digest,
        approval=approval_answer(deployed),
        demonstration=deployed.demo,
        notices=notices(deployed),
        scores=[*_posted_scores(site, asking), *_stored_scores(deployed, body, stored)],
    ).model_dump_json()
    again = asking.key is not None and _again(session, site, asking, asking.key, made)
    if isinstance(again, Refusal):
        return again
    for school, pupils in sorted(Counter(pupil.school for pupil in body.pupils).items()):
        detail = f"{pupils} posted pupils as of {body.as_of.isoformat()} by bundle {deployed.digest[:12]}"
        look(session, asking.integration, "score_posted", school=school, detail=f"{detail}{', again' if again else ''}")
    return made


def _checked(site: Site, caller: Integration, body: ScoresRequest) -> SchoolDays | None:
    """Return the network's school days; refuse (404) schools of others, and (422) records that cannot be scored."""
    check_schools(body, caller.schools)
    network = read_school_days(site.home)
    found = faults(body, today=site.today(), phases={} if network is None else network.phases)
    if found:
        raise fields_wrong(found)
    return network


def _posted_scores(site: Site, asking: Asking) -> list[PupilAnswer]:
    body = asking.body
    if not body.pupils:
        return []
    # Engine and model are imported with the first call, not while the process starts (serving/scoring.py).
    from serving.api.scored import score  # noqa: PLC0415  # see above

    machine = [site.loops(len(body.pupils))] if site.loops else []
    return score(asking.deployed, posted(body, asking.network), body, *machine)


def _read_stored(
    session: Session, site: Site, caller: Integration, deployed: Deployed, body: ScoresRequest
) -> Mapping[UUID, StoredScore]:
    """Return what is published of the stored pupils; the looks are written with the reading, also for nobody found."""
    if not body.stored:
        return {}
    return read_stored(session, caller, body.stored, deployed.digest, body.as_of, site.today())


def _stored_scores(deployed: Deployed, body: ScoresRequest, found: Mapping[UUID, StoredScore]) -> list[PupilAnswer]:
    if not body.stored:
        return []
    from serving.api.stored import stored_answer  # noqa: PLC0415  # as above

    return [stored_answer(deployed, pupil, found[pupil]) for pupil in body.stored]


def _again(session: Session, site: Site, asking: Asking, key: str, answer: str) -> bool | Refusal:
    said = asking.body.model_dump_json().encode(), answer.encode()
    match remember(session, asking.integration, key, said, site.now()):
        case "other_request":
            return Refusal(422, "key_used", "This Idempotency-Key came with another request; take a new one.")
        case "other_answer":
            return Refusal(409, "answer_changed", ANSWER_CHANGED)
        case how:
            return how == "again"


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
