"""What reading one file may cost, what is read of it, and the messages between the server and the child that reads it."""

from __future__ import annotations

import msgspec

from webapp.errors import DocumentCode
from webapp.parsed_document import ParsedDocument

MAX_TEXT_CHARS = 5_000_000


class ParseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a child process. `time_s` holds for the clock and for the processor's time."""

    time_s: int = 30
    memory_bytes: int = 512 * 1024 * 1024
    text_chars: int = MAX_TEXT_CHARS


class Job(msgspec.Struct, frozen=True):
    """A file to read."""

    name: str
    data: bytes


class Outcome(msgspec.Struct, frozen=True):
    """Exactly one of a document, and the reason why there is none."""

    document: ParsedDocument | None = None
    refused: DocumentCode | None = None
