"""Built assets, kept in a folder of the data folder by the digest of what they were built from.

A build is written beside its place and moved there when it is complete. One server at a time builds or removes (a lock on
the folder), and a running server keeps a lock on its build, so that no other removes it; the system releases both when a
process ends.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

log_ = logging.getLogger("freshet")

_MANIFEST = "manifest.json"
_LOCK = ".lock"
_LOCK_S = 40.0  # longer than a build takes, its minifier's deadline included
_LOCK_POLL_S = 0.05
_MAX_BUILDS = 3
_MIN_AGE_S = 24 * 3600  # where a file system has no locks, a younger build may be in use


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of built assets holds: sizes of its files, and which of them a page loads when.

    `is_minified` is false where no minifier could run: such a build is not kept.
    """

    files: dict[str, int]
    first: list[str]
    beside: list[str]
    shared: list[str]
    is_minified: bool = True


class AssetCache:
    """The builds in one folder; without a folder each build is temporary."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def get(self, digest: str, build: Callable[[Path], Build]) -> tuple[Path, Build]:
        """Return the folder and the description of a build, built by `build(folder)` where there is none.

        A damaged build is replaced. Raises `OSError` where nothing can be written.
        """
        if self._root is None:
            return self._build_temporary(build)
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with _locked(self._root / _LOCK):
                return self._find_or_build(self._root, digest, build)
        except OSError as error:
            log_.info("built files cannot be kept in %s: %s", self._root, type(error).__name__)
            return self._build_temporary(build)

    def _find_or_build(self, root: Path, digest: str, build: Callable[[Path], Build]) -> tuple[Path, Build]:
        folder = root / digest
        found = _read(folder)
        if found is None:
            new = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=root))
            try:
                new.chmod(0o755)  # a folder of tempfile's is for its owner alone; a proxy may serve these
                found = build(new)
                if not found.is_minified:
                    weakref.finalize(self, shutil.rmtree, new, ignore_errors=True)
                    return new, found
                (new / _MANIFEST).write_bytes(msgspec.json.encode(found))
                if folder.exists():
                    shutil.rmtree(folder)
                new.rename(folder)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
        self._lock_in_use(folder)
        _remove_old(root, digest)
        return folder, found

    def _lock_in_use(self, folder: Path) -> None:
        """Lock a build against removal as long as this object lives."""
        manifest = (folder / _MANIFEST).open("rb")
        weakref.finalize(self, manifest.close)
        _try_lock(manifest, fcntl.LOCK_SH)

    def _build_temporary(self, build: Callable[[Path], Build]) -> tuple[Path, Build]:
        folder = Path(tempfile.mkdtemp(prefix="freshet-static-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder, build(folder)


def _read(folder: Path) -> Build | None:
    """Return the description of a build; None where there is none, or it is damaged."""
    try:
        build = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Build)
        if all((folder / name).stat().st_size == size for name, size in build.files.items()):
            return build
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file. Raises `TimeoutError` (an `OSError`) where another process does not release it."""
    until = time.monotonic() + _LOCK_S
    with path.open("wb") as file:
        while not _try_lock(file, fcntl.LOCK_EX):
            if time.monotonic() > until:
                raise TimeoutError(f"{path} is locked")
            time.sleep(_LOCK_POLL_S)
        yield


def _try_lock(file: IO[bytes], kind: int) -> bool:
    """Lock a file, or return False where another process has it. File systems without locks count as free."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _remove_old(root: Path, digest: str) -> None:
    """Remove all but the newest builds, and what interrupted ones have left; never a young one, or one in use."""
    latest = time.time() - _MIN_AGE_S
    folders = (path for path in root.iterdir() if path.is_dir() and path.name != digest)
    for path in sorted(folders, key=_changed_at, reverse=True)[_MAX_BUILDS - 1 :]:
        if _changed_at(path) < latest and not _is_in_use(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_in_use(folder: Path) -> bool:
    try:
        with (folder / _MANIFEST).open("rb") as file:
            return not _try_lock(file, fcntl.LOCK_EX)
    except OSError:
        return False  # no manifest: an interrupted build


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # removed meanwhile
