"""Reads the files that `freshet ingest` takes in; many of them in processes of their own, beside the one that stores them."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from itertools import islice
from multiprocessing import get_context
from typing import Self

import msgspec

from webapp.cli.document_files import DocumentFile, FileError, read_file
from webapp.documents.parse import MAX_FILE_BYTES, DocumentParser
from webapp.errors import DocumentRefused
from webapp.search.prepare import IndexedDocument

_FEW = 20  # files: for these no process is started, which takes half a second
_MAX_READERS = 4
_AHEAD = 2  # files of each process, so that it need not wait for the next one


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file contains: its document, or None where its digest is known already."""

    digest: str
    size_bytes: int
    document: IndexedDocument | None


class UnreadFile(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file cannot be taken in; `is_other_kind` is whether only because its kind cannot be read."""

    message: str
    is_other_kind: bool = False


FileReading = ReadFile | UnreadFile


class DocumentReader:
    """Reads files; for many of them it starts processes at once, so that they are ready when the database is. Close it by `with`."""

    def __init__(self, files: Sequence[DocumentFile]) -> None:
        self.files = files
        self._readers = max(1, min(_MAX_READERS, (os.cpu_count() or 1) - 1))
        self._pool: ProcessPoolExecutor | None = None
        if len(files) > _FEW:
            # Forked processes would share the connections to the database.
            self._pool = ProcessPoolExecutor(self._readers, mp_context=get_context("spawn"))
            for _ in range(self._readers):
                self._pool.submit(_parser)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def read(self, known_digests: Mapping[str, str]) -> Iterator[tuple[DocumentFile, FileReading]]:
        """Yield each file, in order, with what it contains; `known_digests` are of sources that were taken in before.

        Raises `BrokenExecutor` where a process that reads was killed.
        """
        coming, pool = iter(self.files), self._pool
        if pool is None:
            for file in coming:
                yield file, _read(file, known_digests.get(file.source))
            return
        begun: deque[tuple[DocumentFile, Future[FileReading]]] = deque()
        while True:
            for file in islice(coming, self._readers * _AHEAD - len(begun)):
                begun.append((file, pool.submit(_read, file, known_digests.get(file.source))))
            if not begun:
                return
            file, reading = begun.popleft()
            yield file, reading.result()


def _read(file: DocumentFile, known_digest: str | None) -> FileReading:
    try:
        data = read_file(file.path)
        digest = hashlib.sha256(data).hexdigest()
        document = None if digest == known_digest else _parser().parse(file.path.name, data)
    except DocumentRefused as error:
        return UnreadFile(message=error.message, is_other_kind=error.reason == "document_type")
    except FileError as error:
        return UnreadFile(message=str(error))
    return ReadFile(digest=digest, size_bytes=len(data), document=document)


@cache
def _parser() -> DocumentParser:
    return DocumentParser(here_bytes=MAX_FILE_BYTES)  # nobody waits for this process
