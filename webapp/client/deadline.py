"""Limits the total time of an answer, also while it waits for a connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Deadline:
    """Calls `stop` from a thread of its own if the `with` block takes longer than `timeout_s`; None sets no limit."""

    def __init__(self, timeout_s: float | None, stop: Callable[[], None]) -> None:
        self.expired = False
        self._stop = stop
        self._timer = threading.Timer(timeout_s, self._expire) if timeout_s is not None else None

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        self._stop()
