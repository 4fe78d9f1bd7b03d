"""The SSE endpoints: start a run and read it, resume or join one, stop one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, g, request

from webapp.api.start_request import StartBody, derive_run_id, read_json, read_query
from webapp.errors import InvalidRequest, NotFound, UnsupportedType
from webapp.frames import Cursor, cost_to_json, encode_sse, is_run_id, notice_frame, usage_to_json
from webapp.logs import set_run
from webapp.routes.current_principal import current_address, current_owner, current_principal, current_visit
from webapp.routes.responses import json_response
from webapp.routes.streaming import (
    WRITE_BYTES,
    RunBody,
    admit_reader,
    deliveries,
    split_writes,
    streaming_response,
)
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.runs.run_spec import Receipt
from webapp.services import Services, services

blueprint = Blueprint("stream", __name__)

HEARTBEAT_HEADER = "Freshet-Heartbeat"
_SSE = "text/event-stream"
# Random, so that readers whose connections broke at the same moment do not reconnect at the same moment.
_RETRY_MS = (800, 1_600)
_RECONNECT_MS = (200, 1_500)
_MAX_KEY_CHARS = 255


@blueprint.before_request
def _answer_head() -> Response | None:
    """Answer a HEAD without starting or reading a run; Flask would treat it as a GET."""
    if request.method != "HEAD":
        return None
    run = (request.view_args or {}).get("run")
    if run is not None:
        services().runs.find(run, current_owner())
    return Response(mimetype=_SSE)


@blueprint.post("/stream")
def start() -> Response:
    """Start a run and stream it; with a Last-Event-ID, resume one and never start."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    body: StartBody = read_json(request.get_data(), StartBody)
    return _start(body)


@blueprint.get("/stream")
def start_by_query() -> Response:
    """Start a run from a query string and stream it, for a plain EventSource."""
    body = read_query(request.args)
    if "Last-Event-ID" not in request.headers:
        services().gate.check_get_start(current_visit(), g.cross_origin)
    return _start(body)


@blueprint.get("/stream/<run>")
def resume(run: str) -> Response:
    """Stream a run after a cursor, or from its first frame."""
    return _resume(services().runs.find(run, current_owner()))


@blueprint.post("/stream/<run>/stop")
def stop(run: str) -> Response:
    """Stop a run and return its receipt."""
    set_run(run)
    return json_response(receipt_body(services().runs.stop(run, current_owner())))


def receipt_body(receipt: Receipt) -> dict[str, object]:
    """Return the JSON body of a receipt."""
    return {
        "run": receipt.run,
        "state": receipt.state,
        "finish_reason": receipt.finish_reason,
        "usage": None if receipt.usage is None else usage_to_json(receipt.usage),
        "cost": None if receipt.cost is None else cost_to_json(receipt.cost),
        "closed_ms": receipt.closed_ms,
    }


def requested_run_id(body: StartBody, owner: str | None) -> str | None:
    """Return the run id from a request's body, or derived from its Idempotency-Key; None if it has neither."""
    key = request.headers.get("Idempotency-Key")
    if key is None or body.run is not None:
        return body.run
    if not key or len(key) > _MAX_KEY_CHARS:
        raise InvalidRequest(
            f"Idempotency-Key must have 1 to {_MAX_KEY_CHARS} characters.",
            param="Idempotency-Key",
            code="bad_key",
        )
    return derive_run_id(key, owner, current_address())


def _start(body: StartBody) -> Response:
    parts, caller = services(), current_principal()
    run_id = requested_run_id(body, caller.owner)
    if "Last-Event-ID" in request.headers:
        return _resume_by_header(parts, run_id)
    if run_id is not None and run_id != body.run:
        body = msgspec.structs.replace(body, run=run_id)
    connection = admit_reader(parts, can_resume=True)
    try:
        run = parts.starter.start(body, caller)
    except BaseException:
        parts.runs.disconnect(connection)
        raise
    return _event_stream(RunBody(parts, run, None, _encode_records, connection))


def _resume_by_header(parts: Services, run_id: str | None) -> Response:
    """Resume a run at the start endpoint; 204 if it cannot be resumed, so that an EventSource stops retrying."""
    cursor = Cursor.parse(request.headers["Last-Event-ID"])
    target = cursor.run if cursor is not None else run_id
    if target is None or not is_run_id(target):
        return Response(status=204)
    try:
        return _resume(parts.runs.find(target, current_owner()))
    except NotFound:
        return Response(status=204)


def _resume(run: AnyRun) -> Response:
    header = request.headers.get("Last-Event-ID")
    after = request.args.get("after")
    raw = after if header is None else header
    cursor = Cursor.parse(raw) if raw is not None else None
    is_of_run = cursor is not None and cursor.run == run.id
    if header is None and after is not None and not is_of_run:
        raise InvalidRequest(
            "after must be a cursor of this run: run:epoch:seq.", param="after", code="bad_cursor"
        )
    resumable = raw is None or is_of_run
    if resumable and services().runs.has_read_all(run, cursor):
        return Response(status=204)
    parts, after_it = services(), cursor if is_of_run else None
    connection = admit_reader(parts, can_resume=True)
    return _event_stream(RunBody(parts, run, after_it, _encode_records, connection, resumable=resumable))


def _event_stream(body: RunBody) -> Response:
    """Return a response that names the longest silence, in seconds, by which a client knows a dead connection."""
    response = streaming_response(body, _SSE)
    response.headers[HEARTBEAT_HEADER] = f"{services().runs.limits.heartbeat_s:g}"
    return response


def _encode_records(reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
    """Yield a run's frames as SSE records, comments as heartbeats, and a `reconnect` notice when the server shuts down."""
    # Without a blank line of its own: strict readers dispatch a record without data.
    retry = b"retry: %d\n" % random.randint(*_RETRY_MS)
    for piece in reader.take_sse(WRITE_BYTES):
        yield from split_writes(retry + piece)
        retry = b""
    if retry:
        yield retry
    connection.note_write()
    for new in deliveries(reader, connection):
        if len(new) == 1:
            yield encode_sse(*new[0])
        else:
            yield from split_writes(b"".join([encode_sse(*delivery) for delivery in new]) or b":\n")
    if connection.must_reconnect and not reader.ended:
        yield encode_sse(notice_frame("reconnect", random.randint(*_RECONNECT_MS)), None)
