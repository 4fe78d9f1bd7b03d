"""Leads many lives through one server with two workers, and measures what it holds meanwhile and afterwards."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.answers import cookie_of
from tests.soak import stories
from tests.soak.held import (
    Holdings,
    Memory,
    count_held,
    measure_memory,
    postgres_rows,
    redis_rows,
    sqlite_rows,
)
from tests.soak.lives import KINDS, draw, lead
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.server import Server
from tests.survival.workers import migrate

Kind = Literal["sqlite", "postgres", "redis"]
KEY = "sk-canary-3c9d20b7"
WORKERS = 2
EXPIRY_S = 4.0  # what has ended is kept for so long, so that most of it goes while the soak goes on
AT_ONCE = 16
_CALLERS = 16
# Of each worker's copy of recent conversations, so that it is full within the warm-up and then of a steady size: to its own limit it
# would go on growing for longer than the soak lasts.
_CACHE_BYTES = 128 * 1024
_SETTLE_S = 60.0
_LOOK_S = 0.25
_CALM_LOOKS = 3
_MAX_FAULTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The memory of each worker after so many lives."""

    lives: int
    workers: tuple[Memory, ...]


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a soak has found. A new journal has no rows, so none may be left."""

    before: Holdings
    after: Holdings
    after_collection: Holdings
    rows_left: int
    most: Holdings
    most_rows: int
    kinds: Counter[str]
    samples: list[Sample]
    faults: list[str]


@dataclass(slots=True)
class Soak:
    """One server, the provider behind it, and its callers. `count_rows` counts what the journal has of answers."""

    server: Server
    provider: FakeProvider
    count_rows: Callable[[], int]
    seed: int
    report: Callable[[str], None]
    kinds: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _callers: list[dict[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, lives: int, every: int) -> Findings:
        """Lead so many lives, sample the memory after every so many of them, and wait until nothing is left of them.

        With `every` 0 no samples are taken. May be called once.
        """
        self._callers = [{"Cookie": cookie_of(self.server)} for _ in range(_CALLERS)]
        workers = self.server.workers
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._lead(range(len(KINDS)), pool)  # one of each kind, so that what stays for good is there
            before = self._await_calm()
            most, most_rows = before, 0
            batch = every or lives
            for first in range(0, lives, batch):
                count = min(batch, lives - first)
                held, rows = self._lead(range(len(KINDS) + first, len(KINDS) + first + count), pool)
                most, most_rows = most.most(held), max(most_rows, rows)
                if every:
                    self._sample(first + count)
                if len(self.faults) >= _MAX_FAULTS or self.server.workers != workers:
                    self.faults.append(f"broken off after {first + count} lives; workers {workers}")
                    break
        self._wait(lambda: not self.count_rows())
        self._wait(lambda: not count_held(self.server).excess_over(before))
        return Findings(
            before=before,
            after=count_held(self.server),
            after_collection=count_held(self.server, free=True),
            rows_left=self.count_rows(),
            most=most,
            most_rows=most_rows,
            kinds=self.kinds,
            samples=self.samples,
            faults=[*self.faults, *self.provider.failures],
        )

    def _lead(self, numbers: range, pool: ThreadPoolExecutor) -> tuple[Holdings, int]:
        """Lead the lives with these numbers, some at once; return what the server and the journal held in the middle."""
        coming = [pool.submit(self._lead_one, number) for number in numbers]
        coming[len(coming) // 2].result()
        held, rows = count_held(self.server), self.count_rows()
        for one in coming:
            one.result()
        self.provider.play(stories.answer)  # which forgets the calls so far
        return held, rows

    def _lead_one(self, number: int) -> None:
        """Lead one life, and note what was wrong with it."""
        life = draw(self.seed, number, self.server.address, self._callers)
        fault = ""
        try:
            lead(life)
        except Exception as error:  # noqa: BLE001 - it is reported
            fault = f"life {number}, {life.kind}: {type(error).__name__}: {str(error)[:400]}"
        with self._lock:
            self.kinds[life.kind] += 1
            if fault:
                self.faults.append(fault)

    def _sample(self, lives: int) -> None:
        """Measure the memory of the workers, once they have forgotten all answers."""
        self._wait(lambda: not count_held(self.server).has_records)
        found = tuple(measure_memory(self.server, worker) for worker in self.server.workers)
        self.samples.append(Sample(lives=lives, workers=found))
        kinds = {
            kind: " + ".join(f"{getattr(each, kind) / 2**20:.2f}" for each in found)
            for kind in ("allocated", "sqlite", "anonymous")
        }
        shown = ", ".join(f"{kind} {sizes}" for kind, sizes in kinds.items())
        self.report(f"{lives:6} lives, {len(self.faults)} faults; MiB: {shown}")

    def _await_calm(self) -> Holdings:
        """Wait until the workers hold no answers, and the same at several looks; return what they hold."""
        looks: list[Holdings] = []

        def is_calm() -> bool:
            looks.append(count_held(self.server))
            last = looks[-_CALM_LOOKS:]
            return not last[-1].has_records and last.count(last[-1]) == _CALM_LOOKS

        self._wait(is_calm)
        return looks[-1]

    def _wait(self, met: Callable[[], bool]) -> None:
        """Wait until something holds, or for a minute: what does not hold then is found by the checks."""
        deadline = time.monotonic() + _SETTLE_S
        while not met() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)


@contextmanager
def running_soak(kind: Kind, seed: int, report: Callable[[str], None]) -> Iterator[Soak]:
    """Start the server of a soak, with a kind of journal."""
    env = {
        "WEB_CONCURRENCY": str(WORKERS),
        "OPENAI_API_KEY": KEY,
        "FRESHET_PROVIDER": "openai",
        "FRESHET_EXPIRY_S": str(EXPIRY_S),
        "FRESHET_RETRIES": "1",
        "PROBE_CACHE_BYTES": str(_CACHE_BYTES),
        "PYTHONMALLOC": "malloc",  # so that what is allocated can be told from the gaps that it leaves
        "MALLOC_ARENA_MAX": "1",
    }
    with ExitStack() as stack:
        provider = stack.enter_context(FakeProvider(stories.answer))
        env["OPENAI_BASE_URL"] = f"{provider.url}/v1"
        count_rows: Callable[[], int] | None = None
        if kind == "postgres":
            postgres = stack.enter_context(Postgres())
            env["DATABASE_URL"] = url = postgres.new_url()
            migrate(url)
            count_rows = postgres_rows(postgres, url)
        elif kind == "redis":
            redis = stack.enter_context(Redis())
            env["REDIS_URL"] = url = redis.new_url()
            count_rows = redis_rows(redis, url)
        server = stack.enter_context(Server(env, secrets=(KEY,)))
        yield Soak(server, provider, count_rows or sqlite_rows(server.folder / "data"), seed, report)
