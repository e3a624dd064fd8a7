"""Every route under /api/v1, and the description of them that programs read."""

import json
import re
from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from casework.callers import SCOPES
from serving.api import health, lists, rows, scores, token
from serving.api.problems import Problem, ProblemRoute, Refusal
from serving.api.schemas import ScoresRequest

VERSION = "1.0.0"
PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"
_METHODS = (
    (re.compile(r"health/(live|ready)|openapi\.json|flags|changes|pupils/[^/]+/history"), "GET"),
    (re.compile(r"scores|rows|token"), "POST"),
)

router = APIRouter(prefix=PREFIX, route_class=ProblemRoute)
router.include_router(health.router)
router.include_router(token.router)
router.include_router(lists.router)
router.include_router(scores.router)
router.include_router(rows.router)


@router.get("/openapi.json", include_in_schema=False)
def description() -> Response:
    """Return the OpenAPI description of this version."""
    return Response(_described(), media_type="application/json")


@cache
def _described() -> bytes:
    # Worked out once: it takes a tenth of a second, and anyone may ask for it.
    return json.dumps(openapi()).encode()


@router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def nothing_here(request: Request, rest: str) -> None:
    """Answer 404 or 405 in the interface's own form for every other address under the prefix."""
    method = next((method for form, method in _METHODS if form.fullmatch(rest)), None)
    if method is not None:
        raise Refusal(405, "wrong_method", f"Use {method}.", headers={"Allow": method})
    raise Refusal(404, "no_such_address", f"There is nothing here; {PREFIX}/openapi.json lists what there is.")


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document: versioned, with examples, and with no address outside this process."""
    document = get_openapi(
        title="Belong",
        version=VERSION,
        summary="Scores of rising risk of suspension, for offering help; served only under a signed approval.",
        routes=router.routes,
    )
    _put_examples_back(document)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # The body is read by our own strict parser (serving/api/scores.py), so FastAPI does not know its schema.
    request = ScoresRequest.model_json_schema(ref_template=_REF)
    schemas |= rows.schemas(_REF.replace("model", "name")) | request.pop("$defs")
    problem = Problem.model_json_schema(ref_template=_REF)
    schemas |= problem.pop("$defs") | {"ScoresRequest": request, "Problem": problem}
    document["components"]["securitySchemes"] = {
        "integration": {
            "type": "oauth2",
            "description": "Scopes and schools are granted to one integration by the data-protection officer.",
            "flows": {"clientCredentials": {"tokenUrl": f"{PREFIX}/token", "scopes": dict(SCOPES)}},
        }
    }
    return document


def _put_examples_back(document: dict[str, Any]) -> None:
    """Put the answers' examples in whole: FastAPI leaves out their nulls, as if those fields might be missing."""
    for route in iter_route_contexts(router.routes):
        operations = document["paths"].get(route.path, {})
        for operation in operations.values():
            for status, answer in route.responses.items():
                for media, content in answer.get("content", {}).items():
                    if "example" in content:
                        operation["responses"][str(status)]["content"][media]["example"] = content["example"]
