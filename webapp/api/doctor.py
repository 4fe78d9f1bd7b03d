"""What `GET /doctor` says of the request that asks, and the records of its test stream.

Booleans only, never a header's value: the response may be shown to others.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import urlsplit

import msgspec

from webapp.errors import InvalidRequest

HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Idempotency-Key",
    "Last-Event-ID",
    "Origin",
    "Sec-Fetch-Site",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
)
_MAX_URL_CHARS = 1_000
_MAX_SECONDS = 120.0
_MIN_EVERY_MS = 50


class RequestedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The address that the client has asked for, as it knows it."""

    secure: bool
    host: str
    prefix: str


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a test stream lasts and how often it sends a record, in seconds."""

    seconds: float
    every_s: float


def read_address(url: str) -> RequestedAddress:
    """Parse the parameter `url`. Raises `InvalidRequest`."""
    try:
        parts = urlsplit(url) if len(url) <= _MAX_URL_CHARS else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidRequest("url must be the server's address as the client knows it.", param="url")
    return RequestedAddress(
        secure=parts.scheme == "https", host=parts.netloc.lower(), prefix=parts.path.rstrip("/")
    )


def read_pace(seconds: str, every_ms: str) -> Pace:
    """Parse the parameters of a test stream. Raises `InvalidRequest`."""
    try:
        pace = Pace(seconds=float(seconds), every_s=int(every_ms) / 1000)
    except ValueError:
        raise InvalidRequest("seconds and every_ms must be numbers.", param="seconds") from None
    if not 0 < pace.seconds <= _MAX_SECONDS:
        raise InvalidRequest(f"seconds must be above 0 and at most {_MAX_SECONDS:g}.", param="seconds")
    if not _MIN_EVERY_MS / 1000 <= pace.every_s <= _MAX_SECONDS:
        raise InvalidRequest(f"every_ms must be at least {_MIN_EVERY_MS}.", param="every_ms")
    return pace


def describe_arrival(
    asked: RequestedAddress,
    headers: Container[str],
    *,
    host: str,
    secure: bool,
    script_root: str,
    trusted: bool,
    heartbeat_s: float,
) -> dict[str, object]:
    """Return which headers arrived, and whether the server knows the address that the client has asked for."""
    return {
        "headers": {name: name in headers for name in HEADERS},
        "host": host.lower() == asked.host,
        "https": secure == asked.secure,
        "prefix": script_root == asked.prefix,
        "prefix_header": "X-Forwarded-Prefix" in headers,
        "forwarded": "X-Forwarded-For" in headers or "X-Forwarded-Proto" in headers,
        "trusted": trusted,
        "heartbeat_s": heartbeat_s,
    }


def encode_record(at_s: float, *, end: bool = False) -> bytes:
    """Return one record of a test stream, about as long as a frame."""
    return b"data: " + msgspec.json.encode({"at_ms": round(at_s * 1000), "end": end}) + b"\n\n"
