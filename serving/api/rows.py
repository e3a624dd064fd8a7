"""`POST /api/v1/rows`: feature rows that a network worked out on its own data platform with this same package.

No pupil is named here, nor any school: a row is numbers under the catalogue's own names. So this door may remember for
a moment who calls and what may serve, and write its looks by the second (docs/decisions.md, 85).
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from casework.audit_log import look
from casework.callers import SCORES_READ, Integration
from serving.api.bodies import MOST_BYTES, read_body
from serving.api.credentials import caller
from serving.api.examples import ROWS, ROWS_SCORED
from serving.api.health import may_score
from serving.api.problems import ProblemRoute, Refusal
from serving.api.told import (
    NO_TOKEN,
    NOT_JSON,
    NOT_SCORING,
    TOO_OFTEN,
    TOO_SLOW,
    Responses,
    Told,
    lacks,
    not_sent_as,
    refusals,
    too_large,
)
from serving.scoring import Deployed
from serving.site import NO_SCHOOLS, Site

PATH = "/api/v1/rows"
MOST_ROWS = 1000
REMEMBERED_SECONDS = 2.0
WRITTEN_EVERY_SECONDS = 0.5
UNWRITTEN_SECONDS = 1.0
OTHER_CATALOGUE = "The rows were made by another feature catalogue than the model's."
_MOST_REMEMBERED = 1000
log = logging.getLogger(__name__)

Values = npt.NDArray[np.float64]

router = APIRouter(tags=["scores"], route_class=ProblemRoute)


class Rows(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted: rows of numbers in the order of `names`, null where a feature is unknown."""

    fingerprint: str
    names: list[str]
    rows: list[list[float | None]]
    reasons: bool


class ReasonOfRow(msgspec.Struct):
    """A reason, as `POST /api/v1/scores` gives it."""

    group: str
    sentence: str
    share: str
    changeable: bool


class ReasonsOfRow(msgspec.Struct):
    """What raised a row's probability and what lowered it."""

    reasons_for: list[ReasonOfRow]
    reasons_against: list[ReasonOfRow]


class RowsScored(msgspec.Struct):
    """The answer: a probability a row, in the order sent, and reasons where they were asked for."""

    bundle: str
    approval: str
    demonstration: bool
    probabilities: list[float]
    reasons: list[ReasonsOfRow] | None


@dataclass
class _Remembered:
    integration: Integration
    deployed: Deployed
    until: float
    calls: int = 0


