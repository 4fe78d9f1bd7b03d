"""`freshet ingest` and `freshet search`: fill the operator's collections, and search them."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from webapp.access.principals import SOLE_USER, owner_of
from webapp.cli.document_files import DocumentFile, FileError, find_files
from webapp.cli.document_reader import DocumentReader, FileReading, UnreadFile
from webapp.errors import RequestError, Unavailable
from webapp.found_passage import SearchScope
from webapp.search.ranking import DEFAULT_PASSAGES, MAX_PASSAGES
from webapp.wiring import make_store, read_settings

if TYPE_CHECKING:
    from webapp.store.new_documents import NewDocument
    from webapp.store.store import Store

_CLOSE_S = 2.0
_WRITE_S = 60.0
_BYTES_AT_ONCE = 1_000_000  # in one transaction: each costs time, and holds up other writers
_FILES_AT_ONCE = 500
_OWNER = owner_of("user", SOLE_USER)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the command line."""
    ingest = subparsers.add_parser(
        "ingest",
        help="take files into a collection that answers can be based on",
        description="Takes text, Markdown, code, CSV, HTML, PDF and DOCX files into a collection. Files that have not changed "
        "since are passed over.",
    )
    ingest.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, and folders with files")
    ingest.add_argument("--collection", required=True, metavar="NAME", help="created if there is none")
    ingest.add_argument("--sync", action="store_true", help="remove what the paths no longer contain")
    ingest.add_argument(
        "--for",
        dest="grantees",
        action="append",
        metavar="WHO",
        help="who else may search it from now on: everyone, or key:ID; may be repeated",
    )
    ingest.set_defaults(run=_run_ingest)
    search = subparsers.add_parser("search", help="search the collections")
    search.add_argument("query", help="a question, or words")
    search.add_argument(
        "--collection", action="append", metavar="NAME", help="only this one; may be repeated"
    )
    search.add_argument(
        "--limit",
        type=_read_limit,
        default=DEFAULT_PASSAGES,
        metavar="N",
        help=f"how many passages ({DEFAULT_PASSAGES})",
    )
    search.set_defaults(run=_run_search)


def _read_limit(text: str) -> int:
    limit = int(text)
    if not 1 <= limit <= MAX_PASSAGES:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MAX_PASSAGES}")
    return limit


def _run_ingest(options: argparse.Namespace) -> int:
    """Return 1 if a file could not be taken in or the database is unreachable."""
    for grantee in options.grantees or ():
        if grantee != "everyone" and not grantee.startswith("key:"):
            print(f"freshet: --for must be everyone or key:ID, not {grantee!r}", file=sys.stderr)
            return 2
    found = list(find_files(options.paths))
    unreadable = [each for each in found if not isinstance(each, DocumentFile)]
    with DocumentReader([each for each in found if isinstance(each, DocumentFile)]) as reader:
        return _ingest(options, reader, unreadable)


def _ingest(
    options: argparse.Namespace, reader: DocumentReader, unreadable: Sequence[tuple[Path, FileError]]
) -> int:
    store = make_store(read_settings())
    try:
        return Ingestion(store, options.collection).run(
            reader, unreadable, removes=options.sync, grantees=options.grantees
        )
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    except BrokenExecutor:
        print(
            "freshet: a process that reads files was killed: not all of them are stored. Run it again.",
            file=sys.stderr,
        )
        return 1
    finally:
        store.close(_CLOSE_S)


