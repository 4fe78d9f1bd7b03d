"""A process patched by gevent, as a worker is, that uses a journal while its server is frozen; see `test_gevent`.

It prints a line of JSON after each step, and goes on when it reads a line.
"""

from gevent import monkey

monkey.patch_all()

import _thread  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402
from gevent.threadpool import ThreadPoolExecutor  # noqa: E402

from tests.journal.samples import TTL_S, entry, group, texts  # noqa: E402
from webapp.errors import JournalUnavailable  # noqa: E402
from webapp.journal.database import DatabaseJournal  # noqa: E402
from webapp.journal.redis import RedisJournal  # noqa: E402
from webapp.journal_records import JournalCursor  # noqa: E402
from webapp.seams import Journal  # noqa: E402

WAIT_S = 30.0
start_native = monkey.get_original("_thread", "start_new_thread")
assert start_native is not _thread.start_new_thread


def renew(journal: Journal, results: list[object]) -> None:
    """Renew the lease, as the thread beside the event loop does."""
    try:
        results.append(journal.renew("a", TTL_S))
    except JournalUnavailable:
        results.append("away")


def renew_beside(journal: Journal) -> object:
    """Renew the lease in a thread of the operating system."""
    results: list[object] = []
    start_native(renew, (journal, results))
    deadline = time.monotonic() + WAIT_S
    while not results and time.monotonic() < deadline:
        gevent.sleep(0.01)
    return results[0] if results else "no result"


def attempt(call: object) -> object:
    try:
        return call()  # type: ignore[operator]
    except JournalUnavailable:
        return "away"


def report(**values: object) -> None:
    """Print what a step found, and wait for the next."""
    print(json.dumps(values), flush=True)
    with ThreadPoolExecutor(1) as threads:  # reading a pipe would block the event loop
        threads.submit(sys.stdin.readline).result()


def main(kind: str, url: str) -> None:
    journal: Journal = RedisJournal(url) if kind == "redis" else DatabaseJournal(url, "")
    gaps: list[float] = []

    def tick() -> None:
        last = time.monotonic()
        while True:
            gevent.sleep(0.01)
            last, before = time.monotonic(), last
            gaps.append(last - before)

    renewed = renew_beside(journal)
    begun = journal.begin(entry("run", "a", frames=texts(1, 1))) is None
    reading = gevent.spawn(journal.read, {"run": JournalCursor(1, 1)}, 1_000, WAIT_S)
    gevent.sleep(0.1)
    appended = journal.append("a", [group("run", 1, 2, 2)])
    news = len(reading.get(timeout=WAIT_S)["run"].frames)
    report(renewed=renewed, begun=begun, appended=appended, news=news)

    ticker = gevent.spawn(tick)
    began = time.monotonic()
    calls = [
        gevent.spawn(attempt, call)
        for call in (
            lambda: journal.find("run"),
            lambda: journal.append("a", [group("run", 1, 3, 3)]),
            lambda: journal.read({"run": JournalCursor(1, 9)}, 1_000, 0.3),
        )
    ]
    renewed = renew_beside(journal)
    outcomes = [one.get(timeout=WAIT_S) for one in calls]
    ticker.kill()
    report(renewed=renewed, outcomes=outcomes, seconds=time.monotonic() - began, gap=max(gaps))

    renewed = renew_beside(journal)
    appended = journal.append("a", [group("run", 1, 3, 3)])
    journal.close()
    report(renewed=renewed, appended=appended, condition=journal.condition)


if __name__ == "__main__":
    main(*sys.argv[1:])
