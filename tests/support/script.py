"""Scripts of a fake provider: waits, bytes and faults, one answer per request.

A step is one of
    bytes     one write in the answer's framing (one HTTP chunk when chunked)
    float     a wait in seconds, counted from when the step before was due, so that a pace does not drift
    Raw       bytes as they are, past the framing: a chunk can be cut inside
    End       RESET (RST), CLOSE (FIN at once), STALL (silence until the other side leaves)
Steps may be endless: then give a function that makes a new iterator for every answer.
"""

import json
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, Literal


class End(Enum):
    """A way to stop in the middle of an answer."""

    RESET = "reset"
    CLOSE = "close"
    STALL = "stall"


RESET, CLOSE, STALL = End.RESET, End.CLOSE, End.STALL


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes written as they are, without HTTP framing."""

    payload: bytes


Step = bytes | float | Raw | End
Steps = Iterable[Step] | Callable[[], Iterable[Step]]
Framing = Literal["chunked", "length", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. With a `status` of None no head is sent, only the steps."""

    steps: Steps = ()
    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = "chunked"
    content_type: str = "text/event-stream"
    head_after_s: float = 0.0

    def iterate(self) -> Iterator[Step]:
        """Return a new iterator over the steps."""
        return iter(self.steps() if callable(self.steps) else self.steps)

    def head(self) -> bytes:
        """Encode the status line and the headers."""
        assert self.status is not None
        named = {name.lower(): value for name, value in self.headers.items()}
        lines = {"content-type": self.content_type, "connection": "close"}
        if self.framing == "chunked":
            lines["transfer-encoding"] = "chunked"
        elif self.framing == "length":
            length = sum(len(step) for step in self.iterate() if isinstance(step, bytes))
            lines["content-length"] = str(length)
        lines |= named
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Overloaded"
        head = f"HTTP/1.1 {self.status} {reason}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        return head.encode() + b"\r\n"


def refusal(status: int, body: object = None, **headers: str) -> Answer:
    """Make an answer with an error status and a JSON (or bytes) body; `retry_after=…` names a header."""
    payload = body if isinstance(body, bytes) else json.dumps(body or {"error": {"message": "no"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status, steps=(payload,), headers=named, framing="length", content_type="application/json"
    )


def whole(body: object) -> Answer:
    """Make a whole JSON answer with status 200."""
    return Answer(steps=(json.dumps(body).encode(),), framing="length", content_type="application/json")


def silent() -> Answer:
    """Return an answer that never begins."""
    return Answer(status=None, steps=(STALL,))


def paced(events: Iterable[bytes], per_s: float) -> Iterator[Step]:
    """Yield the first event at once and then one every `1 / per_s` seconds."""
    for number, event in enumerate(events):
        if number:
            yield 1 / per_s
        yield event


# Windows has no poll; epoll and kqueue would take a descriptor for each connection.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)


class PeerGoneError(Exception):
    """The other side closed its connection."""


@dataclass(slots=True)
class Call:
    """One request, and the outcome of its answer. Times are `time.monotonic()`."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    sent_bytes: int = 0
    ended_at: float | None = None
    outcome: Literal["playing", "played", "left", "reset", "closed"] = "playing"

    @property
    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


class Player:
    """Plays one answer into a connected socket, and notices when the client closes it."""

    def __init__(self, sock: socket.socket, call: Call) -> None:
        self._sock, self._call = sock, call
        self._due = time.monotonic()
        self._readable = _Selector()
        self._readable.register(sock, selectors.EVENT_READ)

    def play(self, answer: Answer) -> None:
        """Play the answer to its end; the call records the outcome."""
        try:
            self._call.outcome = self._play(answer)
        except (PeerGoneError, OSError):
            self._call.outcome = "left"
        finally:
            self._call.ended_at = time.monotonic()

    def _play(self, answer: Answer) -> Literal["played", "reset", "closed"]:
        if answer.head_after_s:
            self._wait(answer.head_after_s)
        if answer.status is not None:
            self._send(answer.head())
        chunked = answer.framing == "chunked" and answer.status is not None
        for step in answer.iterate():
            match step:
                case Raw(payload):
                    self._send(payload)
                case bytes():
                    self._send(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                case End.RESET:
                    reset(self._sock)
                    return "reset"
                case End.CLOSE:
                    return "closed"
                case End.STALL:
                    self._until_gone(None)
                case _:
                    self._wait(float(step))
        if chunked:
            self._send(b"0\r\n\r\n")
        return "played"

    def _send(self, payload: bytes) -> None:
        self._sock.sendall(payload)
        self._call.sent_bytes += len(payload)

    def _wait(self, seconds: float) -> None:
        self._due = max(self._due + seconds, time.monotonic() - 1)
        self._until_gone(self._due)

    def _until_gone(self, due: float | None) -> None:
        while due is None or (left := due - time.monotonic()) > 0:
            if not self._readable.select(None if due is None else left):
                continue
            try:
                if not self._sock.recv(65536):
                    raise PeerGoneError
            except ssl.SSLWantReadError:
                continue


def reset(sock: socket.socket) -> None:
    """Close with a TCP reset, dropping unsent bytes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        # Closed beneath TLS, or a close_notify would make a clean end of it.
        socket.socket(fileno=sock.detach()).close()
    else:
        sock.close()
