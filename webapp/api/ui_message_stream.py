"""The AI SDK's UI message stream: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol.

Its readers check every part and throw at a type or key that they do not know. So only what version 5 knows is sent: what is Freshet's own
is in a transient data part, which every version passes on without storing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from webapp.api.replay_filter import ReplayFilter
from webapp.api.start_request import Name, RequestImageUrl, RequestMessage, RequestPart, StartBody, read_json
from webapp.errors import InvalidRequest
from webapp.frames import Frame, encode
from webapp.runs.log import RunLog

HEADERS = {"X-Vercel-AI-UI-Message-Stream": "v1"}
HEARTBEAT = b":\n\n"
_DONE = b"data: [DONE]\n\n"
_MAX_MESSAGES = 2_000
_IGNORED_PARTS = ("reasoning", "step-start", "source-url", "source-document")
_IGNORED_PREFIXES = ("tool-", "dynamic-tool", "data-")
Kind = Literal["text", "reasoning"]


class UiPart(msgspec.Struct, frozen=True, kw_only=True, rename={"media_type": "mediaType"}):
    """A part of a message: `text`, or a `file` with its bytes in a data URL; parts of other types are the answer's own."""

    type: str
    text: str | None = None
    media_type: str = ""
    url: str = ""


class UiMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the AI SDK's chat keeps it."""

    role: Literal["system", "user", "assistant"]
    parts: list[UiPart] = []


class UiChat(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request; what else is in it are the fields of `StartBody`."""

    id: Name
    messages: Annotated[list[UiMessage], msgspec.Meta(min_length=1, max_length=_MAX_MESSAGES)]


def read_chat(raw: bytes) -> tuple[str, StartBody]:
    """Return the chat's id and the body that starts its answer. Raises `InvalidRequest` that names the field."""
    chat: UiChat = read_json(raw, UiChat)
    body: StartBody = read_json(raw, StartBody)
    for name in ("query", "prompt", "conversation", "parent", "continue_", "images"):
        if getattr(body, name) not in (None, msgspec.UNSET):
            raise InvalidRequest(
                f"{name.rstrip('_')} is not for this endpoint: send messages.", param=name.rstrip("_")
            )
    messages = [_read_message(index, message) for index, message in enumerate(chat.messages)]
    return chat.id, msgspec.structs.replace(body, messages=[each for each in messages if each.content])


def _read_message(index: int, message: UiMessage) -> RequestMessage:
    parts: list[RequestPart] = []
    for number, part in enumerate(message.parts):
        field = f"messages[{index}].parts[{number}]"
        if part.type == "text":
            parts += [RequestPart(type="text", text=part.text)] if part.text else []
        elif part.type == "file" and part.media_type.startswith("image/"):
            parts.append(RequestPart(type="image_url", image_url=RequestImageUrl(url=part.url)))
        elif part.type == "file":
            raise InvalidRequest(f"{field}: only images can be sent as files.", param=field, code="file_type")
        elif part.type not in _IGNORED_PARTS and not part.type.startswith(_IGNORED_PREFIXES):
            raise InvalidRequest(
                f"{field}: {part.type[:40]!r} is no known part.", param=field, code="part_type"
            )
    return RequestMessage(role=message.role, content=parts)


class UiMessageEncoder:
    """Encodes one answer, from its first frame on."""

    def __init__(self, log: RunLog, run: str) -> None:
        self._filter = ReplayFilter(log)
        self._run = run
        self._open: Kind | None = None  # the block that has begun and not ended
        self._blocks = 0
        self._sources: set[int] = set()
        self._is_begun = False

    def encode(self, deliveries: Sequence[tuple[Frame, bytes | None]]) -> bytes:
        """Return new frames as parts, and behind them the cursor of the last, with which the run itself can be resumed."""
        lines = b""
        for number, (frame, cursor) in enumerate(deliveries, 1):
            lines += b"".join(map(_line, self._frame_parts(frame)))
            is_last = number == len(deliveries) or deliveries[number][0].terminal
            if is_last and cursor is not None and not frame.terminal:
                data = {"run": self._run, "cursor": cursor.decode()}
                lines += _line({"type": "data-freshet", "data": data, "transient": True})
        return lines + _DONE if deliveries and deliveries[-1][0].terminal else lines

    def _frame_parts(self, frame: Frame) -> Iterator[dict[str, Any]]:
        for unseen in self._filter.unseen(frame):
            yield from self._parts(unseen)

    def interrupted(self, message: str) -> bytes:
        """Return the end of a stream that this server leaves to another: the chat asks again for what runs."""
        parts = [*self._close(), {"type": "error", "errorText": message}]
        return b"".join(map(_line, parts)) + _DONE

    def _parts(self, frame: Frame) -> Iterator[dict[str, Any]]:
        if not self._is_begun:
            self._is_begun = True
            yield {"type": "start", "messageId": self._run}
            yield {"type": "start-step"}
        body = msgspec.json.decode(frame.payload)
        match frame.kind:
            case "text" | "reasoning":
                yield from self._delta(frame.kind, body[frame.kind])
            case "sources":
                yield from self._source_parts(body["sources"])
            case "done":
                yield from self._close()
                if body["finish_reason"] == "cancelled":
                    yield {"type": "abort"}
                    return
                yield {"type": "finish-step"}
                yield {
                    "type": "finish",
                    "messageMetadata": {"usage": body["usage"], "finish_reason": body["finish_reason"]},
                }
            case "error":
                yield from self._close()
                yield {"type": "error", "errorText": body["error"]}
            case _:
                return

    def _delta(self, kind: Kind, delta: str) -> Iterator[dict[str, Any]]:
        if self._open != kind:
            yield from self._close()
            self._open = kind
            self._blocks += 1
            yield {"type": f"{kind}-start", "id": str(self._blocks)}
        yield {"type": f"{kind}-delta", "id": str(self._blocks), "delta": delta}

    def _close(self) -> Iterator[dict[str, Any]]:
        if self._open is not None:
            yield {"type": f"{self._open}-end", "id": str(self._blocks)}
            self._open = None

    def _source_parts(self, sources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the sources that were not sent before: those with an address, and documents."""
        for source in sources:
            if source["n"] in self._sources:
                continue
            self._sources.add(source["n"])
            id_, title = str(source["n"]), source.get("title") or source.get("source") or ""
            address = source.get("source") or ""
            if address.startswith(("https://", "http://")):
                yield {"type": "source-url", "sourceId": id_, "url": address, "title": title}
            else:
                named = {"filename": address} if address else {}
                yield {
                    "type": "source-document",
                    "sourceId": id_,
                    "mediaType": "text/plain",
                    "title": title,
                } | named


def _line(part: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(part)
