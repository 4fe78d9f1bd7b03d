"""Maps the finish reasons of providers to ours, in any case and wording; some report a failure as a finish reason."""

from __future__ import annotations

import logging
import re

from webapp.chat import FinishReason
from webapp.errors import UpstreamError

log_ = logging.getLogger("freshet.providers")

_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_MAX_LOGGED_CHARS = 60
_STOP = frozenset(
    [
        "stop",
        "stopped",
        "end_turn",
        "end",
        "eos",
        "eos_token",
        "eos_found",
        "stop_sequence",
        "stop_token",
        "pause_turn",
        "complete",
        "completed",
        "done",
        "finished",
        "finish",
        "normal",
        "success",
        "load",
        "unload",
        "null",
        "none",
    ]
)
_NO_FAILURES = ("error_limit", "error_toxic")  # Cohere's
# Patterns in a reason's words, the most specific first.
_REASONS: tuple[tuple[re.Pattern[str], FinishReason], ...] = (
    (
        re.compile(
            r"filter|safety|refus|block|prohibited|spii|recitation|guardrail|moderat|sensitive|policy|flagged|unsafe|jailbreak|toxic|^language$"
        ),
        "content_filter",
    ),
    (re.compile(r"(^|_)(tool|function)s?(_|$)"), "tool_calls"),
    (
        re.compile(
            r"length|(max|limit).*token|token.*(max|limit)|context|ctx|truncat|incomplete|limit$|^limit|num_predict|overflow"
        ),
        "length",
    ),
)
_FAILURES = re.compile(
    r"(^|_)(error|errored|fail|failed|failure|abort|aborted|cancel|cancelled|canceled|interrupted|timeout|timed_out|overloaded|"
    r"unavailable|exception|unloaded|disconnected|shutdown|user_stopped|rate_limit|rate_limited)(_|$)|insufficient|malformed"
)


def parse_finish_reason(raw: str) -> FinishReason:
    """Return our finish reason for a provider's; an unknown one is logged and counts as `stop`.

    Raises `UpstreamError` for a reason that reports a failure.
    """
    words = _SEPARATORS.sub("_", _CAMEL_CASE.sub("_", raw.strip()).lower()).strip("_")
    words = words.removeprefix("finish_reason_").removeprefix("finishreason_")
    if words in _STOP:
        return "stop"
    if _FAILURES.search(words) and words not in _NO_FAILURES:
        code = "upstream_timeout" if "time" in words else "upstream_overloaded"
        raise UpstreamError(code, detail=f"finish reason {_shorten(words)}")  # type: ignore[arg-type]
    for pattern, reason in _REASONS:
        if pattern.search(words):
            return reason
    if words:
        log_.warning("unknown finish reason: %s", _shorten(words))
    return "stop"


def _shorten(words: str) -> str:
    return words[:_MAX_LOGGED_CHARS]
