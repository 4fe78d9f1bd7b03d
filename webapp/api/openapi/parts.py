"""What the descriptions of endpoints are built of: operations, parameters, bodies and responses.

The values are JSON objects of https://spec.openapis.org/oas/v3.1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]

_DESCRIPTIONS = {
    400: "A field is wrong, or the request is malformed; `param` names the field.",
    401: "A password is needed, or a name to store things under.",
    403: "Not allowed from this origin, or for this caller.",
    404: "There is no such thing, or it belongs to somebody else.",
    408: "The body came too slowly.",
    409: "The run exists with another body, or the conversation has changed.",
    411: "The request has no Content-Length.",
    413: "The body, or what it would store, is too large.",
    414: "The address is too long.",
    415: "The body is not JSON.",
    429: "A limit is reached; `Retry-After` says when to try again.",
    500: "The server failed.",
    502: "The model provider failed.",
    503: "The server is full, locked or shutting down, or the database is away.",
    504: "The model provider did not answer in time.",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
}
# Any request can be refused with these, before its endpoint runs.
_ALWAYS = (400, 401, 403, 414, 429, 503)
# A request with a body also with these.
_WITH_BODY = (408, 411, 413)


def ref(name: str) -> JsonObject:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_content(schema: JsonObject) -> JsonObject:
    """Return the content of a JSON body."""
    return {"application/json": {"schema": schema}}


def text_content(media_type: str) -> JsonObject:
    """Return the content of a body that is text of another type, such as HTML or a stream of events."""
    return {media_type: {"schema": {"type": "string"}}}


def binary_content(*media_types: str) -> JsonObject:
    """Return the content of a body of bytes, of one of the types."""
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}


def json_body(schema: str, *, required: bool = True) -> JsonObject:
    """Return a JSON request body of a schema of the document."""
    return {"required": required, "content": json_content(ref(schema))}


def response(description: str, content: JsonObject | None = None) -> JsonObject:
    """Return a response; without `content` it has no body."""
    return {"description": description} | ({} if content is None else {"content": content})


def error_responses() -> JsonObject:
    """Return the document's responses to requests that fail, by the names that `operation` refers to."""
    return {
        f"Error{status}": response(description, json_content(ref("Error")))
        | ({"headers": _RETRY_AFTER} if status in (429, 503) else {})
        for status, description in _DESCRIPTIONS.items()
    }


def path_parameter(name: str, description: str) -> JsonObject:
    """Return a parameter of a path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }


def query_parameter(name: str, description: str, schema: JsonObject) -> JsonObject:
    """Return an optional parameter of a query string."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def header_parameter(name: str, description: str, schema: JsonObject) -> JsonObject:
    """Return an optional header."""
    return {"name": name, "in": "header", "description": description, "schema": schema}


def operation(
    tag: str,
    summary: str,
    responses: Mapping[int, JsonObject],
    *,
    errors: tuple[int, ...] = (),
    parameters: tuple[JsonObject, ...] = (),
    body: JsonObject | None = None,
    is_open: bool = False,
) -> JsonObject:
    """Return the description of one method of one path.

    `responses` are those of success, and of failures that are not JSON; `errors` are statuses of failures in the common
    shape, besides those that any request can have. An open operation asks for no credential.
    """
    statuses = {*_ALWAYS, *errors, *(_WITH_BODY if body is not None else ())} - set(responses)
    refused: dict[int, JsonObject] = {
        status: {"$ref": f"#/components/responses/Error{status}"} for status in statuses
    }
    described: JsonObject = {"tags": [tag], "summary": summary}
    if parameters:
        described["parameters"] = list(parameters)
    if body is not None:
        described["requestBody"] = body
    described["responses"] = {str(status): each for status, each in sorted({**responses, **refused}.items())}
    if is_open:
        described["security"] = []
    return described
