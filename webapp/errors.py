"""The exception tree: who caused the error, whether to retry, and which message may be shown.

    FreshetError
    ├── ConfigurationError            a setting is wrong or missing; the operator must correct it
    ├── RequestError                  the request is refused with an HTTP status, before any work
    │   ├── InvalidRequest            400, names the field
    │   ├── DocumentRefused           400, 413 or 415: a file that cannot become a document; `document_…`
    │   ├── NotSignedIn               401
    │   ├── Forbidden                 403
    │   ├── NotFound                  404, also for another owner's resource
    │   ├── TooSlow                   408, the body arrives too slowly
    │   ├── Conflict                  409
    │   ├── TooLarge                  413
    │   ├── UriTooLong                414
    │   ├── UnsupportedType           415
    │   ├── TooManyRequests           429, with `retry_after_s`
    │   └── Unavailable               503, with `retry_after_s`
    │       └── JournalUnavailable    the journal of running answers cannot be used at the moment
    │           └── LeaseLapsed       the worker's lease on its runs has lapsed
    ├── AnswerError                   an answer failed: becomes the terminal frame `error`
    │   ├── UpstreamError             the provider failed or refused: `upstream_…`
    │   └── Interrupted               the answer was cut off
    └── Stopped                       the run was stopped; never shown

Messages are Freshet's own. A provider's text goes into `UpstreamError.detail`, which only the operator's log shows.
"""

from __future__ import annotations

from typing import Literal, cast

ERROR_TYPES = {  # the `type` of an error body, by HTTP status
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "invalid_request_error",
    409: "conflict_error",
    413: "invalid_request_error",
    414: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "unavailable_error",
}

UpstreamCode = Literal[
    "upstream_unreachable",
    "upstream_tls",
    "upstream_timeout",
    "upstream_auth",
    "upstream_bad_request",
    "upstream_rate_limited",
    "upstream_quota",
    "upstream_overloaded",
    "upstream_stalled",
    "upstream_protocol",
    "upstream_redirect",
]
AnswerCode = UpstreamCode | Literal["interrupted", "budget_exceeded", "internal"]

_RETRYABLE: frozenset[str] = frozenset(
    {
        "upstream_unreachable",
        "upstream_timeout",
        "upstream_rate_limited",
        "upstream_overloaded",
        "upstream_stalled",
        "upstream_protocol",
        "interrupted",
        "internal",
    }
)

_MESSAGES: dict[str, str] = {
    "upstream_unreachable": "The model provider cannot be reached. Try again in a moment.",
    "upstream_tls": "The model provider's certificate is not trusted. Check the server's CA certificates.",
    "upstream_timeout": "The model provider did not answer in time. Try again.",
    "upstream_auth": "The model provider rejected the server's API key. Check the key.",
    "upstream_bad_request": "The model provider rejected the request. Change the message or the options.",
    "upstream_rate_limited": "The model provider is receiving too many requests. Try again in a moment.",
    "upstream_quota": "The quota at the model provider is used up. Choose another model, or raise the quota.",
    "upstream_overloaded": "The model provider is overloaded or failing. Try again in a moment.",
    "upstream_stalled": "The model provider stopped sending before the answer was complete. Try again.",
    "upstream_protocol": "The model provider's answer could not be read. Try again.",
    "upstream_redirect": "The model provider redirected the request. Check the provider's base URL.",
    "interrupted": "The answer was cut off. Try again.",
    "budget_exceeded": "The spending limit has been reached. Ask the operator to raise it.",
    "internal": "Something went wrong on the server. Try again.",
}


class FreshetError(Exception):
    """Base class of the errors that Freshet raises on purpose."""


class ConfigurationError(FreshetError):
    """A setting is wrong or missing; the message is one line and names the setting."""

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class RequestError(FreshetError):
    """A refused request: it is answered with `status` before any work is done.

    `param` names the invalid field; `code` is a stable identifier for programs. `retry_after_s` is sent as `Retry-After`
    and, when a `limit` was reached, also as `X-RateLimit-Reset`. `limit` is sent as `X-RateLimit-Limit`, in the unit that
    the message names.
    """

    status = 400
    code: str = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: int | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or type(self).code
        self.retry_after_s = retry_after_s
        self.limit = limit


class InvalidRequest(RequestError):
    """The request is malformed; `param` names the field."""


DocumentCode = Literal[
    "document_unreadable",
    "document_encrypted",
    "document_too_large",
    "document_type",
    "document_empty",
    "document_timeout",
]

_DOCUMENT_MESSAGES: dict[DocumentCode, str] = {
    "document_unreadable": "The file is damaged, or too intricate to be read. Save it again in its program.",
    "document_encrypted": "The file is protected by a password. Save it without one.",
    "document_too_large": "The file is too large: at most 20 MB, and 5,000,000 characters of text. Split it.",
    "document_type": "The file is of a kind that cannot be read. Use text, Markdown, code, CSV, HTML, PDF or DOCX.",
    "document_empty": "The file contains no text. A scanned document needs text recognition (OCR) first.",
    "document_timeout": "The file takes too long to read. Split it, or save it as text.",
}
_DOCUMENT_STATUSES: dict[DocumentCode, int] = {"document_too_large": 413, "document_type": 415}