@dataclass
class Unwritten:
    """Rows scored and not yet in the log of looks, by caller and bundle; to count them is to have them written soon.

    Where they cannot be written, nothing more is scored: never more than about a second's worth is at stake.
    """

    site: Site
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _rows: dict[tuple[str, str], tuple[Integration, int]] = field(default_factory=dict)
    _since: float | None = None
    _timer: threading.Timer | None = None
    _closed: bool = False

    def check(self) -> None:
        """Refuse (503) while what was scored before has not been written."""
        since = self._since
        if since is not None and time.monotonic() - since > UNWRITTEN_SECONDS + WRITTEN_EVERY_SECONDS:
            raise Refusal(503, "log_unavailable", "The log of looks cannot be written, so nothing is scored.")

    def count(self, integration: Integration, digest: str, rows: int) -> None:
        """Note the rows, to be written within half a second."""
        with self._lock:
            name = (integration.client_id, digest)
            self._rows[name] = (integration, rows + (self._rows[name][1] if name in self._rows else 0))
            if self._since is None:
                self._since = time.monotonic()
            if self._timer is None and not self._closed:
                self._timer = threading.Timer(WRITTEN_EVERY_SECONDS, self.write)
                self._timer.start()

    def write(self) -> None:
        """Write what was noted; where that fails it stays noted, and is tried again.

        Waits for a write that is under way: whoever closes the database after this takes it from nobody.
        """
        with self._writing:
            with self._lock:
                rows, since, self._timer = self._rows, self._since, None
                self._rows, self._since = {}, None
            if not rows:
                return
            try:
                with self.site.database(NO_SCHOOLS) as session:
                    for (_, digest), (integration, number) in sorted(rows.items()):
                        detail = f"{number} feature rows by bundle {digest[:12]}"
                        look(session, integration, "score_rows", detail=detail)
            except SQLAlchemyError:
                for (_, digest), (integration, number) in rows.items():
                    self.count(integration, digest, number)
                self._since = since

    def close(self) -> None:
        """Write what is left, now and once: a process that ends waits for no database that is gone."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self.write()
        left = sum(number for _, number in self._rows.values())
        if left:
            log.error("%d feature rows were scored and could not be entered in the log of looks", left)


@dataclass
class RowsDoor:
    """What one process keeps for this door: who called lately, and what is not yet in the log."""

    site: Site
    unwritten: Unwritten
    _lately: dict[str, _Remembered] = field(default_factory=dict)

    async def standing(self, request: Request) -> _Remembered:
        """Return who calls, asked again after two seconds, and what may serve, which the door is asked every time."""
        name = request.headers.get("authorization", "")
        found = self._lately.get(name)
        stands = found is not None and found.deployed is self.site.door.deployed()
        if (
            found is None
            or not stands
            or found.until < time.monotonic()
            or found.calls >= found.integration.calls_per_minute
        ):
            before = self._lately.pop(name, None)
            found = await run_in_threadpool(self._asked, request, before)
            if len(self._lately) >= _MOST_REMEMBERED:
                self._lately.clear()
            self._lately[name] = found
        found.calls += 1
        return found

    def _asked(self, request: Request, before: _Remembered | None) -> _Remembered:
        until = time.monotonic() + REMEMBERED_SECONDS
        if before is not None and before.calls > 1:
            # `caller` counts one call, and counted the first of those before: the others are counted here.
            self.site.rates.wait(before.integration, before.calls - 1)
        return _Remembered(caller(request, SCORES_READ), may_score(self.site), until)

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request; raises Refusal."""
        standing = await self.standing(request)
        self.unwritten.check()
        scorer, digest = standing.deployed.scorer, standing.deployed.digest
        body = await read_body(request, "application/json", MOST_BYTES)
        sent = read_rows(body, scorer.names, standing.deployed.bundle.manifest["feature_fingerprint"])
        if len(sent.rows) == 1 and not sent.reasons:
            chances, why = [scorer.chance_of_one(values_of(sent.rows, scorer.names)[0], sent.fingerprint)], None
        else:
            chances, why = await run_in_threadpool(scored, standing.deployed, sent)
        # Counted before it is answered; written within the second.
        self.unwritten.count(standing.integration, digest, len(sent.rows))
        told = RowsScored(digest, standing.deployed.approval.id, standing.deployed.demo, chances, why)
        return Response(msgspec.json.encode(told), media_type="application/json", headers={"cache-control": "no-store"})


def read_rows(body: bytes, names: tuple[str, ...], fingerprint: str) -> Rows:
    """Return what was posted, if it is of this catalogue and this order of features.

    Raises
    ------
    Refusal
        400 for what is not JSON; 422 for another catalogue, a feature that is missing, unknown or out of order, a value
        that is no finite number (unknown is null), too many rows, or a field given twice.
    """
    try:
        sent = msgspec.json.decode(body, type=Rows)
    except msgspec.ValidationError as error:
        # A field that Belong does not know may be anything, a name among others: it is not repeated.
        raise _refused("a field is not known" if "unknown field" in str(error) else str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "not_json", "The body is not JSON that Belong can read.") from None
    if sent.fingerprint != fingerprint:
        raise Refusal(422, "other_catalogue", OTHER_CATALOGUE)
    if tuple(sent.names) != names:
        raise _refused(_names_differ(sent.names, names))
    if not 1 <= len(sent.rows) <= MOST_ROWS:
        raise _refused(f"there must be 1 to {MOST_ROWS:,} rows")
    if any(len(row) != len(names) for row in sent.rows):
        raise _refused(f"every row needs {len(names)} values, one for each name")
    # Names hold no quotation mark, so this many there are: of four fields, a fingerprint and the names.
    if body.count(b'"') != 2 * (len(Rows.__struct_fields__) + 1 + len(names)):
        raise Refusal(400, "said_twice", "The body names a field twice; say everything once.")
    return sent


