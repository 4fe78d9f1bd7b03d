"""Blocking work in lanes, with and without gevent."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp.errors import Unavailable
from webapp.offload import WorkerPool

PATIENCE_S = 10.0


def test_what_it_returns_and_raises_comes_back() -> None:
    lane = WorkerPool("test")
    assert lane.call(lambda: 5, PATIENCE_S) == 5
    with pytest.raises(ZeroDivisionError):
        lane.call(lambda: 1 // 0, PATIENCE_S)
    lane.close()


def test_one_worker_does_one_thing_at_a_time_and_always_the_same() -> None:
    lane, at_work, most, names = WorkerPool("test"), [0], [0], set()

    def work() -> None:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        names.add(threading.get_ident())
        at_work[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: lane.call(work, PATIENCE_S), range(200)))
    assert (most, len(names)) == ([1], 1)
    assert threading.get_ident() not in names
    lane.close()


def test_who_waits_too_long_is_told_and_what_has_not_begun_is_not_begun() -> None:
    lane, release, begun = WorkerPool("test"), threading.Event(), []
    first = threading.Thread(target=lambda: lane.call(lambda: release.wait(PATIENCE_S), PATIENCE_S))
    first.start()
    with pytest.raises(Unavailable) as slow:
        lane.call(lambda: begun.append("second"), 0.05)
    assert slow.value.code == "store_slow"
    release.set()
    first.join(PATIENCE_S)
    assert lane.call(lambda: "third", PATIENCE_S) == "third"
    assert begun == []
    lane.close()


def test_a_full_queue_is_said_at_once() -> None:
    lane, release, entered = WorkerPool("test", most_waiting=2), threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        release.wait(PATIENCE_S)

    held = [threading.Thread(target=lambda: lane.call(work, PATIENCE_S)) for _ in range(3)]
    held[0].start()
    assert entered.wait(PATIENCE_S)
    for thread in held[1:]:
        thread.start()
    while lane._jobs.qsize() < 2:
        pass
    with pytest.raises(Unavailable) as full:
        lane.call(lambda: None, PATIENCE_S)
    assert (full.value.code, full.value.retry_after_s) == ("store_busy", 1)
    release.set()
    for thread in held:
        thread.join(PATIENCE_S)
    lane.close()


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import ctypes, time, gevent, threading
from webapp.offload import WorkerPool, breathe
lane = WorkerPool("test", native=NATIVE)
ticks = []
def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.01)
ticker = gevent.spawn(tick)
gevent.sleep(0.05)
block = ctypes.CDLL(None).usleep  # a call that never gives way, as SQLite's
began = time.monotonic()
results = [gevent.spawn(lane.call, lambda n=n: (block(100_000), breathe(), n)[2], 10.0) for n in range(5)]
gevent.joinall(results, timeout=10)
assert [one.value for one in results] == list(range(5))
print(sum(tick > began for tick in ticks))
try:
    lane.call(lambda: block(300_000), 0.05)
except Exception as error:
    print(type(error).__name__, error.code)
ticker.kill()
lane.close()
"""


@pytest.mark.parametrize("native", [True, False])
def test_under_gevent_native_work_holds_nobody_up(native: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT.replace("NATIVE", str(native))],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    first, *rest = done.stdout.splitlines()
    if native:
        assert rest == ["Unavailable store_slow"]
        assert int(first) > 20, "half a second of blocked work, and the loop went on"
    else:
        assert int(first) < 10, "this test can tell the difference"
