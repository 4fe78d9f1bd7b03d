"""The stopwatch of the tests takes off what the machine withheld, and nothing else."""

import time

import pytest

from tests.support import stopwatch
from tests.support.stopwatch import Stopwatch


def test_the_time_without_a_core_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 100.0, "starved": 7.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(stopwatch, "stolen_s", lambda: clock["starved"])
    monkeypatch.setattr(stopwatch, "waited_s", lambda path: 0.0)
    watch = Stopwatch(1)
    assert (watch.elapsed_s, watch.busy_s) == (0.0, 0.0)
    clock |= {"now": 105.0, "starved": 9.0}
    assert (watch.elapsed_s, watch.busy_s) == (5.0, 3.0)
    clock["starved"] = 6.0  # a thread that had waited has ended
    assert watch.busy_s == 5.0
    clock["starved"] = 90.0  # several threads waited at once
    assert watch.busy_s == 0.0
