"""Counts what one answer of ten seconds asks of its journal and of the conversations' database.

    python -m tests.bench_scale.operations --answers 1 20

The engine and the store run in this process, so that SQLAlchemy can be listened to, and the journal's transactions; the provider is the
benchmark's. What goes to Postgres and Redis passes through a relay that counts bytes, and round trips as the times that the direction turns.
"""

import argparse
import logging
import select
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from tests.bench.cores import Cores
from tests.bench.question import Order
from tests.bench.report import aligned
from tests.bench.servers import Provider, provider
from tests.journal.gate import TICK_S, Gate
from tests.support.postgres import Postgres
from tests.support.redis import Redis
from tests.support.server import wait_for
from tests.survival.workers import migrate
from webapp.access.principals import Principal
from webapp.api.start_request import StartBody
from webapp.app import create_app
from webapp.errors import JournalUnavailable
from webapp.frames import new_run
from webapp.journal.channel import Channel
from webapp.journal.places import Mode
from webapp.journal.sql_texts import INSERT_GROUPS, STATEMENTS
from webapp.journal.transaction import GroupRow, Row, Transaction
from webapp.runs.remote_run import RemoteRun
from webapp.runs.remote_runs import AnyRun
from webapp.services import Services
from webapp.settings import Settings

DELTAS, RATE = 500, 50
_LONGEST_S = 60.0
_TRIES = 10
_CALLER = Principal(kind="user", name="owner", address="127.0.0.1", is_counted=False)
_COLUMNS = (
    "transactions",
    "statements",
    "rows",
    "notifies",
    "scripts",
    "round trips",
    "bytes sent",
    "bytes got",
)


@dataclass(slots=True)
class Counts:
    """What was counted, by `journal …` and `store …`; the bytes and round trips by `network …`."""

    found: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, count: int = 1) -> None:
        """Count something."""
        with self.lock:
            self.found[name] += count


class NotedTransaction:
    """A transaction of the journal whose statements are noted, each with its rows; see `webapp.journal.transaction`."""

    def __init__(self, transaction: Transaction) -> None:
        self.dialect = transaction.dialect
        self.noted: list[tuple[str, int]] = []
        self._transaction = transaction

    def query(self, name: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Note and run a statement."""
        self.noted.append((STATEMENTS[self.dialect][name], 1))
        return self._transaction.query(name, values)

    def query_first(self, name: str, values: Mapping[str, object] | None = None) -> Row | None:
        """Note and run a statement."""
        self.noted.append((STATEMENTS[self.dialect][name], 1))
        return self._transaction.query_first(name, values)

    def execute(self, name: str, values: Mapping[str, object] | None = None) -> None:
        """Note and run a statement."""
        self.noted.append((STATEMENTS[self.dialect][name], 1))
        self._transaction.execute(name, values)

    def insert_groups(self, rows: Sequence[GroupRow]) -> None:
        """Note and insert groups."""
        if rows:
            self.noted.append((INSERT_GROUPS[self.dialect], len(rows)))
        self._transaction.insert_groups(rows)


class Listener:
    """Listens to all SQL of this process, and counts it when its transaction is committed."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._open: dict[int, list[tuple[str, int]]] = {}
        self._run = Channel._run

    def __enter__(self) -> "Listener":
        event.listen(Engine, "before_cursor_execute", self._note)
        event.listen(Engine, "commit", self._commit)
        run = self._run

        def run_noted(channel: Channel, work: Callable[[Any], Any], mode: Mode) -> Any:
            made: list[NotedTransaction] = []

            def work_noted(transaction: Transaction) -> Any:
                made.append(NotedTransaction(transaction))
                return work(made[-1])

            result = run(channel, work_noted, mode)
            self._count("journal", made[-1].noted, notifies="NOTIFY" in channel._place.begin_text(mode))
            return result

        Channel._run = run_noted  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Channel._run = self._run  # type: ignore[method-assign]
        event.remove(Engine, "before_cursor_execute", self._note)
        event.remove(Engine, "commit", self._commit)

    def _note(
        self, connection: Any, cursor: object, statement: str, parameters: Any, context: object, many: bool
    ) -> None:
        rows = len(parameters) if many else 1
        self._open.setdefault(id(connection.connection.dbapi_connection), []).append((statement, rows))

    def _commit(self, connection: Any) -> None:
        statements = self._open.pop(id(connection.connection.dbapi_connection), [])
        rest = [one for one in statements if not one[0].startswith("BEGIN")]
        if rest:
            self._count("store", rest, notifies=False)

    def _count(self, place: str, statements: Sequence[tuple[str, int]], *, notifies: bool) -> None:
        self._counts.add(f"{place} transactions")
        self._counts.add(f"{place} statements", len(statements))
        self._counts.add(f"{place} rows", sum(rows for text, rows in statements if text.startswith("INSERT")))
        self._counts.add(f"{place} notifies", int(notifies))


class Relay:
    """A habit of a `Gate`: passes bytes on, and counts them and the turns of direction."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._last: dict[int, str] = {}

    def __call__(self, gate: Gate, down: socket.socket, up: socket.socket) -> bool:
        """Pass on what has arrived."""
        for source in select.select([down, up], [], [], TICK_S)[0]:
            data = source.recv(65_536)
            if not data:
                return False
            direction = "sent" if source is down else "got"
            self._counts.add(f"network bytes {direction}", len(data))
            if direction == "sent" and self._last.get(id(down)) != "sent":
                self._counts.add("network round trips")
            self._last[id(down)] = direction
            (up if source is down else down).sendall(data)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """One worker that generates answers and one that may read them; `redis` counts commands if there is one."""

    home: Services
    away: Services
    redis: Redis | None


@contextmanager
def engines(kind: str, source: Provider, counts: Counts) -> Iterator[Engines]:
    """Create two workers on one journal, in this process."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        environ = {
            "FRESHET_PROVIDER": "openai",
            "FRESHET_MODEL": "gpt-4.1",
            "OPENAI_API_KEY": "x",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{source.plain}/v1",
            "FRESHET_DATA_DIR": folder,
            "FRESHET_LOCAL": "true",
            "SECRET_KEY": "shared",
        }
        redis = None
        if kind == "postgres":
            database = stack.enter_context(Postgres())
            url = database.new_url()
            migrate(url)
            gate = stack.enter_context(Gate(database.port, Relay(counts)))
            environ["DATABASE_URL"] = url.replace(str(database.port), str(gate.port))
        elif kind == "redis":
            redis = stack.enter_context(Redis())
            gate = stack.enter_context(Gate(redis.port, Relay(counts)))
            environ["REDIS_URL"] = redis.new_url().replace(str(redis.port), str(gate.port))
        made = []
        for _ in range(2):
            services: Services = create_app(Settings.read(environ)).extensions["freshet"]
            services.store.open()
            made.append(services)
            stack.callback(services.store.close, 2.0)
            stack.callback(services.runs.close, 2.0)
        yield Engines(home=made[0], away=made[1], redis=redis)


