"""The folder in which the workers of one server keep their metrics: made by gunicorn's master, removed by the next one.

The master imports this module before gevent patches the standard library, so nothing here may import prometheus_client.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

_CURRENT = ("gauge_livesum", "gauge_livemax")
_FILES = ("counter", "histogram", *_CURRENT)  # those of prometheus_client for the kinds in `metrics.py`
_FILE_BYTES = 1024 * 1024  # the size that prometheus_client gives its files


class MetricsFolder:
    """A folder of one server. A lock marks it as used until all processes of the server have ended."""

    def __init__(self, data_dir: str) -> None:
        """Create the folder, and remove those of servers that have ended. Raises `OSError`."""
        parent = Path(data_dir) / "metrics"
        parent.mkdir(parents=True, exist_ok=True)
        with (parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for folder in parent.iterdir():
                if folder.is_dir() and not _is_used(folder):
                    shutil.rmtree(folder, ignore_errors=True)
            self.path = Path(tempfile.mkdtemp(prefix="server-", dir=parent))
            self._lock = _lock_file(self.path).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)  # inherited by the workers

    def reserve(self, worker: int) -> None:
        """Reserve disk space for a worker's files: on a full disk a write to a mapped file would kill it. Raises `OSError`."""
        for kind in _FILES:
            with (self.path / f"{kind}_{worker}.db").open("ab") as file:
                os.truncate(file.fileno(), _FILE_BYTES)
                if hasattr(os, "posix_fallocate"):  # not on macOS
                    os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)

    def forget_current(self, worker: int) -> None:
        """Remove the numbers of runs and readers in a worker that has ended; what it has counted stays."""
        for name in _CURRENT:
            (self.path / f"{name}_{worker}.db").unlink(missing_ok=True)

    def close(self) -> None:
        """Release this process's lock. The folder can be removed once the workers, which share it, have ended too."""
        self._lock.close()


def _lock_file(folder: Path) -> Path:
    return folder / "lock"


def _is_used(folder: Path) -> bool:
    """Return whether another server still has the folder's lock."""
    try:
        lock: IO[str] = _lock_file(folder).open("r+")
    except OSError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
