"""Workers and servers are replaced one by one under load (docs/faults.md, S3): no reader loses a frame."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.returning import Returning, Tales
from tests.faults.answers import KEY, SECRET_KEY, cookie_of
from tests.support.fake_provider import FakeProvider
from tests.support.processes import connections_of, workers_of
from tests.support.rawhttp import Address
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.survival.storm_readers import SseChannel, WsChannel

ANSWERS = 30
COMPLETIONS = 8
GRACE_S = 60.0  # long enough for new workers to start on a busy machine
MOVED_S = 45.0
REPLACED_S = 30.0


@dataclass
class Load:
    """Answers in progress, each with its reader, and those of programs."""

    address: Callable[[], Address]
    headers: dict[str, str]
    tales: Tales
    completions: int
    readers: dict[int, Returning] = field(default_factory=dict)
    programs: dict[int, Future[str]] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)

    def start(self, pool: ThreadPoolExecutor) -> None:
        """Start all answers, and wait until each reader has the first half of its."""
        for number in range(len(self.tales.texts)):
            if number < self.completions:
                self.programs[number] = pool.submit(self._complete, number)
            else:
                kind = (SseChannel, WsChannel)[number % 2]
                self.readers[number] = Returning(
                    kind, self.address, self.headers, self.tales.question(number)
                )
        wait_for(self._is_halfway, 30.0, "the first half of each answer")

    def find_ports(self, pids: list[int]) -> dict[int, int]:
        """Return the ports of the readers' connections that these workers serve, by the number of the answer."""
        served = {port for pid in pids for _, port in connections_of(pid)}
        ports = {number: reader.port for number, reader in self.readers.items()}
        return {number: port for number, port in ports.items() if port is not None and port in served}

    def wait_moved(self, ports: dict[int, int]) -> None:
        """Wait until the readers with these connections have others."""
        wait_for(
            lambda: all(self.readers[number].port not in (None, port) for number, port in ports.items()),
            MOVED_S,
            "other connections of the readers",
        )

    def check(self) -> None:
        """Let all answers end, and check that each reader has the whole of its one, from one call."""
        self.tales.open()
        for number, reader in self.readers.items():
            reading = reader.wait_end(GRACE_S)
            assert reading.text == self.tales.texts[number], reader.troubles
            assert reading.terminal is not None
            assert reading.terminal["finish_reason"] == "stop"
            assert reading.resets == 0
        for number, program in self.programs.items():
            assert program.result(GRACE_S) == self.tales.texts[number]
        assert set(self.tales.calls.values()) == {1}
        assert len(self.tales.calls) == len(self.tales.texts)

    def give_up(self) -> None:
        """End the threads."""
        self.tales.open()
        for reader in self.readers.values():
            reader.give_up()

    def _is_halfway(self) -> bool:
        numbers = [number for number, reader in self.readers.items() if reader.has(self.tales.half(number))]
        return len(numbers) + len(self.begun) == len(self.tales.texts)

    def _complete(self, number: int) -> str:
        """Ask as a program does, over one connection."""
        body = {"messages": [{"role": "user", "content": self.tales.question(number)}], "stream": True}
        half = self.tales.half(number)
        with SseReader(
            self.address(), "/v1/chat/completions", body, headers=self.headers, timeout_s=60.0
        ) as reader:
            assert reader.status == 200
            assert reader.read_until(lambda: completed(reader).startswith(half), 60.0)
            self.begun.add(number)
            reader.read_to_end(90.0)
            assert reader.records[-1].data == "[DONE]"
            return completed(reader)