def _names_differ(given: list[str], names: tuple[str, ...]) -> str:
    missing, unknown = set(names) - set(given), set(given) - set(names)
    if missing:
        return f"missing features: {', '.join(sorted(missing)[:5])}"
    if unknown:
        return f"{len(unknown)} of the names are not features of the model"
    return "the names are not in the catalogue's order, or one stands twice"


def _refused(sentence: str) -> Refusal:
    return Refusal(422, "fields_wrong", f"Nothing was scored: {sentence}.")


def values_of(rows: list[list[float | None]], names: tuple[str, ...]) -> Values:
    """Return the rows as numbers, NaN where null; refuse (422) what is too large to be a number."""
    values = np.array(rows, dtype=np.float64)
    if np.isinf(values).any():
        column = int(np.flatnonzero(np.isinf(values).any(axis=0))[0])
        raise _refused(f"a value of {names[column]} is infinite")
    return values


def scored(deployed: Deployed, sent: Rows) -> tuple[list[float], list[ReasonsOfRow] | None]:
    """Return each row's probability, and its reasons where they were asked for."""
    # Imported with the first call, as the model is (serving/scoring.py).
    from training.reasons import reasons_of  # noqa: PLC0415  # see above

    scorer = deployed.scorer
    values = values_of(sent.rows, scorer.names)
    chances = scorer.chances(values, sent.fingerprint).tolist()
    if not sent.reasons:
        return chances, None
    found = []
    for reasons in reasons_of(values, scorer.parts(values, sent.fingerprint)):
        sides: dict[str, list[ReasonOfRow]] = {"for": [], "against": []}
        for one in reasons:
            sides[one.side].append(ReasonOfRow(one.group, one.sentence, one.share, one.changeable))
        found.append(ReasonsOfRow(sides["for"], sides["against"]))
    return chances, found


def door_of(app: FastAPI) -> RowsDoor:
    """Return the door of a process, made with its first request."""
    if not hasattr(app.state, "rows_door"):
        app.state.rows_door = RowsDoor(app.state.site, Unwritten(app.state.site))
    door: RowsDoor = app.state.rows_door
    return door


def schemas(template: str) -> dict[str, Any]:
    """Return the schemas of what is posted and answered, for the published description."""
    _, parts = msgspec.json.schema_components([Rows, RowsScored], ref_template=template)
    return parts


_REF = "#/components/schemas/"
_SHORTENED = {"summary": "Shortened: every name of the catalogue is needed, in its order.", "value": ROWS}
_RESPONSES: Responses = {
    200: {
        "description": "A probability a row, in the order sent.",
        "content": {"application/json": {"schema": {"$ref": f"{_REF}RowsScored"}, "example": ROWS_SCORED}},
    },
    **refusals(
        NOT_JSON,
        NO_TOKEN,
        lacks(SCORES_READ),
        TOO_SLOW,
        too_large("10 MB"),
        not_sent_as("application/json", "not_json"),
        Told(
            status=422,
            why="Another catalogue, features missing, unknown or out of order, or a value that is no number.",
            code="other_catalogue",
            sentence=OTHER_CATALOGUE,
        ),
        TOO_OFTEN,
        NOT_SCORING,
    ),
}


@router.post(
    "/rows",
    summary="Score feature rows worked out elsewhere with this package",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"{_REF}Rows"}, "examples": {"two rows": _SHORTENED}}},
        },
        "security": [{"integration": [SCORES_READ]}],
    },
    responses=_RESPONSES,
    response_class=Response,
)
async def post_rows(request: Request) -> Response:
    """Return the probability of each row, and its reasons where they are asked for.

    For networks that work features out on their own platform with this same package: names and fingerprint say by which
    catalogue. Rows name no pupil; each is counted in the log of looks.
    """
    return await door_of(request.app).answer(request)
