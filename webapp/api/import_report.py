"""Imports the conversations of a file one by one, and reports which were imported, and why others were not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from webapp.api.import_file import ImportFile
from webapp.api.stored_conversations import conversation_body
from webapp.errors import RequestError
from webapp.store.imports import ImportedConversation
from webapp.store.rows import ConversationHead

_TEMPORARY = (429, 503)  # the statuses with which the next conversation would fail, too


class ImportReport(msgspec.Struct, frozen=True):
    """What became of a file. `error` is the first one where nothing could be imported."""

    body: dict[str, Any]
    error: RequestError | None


def import_all(file: ImportFile, store: Callable[[ImportedConversation], ConversationHead]) -> ImportReport:
    """Import each conversation of a file by itself. Raises `RequestError` if the file is one, and it fails.

    The body is one conversation of this app alone, or else `imported` and `failed`.
    """
    imported: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    first: RequestError | None = None
    stopped: RequestError | None = None
    for index in range(len(file)):
        try:
            if stopped is not None:
                raise stopped
            found = file.read(index)
            body = conversation_body(store(found.conversation))
        except RequestError as error:
            if not file.is_list:
                raise
            failed.append(_failure(index, file.title(index), error))
            first = first or _placed(index, error)
            stopped = error if error.status in _TEMPORARY else None
            continue
        if found.app == "freshet" and not file.is_list:
            return ImportReport(body, None)
        left_out = msgspec.to_builtins(found.left_out)
        imported.append(body | {"index": index, "app": found.app, "left_out": left_out})
    return ImportReport({"imported": imported, "failed": failed}, None if imported else first)


def _failure(index: int, title: str, error: RequestError) -> dict[str, Any]:
    return {
        "index": index,
        "title": title,
        "code": error.code,
        "param": error.param,
        "reason": error.message,
    }


def _placed(index: int, error: RequestError) -> RequestError:
    """Return an error of a conversation with its place in the file."""
    own = error.param in (None, "body")
    place = f"[{index}]" if own else f"[{index}].{error.param}"
    placed = type(error)(
        f"{place}: {error.message}",
        param=place,
        code=error.code,
        retry_after_s=error.retry_after_s,
        limit=error.limit,
    )
    placed.__cause__ = error
    return placed