def completed(reader: SseReader) -> str:
    """Return the text of a completion so far."""
    choices = [choice for frame in reader.frames for choice in frame["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@dataclass
class Stage:
    """A server with two workers, the provider behind it, and where its clients find it."""

    server: Server
    provider: FakeProvider
    addresses: list[Address]
    make_load: Callable[[], Load]

    def __post_init__(self) -> None:
        wait_for(lambda: len(workers_of(self.server)) == 2, REPLACED_S, "two workers")
        self.load = self.make_load()

    def add_load(self) -> None:
        """Start more answers, after the others have ended."""
        self.load = self.make_load()


def settings(provider: FakeProvider, **more: str) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "SECRET_KEY": SECRET_KEY,
        "WEB_CONCURRENCY": "2",
        "FRESHET_HEARTBEAT_S": "1",
        "GUNICORN_CMD_ARGS": f"--graceful-timeout {GRACE_S:g}",
    } | more


@pytest.fixture
def stages(dice: random.Random) -> Iterator[Callable[..., Stage]]:
    """Return a function that starts a server and a load."""
    with ExitStack() as stack:

        def start(answers: int = ANSWERS, completions: int = COMPLETIONS, **more: str) -> Stage:
            provider = stack.enter_context(FakeProvider())
            server = stack.enter_context(Server(settings(provider, **more), secrets=(KEY, SECRET_KEY)))
            pool = stack.enter_context(ThreadPoolExecutor(COMPLETIONS))
            addresses = [server.address]

            def make_load() -> Load:
                tales = Tales(answers, dice)
                provider.play(tales)
                load = Load(lambda: addresses[-1], {"Cookie": cookie_of(server)}, tales, completions)
                stack.callback(load.give_up)
                load.start(pool)
                return load

            return Stage(server, provider, addresses, make_load)

        yield start


def test_s3_all_workers_are_replaced_at_once(stages: Callable[..., Stage]) -> None:
    stage = stages()
    old = workers_of(stage.server)
    ports = stage.load.find_ports(old)
    assert len(ports) == ANSWERS - COMPLETIONS
    os.kill(stage.server.pid, signal.SIGHUP)
    stage.load.wait_moved(ports)
    stage.load.check()
    wait_for(lambda: all(map(has_ended, old)), REPLACED_S, "the end of the old workers")


def test_s3_workers_are_replaced_one_by_one(stages: Callable[..., Stage]) -> None:
    """The master starts another worker when one has ended, which waits for its answers."""
    stage = stages(ANSWERS // 2, COMPLETIONS // 2)
    old, server = workers_of(stage.server), stage.server
    for pid in old:
        ports = stage.load.find_ports([pid])
        os.kill(pid, signal.SIGTERM)
        stage.load.wait_moved(ports)
        stage.load.check()
        wait_for(lambda pid=pid: has_ended(pid), REPLACED_S, "the end of an old worker")
        wait_for(lambda: len(workers_of(server)) == 2, REPLACED_S, "a new worker")
        if pid == old[0]:
            stage.add_load()
    assert not set(old) & set(workers_of(server))


def test_s3_a_new_server_takes_the_place_of_the_old_one(stages: Callable[..., Stage]) -> None:
    stage = stages()
    old = stage.server
    folder = {"FRESHET_DATA_DIR": str(old.folder / "data")}
    with Server(settings(stage.provider, **folder), secrets=(KEY, SECRET_KEY)) as new:
        stage.addresses.append(new.address)
        ports = stage.load.find_ports(workers_of(old))
        os.kill(old.pid, signal.SIGTERM)
        stage.load.wait_moved(ports)
        stage.load.check()
        old.wait_ended(REPLACED_S)


def test_s3_answers_that_outlast_the_grace_time_are_taken_over_once(stages: Callable[..., Stage]) -> None:
    stage = stages(6, 0, GUNICORN_CMD_ARGS="--graceful-timeout 6")
    os.kill(stage.server.pid, signal.SIGHUP)
    stage.provider.wait_calls(12, REPLACED_S)
    stage.load.tales.open()
    for number, reader in stage.load.readers.items():
        reading = reader.wait_end()
        assert reading.text == stage.load.tales.texts[number], reader.troubles
        assert reading.resets == 1
    assert set(stage.load.tales.calls.values()) == {2}
