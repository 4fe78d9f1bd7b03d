"""For the operator alone: the metrics, and what `freshet doctor` asks."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Blueprint, Response, request

from webapp.api.doctor import HEADERS, Pace, describe_arrival, encode_record, read_address, read_pace
from webapp.metrics import CONTENT_TYPE
from webapp.routes.current_principal import current_visit
from webapp.routes.responses import json_response
from webapp.routes.streaming import admit_reader, streaming_response
from webapp.runs.readers import ReaderConnection
from webapp.services import services

blueprint = Blueprint("operations", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the metrics of all workers in Prometheus' text format."""
    response = Response(services().metrics.render(), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/doctor")
def doctor() -> Response:
    """Return which headers of this request arrived, as booleans. Fetches nothing."""
    visit, parts = current_visit(), services()
    body = describe_arrival(
        read_address(request.args.get("url", "")),
        {name for name in HEADERS if name in request.headers},
        host=visit.host,
        secure=visit.secure,
        script_root=request.script_root,
        trusted=parts.proxies.trusts(str(request.environ.get("REMOTE_ADDR") or "")),
        heartbeat_s=parts.runs.limits.heartbeat_s,
    )
    return json_response(body)


@blueprint.get("/doctor/stream")
def doctor_stream() -> Response:
    """Stream records at a given pace, and nothing between them. No provider is called."""
    pace = read_pace(request.args.get("seconds", "3"), request.args.get("every_ms", "250"))
    connection = admit_reader(services())
    runs = services().runs
    response = streaming_response(_records(connection, pace), "text/event-stream")
    response.call_on_close(lambda: runs.disconnect(connection))
    return response


def _records(connection: ReaderConnection, pace: Pace) -> Iterator[bytes]:
    """Yield a record at once, then one after each interval, and a last one at the end of the stream."""
    began = time.monotonic()
    due_s = 0.0
    while due_s < pace.seconds:
        yield encode_record(time.monotonic() - began)
        due_s = min(due_s + pace.every_s, pace.seconds)
        while (left_s := began + due_s - time.monotonic()) > 0:
            connection.wake.wait(left_s)
            if connection.gone or connection.must_reconnect:
                return
    yield encode_record(time.monotonic() - began, end=True)
