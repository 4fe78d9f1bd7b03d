"""Turns every error into an HTTP response: JSON in OpenAI's shape, never HTML. No other module does this."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from webapp.api.request_bodies import TOO_MANY
from webapp.errors import ERROR_TYPES, AnswerError, NotSignedIn, RequestError
from webapp.routes.responses import json_response

log_ = logging.getLogger("freshet.http")

_MESSAGES = {
    400: "The request is malformed.",
    404: "There is no such endpoint.",
    405: "This endpoint does not support that method.",
    411: "The request needs a Content-Length header.",
    413: "The request body is larger than this server accepts.",
    414: "The URL is longer than this server accepts: send a POST instead.",
    415: "The body must be JSON: send Content-Type: application/json.",
}
_UNREAD_STATUSES = (408, 413, 503)  # their requests may have a body that nobody will read
_STATUS_OF_CODE = {
    "upstream_auth": 401,
    "upstream_bad_request": 400,
    "upstream_quota": 429,
    "upstream_rate_limited": 429,
    "upstream_overloaded": 503,
    "upstream_timeout": 504,
    "internal": 500,
    "budget_exceeded": 429,
}


def error_body(message: str, type_: str, code: str | None, param: str | None = None) -> dict[str, object]:
    """Return the JSON body of an error."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def request_error(error: RequestError, details: Mapping[str, object] | None = None) -> Response:
    """Return the response to a request that was refused before any work; `details` are added to its body."""
    type_ = ERROR_TYPES.get(error.status, "invalid_request_error")
    body = error_body(error.message, type_, error.code, error.param) | dict(details or {})
    response = json_response(body, error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.limit is not None:
        response.headers["X-RateLimit-Limit"] = str(error.limit)
        response.headers["X-RateLimit-Remaining"] = "0"
        if error.retry_after_s is not None:
            response.headers["X-RateLimit-Reset"] = str(error.retry_after_s)
    if error.status in _UNREAD_STATUSES or error.code == TOO_MANY:
        _close_connection()
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _close_connection() -> None:
    """Close the connection after this response: a refused request must not occupy a full server."""
    close_after_response = getattr(request.environ.get("wsgi.input"), "close_after_response", None)
    if close_after_response is not None:
        close_after_response()
        return
    sock = request.environ.get("gunicorn.socket")
    if sock is not None and hasattr(sock, "gettimeout"):
        try:
            sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # the client has left


def status_of(code: str) -> int:
    """Return the HTTP status for an answer that failed before its first text."""
    return _STATUS_OF_CODE.get(code, 502)


def failed_answer_body(message: str, code: str) -> dict[str, object]:
    """Return the JSON body of a failed answer at the OpenAI-compatible endpoints."""
    return error_body(message, ERROR_TYPES.get(status_of(code), "upstream_error"), code)


def _http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect by the router
        return Response(status=status, headers=error.get_response().headers)
    message = _MESSAGES.get(status, "The request failed.")
    response = json_response(
        error_body(
            message,
            ERROR_TYPES.get(status, "invalid_request_error"),
            "body_too_large" if status == 413 else None,
        ),
        status,
    )
    if status == 405 and error.get_response().headers.get("Allow"):
        response.headers["Allow"] = error.get_response().headers["Allow"]
    return response


def _answer_error(error: AnswerError) -> Response:
    return json_response(failed_answer_body(error.message, error.code), status_of(error.code))


def _unexpected(error: Exception) -> Response:
    if type(error).__module__ == "gunicorn.http.errors" or isinstance(error, ConnectionError):
        # The body is malformed or incomplete, so the start of a next request on this connection is unknown.
        _close_connection()
        return json_response(error_body(_MESSAGES[400], ERROR_TYPES[400], None), 400)
    log_.error("%s %s failed", request.method, request.path, exc_info=error)
    return json_response(error_body("Something went wrong on the server.", "server_error", "internal"), 500)


def register(app: Flask) -> None:
    """Register the handlers for all errors of an application."""
    app.register_error_handler(RequestError, request_error)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(AnswerError, _answer_error)
    app.register_error_handler(Exception, _unexpected)
