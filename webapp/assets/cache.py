"""Built assets, kept in a folder of the data folder by the digest of what they were built from.

A build is written beside its place and moved there when it is complete, so that several servers may start at once.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import msgspec

log_ = logging.getLogger("freshet")

_MANIFEST = "manifest.json"
_MAX_BUILDS = 3
_MIN_AGE_S = 24 * 3600  # a younger build may be that of a server which runs, or is about to


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder of built assets holds: sizes of its files, and which of them a page loads when."""

    files: dict[str, int]
    first: list[str]
    beside: list[str]
    shared: list[str]


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
        found = self._find(digest)
        if found is not None:
            return self._root / digest, found
        try:
            return self._build(self._root, digest, build)
        except OSError as error:
            log_.info("built files cannot be kept in %s: %s", self._root, type(error).__name__)
            return self._build_temporary(build)

    def _find(self, digest: str) -> Build | None:
        assert self._root is not None  # noqa: S101  (asked by the caller)
        folder = self._root / digest
        try:
            manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Build)
            if all((folder / name).stat().st_size == size for name, size in manifest.files.items()):
                return manifest
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            pass  # there is none, or it is damaged
        return None

    def _build(self, root: Path, digest: str, build: Callable[[Path], Build]) -> tuple[Path, Build]:
        root.mkdir(parents=True, exist_ok=True)
        folder = root / digest
        new = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=root))
        try:
            new.chmod(0o755)  # a folder of tempfile's is for its owner alone; a proxy may serve these
            manifest = build(new)
            (new / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
            if folder.exists() and self._find(digest) is None:
                shutil.rmtree(folder)
            new.rename(folder)
        except OSError:
            found = self._find(digest)  # another server may have been faster
            if found is None:
                raise
            manifest = found
        finally:
            shutil.rmtree(new, ignore_errors=True)
        self._remove_old(root, digest)
        return folder, manifest

    @staticmethod
    def _remove_old(root: Path, digest: str) -> None:
        """Remove all but the newest builds, and what unfinished ones have left; never a young one."""
        latest = time.time() - _MIN_AGE_S
        ages = sorted((path for path in root.iterdir() if path.name != digest), key=_changed_at, reverse=True)
        for path in ages[_MAX_BUILDS - 1 :]:
            if _changed_at(path) < latest:
                shutil.rmtree(path, ignore_errors=True)

    def _build_temporary(self, build: Callable[[Path], Build]) -> tuple[Path, Build]:
        folder = Path(tempfile.mkdtemp(prefix="freshet-static-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder, build(folder)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # removed meanwhile
