"""A request's body: read within a size and a time, and as JSON that says everything once."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from serving.api.problems import Refusal, faults_of, fields_wrong

MOST_BYTES = 10 * 1024 * 1024
SLOWEST_SECONDS = 30.0

T = TypeVar("T", bound=BaseModel)


async def read_body(request: Request, media_type: str, most: int = MOST_BYTES) -> bytes:
    """Return the whole body.

    Raises
    ------
    Refusal
        415 for another media type; 413 and 408 before the whole is in memory.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise Refusal(415, "not_json" if media_type.endswith("json") else "wrong_media_type", f"Send {media_type}.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SLOWEST_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    told = f"{most // 2**20} MB" if most >= 2**20 else f"{most} bytes"
                    raise Refusal(413, "too_large", f"The body is over {told}; send less at once.")
                parts.append(part)
    except TimeoutError:
        raise Refusal(408, "too_slow", f"The body did not arrive within {SLOWEST_SECONDS:.0f} seconds.") from None
    return b"".join(parts)


def parsed(model: type[T], body: bytes) -> T:
    """Return the body as this model, strictly.

    Raises
    ------
    Refusal
        400 for what is not JSON, or names a field twice (parsers differ in which of the two they take);
        422 for a wrong field.
    """
    try:
        made = model.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise Refusal(400, "not_json", "The body is not JSON that Belong can read.") from None
        raise fields_wrong(faults_of(errors)) from None
    # After the model: what has passed it is neither deep nor long, so this reader cannot be hurt by it.
    json.loads(body, object_pairs_hook=_once)
    return made


def _once(pairs: Sequence[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refusal(400, "said_twice", "An object of the body names a field twice; say everything once.")
