"""Finds and reads the files that `freshet ingest` takes in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from webapp.documents.parse import MAX_FILE_BYTES
from webapp.errors import DocumentRefused

_TRIES = 3  # to read a file while nobody writes to it


class DocumentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to take in. `source` names it in the collection; `is_named` is whether the user has named it, not its folder."""

    source: str
    path: Path
    is_named: bool


class FileError(Exception):
    """A file or folder cannot be read; the message says why."""


def find_files(paths: Sequence[Path]) -> Iterator[DocumentFile | tuple[Path, FileError]]:
    """Yield the files among paths and below them, in order, and the paths that cannot be read with the reason.

    A file below a folder has the folder's name in its source, such as `handbook/travel.md`. Files and folders whose names begin
    with a dot are left out, and links to folders are not followed: they may lead in circles.
    """
    for path in paths:
        if path.is_dir():
            yield from _find_below(path)
        elif path.exists():
            yield DocumentFile(source=path.name, path=path, is_named=True)
        else:
            yield path, FileError("There is no such file.")


def read_file(path: Path) -> bytes:
    """Return the bytes of a file as they were at one moment. Raises `FileError`, and `DocumentRefused` if it is too large."""
    try:
        for _ in range(_TRIES):
            with path.open("rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size > MAX_FILE_BYTES:
                    raise DocumentRefused("document_too_large")
                data = file.read(MAX_FILE_BYTES + 1)
                after = os.fstat(file.fileno())
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(
                data
            ) == after.st_size:
                return data
    except OSError as error:
        raise FileError(f"It cannot be read: {error.strerror or type(error).__name__}.") from error
    raise FileError("It changes while it is read. Try again when nobody writes to it.")


def _find_below(folder: Path) -> Iterator[DocumentFile | tuple[Path, FileError]]:
    name = folder.resolve().name
    errors: list[OSError] = []
    found = 0
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for each in sorted(files):
            path = Path(parent, each)
            if each.startswith(".") or not (path.is_file() or path.is_symlink()):
                continue  # a pipe or a device would be waited for
            found += 1
            source = f"{name}/{path.relative_to(folder).as_posix()}"
            yield DocumentFile(source=source, path=path, is_named=False)
    for error in errors:
        yield Path(error.filename or folder), FileError(f"It cannot be read: {error.strerror}.")
    if not found and not errors:
        yield folder, FileError("The folder is empty.")
