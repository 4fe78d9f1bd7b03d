"""The one place where an error becomes an HTTP answer: OpenAI's shape, the right status, never HTML."""

from __future__ import annotations

import logging
import socket

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from webapp.api.request_bodies import TOO_MANY
from webapp.errors import AnswerError, NotSignedIn, RequestError, type_of_status
from webapp.routes.responses import json_response

log_ = logging.getLogger("freshet.http")

_SENTENCES = {
    400: "The request cannot be understood.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    411: "The request needs a Content-Length.",
    413: "The request is larger than this server takes.",
    414: "The address is longer than this server takes.",
    415: "The body must be JSON: send Content-Type: application/json.",
}
_LETTING_GO = (408, 413, 503)  # what is still to come of the request is not read
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
    """Make an error's wire form."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def request_error(error: RequestError) -> Response:
    """Answer a request that was refused before any work."""
    type_ = type_of_status.get(error.status, "invalid_request_error")
    response = json_response(error_body(error.message, type_, error.code, error.param), error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.limit is not None:
        response.headers["X-RateLimit-Limit"] = str(error.limit)
        response.headers["X-RateLimit-Remaining"] = "0"
        if error.retry_after_s is not None:
            response.headers["X-RateLimit-Reset"] = str(error.retry_after_s)
    if error.status in _LETTING_GO or error.code == TOO_MANY:
        _let_go()
    if isinstance(error, NotSignedIn):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _let_go() -> None:
    """End the connection after this answer: a full server must not be held by those it has refused."""
    sock = request.environ.get("gunicorn.socket")
    if sock is not None and hasattr(sock, "gettimeout"):
        try:
            sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # it is gone already


def status_of(code: str) -> int:
    """Tell the HTTP status for an answer that failed before it began."""
    return _STATUS_OF_CODE.get(code, 502)


def failed_answer_body(message: str, code: str) -> dict[str, object]:
    """Make the wire form of an answer's failure at the OpenAI doors."""
    return error_body(message, type_of_status.get(status_of(code), "upstream_error"), code)


def _http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect of the router's
        return Response(status=status, headers=error.get_response().headers)
    sentence = _SENTENCES.get(status, "The request cannot be answered.")
    response = json_response(
        error_body(sentence, type_of_status.get(status, "invalid_request_error"), None), status
    )
    if status == 405 and error.get_response().headers.get("Allow"):
        response.headers["Allow"] = error.get_response().headers["Allow"]
    return response


def _answer_error(error: AnswerError) -> Response:
    return json_response(failed_answer_body(error.message, error.code), status_of(error.code))


def _unexpected(error: Exception) -> Response:
    if type(error).__module__ == "gunicorn.http.errors" or isinstance(error, ConnectionError):
        # The body is no HTTP, or broke off. Nothing behind it on this connection can be trusted.
        _let_go()
        return json_response(error_body(_SENTENCES[400], type_of_status[400], None), 400)
    log_.error("%s %s failed", request.method, request.path, exc_info=error)
    return json_response(error_body("Something went wrong on the server.", "server_error", "internal"), 500)


def register(app: Flask) -> None:
    """Let an application answer all its errors this way."""
    app.register_error_handler(RequestError, request_error)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(AnswerError, _answer_error)
    app.register_error_handler(Exception, _unexpected)
