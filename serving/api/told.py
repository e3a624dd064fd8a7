"""Refusals as the published description tells of them: each with its schema and an example, word for word as sent."""

from dataclasses import dataclass
from typing import Any, Final

from serving.api.problems import MEDIA_TYPE, FieldFault, Refusal, problem_of

Responses = dict[int | str, dict[str, Any]]
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}


@dataclass(frozen=True, kw_only=True)
class Told:
    """One refusal: its status, when it comes, and an example of what it says."""

    status: int
    why: str
    code: str
    sentence: str
    faults: tuple[FieldFault, ...] = ()

    @property
    def example(self) -> dict[str, Any]:
        """The body, as it is sent."""
        return problem_of(Refusal(self.status, self.code, self.sentence, faults=self.faults)).model_dump()


def refusals(*told: Told) -> Responses:
    """Return these refusals as a route's documented responses."""
    return {
        one.status: {
            "description": one.why,
            "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": one.example}},
        }
        for one in told
    }


def example_of(words: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return what a 200 is documented with: when it comes, and an example."""
    return {"description": words, "content": {"application/json": {"example": example}}}


def lacks(scope: str) -> Told:
    """Return the 403 of a route that needs this scope."""
    return Told(
        status=403,
        why=f"The integration lacks the scope {scope}.",
        code="scope_missing",
        sentence=f"The integration has not been granted {scope}, or its token lacks it.",
    )


def not_sent_as(media_type: str, code: str) -> Told:
    """Return the 415 of a route that takes one media type."""
    return Told(status=415, why=f"Not {media_type}.", code=code, sentence=f"Send {media_type}.")


def too_large(most: str) -> Told:
    """Return the 413 of a route that takes so much."""
    sentence = f"The body is over {most}; send less at once."
    return Told(status=413, why=f"More than {most}.", code="too_large", sentence=sentence)


NO_TOKEN: Final = Told(
    status=401,
    why="No token, or not one that Belong gave out.",
    code="bad_credentials",
    sentence="The token is unknown, expired or withdrawn; ask /api/v1/token for a new one.",
)
NO_SCHOOL: Final = Told(
    status=404,
    why="A school that the integration does not hold: whether it exists is not said.",
    code="no_such_school",
    sentence="This integration has no such school.",
)
NO_PUPIL: Final = Told(
    status=404,
    why="A pupil at no school that the integration holds: whether there is one is not said.",
    code="no_such_pupil",
    sentence="This integration has no such pupil.",
)
NOT_JSON: Final = Told(
    status=400,
    why="Not JSON, or a field named twice.",
    code="not_json",
    sentence="The body is not JSON that Belong can read.",
)
TOO_SLOW: Final = Told(
    status=408,
    why="The body did not arrive in time.",
    code="too_slow",
    sentence="The body did not arrive within 30 seconds.",
)
TOO_OFTEN: Final = Told(
    status=429,
    why="The integration calls more often than it may; `Retry-After` says for how many seconds to wait.",
    code="too_many_calls",
    sentence="This integration may call 600 times a minute; wait and try again.",
)
NO_DATABASE: Final = Told(
    status=503,
    why="The database cannot be reached.",
    code="database_unavailable",
    sentence="The operational database cannot be reached.",
)
NOT_SCORING: Final = Told(
    status=503,
    why="Nothing may serve, or what must be logged cannot be; `code` says why.",
    code="no_deployment",
    sentence="No model is deployed.",
)
