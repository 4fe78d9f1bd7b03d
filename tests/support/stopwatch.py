"""Measures how long the code under test takes, without the time that the machine withholds from it."""

import time
from pathlib import Path

from tests.support.cores import stolen_s, waited_s


class Stopwatch:
    """Starts when it is created. `workers` are the processes measured besides this one, such as a server's worker.

    For upper bounds use `busy_s`, for lower bounds `elapsed_s`: on a busy machine only the first stays small.
    """

    def __init__(self, *workers: int) -> None:
        self._workers = workers
        self._began, self._starved_s = time.monotonic(), self._starved()

    @property
    def elapsed_s(self) -> float:
        """The time since the start."""
        return time.monotonic() - self._began

    @property
    def busy_s(self) -> float:
        """The time since the start, without what the processes waited for a core."""
        return max(0.0, self.elapsed_s - max(0.0, self._starved() - self._starved_s))

    def _starved(self) -> float:
        threads = [*Path("/proc/self/task").glob("*/schedstat")]
        threads += [Path(f"/proc/{pid}/schedstat") for pid in self._workers]
        return stolen_s() + sum(map(waited_s, threads))
