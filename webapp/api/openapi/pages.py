"""The endpoints that browsers and hosts ask for: the page, sign-in, its files at the root, health, and this document."""

from __future__ import annotations

from webapp.api.openapi.parts import (
    JsonObject,
    binary_content,
    json_content,
    operation,
    query_parameter,
    ref,
    response,
    text_content,
)
from webapp.api.openapi.schemas import TEXT, struct

_HTML = text_content("text/html")
_HOME = response("Back to the page.", _HTML)
_SIGN_IN = response("The sign-in page.", _HTML)
_WAIT = response("The page that says when to try again.", _HTML)
_AWAY = response("The page of a server that is locked, or whose database is unreachable.", _HTML)
_NOT_CHANGED = response("Not modified.")


def page_paths() -> dict[str, JsonObject]:
    """Return the descriptions of the paths, by path."""
    form = {"type": "object", "properties": {"password": TEXT}}
    return {
        "/": {
            "get": operation(
                "page",
                "Show the chat, or the sign-in page",
                {200: response("The chat.", _HTML), 401: _SIGN_IN, 429: _WAIT, 503: _AWAY},
                is_open=True,
            )
        },
        "/signin": {
            "post": operation(
                "page",
                "Sign in with the password, from the form of the page",
                {303: _HOME, 401: _SIGN_IN, 429: _WAIT, 503: _AWAY},
                body={"content": {"application/x-www-form-urlencoded": {"schema": form}}},
                is_open=True,
            )
        },
        "/signout": {
            "post": operation(
                "page", "End the session of this browser", {303: _HOME, 503: _AWAY}, is_open=True
            )
        },
        "/offline": {
            "get": operation(
                "page",
                "Show the page for a browser without a network",
                {200: response("The page.", _HTML)},
                is_open=True,
            )
        },
        "/manifest.webmanifest": {
            "get": operation(
                "page",
                "Read the web app's manifest",
                {
                    200: response(
                        "The manifest.", {"application/manifest+json": {"schema": {"type": "object"}}}
                    )
                },
                is_open=True,
            )
        },
        "/sw.js": {
            "get": operation(
                "page",
                "Read the service worker",
                {200: response("The script.", text_content("text/javascript")), 304: _NOT_CHANGED},
                is_open=True,
            )
        },
        "/favicon.ico": {
            "get": operation(
                "page",
                "Read the icon",
                {200: response("The icon.", binary_content("image/svg+xml")), 304: _NOT_CHANGED},
                is_open=True,
            )
        },
        **_operations_paths(),
    }


def _operations_paths() -> dict[str, JsonObject]:
    readiness = json_content(ref("Readiness"))
    full = json_content({"oneOf": [ref("Readiness"), ref("Error")]})
    return {
        "/healthz": {
            "get": operation(
                "operations",
                "Report that the process answers",
                {200: response("It does.", json_content(struct({"status": {"const": "ok"}})))},
                is_open=True,
            )
        },
        "/readyz": {
            "get": operation(
                "operations",
                "Report whether new answers can be started, and the states of the database and of the journal",
                {
                    200: response("Ready.", readiness),
                    503: response("Full, shutting down or locked.", full),
                },
            )
        },
        "/metrics": {
            "get": operation(
                "operations",
                "Read the metrics of all workers, as the operator",
                {200: response("Prometheus' text format.", text_content("text/plain"))},
            )
        },
        "/doctor": {
            "get": operation(
                "operations",
                "Read how this request arrived, as the operator: booleans, never a header's value",
                {200: response("What arrived.", json_content(ref("Arrival")))},
                parameters=(query_parameter("url", "The server's address as the client knows it.", TEXT),),
            )
        },
        "/doctor/stream": {
            "get": operation(
                "operations",
                "Read a test stream, as the operator: server-sent events that no provider is asked for",
                {200: response("The records.", text_content("text/event-stream"))},
                parameters=(
                    query_parameter(
                        "seconds",
                        "How long it lasts.",
                        {"type": "number", "exclusiveMinimum": 0, "maximum": 120},
                    ),
                    query_parameter(
                        "every_ms",
                        "The time between records.",
                        {"type": "integer", "minimum": 50, "maximum": 120_000},
                    ),
                ),
            )
        },
        "/openapi.json": {
            "get": operation(
                "operations",
                "Read this document",
                {200: response("The document.", json_content({"type": "object"}))},
            )
        },
    }
