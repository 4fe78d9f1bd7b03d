"""The pulse: one thread that checks all runs and connections a few times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log_ = logging.getLogger("freshet.runs")

_PULSE_S = 0.25


class Pulse:
    """Calls `check` with the time, from the first `start` on until the process ends."""

    def __init__(self, check: Callable[[float], None]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._is_running = False

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        with self._lock:
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._work, name="freshet-pulse", daemon=True).start()

    def _work(self) -> None:
        while True:
            time.sleep(_PULSE_S)
            try:
                self._check(time.monotonic())
            except Exception:  # every run depends on this thread
                log_.exception("runs and readers could not be checked")
