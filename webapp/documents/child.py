"""The program that reads one file in a process of its own: a `Job` on standard input, an `Outcome` on standard output.

Its only argument is the limits, in JSON. The libraries that it uses read what strangers made. So it gives up, before it reads, what
it does not need: it cannot open a file or a connection, and the system ends it when it needs too much time or memory. It runs at a
lower priority, so that answers that are being streamed go first.
"""

from __future__ import annotations

import codecs
import importlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import assert_never
from xml.parsers.expat import ExpatError

if __name__ == "__main__":  # started as a file, with nothing of its parent's environment
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from webapp.documents.characters import decode
from webapp.documents.csv_rows import read_csv
from webapp.documents.formats import Format, detect_binary, detect_text
from webapp.documents.jobs import Job, Outcome, ParseLimits, decode_job
from webapp.documents.plain import read_plain
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import index_document

_PRIORITY = 5  # as of `nice`: a third of the processor where an answer wants it too
_LOADED_LATE = (
    "heapq",
    "zlib",
    "bz2",
    "lzma",
    "linecache",
)  # modules that others import where they first need them
_GRACE_S = 2  # after which the system does what the parent should have done
_EXPAT_NO_MEMORY = 1  # XML_ERROR_NO_MEMORY
_MAX_INHERITED = 65_536  # descriptors
_ENCODINGS = ("cp437", "cp1252", "latin-1", "utf-16", "utf-32", "ascii")


def main() -> None:
    """Read a job, do it and write its outcome."""
    limits = msgspec.json.decode(sys.argv[1], type=ParseLimits)
    _limit_resources(limits)
    job = decode_job(sys.stdin.buffer)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_do(job, limits)))


def _limit_resources(limits: ParseLimits) -> None:
    """Limit what this process may use; the system ends it when it needs more. macOS does not limit memory."""
    os.closerange(3, _MAX_INHERITED)
    os.chdir("/")
    os.nice(_PRIORITY)
    signal.alarm(limits.time_s + _GRACE_S)  # ends this process where its parent has died and cannot
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.time_s + _GRACE_S),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            pass  # the limit in force is lower, or the system has none of this kind


def _do(job: Job, limits: ParseLimits) -> Outcome:
    try:
        document = _prepare(job, limits)()
        _check_size(document.text, limits)
    except DocumentRefused as error:
        return Outcome(refused=error.reason)
    except MemoryError:
        return Outcome(refused="document_too_large")
    except ImportError:
        raise  # a fault of the installation; the parent logs that there is no outcome
    except Exception as error:  # noqa: BLE001  (whatever a library raises about a damaged file)
        return Outcome(refused="document_too_large" if _is_of_memory(error) else "document_unreadable")
    return _index(document)


def _is_of_memory(error: BaseException | None) -> bool:
    """Return whether a library's error comes from too little memory: it may say so in its own way."""
    while error is not None and not isinstance(error, MemoryError):
        if isinstance(error, ExpatError) and error.code == _EXPAT_NO_MEMORY:
            return True
        error = error.__cause__ or error.__context__
    return error is not None


def _index(document: ParsedDocument) -> Outcome:
    """Split a document. What fails here is our own fault and not the file's: the parent logs that there is no outcome."""
    try:
        return Outcome(document=index_document(document))
    except MemoryError:
        return Outcome(refused="document_too_large")


def _check_size(text: str, limits: ParseLimits) -> None:
    if not text.strip():
        raise DocumentRefused("document_empty")
    if len(text) > limits.text_chars:
        raise DocumentRefused("document_too_large")


def _prepare(job: Job, limits: ParseLimits) -> Callable[[], ParsedDocument]:
    """Return what reads the file, after loading its code: from then on no file can be opened."""
    read = _choose(job, limits)
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    for module in _LOADED_LATE:
        importlib.import_module(module)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return read


def _choose(job: Job, limits: ParseLimits) -> Callable[[], ParsedDocument]:
    """Return the function that reads the job's file, whose module is loaded for the one format only."""
    name, data, max_chars = job.name, job.data, limits.text_chars
    if job.is_parsed:
        return lambda: msgspec.msgpack.decode(data, type=ParsedDocument)
    format_ = detect_binary(data)
    text = "" if format_ else decode(data)
    if format_ is None:
        format_ = detect_text(name, text)
    match format_:
        case Format.PDF:
            from webapp.documents.pdf import read_pdf  # noqa: PLC0415

            return lambda: read_pdf(name, data, max_chars)
        case Format.DOCX:
            from webapp.documents.docx import read_docx  # noqa: PLC0415

            return lambda: read_docx(name, data)
        case Format.HTML:
            from webapp.documents.html import read_html  # noqa: PLC0415

            return lambda: read_html(name, text)
        case Format.CSV:
            return lambda: read_csv(name, text, max_chars)
        case Format.TEXT | Format.MARKDOWN:
            return lambda: read_plain(name, text, format_)
    assert_never(format_)


if __name__ == "__main__":
    main()
