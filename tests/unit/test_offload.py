"""Blocking work in worker pools, with and without gevent."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webapp.errors import Unavailable
from webapp.offload import WorkerPool

TIMEOUT_S = 10.0


def test_call_returns_or_raises_the_outcome_of_the_work() -> None:
    worker_pool = WorkerPool("test")
    assert worker_pool.call(lambda: 5, TIMEOUT_S) == 5
    with pytest.raises(ZeroDivisionError):
        worker_pool.call(lambda: 1 // 0, TIMEOUT_S)
    worker_pool.close()


def test_one_worker_runs_calls_one_at_a_time_in_one_thread() -> None:
    worker_pool, active, max_active, thread_ids = WorkerPool("test"), [0], [0], set()

    def work() -> None:
        active[0] += 1
        max_active[0] = max(max_active[0], active[0])
        thread_ids.add(threading.get_ident())
        active[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: worker_pool.call(work, TIMEOUT_S), range(200)))
    assert (max_active, len(thread_ids)) == ([1], 1)
    assert threading.get_ident() not in thread_ids
    worker_pool.close()


def test_a_call_that_times_out_in_the_queue_is_not_run() -> None:
    worker_pool, release, started = WorkerPool("test"), threading.Event(), []
    first = threading.Thread(target=lambda: worker_pool.call(lambda: release.wait(TIMEOUT_S), TIMEOUT_S))
    first.start()
    with pytest.raises(Unavailable) as slow:
        worker_pool.call(lambda: started.append("second"), 0.05)
    assert slow.value.code == "store_slow"
    release.set()
    first.join(TIMEOUT_S)
    assert worker_pool.call(lambda: "third", TIMEOUT_S) == "third"
    assert started == []
    worker_pool.close()


def test_a_full_queue_refuses_calls_at_once() -> None:
    worker_pool, release, entered = WorkerPool("test", max_waiting=2), threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        release.wait(TIMEOUT_S)

    callers = [threading.Thread(target=lambda: worker_pool.call(work, TIMEOUT_S)) for _ in range(3)]
    callers[0].start()
    assert entered.wait(TIMEOUT_S)
    for thread in callers[1:]:
        thread.start()
    while worker_pool._jobs.qsize() < 2:
        pass
    with pytest.raises(Unavailable) as full:
        worker_pool.call(lambda: None, TIMEOUT_S)
    assert (full.value.code, full.value.retry_after_s) == ("store_busy", 1)
    release.set()
    for thread in callers:
        thread.join(TIMEOUT_S)
    worker_pool.close()


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import ctypes, gevent
from webapp.offload import WorkerPool, yield_control
worker_pool = WorkerPool("test", native=NATIVE)
ticks = [0]
def tick():
    while True:
        ticks[0] += 1
        gevent.sleep(0.01)
ticker = gevent.spawn(tick)
gevent.sleep(0.05)
block = ctypes.CDLL(None).usleep  # blocks without yielding, as SQLite does
def work(number):
    before = ticks[0]
    for _ in range(100):
        if ticks[0] > before:
            break
        block(10_000)
    ticked = ticks[0] > before
    yield_control()
    return number, ticked
results = [gevent.spawn(worker_pool.call, lambda n=n: work(n), 20.0) for n in range(3)]
gevent.joinall(results, timeout=20)
assert [one.value[0] for one in results] == list(range(3))
print(*{one.value[1] for one in results})
try:
    worker_pool.call(lambda: block(300_000), 0.05)
except Exception as error:
    print(type(error).__name__, error.code)
ticker.kill()
worker_pool.close()
"""


@pytest.mark.parametrize("native", [True, False])
def test_under_gevent_native_work_does_not_block_the_loop(native: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT.replace("NATIVE", str(native))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ticked, *rest = done.stdout.splitlines()
    if native:
        assert rest == ["Unavailable store_slow"]
        assert ticked == "True", "the loop must continue during blocking work"
    else:
        assert ticked == "False", (
            "without native threads the loop must be blocked, or this test proves nothing"
        )
