"""The exception tree: whose fault it is, whether to try again, and what a person may read of it.

    FreshetError
    ├── ConfigurationError            the operator's: a setting is wrong or missing
    ├── RequestError                  the caller's, or a limit: becomes an HTTP status before any work
    │   ├── InvalidRequest            400, names the field
    │   ├── NotSignedIn               401
    │   ├── Forbidden                 403
    │   ├── NotFound                  404, also for what exists but is not yours
    │   ├── TooSlow                   408, a body that comes too slowly
    │   ├── Conflict                  409
    │   ├── TooLarge                  413
    │   ├── UriTooLong                414
    │   ├── UnsupportedType           415
    │   ├── TooManyRequests           429, with `retry_after_s`
    │   └── Unavailable               503, with `retry_after_s`
    ├── AnswerError                   an answer failed: becomes the terminal frame `error`
    │   ├── UpstreamError             the provider's: `upstream_…`
    │   └── Interrupted               the answer was cut before its end
    └── Stopped                       somebody stopped the run; never shown

Messages are our own sentences. What a provider said goes into `UpstreamError.detail`, which is for the
operator's log alone.
"""

from __future__ import annotations

from typing import Literal

type_of_status = {
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

_SENTENCES: dict[str, str] = {
    "upstream_unreachable": "The model provider cannot be reached.",
    "upstream_tls": "The model provider's certificate could not be verified.",
    "upstream_timeout": "The model provider did not answer in time.",
    "upstream_auth": "The model provider refused the server's key.",
    "upstream_bad_request": "The model provider refused the request.",
    "upstream_rate_limited": "The model provider is receiving too many requests.",
    "upstream_quota": "The quota at the model provider is used up.",
    "upstream_overloaded": "The model provider is overloaded or failing.",
    "upstream_stalled": "The model provider stopped sending in the middle of the answer.",
    "upstream_protocol": "The model provider's answer could not be read.",
    "upstream_redirect": "The model provider tried to redirect the request, which is not allowed.",
    "interrupted": "The answer was cut off before its end.",
    "budget_exceeded": "The spending limit has been reached.",
    "internal": "Something went wrong on the server.",
}


class FreshetError(Exception):
    """The root of everything Freshet raises on purpose."""


class ConfigurationError(FreshetError):
    """A setting is wrong or missing; the message is one line that names it."""

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class RequestError(FreshetError):
    """A request that is answered with `status` before any work is done.

    `param` names the offending field, `code` is a stable word for programs. `retry_after_s` becomes the
    headers `Retry-After` and, where a `limit` was reached, `X-RateLimit-Reset`; `limit` becomes
    `X-RateLimit-Limit`, in the unit that the message names.
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
    """The request cannot be understood; `param` names the field."""


class NotSignedIn(RequestError):
    """The server asks for a password and none, or a wrong one, came."""

    status = 401
    code = "not_signed_in"


class Forbidden(RequestError):
    """The caller may not do this from where it is."""

    status = 403
    code = "forbidden"


class NotFound(RequestError):
    """There is no such thing, or it belongs to somebody else."""

    status = 404
    code = "not_found"


class TooSlow(RequestError):
    """The body came too slowly, and was not read to its end."""

    status = 408
    code = "too_slow"


class Conflict(RequestError):
    """The same run was asked for with another body."""

    status = 409
    code = "conflict"


class TooLarge(RequestError):
    """The body is over the limit."""

    status = 413
    code = "too_large"


class UriTooLong(RequestError):
    """The address is over the limit."""

    status = 414
    code = "uri_too_long"


class UnsupportedType(RequestError):
    """The body is not JSON."""

    status = 415
    code = "unsupported_type"


class TooManyRequests(RequestError):
    """Come back after `retry_after_s`."""

    status = 429
    code = "rate_limited"


class Unavailable(RequestError):
    """The server is full, locked or going away."""

    status = 503
    code = "unavailable"


class AnswerError(FreshetError):
    """An answer that failed; becomes the terminal frame `error`.

    `message` is ours and safe to show, `retryable` says whether asking again may help, `retry_after_s`
    is the provider's hint in seconds.
    """

    def __init__(
        self,
        code: AnswerCode,
        message: str | None = None,
        *,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.code: AnswerCode = code
        self.message = message or _SENTENCES[code]
        self.retryable = code in _RETRYABLE if retryable is None else retryable
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class UpstreamError(AnswerError):
    """The provider failed or refused.

    `detail` is what it said, cut to a few hundred characters: for the operator's log, never for a frame.
    `status` is its HTTP status, if there was one. `taken` says that the provider may be working on the request, and
    charge for it, although no response came: such a call is not repeated.
    """

    def __init__(
        self,
        code: UpstreamCode,
        message: str | None = None,
        *,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        detail: str = "",
        status: int | None = None,
        taken: bool = False,
    ) -> None:
        super().__init__(code, message, retryable=retryable, retry_after_s=retry_after_s)
        self.detail = detail[:500]
        self.status = status
        self.taken = taken


class Interrupted(AnswerError):
    """The provider's answer ended without the provider's own mark of an end."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("interrupted")
        self.detail = detail[:500]


class Stopped(FreshetError):
    """The run was stopped while the provider was at work; carries nothing and is shown to nobody."""
