"""Fetches a small JSON document of a provider, such as a listing of its models: bounded in size and, where asked, in time."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from webapp.errors import UpstreamError
from webapp.providers.base import CallControl
from webapp.providers.loose_json import DECODE_ERRORS, parse_loosely
from webapp.seams import Call, Control, Transport

MAX_BYTES = 4 * 1024 * 1024
_STATUS_S = 0.5


def fetch_briefly(transport: Transport, call: Call) -> Any:
    """Return the JSON of a response that takes half a second at most. Raises `UpstreamError`, `Interrupted` and `Stopped`."""
    control = CallControl()
    timer = threading.Timer(_STATUS_S, control.stop)
    timer.daemon = True
    timer.start()
    try:
        return fetch_json(transport, control, call)
    finally:
        timer.cancel()


def fetch_json(transport: Transport, control: Control, call: Call) -> Any:
    """Return the JSON of a response. Raises `UpstreamError`, also for more than `MAX_BYTES` and for what is not JSON."""
    received: list[bytes] = []
    count = 0
    body = transport.post(call, control)
    try:
        while not body.ended:
            chunk = body.read()
            count += len(chunk)
            if count > MAX_BYTES:
                raise UpstreamError("upstream_protocol", detail=f"a listing of more than {MAX_BYTES} bytes")
            received.append(chunk)
    finally:
        body.close(reuse=False)  # the next listing is ten minutes away
    return _decode(b"".join(received))


def _decode(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except DECODE_ERRORS:
        pass
    try:
        return parse_loosely(raw)
    except (ValueError, RecursionError):
        raise UpstreamError("upstream_protocol", detail="the listing is not JSON") from None
