"""Maps providers' errors to `UpstreamError`: status, headers and body become one of our codes.

The provider's own text goes into `detail`, for the operator's log only, with everything redacted that looks like a secret.
"""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping

from webapp.errors import UpstreamCode, UpstreamError
from webapp.providers.error_body import read_error, read_error_body

_REDIRECTS = range(300, 400)
# Patterns in a provider's `type`, `code` or `status`, the most specific first.
_CODES: tuple[tuple[str, UpstreamCode], ...] = (
    (r"quota|billing|credit|payment|arrear|budget|(?<!\d)402(?!\d)", "upstream_quota"),
    (r"rate.?limit|too.?many|throttl|exhausted|(?<!\d)429(?!\d)", "upstream_rate_limited"),
    (
        r"context|too.?long|(?:invalid|unknown|bad|unsupported|missing).?(?:request|argument|param|value|field|input)|"
        r"not.?found|unsupported|validation|unprocessable|(?<!\d)(?:400|404|413|422)(?!\d)",
        "upstream_bad_request",
    ),
    (r"auth|permission|api.?key|forbidden|(?<!\d)(?:401|403)(?!\d)", "upstream_auth"),
    (r"timeout|(?<!\d)(?:408|504)(?!\d)", "upstream_timeout"),
    (r"overload|capacity|not.?ready", "upstream_overloaded"),
)
_TOO_LONG = re.compile(
    r"context.?(?:length|window|size|limit)|exceed_context|too.?long|string_above_max|"
    r"too many (?:\w+ )*(?:tokens|bytes)\b|(?:request|body|prompt|messages?|payload).{0,10} too.?large|tokens_limit|"
    r"exceed\w* .{0,30}\btokens?\b.{0,10}\b(?:limit|allowed)|(?:tokens?|lengths?)\b.{0,40}\bexceed|"
    r"maximum (?:context|prompt|input|model length)|exceed\w* (?:\w+ ){0,3}(?:maximum (?:\w+ )?size|tokens)|"
    r"(?:prompt|input|messages?).{0,40} longer than|inputs?\W? (?:length|tokens|must have less)|超长|超过.{0,10}长度",
    re.I,
)
# Where the refusal blames a field, only these make a conversation too long.
_LONG_FIELDS = re.compile(
    r"^(?:messages?|prompt|inputs?|contents?|text|parts|instructions|model|body|max\w*tokens)$", re.I
)
_ANSWER_LIMIT = re.compile(r"max\w*_tokens|max\w*tokens\b|(?:output|completion) tokens", re.I)
_TOO_LARGE = re.compile(r"request (?:is )?too large|must be reduced", re.I)
# A limit of a minute or a day, not of the account.
_MOMENTARY = re.compile(
    r"(?:retry|try again) (?:in|after) \d|per[ -]?(?:second|minute|hour)|\b[RT]P[MS]\b", re.I
)
# What a provider's text says, if its status or identifiers are those of any bad request.
_FILTERED = re.compile(
    r"content.?(?:filter|management|policy|moderation|exists? risk|violat)|responsible.?ai|moderation|data.?inspection|"
    r"safety.?(?:system|filter|polic|check)|usage (?:polic|guideline)|prohibited.?content|inappropriate|flagged|jailbreak|"
    r"guardrail|sensitive.?(?:content|words|information)|high risk|敏感|违规|不安全",
    re.I,
)
_NO_CREDIT = re.compile(
    r"(?:credit|account|insufficient|not enough|low).{0,40}\b(?:balance|funds|credits?)\b|"
    r"insufficient.?(?:account.?)?(?:balance|funds|credit|quota)|"
    r"\bbilling\b|out of (?:credits?|tokens)|(?:no|any|more|purchase|buy|included) credits|arrear|payment|\btop.?up\b|\brecharge|"
    r"exceeded your (?:current |monthly )?quota|quota.{0,20}(?:exceed|exhaust|used up)|budget.{0,20}exceed|(?:exceeded|over) ?budget|"
    r"(?:spend(?:ing)?|usage|credit|key|budget) limits?\b|subscription (?:has )?expired|good standing|余额|欠费|充值",
    re.I,
)
_WRONG_KEY = re.compile(
    r"api.?key.{0,40}\b(?:in)?valid|(?:invalid|incorrect|wrong|missing|expired|unknown|malformed|bad|no|revoked).{0,20}"
    r"(?:api.?key|\bkey\b|token provided|access token|credentials?|auth(?:entication|orization))|unauthori[sz]ed|unauthenticated|"
    r"authentication (?:failed|fails|error)|API_KEY_INVALID|api.?key (?:has )?(?:expired|was|is)|provide.{0,10} api.?key|"
    r"security token|\btoken (?:is |has |was )?(?:expired|incorrect|revoked)|^\W*invalid.token\W*$|"
    r"UnrecognizedClient|ExpiredToken|鉴权|密钥",
    re.I,
)
# A request that is refused, in an error without a status.
_REFUSED = re.compile(
    r"\bnot (?:supported|permitted|allowed)\b|\bnot support\b|deprecated for|validation error|bad.?request|"
    r"\b(?:unsupported|unknown|unrecogni[sz]ed|unexpected|invalid|extra) (?:\w+ )?(?:param|field|arg|input|key|value|request)",
    re.I,
)
# A refusal that a proxy passes on as a failure of its own.
_WAS_REFUSED = re.compile(
    r"(?:error|status)(?: code)?:? (?:400|422)\b|BadRequest|invalid_request_error|UnsupportedParams|ValidationError|"
    r"ValidationException|not supported for this model|jinja|template error|roles are supported|must alternate",
    re.I,
)
_TOO_LONG_MESSAGE = "The conversation is too long for this model. Shorten it, or start a new one."
_FILTERED_MESSAGE = (
    "The model provider's content filter refused the question. Rephrase it, or choose another model."
)
_BY_STATUS: dict[int, tuple[UpstreamCode, str | None]] = {
    401: ("upstream_auth", None),
    402: ("upstream_quota", None),
    404: (
        "upstream_bad_request",
        "The model provider does not know this model or URL. Choose another `model`, or set FRESHET_MODEL.",
    ),
    407: ("upstream_auth", None),
    408: ("upstream_timeout", None),
    451: ("upstream_bad_request", _FILTERED_MESSAGE),
}
# Identifiers that look like secrets but are not; `missing_models`, `refusals/` and `openai/` depend on the first rows.
_NOT_SECRET = "|".join(
    (
        *("stream_options", "include_usage", "max_completion_tokens", "unsupported_parameter"),
        *("model_not_found", "model_not_supported", "model_not_available", "model_decommissioned"),
        *(
            "invalid_model",
            "unknown_model",
            "unsupported_model",
            "model_not_exist",
            "InvalidEndpointOrModel.NotFound",
        ),
        *("authentication_error", "billing_error", "budget_exceeded", "capacity_exceeded", "content_filter"),
        *("content_policy_violation", "context_length_exceeded", "exceed_context_size_error"),
        *("exceeded_current_quota_error", "extra_forbidden", "insufficient_quota", "internal_server_error"),
        *(
            "invalid_api_key",
            "invalid_argument",
            "invalid_parameter",
            "invalid_request_error",
            "invalid_value",
        ),
        *("not_found_error", "over_capacity", "overloaded_error", "permission_error", "quota_exceeded"),
        *(
            "rate_limit_error",
            "rate_limit_exceeded",
            "request_too_large",
            "resource_exhausted",
            "server_error",
        ),
        *("string_above_max_length", "timeout_error", "tokens_limit_reached", "unsupported_value"),
    )
)
_SECRET = re.compile(
    r"\S*(?:sk|key|pk|gsk|xai)-\S+|[Bb]earer\s+\S+|https?://\S+|"
    rf"\b(?!(?:{_NOT_SECRET})\.?(?![\w*.-]))(?=\w*[-_\d*.])[\w*.-]{{12,}}"
)
_KEY = re.compile(r"\S*(?:sk|key|pk|gsk|xai)-\S+|[Bb]earer\s+\S+|https?://\S+|\b(?=\w*\d)[\w*.-]{32,}")
_MAX_WAIT_S = 86_400.0
_MAX_DETAIL_CHARS = 300


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Return the error for an HTTP response whose status is not one of success."""
    retry_after_s = parse_retry_after(headers, time.time())
    identifiers, text, blamed = read_error_body(body)
    detail = f"{status} {_redact(identifiers, text)}".strip()

    code, message = _by_status(status, identifiers, text, blamed)
    return UpstreamError(
        code,
        message,
        retry_after_s=retry_after_s,
        detail=detail,
        reason=_join_reason(blamed, text),
        status=status,
    )


def _by_status(status: int, identifiers: str, text: str, blamed: str) -> tuple[UpstreamCode, str | None]:
    """Return the code and the message for a status and what its response says."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 403:
        return _find_reason(identifiers, text, blamed) or ("upstream_auth", None)
    if status == 429:
        return _too_many(identifiers, text)
    if status in _REDIRECTS:
        return "upstream_redirect", None
    was_refused = status == 500 and _WAS_REFUSED.search(f"{identifiers} {text}")
    if 400 <= status < 500 or status == 501 or was_refused:
        return _bad_request(identifiers, text, blamed, is_too_large=status == 413)
    return "upstream_overloaded", None


