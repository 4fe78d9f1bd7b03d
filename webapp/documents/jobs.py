"""What reading one file may cost, what is read of it, and the messages between the server and the child that reads it."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from webapp.errors import DocumentCode
from webapp.search.prepare import IndexedDocument

MAX_TEXT_CHARS = 5_000_000


class ParseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a child process. `time_s` holds for the clock and for the processor's time."""

    time_s: int = 30
    memory_bytes: int = 512 * 1024 * 1024
    text_chars: int = MAX_TEXT_CHARS


class Job(msgspec.Struct, frozen=True):
    """A file to read, or with `is_parsed` a `ParsedDocument` to split.

    It is sent as a line of JSON, and the bytes after that as they are.
    """

    name: str
    data: bytes
    is_parsed: bool = False


class _Header(msgspec.Struct):
    name: str
    is_parsed: bool


class Outcome(msgspec.Struct, frozen=True):
    """Exactly one of a document, and the reason why there is none."""

    document: IndexedDocument | None = None
    refused: DocumentCode | None = None


def encode_header(job: Job) -> bytes:
    """Return what is sent before the bytes of a job."""
    return msgspec.json.encode(_Header(job.name.encode("utf-8", "replace").decode(), job.is_parsed)) + b"\n"


def decode_job(stream: BinaryIO) -> Job:
    """Read a job to the end of the stream."""
    header = msgspec.json.decode(stream.readline(), type=_Header)
    return Job(header.name, stream.read(), header.is_parsed)
