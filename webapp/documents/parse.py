"""The entrance: a file's name and bytes become an `IndexedDocument`, or a `DocumentRefused` that says why not."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from webapp.documents.formats import Format, detect_text, looks_binary
from webapp.documents.jobs import Job, ParseLimits
from webapp.documents.plain import clean, read_plain
from webapp.documents.process import read_in_child
from webapp.errors import DocumentRefused, TooManyRequests, Unavailable
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import IndexedDocument, index_document

MAX_FILE_BYTES = 20_000_000
_MAX_AT_ONCE = 2
_MAX_WAITING = 22
_MAX_OF_SHARE = (_MAX_AT_ONCE + _MAX_WAITING) // 4
_RETRY_AFTER_S = 5
_WAIT_S = 25.0  # hosts cut a request off after 30 s
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SMALL_BYTES = 8_000  # of plain text: read and indexed within 10 ms, where a process takes 150
_SMALL_CHARS = 8_000  # of a document that was read before


class DocumentParser:
    """Reads files, at most two at once in processes of their own. One serves a whole program.

    Plain text of up to `here_bytes` is read in this process, which it holds up. It may be shared by threads; under gevent, call it
    from greenlets of the main thread only.
    """

    def __init__(
        self, limits: ParseLimits | None = None, *, wait_s: float = _WAIT_S, here_bytes: int = _SMALL_BYTES
    ) -> None:
        self._limits = limits or ParseLimits()
        self._here_bytes = here_bytes
        self._wait_s = wait_s
        self._slots = threading.BoundedSemaphore(_MAX_AT_ONCE)
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()  # files of each share
        self._places = threading.BoundedSemaphore(_MAX_AT_ONCE + _MAX_WAITING)

    def parse(self, name: str, data: bytes, *, share: str | None = None) -> IndexedDocument:
        """Return the text of a file with its passages. Raises `DocumentRefused`, and `Unavailable` where too many are being read.

        All that is read for one `share` may take a quarter of the places; without one it is not counted. Raises
        `TooManyRequests` above that.
        """
        if len(data) > MAX_FILE_BYTES:
            raise DocumentRefused("document_too_large")
        if not data:
            raise DocumentRefused("document_empty")
        document = _read_here(name, data) if len(data) <= self._here_bytes else None
        if document is not None:
            if len(document.text) > self._limits.text_chars:
                raise DocumentRefused("document_too_large")
            return index_document(document)
        with self._of_share(share), self._slot():
            return read_in_child(Job(name, data), self._limits)

    def index(self, document: ParsedDocument, *, share: str | None = None) -> IndexedDocument:
        """Return a document that was read before with its passages. Raises as `parse`."""
        if not document.text.strip():
            raise DocumentRefused("document_empty")
        if len(document.text) <= _SMALL_CHARS:
            return index_document(document)
        data = msgspec.msgpack.encode(document)
        with self._of_share(share), self._slot():
            return read_in_child(Job(document.title, data, is_parsed=True), self._limits)

    @contextmanager
    def _of_share(self, share: str | None) -> Iterator[None]:
        """Count a file against a share while it is read."""
        if share is None:
            yield
            return
        with self._lock:
            if self._counts[share] >= _MAX_OF_SHARE:
                raise TooManyRequests(
                    "Your other files are still being read. Try again in a moment.",
                    retry_after_s=_RETRY_AFTER_S,
                    code="documents_busy",
                )
            self._counts[share] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts[share] -= 1
                if not self._counts[share]:
                    del self._counts[share]

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Wait for one of the processes that may run at once."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._slots.acquire(timeout=self._wait_s):
                raise _busy()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()


def _read_here(name: str, data: bytes) -> ParsedDocument | None:
    """Return the document of plain UTF-8 text; None for all else."""
    if looks_binary(data) or _CONTROL.search(data):
        return None
    try:
        text = clean(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None
    format_ = detect_text(name, text)
    if format_ not in (Format.TEXT, Format.MARKDOWN):
        return None
    if not text.strip():
        raise DocumentRefused("document_empty")
    return read_plain(name, text, format_)


def _busy() -> Unavailable:
    return Unavailable(
        "Many files are being read at the moment. Try again in a moment.",
        code="documents_busy",
        retry_after_s=_RETRY_AFTER_S,
    )
