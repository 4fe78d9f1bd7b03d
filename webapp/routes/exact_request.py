"""The request class: a body without Content-Length is read whole or refused, never cut at the limit."""

from __future__ import annotations

from typing import IO

from flask import Request
from werkzeug.utils import cached_property


class ExactRequest(Request):
    """A request whose chunked body raises `TooLarge` where werkzeug would end it after `max_content_length` bytes."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body as a stream."""
        body = self.environ["wsgi.input"]
        limit = getattr(body, "limit", None)
        if limit is None or self.content_length is not None or self.max_content_length is None:
            return super().stream
        limit(self.max_content_length)
        return body  # type: ignore[no-any-return]
