"""A strict SSE reader on a bare socket, which can leave, pause, read slowly and return.

`records` is all that came, `received` its frames as any transport gives them, `text` their text.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.promises import Received
from tests.support.rawhttp import Address, Cut, Response, dial, encode_request

FIELDS = ("id", "event", "data", "retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The lines between two blank lines, and when the last byte arrived."""

    at: float
    id: str | None = None
    event: str | None = None
    data: str | None = None
    retry: int | None = None
    comments: tuple[str, ...] = ()
    frame: dict[str, Any] | None = None


def parse_record(block: str, at: float) -> Record:
    """Parse one record; fields that our protocol does not have are an AssertionError."""
    fields: dict[str, str] = {}
    comments = []
    for line in block.split("\n"):
        if line.startswith(":"):
            comments.append(line[1:].strip())
            continue
        name, separator, value = line.partition(": ")
        assert separator, f"not a field: {line[:200]!r}"
        assert name in FIELDS, f"unknown field: {line[:200]!r}"
        assert name not in fields, f"twice in one record: {name}"
        fields[name] = value
    event, text, frame = fields.get("event"), fields.get("data"), None
    if text is not None and text != "[DONE]":
        frame = json.loads(text)
        assert isinstance(frame, dict), text
        assert event == next((kind for kind in ("done", "error") if kind in frame), None), block[:200]
    retry = int(fields["retry"]) if "retry" in fields else None
    return Record(
        at=at, id=fields.get("id"), event=event, data=text, retry=retry, comments=tuple(comments), frame=frame
    )


class SseReader:
    """One connection that reads a stream. Close it: `drop()` or `with`."""

    def __init__(
        self,
        address: Address,
        path: str = "/stream",
        body: object = None,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        receive_buffer: int | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self.began = time.monotonic()
        self.records: list[Record] = []
        self.received: list[Received] = []
        self.text = ""
        self.cut: str | None = None
        self._unread = b""
        sock = dial(address, receive_buffer=receive_buffer, timeout_s=timeout_s)
        try:
            verb = method or ("GET" if body is None else "POST")
            lines = {"Accept": "text/event-stream"} | dict(headers or {})
            sock.sendall(encode_request(address, verb, path, lines, body))
            self.response = Response(sock, timeout_s)
        except BaseException:
            sock.close()
            raise

    @property
    def port(self) -> int:
        """Return the local port, while the connection is open."""
        port: int = self.response.sock.getsockname()[1]
        return port

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        """Return the response's headers, names in lower case."""
        return self.response.headers

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Return the frames so far, as JSON objects."""
        return [one.frame for one in self.received]

    @property
    def comments(self) -> list[Record]:
        """Return the comments so far."""
        return [record for record in self.records if record.comments]

    def read_until(self, met: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Read until `met()` or the end of the stream; return whether `met()`. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout_s
        while not met():
            if not self._read_some(deadline):
                return met()
        return True

    def read_frames(self, count: int, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """Read until there are `count` frames in total."""
        assert self.read_until(lambda: len(self.received) >= count, timeout_s), self.frames
        return self.frames

    def read_text(self, chars: int = 1, timeout_s: float = 10.0) -> str:
        """Read until there are `chars` characters of text in total."""
        assert self.read_until(lambda: len(self.text) >= chars, timeout_s), self.frames
        return self.text

    @property
    def run(self) -> str:
        """Return the run's id, from its start frame."""
        run = next(frame["start"]["run"] for frame in self.frames if "start" in frame)
        assert isinstance(run, str)
        return run

    @property
    def last_id(self) -> str | None:
        """Return what an EventSource would send as Last-Event-ID."""
        return next((record.id for record in reversed(self.records) if record.id is not None), None)

    def read_bytes(self, count: int, timeout_s: float = 10.0) -> int:
        """Read until `count` bytes arrived in total, HTTP framing included; return how many did."""
        deadline = time.monotonic() + timeout_s
        while (missing := count - self.response.received_bytes) > 0:
            if not self._read_some(deadline, missing):
                break
        return self.response.received_bytes

    def read_to_end(self, timeout_s: float = 20.0) -> list[Received]:
        """Read to the end of the body, which must not be cut."""
        self.read_until(lambda: False, timeout_s)
        assert self.cut is None, self.cut
        return self.received

    def read_slowly(self, bytes_per_s: int, timeout_s: float, piece: int = 128) -> list[Received]:
        """Read `piece` bytes at a time, at a pace, to the end of the body."""
        began, start = time.monotonic(), self.response.received_bytes
        while time.monotonic() < began + timeout_s:
            due = began + (self.response.received_bytes - start) / bytes_per_s
            time.sleep(max(0.0, due - time.monotonic()))
            if not self._read_some(began + timeout_s, piece):
                return self.received
        raise TimeoutError(f"not at its end after {timeout_s} s")

    def _read_some(self, deadline: float, limit: int = 65536) -> bool:
        try:
            piece = self.response.read(deadline, limit)
        except Cut as cut:
            self.cut = str(cut)
            return False
        self._unread += piece
        at = time.monotonic()
        *blocks, self._unread = self._unread.split(b"\n\n")
        for block in blocks:
            self._take(parse_record(block.decode(), at))
        while self._unread.startswith(b":") and b"\n" in self._unread:  # a heartbeat has no blank line
            comment, _, self._unread = self._unread.partition(b"\n")
            self._take(parse_record(comment.decode(), at))
        return bool(piece)

    def _take(self, record: Record) -> None:
        self.records.append(record)
        if record.frame is not None:
            self.received.append(Received(record.at, record.frame, record.id))
            self.text += record.frame.get("text", "")

    def drop(self, *, with_reset: bool = False) -> None:
        """Close the connection by FIN or RST; may be called twice."""
        self.response.drop(with_reset=with_reset)

    def __enter__(self) -> "SseReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