def error_from_event(error: object) -> UpstreamError:
    """Return the error for one that a provider reports inside its stream. `error` is any JSON value."""
    identifiers, text, blamed = read_error(error)
    code, message = _find_code(identifiers), None
    if code == "upstream_rate_limited":
        code, message = _too_many(identifiers, text)
    elif code == "upstream_bad_request" or (code is None and _REFUSED.search(text)):
        code, message = _bad_request(identifiers, text, blamed)
    elif code in (None, "upstream_auth"):
        code, message = _find_reason(identifiers, text, blamed) or (code or "upstream_overloaded", None)
        if code == "upstream_overloaded" and _is_too_long(identifiers, text, blamed):
            code, message = "upstream_bad_request", _TOO_LONG_MESSAGE
    return UpstreamError(code, message, detail=_redact(identifiers, text), reason=_join_reason(blamed, text))


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait before a retry; None if the headers have no valid value.

    `retry-after-ms` is OpenAI's. `Retry-After` is seconds or a date: RFC 9110, section 10.2.3.
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


def _find_code(identifiers: str) -> UpstreamCode | None:
    return next((code for pattern, code in _CODES if re.search(pattern, identifiers, re.I)), None)


def _too_many(identifiers: str, text: str) -> tuple[UpstreamCode, str | None]:
    """Return the code and the message for a refusal with status 429."""
    if _TOO_LARGE.search(text):  # one request exceeds the limit of a minute
        return "upstream_bad_request", _TOO_LONG_MESSAGE
    if "insufficient" in identifiers or not _MOMENTARY.search(text):
        is_quota = _find_code(identifiers) == "upstream_quota" or _NO_CREDIT.search(text)
        return "upstream_quota" if is_quota else "upstream_rate_limited", None
    return "upstream_rate_limited", None


