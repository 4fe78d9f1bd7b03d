"""Reads an import: one conversation or a list of them, exported by Freshet or another app.

A list is cut into its conversations before anything is decoded, so that only one of them is in memory as objects, and an
error in one does not affect the others.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from webapp.api.import_reader import MAX_MESSAGES, ExportFile, read_export
from webapp.api.nested_json import decode_nested
from webapp.api.other_apps import chatgpt, claude, librechat, open_webui
from webapp.api.other_apps.fields import JsonObject, bad_place
from webapp.api.other_apps.tree import MAX_NODES, Draft, LeftOut, convert
from webapp.api.start_request import check_value_count, read_json
from webapp.conversation import to_one_line
from webapp.errors import InvalidRequest, TooLarge
from webapp.offload import yield_control
from webapp.store.imports import ImportedConversation
from webapp.store.rows import now_ms

MAX_CONVERSATIONS = 10_000
_MAX_VALUES = 20 * MAX_MESSAGES
_MAX_TITLE_CHARS = 80
_MAX_NOTES = 4_000  # bytes before the list, where an object holds it
_YIELD_EVERY = 10_000  # tokens between two yields to the event loop
_ROLE_KEY = b'"role"'

# A text is matched in pieces: one of millions of escapes would block the event loop.
_TOKEN = re.compile(rb'"(?:[^"\\]++|(?:\\.)++){0,20000}+("?)|[][{},]', re.DOTALL)
_REST_OF_TEXT = re.compile(rb'(?:[^"\\]++|(?:\\.)++){1,20000}+', re.DOTALL)
_QUOTE = ord('"')
_SPACE = b" \t\r\n"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F])[0-9a-fA-F]{2}|.)",
    re.DOTALL,
)

App = Literal["freshet", "chatgpt", "claude", "librechat", "open_webui"]
_READERS: dict[str, Callable[[JsonObject], Draft]] = {
    "chatgpt": chatgpt.read,
    "claude": claude.read,
    "librechat": librechat.read,
    "open_webui": open_webui.read,
}
_APP_OF_FIELD: dict[str, App] = {  # by a field that only its conversations have; the first found decides
    "freshet": "freshet",
    "mapping": "chatgpt",
    "chat_messages": "claude",
    "chat": "open_webui",
    "history": "open_webui",
    "messagesTree": "librechat",
    "conversationId": "librechat",
    "exportAt": "librechat",
}
_Field = msgspec.Raw | msgspec.UnsetType
_Fields = msgspec.defstruct(
    "_Fields", [(name, _Field, msgspec.field(default=msgspec.UNSET)) for name in _APP_OF_FIELD]
)


class ReadConversation(msgspec.Struct, frozen=True):
    """A conversation that can be stored, and what of it could not be imported."""

    conversation: ImportedConversation
    app: App
    left_out: list[LeftOut]


class _Titled(msgspec.Struct, frozen=True):
    """The title of a conversation that could not be read otherwise."""

    title: str | None = None
    name: str | None = None


class _Wrapper(msgspec.Struct, frozen=True):
    """An object around a list of conversations."""

    conversations: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class ImportFile:
    """A file cut into its conversations, which are not decoded yet."""

    def __init__(self, raw: bytes) -> None:
        """Cut a file. Raises `RequestError` if it contains no conversations."""
        self._raw = raw = _to_utf8(raw)
        start = _start_of(raw)
        self.is_list = raw[start : start + 1] == b"["
        if not self.is_list and (inner := _inner_list(raw)) is not None:
            self._raw = raw = inner
            self.is_list, start = True, 0
        self._spans = _split(raw, start) if self.is_list else [(0, len(raw))]
        if not self._spans:
            raise bad_place("body", "contains no conversations", "no_conversations")

    def __len__(self) -> int:
        return len(self._spans)

    def read(self, index: int) -> ReadConversation:
        """Read a conversation. Raises `RequestError` that names the place in the conversation."""
        raw = self._bytes(index)
        _check_role_count(raw, MAX_NODES)
        yield_control()
        app = _app_of(raw)
        if app == "freshet" or (app is None and not self.is_list):
            _check_role_count(raw, MAX_MESSAGES)
            return ReadConversation(read_export(read_json(raw, ExportFile, _MAX_VALUES)), "freshet", [])
        if app is None:
            raise bad_place(
                "body", "is not a conversation of an app whose exports can be imported", "unknown_format"
            )
        converted = convert(_READERS[app](JsonObject(_decode(raw), "")))
        conversation = read_export(converted.file)
        updated_at = converted.updated_at or conversation.created_at
        newest = max(message.created_at for message in conversation.messages)
        return ReadConversation(
            msgspec.structs.replace(conversation, updated_at=min(max(updated_at, newest), now_ms())),
            app,
            converted.left_out,
        )

    def title(self, index: int) -> str:
        """Return the title of a conversation that cannot be read; empty if there is none."""
        try:
            titled = msgspec.json.decode(self._bytes(index), type=_Titled)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        return to_one_line((titled.title or titled.name or "")[:_MAX_TITLE_CHARS])

    def _bytes(self, index: int) -> bytes:
        start, end = self._spans[index]
        return self._raw[start:end]


def _to_utf8(raw: bytes) -> bytes:
    """Return JSON in UTF-8 without a byte order mark, which editors on Windows add."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(mark):
            try:
                return raw[len(mark) :].decode(encoding).encode()
            except UnicodeError:
                raise _not_json() from None
    return raw.removeprefix(codecs.BOM_UTF8)


