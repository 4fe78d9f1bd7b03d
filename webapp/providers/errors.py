"""Turns a provider's errors into ours: its status, headers and body become one of our codes.

Its own text goes into `detail`, without anything that looks like a secret, for the operator's log alone.
"""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from webapp.errors import UpstreamCode, UpstreamError
from webapp.providers.loose_json import UNREADABLE

_REDIRECTS = range(300, 400)
# Patterns in a provider's `type`, `code` or `status`, the most specific first.
_WORDS: tuple[tuple[str, UpstreamCode], ...] = (
    (r"quota|billing|credit|payment|402", "upstream_quota"),
    (r"rate.?limit|too.?many|throttl|exhausted|429", "upstream_rate_limited"),
    (
        r"context|too.?long|invalid.?request|bad.?request|not.?found|unsupported|400|404|413|422",
        "upstream_bad_request",
    ),
    (r"auth|permission|api.?key|forbidden|401|403", "upstream_auth"),
    (r"timeout|408|504", "upstream_timeout"),
)
_TOO_LONG = re.compile(
    r"context.?(length|window)|maximum context|too long|too many tokens|string_above_max", re.I
)
# Identifiers that look like a secret and are none; the first row is read by `providers/openai.py`.
_PLAIN = "|".join(
    (
        *("stream_options", "include_usage", "max_completion_tokens", "unsupported_parameter"),
        *("authentication_error", "billing_error", "context_length_exceeded", "extra_forbidden"),
        *("insufficient_quota", "internal_server_error", "invalid_api_key", "invalid_request_error"),
        *(
            "model_not_found",
            "not_found_error",
            "over_capacity",
            "overloaded_error",
            "permission_error",
            "rate_limit_error",
        ),
        *("rate_limit_exceeded", "request_too_large", "resource_exhausted", "server_error", "timeout_error"),
        *("unsupported_value",),
    )
)
_SECRET = re.compile(
    r"\S*(?:sk|key|pk|gsk|xai)-\S+|[Bb]earer\s+\S+|https?://\S+|"
    rf"\b(?!(?:{_PLAIN})\.?(?![\w*.-]))(?=\w*[-_\d*.])[\w*.-]{{12,}}"
)
_MAX_WAIT_S = 86_400.0  # longer means the same: not today
_MAX_DETAIL_CHARS = 300


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Return the error for an HTTP response whose status is not 200."""
    hint = retry_after(headers, time.time())
    error, message = _said(body)
    detail = f"{status} {_redacted(error, message)}".strip()

    def make(
        code: UpstreamCode, sentence: str | None = None, *, retryable: bool | None = None
    ) -> UpstreamError:
        return UpstreamError(
            code, sentence, retryable=retryable, retry_after_s=hint, detail=detail, status=status
        )

    match status:
        case 401 | 403:
            return make("upstream_auth")
        case 402:
            return make("upstream_quota")
        case 404:
            return make(
                "upstream_bad_request",
                "The model provider does not know this model or address: set FRESHET_MODEL, or name a `model`, "
                "that it has.",
            )
        case 408:
            return make("upstream_timeout")
        case 429:
            return (
                make("upstream_quota") if _code(error) == "upstream_quota" else make("upstream_rate_limited")
            )
        case _ if status in _REDIRECTS:
            return make("upstream_redirect")
        case _ if 400 <= status < 500:
            return make("upstream_bad_request", _too_long(error, message))
        case _:
            return make("upstream_overloaded")


def reported(error: object) -> UpstreamError:
    """Return the error for one that a provider reports inside its stream. `error` is any JSON value."""
    words, message = _parts(error)
    code = _code(words) or "upstream_overloaded"
    sentence = _too_long(words, message) if code == "upstream_bad_request" else None
    return UpstreamError(code, sentence, detail=_redacted(words, message))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds a provider asks to wait; None where it does not, or nothing sensible.

    `retry-after-ms` is OpenAI's; `Retry-After` is seconds or a date, RFC 9110, section 10.2.3.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    raw = lower.get("retry-after", "").strip()
    exact_ms = _number(lower.get("retry-after-ms", ""))
    seconds = exact_ms / 1000 if exact_ms is not None else _number(raw)
    if seconds is None:
        try:
            seconds = max(0.0, email.utils.parsedate_to_datetime(raw).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, _MAX_WAIT_S)


def _number(raw: str) -> float | None:
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _said(body: bytes) -> tuple[str, str]:
    """Return the identifiers and the message of the error in a body of any provider."""
    try:
        parsed = msgspec.json.decode(body)
    except UNREADABLE:
        return "", ""  # an HTML page of some proxy
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    if isinstance(parsed, dict):
        return _parts(parsed.get("error", parsed))
    return "", ""


def _parts(error: Any) -> tuple[str, str]:
    """Return an error's identifiers, which programs read, and its message, which people do."""
    if isinstance(error, dict):
        words = [
            str(error[name]) for name in ("type", "code", "status") if isinstance(error.get(name), (str, int))
        ]
        message = error.get("message") or error.get("error") or error.get("detail") or ""
        return " ".join(words)[:200], str(message)[:2000]
    return "", str(error)[:2000]


def _code(words: str) -> UpstreamCode | None:
    return next((code for pattern, code in _WORDS if re.search(pattern, words, re.I)), None)


def _too_long(words: str, message: str) -> str | None:
    if _TOO_LONG.search(words) or _TOO_LONG.search(message):
        return "The conversation is too long for this model: shorten it, or start a new one."
    return None


def _redacted(words: str, message: str) -> str:
    said = f"{words}: {message}" if message else words
    return _SECRET.sub("[…]", said).replace("\n", " ")[:_MAX_DETAIL_CHARS]