def _bad_request(
    identifiers: str, text: str, blamed: str, *, is_too_large: bool = False
) -> tuple[UpstreamCode, str | None]:
    """Return the code and the message for a refused request."""
    if _is_too_long(identifiers, text, blamed):
        return "upstream_bad_request", _TOO_LONG_MESSAGE
    found = _find_reason(identifiers, text, blamed)
    if found is not None:
        return found
    code = _find_code(identifiers)
    if code is not None and code != "upstream_bad_request":
        return code, None
    return "upstream_bad_request", _TOO_LONG_MESSAGE if is_too_large and "image" not in text else None


def _find_reason(identifiers: str, text: str, blamed: str) -> tuple[UpstreamCode, str | None] | None:
    """Return the code and the message for a refusal that only the provider's words tell apart from others."""
    words = f"{identifiers} {text}"
    if _FILTERED.search(words):
        return "upstream_bad_request", _FILTERED_MESSAGE
    if _NO_CREDIT.search(words):
        return "upstream_quota", None
    if _WRONG_KEY.search(text) or _WRONG_KEY.search(identifiers) or blamed.lower() == "header.authorization":
        return "upstream_auth", None
    return None


def _is_too_long(identifiers: str, text: str, blamed: str) -> bool:
    """Return whether a refusal says that the conversation is too long, not one of the options."""
    fields = re.findall(r"[A-Za-z_]+", blamed)
    if fields and not _LONG_FIELDS.match(fields[-1]):
        return False
    return bool(_TOO_LONG.search(identifiers) or _TOO_LONG.search(_ANSWER_LIMIT.sub("", text)))


def _join_reason(blamed: str, text: str) -> str:
    """Return what a refusal blames and says, without keys; the names of parameters stay."""
    return _KEY.sub("[…]", f"{blamed}\n{text}")


def _redact(identifiers: str, text: str) -> str:
    detail = f"{identifiers}: {text}" if text else identifiers
    return _SECRET.sub("[…]", detail).replace("\n", " ")[:_MAX_DETAIL_CHARS]
