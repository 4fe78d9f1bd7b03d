"""Encodes WebSocket frames and checks incoming ones against limits, which simple-websocket does not.

simple-websocket still reads the messages and answers control frames. Frame layout: RFC 6455, section 5.2.
"""

from __future__ import annotations

from collections import deque

_TEXT, _BINARY, _CLOSE, _PING = 0x1, 0x2, 0x8, 0x9
_FIN = 0x80
_SHORT, _MEDIUM = 126, 1 << 16
_WINDOW_S = 10.0
_MIN_BYTES_PER_S = 16 * 1024


def text_message(payload: bytes) -> bytes:
    """Encode a text message as one unmasked frame."""
    return _frame(_TEXT, payload)


def ping_frame() -> bytes:
    """Encode a ping without a payload."""
    return _frame(_PING, b"")


def close_frame(code: int, reason: str) -> bytes:
    """Encode a close frame; the reason is cut to 123 bytes."""
    return _frame(_CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < _SHORT:
        return b"%c%c%b" % (_FIN | opcode, size, payload)
    if size < _MEDIUM:
        return b"%c%c%b%b" % (_FIN | opcode, 126, size.to_bytes(2, "big"), payload)
    return b"%c%c%b%b" % (_FIN | opcode, 127, size.to_bytes(8, "big"), payload)


class Violation(Exception):
    """An incoming message breaks a limit; `code` is the close code to send."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Inspector:
    """Parses the frame headers of incoming bytes and raises `Violation`.

    The limits are a message's declared size (close code 1009), no binary messages (1003), and the number of frames in ten
    seconds (4429). Time is an argument, in seconds.
    """

    def __init__(self, max_message_bytes: int, max_frames: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._head = b""
        self._skip = 0  # bytes of the current frame that have not arrived yet
        self._message_bytes = 0
        self._open = False  # a fragmented message is incomplete
        self._begun_at: float | None = None
        self._received_bytes = 0  # since `_begun_at`
        self._arrivals: deque[float] = deque(maxlen=max_frames)

    def feed(self, raw: bytes, now: float) -> None:
        """Check more bytes. Raises `Violation`."""
        at = 0
        while at < len(raw):
            step = min(self._skip, len(raw) - at)
            self._skip -= step
            at += step
            if self._skip or at >= len(raw):
                break
            if not self._head and not self._open:
                self._begun_at, self._received_bytes = now, 0
            self._head += raw[at : at + 1]
            at += 1
            if len(self._head) >= 2 and len(self._head) == self._head_bytes():
                self._check_head(now)
        self._received_bytes += len(raw)
        if not self._open and not self._skip and not self._head:
            self._begun_at = None

    def allow(self, max_message_bytes: int) -> None:
        """Change the limit of a message's size."""
        self._max_message_bytes = max_message_bytes

    @property
    def is_between(self) -> bool:
        """Whether no message is incomplete."""
        return self._begun_at is None

    def is_overdue(self, now: float, limit_s: float) -> bool:
        """Return whether a message is incomplete after `limit_s` plus the time that its bytes take on a slow line."""
        if self._begun_at is None:
            return False
        return now - self._begun_at > limit_s + self._received_bytes / _MIN_BYTES_PER_S

    def _head_bytes(self) -> int:
        length = self._head[1] & 0x7F
        extra = 2 if length == 126 else 8 if length == 127 else 0
        return 2 + extra + (4 if self._head[1] & 0x80 else 0)

    def _check_head(self, now: float) -> None:
        head, self._head = self._head, b""
        opcode, length = head[0] & 0x0F, head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(head[2:4], "big")
        elif length == 127:
            length = int.from_bytes(head[2:10], "big")
        if len(self._arrivals) == self._arrivals.maxlen and now - self._arrivals[0] < _WINDOW_S:
            raise Violation(4429, "too many messages")
        self._arrivals.append(now)
        if opcode == _BINARY:
            raise Violation(1003, "binary messages are not supported")
        if opcode < _CLOSE:
            self._message_bytes += length
            if self._message_bytes > self._max_message_bytes:
                raise Violation(1009, "the message is too large")
            self._open = not head[0] & _FIN
            if not self._open:
                self._message_bytes = 0
        self._skip = length