class DocumentRefused(RequestError):
    """A file cannot become a document; `code` says why. The message is complete but for the file's name."""

    def __init__(self, code: DocumentCode, *, param: str | None = None) -> None:
        super().__init__(_DOCUMENT_MESSAGES[code], param=param, code=code)
        self.reason: DocumentCode = code
        self.status = _DOCUMENT_STATUSES.get(code, 400)


class NotSignedIn(RequestError):
    """The server requires a password, and the request has none or a wrong one."""

    status = 401
    code = "not_signed_in"


class Forbidden(RequestError):
    """The caller is not permitted to do this."""

    status = 403
    code = "forbidden"


class NotFound(RequestError):
    """The resource does not exist, or belongs to another owner."""

    status = 404
    code = "not_found"


class TooSlow(RequestError):
    """The request's body arrived too slowly and was not read to its end."""

    status = 408
    code = "too_slow"


class Conflict(RequestError):
    """The run exists already and was started with another body."""

    status = 409
    code = "conflict"


class TooLarge(RequestError):
    """The request's body is too large."""

    status = 413
    code = "too_large"


class UriTooLong(RequestError):
    """The request's URI is too long."""

    status = 414
    code = "uri_too_long"


class UnsupportedType(RequestError):
    """The request's body is not JSON."""

    status = 415
    code = "unsupported_type"


class TooManyRequests(RequestError):
    """The caller has reached a limit and may retry after `retry_after_s`."""

    status = 429
    code = "rate_limited"


class Unavailable(RequestError):
    """The server is full, locked or shutting down."""

    status = 503
    code = "unavailable"


class JournalUnavailable(Unavailable):
    """The journal cannot be reached or used at the moment, or did not respond in time; a later attempt may succeed.

    What was being written may have been stored or not; the journal's writes are idempotent, so they can be repeated. `detail`
    is the driver's error in one line, without secrets: for the operator's log, never for a response.
    """

    code = "journal_away"

    def __init__(self, message: str = "", *, detail: str = "", code: str | None = None) -> None:
        super().__init__(
            message
            or "Running answers cannot be shared between servers at the moment. Try again in a moment.",
            code=code,
            retry_after_s=2,
        )
        self.detail = detail[:300]


class LeaseLapsed(JournalUnavailable):
    """The worker's lease has lapsed, so it may start no run; it renews or reclaims the lease first."""

    code = "lease_lapsed"


class AnswerError(FreshetError):
    """A failed answer; becomes the terminal frame `error`.

    `message` is safe to show; `retryable` is whether a retry may succeed; `retry_after_s` is the provider's hint; `param`
    is the field of the request that has to be another, where that is known.
    """

    param: str | None = None

    def __init__(
        self,
        code: AnswerCode,
        message: str | None = None,
        *,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.code: AnswerCode = code
        self.message = message or _MESSAGES[code]
        self.retryable = code in _RETRYABLE if retryable is None else retryable
        self.retry_after_s = retry_after_s
        super().__init__(self.message)

    @property
    def cause(self) -> str:
        """What is stored of the failure: its code, or `model_not_found`, by which a page that is reloaded says the same."""
        return "model_not_found" if self.param == "model" else self.code


def release_frames(error: BaseException) -> None:
    """Drop the tracebacks of an error, and of its causes, that has been dealt with or is stored to be raised later.

    What stored the error to raise it later is itself in their frames: a reference cycle, which would keep the answer and the
    whole call in memory until the garbage collector comes.
    """
    known: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in known:
            known.add(id(one))
            one.__traceback__ = None
            waiting += (one.__cause__, one.__context__)


def restore_error(cause: str | None) -> AnswerError:
    """Return the error of a stored answer by its `AnswerError.cause`; `interrupted` for an unknown one."""
    if cause == "model_not_found":
        error = AnswerError("upstream_bad_request")
        error.param = "model"
        return error
    return AnswerError(cast(AnswerCode, cause) if cause in _MESSAGES else "interrupted")


class UpstreamError(AnswerError):
    """The provider failed or refused.

    `detail` is the provider's own text, cut to 500 characters: for the operator's log, never for a frame. `reason` is that
    text as it was sent, with the field it blames, for recognising what was refused: it is neither logged nor shown.
    `status` is its HTTP status, if it responded. `delivered` is true when the provider may have received the request, and may
    charge for it, although no response arrived: such a call is not repeated.
    """

    def __init__(
        self,
        code: UpstreamCode,
        message: str | None = None,
        *,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        detail: str = "",
        reason: str = "",
        status: int | None = None,
        delivered: bool = False,
    ) -> None:
        super().__init__(code, message, retryable=retryable, retry_after_s=retry_after_s)
        self.detail = detail[:500]
        self.reason = reason
        self.status = status
        self.delivered = delivered


class Interrupted(AnswerError):
    """The provider's answer ended without its terminal event."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("interrupted")
        self.detail = detail[:500]


class Stopped(FreshetError):
    """The run was stopped during a call to a provider; never shown."""
