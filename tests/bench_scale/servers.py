"""The servers that are compared: Freshet on each journal, as one server with workers and as two servers on one journal."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cores import Cores, pinned
from tests.bench.plan import Contender
from tests.bench.servers import (
    FRESHET,
    Provider,
    Running,
    await_answer,
    basic_environ,
    freshet_environ,
    serving,
)
from tests.bench_scale import plan
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.server import free_port, wait_for
from tests.survival.workers import migrate

_WORKERS = 2
_READY_S = 20.0
_DURABLE = ("fsync=on", "full_page_writes=on")  # as an operator has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that is needed to start a server."""

    folder: Path
    cores: Cores
    provider: Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a journal is: the settings that name it, and the root of its database server's processes, if it has one."""

    settings: dict[str, str]
    database_pid: int | None = None


class Journals:
    """A context with the database servers, each started when it is needed first, and a place of its own for each use."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._stack = ExitStack()
        self._postgres: Postgres | None = None
        self._redis: Redis | None = None
        self._used = 0

    def __enter__(self) -> "Journals":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def make_place(self, contender: Contender) -> Place:
        """Return an empty place for the journal of a contender."""
        self._used += 1
        settings = {
            "FRESHET_DATA_DIR": str(self._bench.folder / "data" / f"{contender.name}-{self._used}"),
            "SECRET_KEY": "shared",
        }
        match contender:
            case plan.MEMORY:
                return Place(settings=settings | {"FRESHET_JOURNAL": "memory"})
            case plan.POSTGRES:
                url = self._start_postgres().new_url()
                migrate(url)
                return Place(
                    settings=settings | {"DATABASE_URL": url}, database_pid=self._start_postgres().pid
                )
            case plan.REDIS:
                redis = self._start_redis()
                return Place(settings=settings | {"REDIS_URL": redis.new_url()}, database_pid=redis.pid)
        return Place(settings=settings)

    def _start_postgres(self) -> Postgres:
        if self._postgres is None:
            with pinned(self._bench.cores.load):
                self._postgres = self._stack.enter_context(Postgres(*_DURABLE))
        return self._postgres

    def _start_redis(self) -> Redis:
        if self._redis is None:
            with pinned(self._bench.cores.load):
                self._redis = self._stack.enter_context(Redis("--appendfsync", "everysec"))
        return self._redis


@contextmanager
def freshet(name: str, bench: Bench, place: Place, workers: int, **settings: str) -> Iterator[Running]:
    """Run Freshet with so many workers, until the context ends. Raises `UnavailableError`."""
    port = free_port()
    environ = basic_environ(bench.provider) | freshet_environ(bench.provider, port, bench.folder)
    environ |= place.settings | {"WEB_CONCURRENCY": str(workers)} | settings
    with serving(name, FRESHET, environ, bench.folder, bench.cores) as started:
        await_answer(started, port, "freshet")
        yield Running(port=port, pid=started.popen.pid)


def workers_of(contender: Contender) -> int:
    """Return how many workers a contender has."""
    return 1 if contender in (plan.MEMORY, plan.SQLITE_ONE) else _WORKERS


@contextmanager
def flask_view(bench: Bench, body: Path) -> Iterator[Running]:
    """Run a Flask view that sends the bytes of a file, on the same kind of worker as Freshet."""
    port = free_port()
    options = ["-k", "gevent", "-w", "1", "-b", f"127.0.0.1:{port}"]
    command = [*FRESHET[:3], *options, "tests.bench_scale.flask_view:app"]
    environ = basic_environ(bench.provider) | {"BODY_FILE": str(body)}
    with serving("flask-view", command, environ, bench.folder, bench.cores) as started:
        wait_for(lambda: _listens(port), _READY_S, "the Flask view")
        yield Running(port=port, pid=started.popen.pid)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