def _start_of(raw: bytes) -> int:
    return len(raw) - len(raw.lstrip(_SPACE))


def _inner_list(raw: bytes) -> bytes | None:
    """Return the list of an object that holds nothing but it and notes about it, as some tools write it."""
    if b'"conversations"' not in raw[:_MAX_NOTES]:
        return None
    try:
        found = msgspec.json.decode(raw, type=_Wrapper).conversations
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    inner = b"" if found is msgspec.UNSET else bytes(found)
    return inner if inner.startswith(b"[") else None


def _check_role_count(raw: bytes, most: int) -> None:
    """Raise `TooLarge` for too many messages: decoding them would block the event loop."""
    if raw.count(_ROLE_KEY) > most:
        raise TooLarge(
            f"messages: a conversation may have at most {MAX_MESSAGES}.",
            param="messages",
            code="too_many_messages",
        )


def _brackets(raw: bytes, at: int) -> Iterator[re.Match[bytes]]:
    """Yield the brackets and commas outside of texts."""
    count = 0
    while at < len(raw):
        for token in _TOKEN.finditer(raw, at):
            count += 1
            if count % _YIELD_EVERY == 0:
                yield_control()
            if raw[token.start()] != _QUOTE:
                yield token
            elif not token[1]:
                at = _skip_text(raw, token.end())
                break
        else:
            return


def _skip_text(raw: bytes, at: int) -> int:
    """Return where the text that continues at `at` ends."""
    while rest := _REST_OF_TEXT.match(raw, at):
        at = rest.end()
        yield_control()
    return at + 1 if raw[at : at + 1] == b'"' else len(raw)


def _split(raw: bytes, start: int) -> list[tuple[int, int]]:
    """Return where the items of the list that begins at `start` begin and end, without their commas.

    Only brackets, commas and strings are looked at. Raises `InvalidRequest` unless the list ends with the file.
    """
    spans: list[tuple[int, int]] = []
    depth, begin = 0, start + 1
    for token in _brackets(raw, start):
        mark = token[0]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
        if depth == 0 or (depth == 1 and mark == b","):
            spans.append((begin, token.start()))
            begin = token.end()
            if len(spans) > MAX_CONVERSATIONS:
                raise TooLarge(
                    f"A file may have at most {MAX_CONVERSATIONS} conversations.",
                    param="body",
                    code="too_many_conversations",
                )
            if depth == 0:
                break
    if depth != 0 or raw[begin:].strip(_SPACE) or not spans:
        raise _not_json()
    if len(spans) == 1 and not raw[slice(*spans[0])].strip(_SPACE):
        return []
    return spans


def _app_of(raw: bytes) -> App | None:
    """Return which app exported a conversation; None if it is unknown, or is no object."""
    check_value_count(raw, _MAX_VALUES)
    try:
        fields = msgspec.json.decode(raw, type=_Fields)
        return next(
            (app for name, app in _APP_OF_FIELD.items() if getattr(fields, name) is not msgspec.UNSET), None
        )
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _decode(raw)
    return next(
        (app for name, app in _APP_OF_FIELD.items() if isinstance(found, dict) and name in found), None
    )


def _decode(raw: bytes) -> Any:
    """Decode JSON, also where texts were cut within a character, and where messages are nested deeply.

    Raises `InvalidRequest` if it is not JSON.
    """
    try:
        return _decode_any_depth(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        mended = _ESCAPE.sub(_mend_surrogate, raw)
    try:
        return _decode_any_depth(mended)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _not_json() from None


def _decode_any_depth(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        return decode_nested(raw)


def _mend_surrogate(escape: re.Match[bytes]) -> bytes:
    """Return an escape sequence, or U+FFFD for half a surrogate pair."""
    return b"\\ufffd" if escape[1] else escape[0]


def _not_json() -> InvalidRequest:
    return InvalidRequest("The body is not JSON.", param="body", code="not_json")
