"""Reads what a provider says of an error, in whatever form: identifiers, text, and the field that is blamed.

Servers and proxies nest errors in each other: OpenRouter has its provider's under `metadata.raw`, others in a list, as JSON in a
text, as FastAPI's `detail`, as an RFC 9457 problem, as an event of a stream, or as plain text.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from webapp.providers.loose_json import parse_loosely

_IDENTIFIERS = (
    *("type", "code", "status", "error_type", "error_code", "errorType", "errorCode", "errorcode"),
    *("status_code", "statusCode", "__type"),
)
_TEXTS = (
    *("message", "msg", "error", "errors", "detail", "details", "error_msg", "error_message", "errorMessage"),
    *("error_description", "description", "status_msg", "title", "reason", "reasons", "metadata", "raw"),
    *("base_resp", "fault", "faultstring", "innererror", "cause", "violations", "fieldViolations"),
)
_BLAMED = ("param", "pointer", "field", "parameter")
_MAX_TEXT_CHARS = 2_000
_MAX_SHORT_CHARS = 200
_MAX_DEPTH = 8
_MAX_ITEMS = 8
_MAX_PIECES = 32
_DATA_LINE = re.compile(rb"^data: ?(?=[{\[])", re.M)


class ErrorBody(NamedTuple):
    """An error as its provider words it. `blamed` are paths of fields, `identifiers` codes, both separated by spaces."""

    identifiers: str
    text: str
    blamed: str


def read_error_body(body: bytes) -> ErrorBody:
    """Read the body of a refused call; a web page says nothing."""
    body = body.strip()
    if body.startswith((b"event:", b"data:", b":")):
        body = _DATA_LINE.split(body, 1)[-1].partition(b"\n")[0]
    if not body or body.startswith(b"<") or b"\x00" in body:
        return ErrorBody("", "", "")
    try:
        return read_error(parse_loosely(body))
    except ValueError:
        text = body[: 4 * _MAX_TEXT_CHARS].decode("utf-8", "replace")
    return ErrorBody("", "" if text.startswith("\ufffd") else text[:_MAX_TEXT_CHARS], "")


def read_error(error: object) -> ErrorBody:
    """Read an error that has been parsed: any JSON value."""
    reader = _Reader()
    reader.read(error, 0)
    return ErrorBody(
        " ".join(dict.fromkeys(reader.identifiers))[:_MAX_SHORT_CHARS],
        "\n".join(dict.fromkeys(reader.texts))[:_MAX_TEXT_CHARS],
        " ".join(dict.fromkeys(reader.blamed))[:_MAX_SHORT_CHARS],
    )


class _Reader:
    def __init__(self) -> None:
        self.identifiers: list[str] = []
        self.texts: list[str] = []
        self.blamed: list[str] = []

    def read(self, value: Any, depth: int) -> None:
        """Collect what a value says, and what is in it."""
        if depth > _MAX_DEPTH or len(self.texts) > _MAX_PIECES:
            return
        if isinstance(value, str):
            self._read_text(value, depth)
        elif isinstance(value, list):
            for item in value[:_MAX_ITEMS]:
                self.read(item, depth + 1)
        elif isinstance(value, dict):
            self._read_object(value, depth)

    def _read_text(self, text: str, depth: int) -> None:
        if text.lstrip().startswith(("{", "[")):  # an error as JSON in a text
            try:
                parsed = parse_loosely(text.encode("utf-8", "surrogatepass"))
            except ValueError:
                pass
            else:
                self.read(parsed, depth + 1)
                return
        if text.strip():
            self.texts.append(text.strip()[:_MAX_TEXT_CHARS])

    def _read_object(self, fields: dict[Any, Any], depth: int) -> None:
        for name in _IDENTIFIERS:
            value = fields.get(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "error":
                self.identifiers.append(str(value)[:_MAX_SHORT_CHARS])
        for name in _BLAMED:
            if isinstance(fields.get(name), str):
                self.blamed.append(fields[name])
        location = fields.get("loc")
        if isinstance(location, list):
            self.blamed.append(".".join(map(str, location[:_MAX_ITEMS])))
        found = [name for name in _TEXTS if fields.get(name)]
        for name in found:
            self.read(fields[name], depth + 1)
        if not found and depth and all(isinstance(value, (str, list)) for value in fields.values()):
            for name, value in list(fields.items())[:_MAX_ITEMS]:  # {"stop": ["unknown field"]}
                self.blamed.append(str(name))
                self.read(value, depth + 1)
