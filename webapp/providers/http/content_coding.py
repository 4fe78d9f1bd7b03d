"""Decodes compressed bodies; RFC 9110, section 8.4. Some proxies compress although only `identity` was asked for."""

from __future__ import annotations

import zlib

_GZIP = frozenset({"gzip", "x-gzip"})
# Names of character sets are no codings, but some servers send them.
_IDENTITY = frozenset({"", "identity", "none", "utf-8", "utf8"})
_GZIP_FIRST_BYTE = 0x1F  # no text begins with it
_MAX_OUTPUT_BYTES = 64 * 1024
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15


class BadCoding(ValueError):
    """The body is not in the form that its header names."""


class ContentDecoder:
    """Decodes pieces of a body, which may end anywhere, at most 64 KiB of content at a time.

    A body that begins like gzip is decoded whatever its header is, and one that does not is not.
    """

    def __init__(self, coding: str) -> None:
        """Create a decoder for a `Content-Encoding`. Raises `BadCoding` for one that is not supported."""
        self._coding = coding.strip().lower()
        if self._coding not in _GZIP | _IDENTITY | {"deflate"}:
            raise BadCoding(f"the coding {self._coding[:40]!r} is not supported")
        self.rest = b""
        """What is left over from the last call, compressed; call `decode(b"")` for its content."""
        self.is_plain = False
        """Whether the body is known not to be compressed: its bytes need not be decoded."""
        self._has_begun = False
        self._inflater: zlib._Decompress | None = None

    def decode(self, raw: bytes) -> bytes:
        """Return content of more bytes. Raises `BadCoding`."""
        if not self._has_begun and raw:
            self._begin(raw)
        if self._inflater is None:
            return raw
        data, self.rest = self.rest + raw, b""
        if not data:
            return b""
        try:
            content = self._inflater.decompress(data, _MAX_OUTPUT_BYTES)
        except zlib.error as error:
            raise BadCoding(f"the compressed body is damaged: {error}") from error
        self.rest = self._inflater.unconsumed_tail
        if self._inflater.eof and self._inflater.unused_data[:1] == bytes([_GZIP_FIRST_BYTE]):
            self.rest = self._inflater.unused_data  # another member of a gzip file
            self._inflater = zlib.decompressobj(_GZIP_BITS)
        return content

    def _begin(self, raw: bytes) -> None:
        self._has_begun = True
        if raw[0] == _GZIP_FIRST_BYTE:
            self._inflater = zlib.decompressobj(_GZIP_BITS)
        elif self._coding == "deflate":
            is_zlib = (
                raw[0] & 0x0F == zlib.DEFLATED
            )  # the low half of zlib's first byte; many servers leave zlib's head out
            self._inflater = zlib.decompressobj(_ZLIB_BITS if is_zlib else _RAW_BITS)
        self.is_plain = self._inflater is None
