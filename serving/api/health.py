"""Whether the process is up, and whether it may score: two questions, never mixed."""

from dataclasses import replace

from fastapi import APIRouter, Request

from serving.api.answers import ApprovalAnswer, Live, Ready
from serving.api.credentials import site_of
from serving.api.examples import LIVE, READY
from serving.api.problems import ProblemRoute, Refusal
from serving.api.told import NOT_SCORING, example_of, refusals
from serving.scoring import Deployed, Refused
from serving.site import Site
from serving.speaking import speaking

router = APIRouter(prefix="/health", tags=["health"], route_class=ProblemRoute)
_READY = {
    200: example_of("It may score, under this approval.", READY),
    **refusals(replace(NOT_SCORING, why="Up, but not allowed to score; `code` says why.")),
}


@router.get("/live", summary="Is the process up?", responses={200: example_of("It is.", LIVE)})
def live() -> Live:
    """Answer 200 as long as the process runs, whatever it may score."""
    return Live()


@router.get("/ready", summary="May it score?", responses=_READY)
def ready(request: Request) -> Ready:
    """Answer 200 with the approval under which the deployed bundle serves, or 503 with the reason why not."""
    deployed = may_score(site_of(request))
    return Ready(bundle=deployed.digest, approval=approval_answer(deployed), demonstration=deployed.demo)


def may_score(site: Site) -> Deployed:
    """Return the bundle that may serve now: by its bytes and signatures, and by the database's record of it.

    Raises
    ------
    Refusal
        503 with the reason's code.
    """
    return deployed_or_refused(speaking(site))


def deployed_or_refused(found: Deployed | Refused) -> Deployed:
    """Return the bundle; raise the Refusal (503) with the reason's code where there is none."""
    if isinstance(found, Refused):
        raise _not_scoring(found.code, found.sentence)
    return found


def _not_scoring(code: str, sentence: str) -> Refusal:
    return Refusal(503, code, sentence, headers={"Retry-After": "300"})


def approval_answer(deployed: Deployed) -> ApprovalAnswer:
    """Return the approval as every answer carries it."""
    approval = deployed.approval
    return ApprovalAnswer(
        id=approval.id,
        policy=approval.policy_digest,
        verdict="WAIVED" if approval.verdict == "WAIVED" else "PASS",
        expires_on=approval.expires_on,
        monitoring_plan=approval.monitoring_plan or None,
    )