def count(
    kind: str, source: Provider, answers: int, *, deltas: int = DELTAS, read_elsewhere: bool
) -> Counter[str]:
    """Return what so many answers at once asked for, divided by their number."""
    counts = Counts()
    with engines(kind, source, counts) as parts:
        _answer(parts, 1, deltas=5, read_elsewhere=read_elsewhere)  # opens connections and creates tables
        counts.found.clear()
        before = _commands(parts.redis)
        with Listener(counts):
            _answer(parts, answers, deltas=deltas, read_elsewhere=read_elsewhere)
        counts.found["journal scripts"] = _commands(parts.redis) - before
        found = Counter(counts.found)
    return Counter({name: round(number / answers) for name, number in found.items()})


def _answer(parts: Engines, answers: int, *, deltas: int, read_elsewhere: bool) -> None:
    """Ask so many questions, each in a conversation of its own, and wait until all answers have ended."""
    runs = []
    for index in range(answers):
        order = Order(deltas=deltas, rate=RATE, phase_us=1_000_000 * index // (RATE * answers))
        body = StartBody(query=order.text(), run=new_run(), conversation=new_run())
        runs.append(parts.home.starter.start(body, _CALLER))
    if read_elsewhere:
        with ThreadPoolExecutor(answers) as pool:
            for done in [pool.submit(_read, parts.away, run.id) for run in runs]:
                done.result(_LONGEST_S)
    wait_for(lambda: all(run.log.closed for run in runs), _LONGEST_S, "the ends of the answers")


def _read(services: Services, run: str) -> None:
    """Read a run of another worker to its end."""
    found = _find(services, run)
    assert isinstance(found, RemoteRun)
    connection = services.runs.connect()
    try:
        reader = services.runs.attach(found, connection, None)
        try:
            while not reader.ended:
                if not reader.take():
                    assert connection.wake.wait(_LONGEST_S)
        finally:
            services.runs.detach(found, connection)
    finally:
        services.runs.disconnect(connection)


def _find(services: Services, run: str) -> AnyRun:
    """Return a run. On a busy machine a look-up can be too late: then it is repeated."""
    for _ in range(_TRIES):
        try:
            return services.runs.find(run, _CALLER.owner)
        except JournalUnavailable:
            continue
    raise TimeoutError(f"the run {run} was not found in {_TRIES} tries")


def _commands(redis: Redis | None) -> int:
    """Return how many scripts and waits Redis has run."""
    if redis is None:
        return 0
    stats: dict[str, dict[str, int]] = redis.execute("INFO", "commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval", "xread"))


def table(source: Provider, kinds: Sequence[str], numbers: Sequence[int]) -> str:
    """Count for each kind of journal and number of answers; return the table."""
    rows = [["journal", "answers at once", "of", *_COLUMNS]]
    for kind in kinds:
        for answers in numbers:
            for read_elsewhere in (False, True):
                found = count(kind, source, answers, read_elsewhere=read_elsewhere)
                title = f"{answers}{', read elsewhere' if read_elsewhere else ''}"
                for place in ("journal", "store", "network"):
                    cells = [found.get(f"{place} {column}") for column in _COLUMNS]
                    if any(cells):
                        rows.append([kind, title, place, *(str(cell or "") for cell in cells)])
    return aligned(rows)


def main() -> None:
    """Count by the command line, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_scale.operations", description=__doc__)
    parser.add_argument("--answers", type=int, nargs="+", default=[1, 20], help="at once (1 20)")
    parser.add_argument(
        "--journal", nargs="+", default=["sqlite", "postgres", "redis"], help="kinds of journal"
    )
    asked = parser.parse_args()
    logging.disable(logging.INFO)
    with (
        tempfile.TemporaryDirectory() as folder,
        provider(Path(folder), Cores(server=None, load=None)) as source,
    ):
        print(f"of each answer of {DELTAS / RATE:g} s with {DELTAS} deltas:\n")
        print(table(source, asked.journal, asked.answers))


if __name__ == "__main__":
    main()