class Ingestion:
    """Takes files into one collection of the operator. The caller closes the store."""

    def __init__(self, store: Store, collection: str) -> None:
        from webapp.store import documents, new_documents, passage_index  # noqa: PLC0415  (others need no database)

        self._store = store
        self._name = collection
        self._documents, self._new_documents, self._index = documents, new_documents, passage_index
        self._collection = store.write(lambda c: documents.create_collection(c, _OWNER, collection), _WRITE_S)
        known = store.read(lambda c: documents.list_documents(c, collection=self._collection), _WRITE_S)
        self._known = {each.source: each for each in known}
        self._counts: Counter[str] = Counter()
        self._unwritten: list[NewDocument] = []
        self._unwritten_bytes = self._read_bytes = 0
        self._writer = ThreadPoolExecutor(1)
        self._written: Future[object] | None = None

    def run(
        self,
        reader: DocumentReader,
        unreadable: Sequence[tuple[Path, FileError]],
        *,
        removes: bool,
        grantees: Iterable[str] | None,
    ) -> int:
        """Take the files in, and say what has become of them; return the exit code."""
        for path, error in unreadable:
            self._refuse(str(path), str(error))
        with Progress(
            transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True)
        ) as progress:
            task = progress.add_task(self._name, total=len(reader.files))
            for file, reading in reader.read({each.source: each.digest for each in self._known.values()}):
                self._take(file, reading)
                progress.advance(task)
            self._write()
            self._wait_written()
            if self._read_bytes >= _BYTES_AT_ONCE:
                self._store.write(self._index.count_words, _WRITE_S)
        if removes:
            self._remove_all_but({file.source for file in reader.files})
        if grantees is not None:
            self._store.write(
                lambda c: self._documents.grant_collection(c, _OWNER, self._name, list(grantees))
            )
        parts = ("added", "replaced", "unchanged", "removed", "left out", "refused")
        said = ", ".join(f"{self._counts[part]} {part}" for part in parts if self._counts[part])
        print(f"{self._name}: {said or 'nothing to do'}")
        return 1 if self._counts["refused"] else 0

    def _take(self, file: DocumentFile, reading: FileReading) -> None:
        if isinstance(reading, UnreadFile):
            if reading.is_other_kind and not file.is_named:
                self._counts["left out"] += 1
            else:
                self._refuse(file.source, reading.message)
            return
        document = reading.document
        if document is None:
            self._counts["unchanged"] += 1
            return
        source_file = self._documents.SourceFile(file.source, reading.digest, reading.size_bytes)
        self._unwritten.append(self._new_documents.NewDocument(document=document, file=source_file))
        self._unwritten_bytes += reading.size_bytes
        self._read_bytes += reading.size_bytes
        if self._unwritten_bytes >= _BYTES_AT_ONCE or len(self._unwritten) >= _FILES_AT_ONCE:
            self._write()
        self._counts["replaced" if file.source in self._known else "added"] += 1

    def _write(self) -> None:
        """Begin to store the documents that were read since the last time; more are read meanwhile."""
        read, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
        self._wait_written()
        if read:
            self._written = self._writer.submit(
                self._store.write,
                lambda c: self._new_documents.put_documents(c, _OWNER, read, collection=self._collection),
                _WRITE_S,
            )

    def _wait_written(self) -> None:
        if self._written is not None:
            self._written.result()

    def _remove_all_but(self, sources: set[str]) -> None:
        gone = [each.id for each in self._known.values() if each.source not in sources]
        if gone:
            self._counts["removed"] = self._store.write(
                lambda c: self._documents.delete_documents(c, _OWNER, gone), _WRITE_S
            )

    def _refuse(self, source: str, reason: str) -> None:
        self._counts["refused"] += 1
        print(f"freshet: {source}: {reason}", file=sys.stderr)


def _run_search(options: argparse.Namespace) -> int:
    """Print passages. Return 1 if none is found or the database is unreachable, 2 for an unknown collection."""
    from webapp.store.word_search import WordSearch  # noqa: PLC0415  (other commands need no database)

    store = make_store(read_settings())
    try:
        scope = SearchScope(owner=_OWNER, collections=options.collection)
        (found,) = WordSearch(store).rank([options.query], scope, options.limit)
    except Unavailable as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    except RequestError as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 2
    finally:
        store.close(_CLOSE_S)
    console = Console(soft_wrap=True, highlight=False)
    for number, passage in enumerate(found, 1):
        place = passage.source if passage.page is None else f"{passage.source}, page {passage.page}"
        console.print(f"[{number}] {place}", style="bold", markup=False)
        console.print(passage.text.strip() + "\n", markup=False)
    if not found:
        print("freshet: nothing found", file=sys.stderr)
    return 0 if found else 1
