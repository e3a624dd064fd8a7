"""Refusals of the interface as problem+json (RFC 9457): a code, one sentence, and fields named but never echoed."""

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 50

FIELDS_WRONG: Final = "Some fields of the request are wrong; nothing was done."
WHEN: Final = "must be a moment with its zone, for example 2026-06-15T06:00:00Z"
NOT_OURS: Final = "must be an id that Belong gave, like 6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

log = logging.getLogger(__name__)

# A caller's own key may be anything, a name among others; only what looks like a field's name is repeated.
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")

# Pydantic's own wording may quote what was given ("found 'xyz'"), so each kind of fault has words of ours.
_SAYS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "has fewer than {min_length} characters",
    "string_pattern_mismatch": "holds characters that are not allowed",
    "too_long": "holds more than {max_length} entries",
    "too_short": "holds fewer than {min_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "finite_number": "must be a finite number",
    "date_from_datetime_inexact": "must be a date like 2026-06-22, without a time",
}
_SAYS_BY_START = (
    ("datetime", WHEN),
    ("date", "must be a real date like 2026-06-22"),
    ("int", "must be a whole number, written as a number"),
    ("float", "must be a finite number"),
    ("bool", "must be true or false"),
    ("string", "must be text"),
    ("list", "must be a list"),
    ("tuple", "must be a list"),
    ("model", "must be an object"),
    ("uuid", NOT_OURS),
)


class FieldFault(BaseModel):
    """One field of a request and what is wrong with it; the value given is never repeated."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Where: for example `pupils[3].marks[2].code`.")
    fault: str = Field(description="What is wrong and what is allowed.")


class Problem(BaseModel):
    """A refusal, as RFC 9457 writes it, with Belong's own code."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="A closed code that programs may rely on.")
    detail: str = Field(description="One sentence for people.")
    errors: list[FieldFault] = []


class Refusal(Exception):
    """Raised anywhere under /api/v1 to answer with a problem."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        faults: Sequence[FieldFault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.faults = tuple(faults)
        self.headers = headers


_TITLES = {
    400: "The request cannot be read",
    401: "Credentials are needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "The request took too long to arrive",
    409: "The answer has changed",
    413: "The request is too large",
    415: "The request must be JSON",
    422: "Some fields are wrong",
    429: "Too many calls",
    500: "Belong failed",
    503: "Belong cannot answer now",
}


def problem_of(refusal: Refusal) -> Problem:
    """Return the refusal as it is written down."""
    faults = list(refusal.faults)
    detail = str(refusal)
    if len(faults) > MOST_FIELDS:
        detail = f"{detail} {len(faults)} faults; the first {MOST_FIELDS} are listed."
    return Problem(
        title=_TITLES.get(refusal.status, "Refused"),
        status=refusal.status,
        code=refusal.code,
        detail=detail,
        errors=faults[:MOST_FIELDS],
    )


def answer(refusal: Refusal) -> JSONResponse:
    """Return the refusal as a problem+json response."""
    headers = {"Cache-Control": "no-store", **(refusal.headers or {})}
    return JSONResponse(problem_of(refusal).model_dump(), refusal.status, headers, MEDIA_TYPE)


def fields_wrong(faults: Sequence[FieldFault]) -> Refusal:
    """Return the 422 for these faults."""
    return Refusal(422, "fields_wrong", FIELDS_WRONG, faults=faults)


def place(path: Sequence[int | str]) -> str:
    """Return a path into a request in words: `pupils[3].marks[2].code`; an odd key is not repeated."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step}]"
        else:
            name = step if _FIELD_NAME.fullmatch(step) else "(a field that Belong does not know)"
            said += f".{name}" if said else name
    return said or "(the whole request)"


def faults_of(errors: Sequence[ErrorDetails]) -> list[FieldFault]:
    """Return pydantic's errors as field faults, without any value that was given."""
    return [FieldFault(field=place(error["loc"]), fault=_fault(error)) for error in errors]


def _fault(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind.startswith("belong_"):  # raised by our own validators, whose words hold no value
        return error["msg"]
    words = _SAYS.get(kind)
    if words is not None:
        return words.format(**error.get("ctx", {}))
    return next((words for start, words in _SAYS_BY_START if kind.startswith(start)), "cannot be used")


class ProblemRoute(APIRoute):
    """A route whose every refusal is problem+json: FastAPI's own 422 repeats what was sent, pupils and all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler so that nothing but an answer or a problem leaves it."""
        handle = super().get_route_handler()

        async def careful(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                return answer(refusal)
            except RequestValidationError as error:
                return answer(fields_wrong(faults_of([_bare(one) for one in error.errors()])))
            except HTTPException as error:
                return answer(Refusal(error.status_code, "refused", _TITLES.get(error.status_code, "Refused.")))
            except Exception as error:
                return failed(self.path, error)

        return careful


def failed(path: str, error: Exception) -> JSONResponse:
    """Note a fault of Belong's own and return the answer to it."""
    # The exception's text may hold a pupil's record, so only its kind and place are logged.
    log.error("%s failed: %s at %s", path, type(error).__name__, _where(error))
    return answer(Refusal(500, "failed", "Belong failed; the fault is in its log. Nothing was done."))


def _bare(error: Any) -> ErrorDetails:
    """Return FastAPI's error without the word 'query' or 'path' before the parameter's own name."""
    return cast("ErrorDetails", {**error, "loc": tuple(error["loc"][1:])})


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
