"""The SSE endpoints: start a run and read it, resume or join one, stop one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, g, request

from webapp.api.start_request import StartBody, read_json, read_query, run_for_key
from webapp.errors import InvalidRequest, NotFound, UnsupportedType
from webapp.frames import Cursor, encode_sse, is_run, notice_frame, plain_number, usage_body
from webapp.routes.authentication import address, owner, principal, visit
from webapp.routes.responses import json_response
from webapp.routes.streaming import RunBody, admit_reader, deliveries, split_writes, streaming_response
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.run import Receipt, Run
from webapp.services import Services, services

blueprint = Blueprint("stream", __name__)

_SSE = "text/event-stream"
_RETRY_MS = (
    800,
    1_600,
)  # random, so that readers who were cut at the same moment do not return at the same moment
_RECONNECT_MS = (200, 1_500)
_MAX_KEY_CHARS = 255


@blueprint.before_request
def _answer_head() -> Response | None:
    """Answer a HEAD, which Flask would treat as a GET, without starting or reading anything."""
    if request.method != "HEAD":
        return None
    run = (request.view_args or {}).get("run")
    if run is not None:
        services().runs.find(run, owner())
    return Response(mimetype=_SSE)


@blueprint.post("/stream")
def start() -> Response:
    """Start a run and stream it; with a Last-Event-ID, resume and never start."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    body: StartBody = read_json(request.get_data(), StartBody)
    return _start(body)


@blueprint.get("/stream")
def start_by_query() -> Response:
    """Start a run and stream it, as a plain EventSource asks for it."""
    body = read_query(request.args)
    if "Last-Event-ID" not in request.headers:
        services().gate.check_get_start(visit(), g.cross_origin)
    return _start(body)


@blueprint.get("/stream/<run>")
def resume(run: str) -> Response:
    """Stream a run after a cursor, or from its beginning."""
    return _resume(services().runs.find(run, owner()))


@blueprint.post("/stream/<run>/stop")
def stop(run: str) -> Response:
    """Stop a run; the receipt says how it ended."""
    return json_response(receipt_body(services().runs.stop(run, owner())))


def receipt_body(receipt: Receipt) -> dict[str, object]:
    """Return a receipt as JSON values."""
    return {
        "run": receipt.run,
        "state": receipt.state,
        "finish_reason": receipt.finish_reason,
        "usage": None if receipt.usage is None else usage_body(receipt.usage),
        "cost": None if receipt.cost is None else plain_number(receipt.cost),
        "closed_ms": receipt.closed_ms,
    }


def named_run(body: StartBody, owner_: str | None) -> str | None:
    """Return the run id that a request chose, by itself or by its Idempotency-Key."""
    key = request.headers.get("Idempotency-Key")
    if key is None or body.run is not None:
        return body.run
    if not key or len(key) > _MAX_KEY_CHARS:
        raise InvalidRequest(
            f"Idempotency-Key must have 1 to {_MAX_KEY_CHARS} characters",
            param="Idempotency-Key",
            code="bad_key",
        )
    return run_for_key(key, owner_, address())


def _start(body: StartBody) -> Response:
    parts, caller = services(), principal()
    name = named_run(body, caller.owner)
    if "Last-Event-ID" in request.headers:
        return _resume_by_header(parts, name)
    if name is not None and name != body.run:
        body = msgspec.structs.replace(body, run=name)
    connection = admit_reader(parts)
    try:
        run = parts.starter.start(body, caller)
    except BaseException:
        parts.runs.leave(connection)
        raise
    return streaming_response(RunBody(parts, run, None, _records, connection=connection), _SSE)


def _resume_by_header(parts: Services, name: str | None) -> Response:
    """Resume at the endpoint that starts: what cannot be resumed is 204, so that an EventSource gives up."""
    cursor = Cursor.parse(request.headers["Last-Event-ID"])
    target = cursor.run if cursor is not None else name
    if target is None or not is_run(target):
        return Response(status=204)
    try:
        return _resume(parts.runs.find(target, owner()))
    except NotFound:
        return Response(status=204)


def _resume(run: Run) -> Response:
    header = request.headers.get("Last-Event-ID")
    after = request.args.get("after")
    raw = after if header is None else header
    cursor = Cursor.parse(raw) if raw is not None else None
    readable = cursor is not None and cursor.run == run.id
    if header is None and after is not None and not readable:
        raise InvalidRequest("after must be run:epoch:seq of this run", param="after", code="bad_cursor")
    prove = raw is None or readable
    if prove and Reader(run.log, cursor, prove=True).at_end:
        return Response(status=204)
    return streaming_response(
        RunBody(services(), run, cursor if readable else None, _records, prove=prove), _SSE
    )


def _records(reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
    """Yield a run's frames as SSE records, and comments as heartbeats."""
    head = b"retry: %d\n\n" % random.randint(*_RETRY_MS)
    for new in deliveries(reader, connection):
        if len(new) == 1 and not head:
            yield encode_sse(*new[0])
            continue
        yield from split_writes((head + b"".join([encode_sse(*one) for one in new])) or b":\n\n")
        head = b""
    if connection.leaving and not reader.ended:
        yield encode_sse(notice_frame("reconnect", random.randint(*_RECONNECT_MS)), None)
