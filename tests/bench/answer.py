"""Encodes OpenAI-compatible streamed answers; a delta costs one formatting."""

import base64
import os
import time

from tests.bench.question import STAMP

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: no-cache\r\n"
    b"openai-processing-ms: 210\r\n"
    b"openai-version: 2020-10-01\r\n"
    b"x-request-id: req_5a3f8d2c\r\n\r\n"
)
_REFUSAL = b'{"error": {"message": "no order in this request"}}'
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_REFUSAL),
    _REFUSAL,
)
_END = b"data: [DONE]\n\n"


def http_chunk(payload: bytes) -> bytes:
    """Return a payload as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


class Script:
    """One answer's records: opening, deltas and closing. Not shared between answers."""

    __slots__ = ("_after", "_before", "_fixed_bytes", "_frame")

    def __init__(self) -> None:
        name = base64.b32encode(os.urandom(18)).rstrip(b"=")
        self._frame = (
            b'data: {"id":"chatcmpl-%b","object":"chat.completion.chunk","created":%d,'
            b'"model":"gpt-4.1-2025-04-14","system_fingerprint":"fp_51e1070cf2",'
            b'"choices":%%b,"usage":%%b}\n\n' % (name, time.time())
        )
        before, _, after = self._record(
            b'[{"index":0,"delta":{"content":"\0"},"logprobs":null,"finish_reason":null}]'
        ).partition(b"\0")
        self._before, self._after = before, after + b"\r\n"
        self._fixed_bytes = len(before) + len(after)

    def opening(self) -> bytes:
        """Return the head of the response and the chunk with the role."""
        role = b'[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,'
        return HEAD + http_chunk(self._record(role + b'"finish_reason":null}]'))

    def delta(self, number: int, now_ns: int) -> bytes:
        """Return one record as one chunk: the delta with its number and its send time."""
        stamp = STAMP % (number, now_ns)
        return b"%x\r\n%b%b%b" % (self._fixed_bytes + len(stamp), self._before, stamp, self._after)

    def closing(self, deltas: int) -> bytes:
        """Return the finish reason, the usage, `[DONE]` and the end of the body."""
        finish = b'[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]'
        usage = b'{"prompt_tokens":12,"completion_tokens":%d,"total_tokens":%d}' % (deltas, deltas + 12)
        records = (self._record(finish), self._record(b"[]", usage), _END)
        return b"".join(map(http_chunk, records)) + b"0\r\n\r\n"

    def _record(self, choices: bytes, usage: bytes = b"null") -> bytes:
        return self._frame % (choices, usage)
