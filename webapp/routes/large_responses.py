"""Large responses are sent in pieces, and their memory is counted until they are sent.

Each piece has the deadline of one write, so that a slow client can still read all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response

from webapp.errors import TooManyRequests, Unavailable
from webapp.routes.current_principal import current_address
from webapp.routes.error_responses import request_error
from webapp.services import services

_PIECE_BYTES = 64 * 1024


def send_in_pieces(response: Response) -> Response:
    """Return a response unchanged if it is small or streamed, in pieces if it is large, or an error if memory is full."""
    if response.direct_passthrough or response.is_streamed:
        return response
    content = response.get_data()
    if len(content) <= _PIECE_BYTES:
        return response
    parts = services()
    address = None if parts.gate.is_local else current_address()
    counted_bytes = min(len(content), parts.runs.limits.log_max_bytes // 4)
    try:
        parts.bodies.reserve(address, counted_bytes)
    except (Unavailable, TooManyRequests) as error:
        return request_error(error)
    response.response = _Pieces(content, lambda: parts.bodies.release(address, counted_bytes))
    response.content_length = len(content)
    return response


class _Pieces:
    """The body of a large response; calls `on_end` once, when all of it was read or the response is closed."""

    def __init__(self, content: bytes, on_end: Callable[[], None]) -> None:
        self._content = content
        self._on_end: Callable[[], None] | None = on_end

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _PIECE_BYTES):
            yield self._content[start : start + _PIECE_BYTES]
        self.close()

    def close(self) -> None:
        """Call `on_end`; the server calls this also after a failed write."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()
