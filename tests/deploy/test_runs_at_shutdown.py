"""Answers that nobody reads while the server is stopped (docs/faults.md, N10): none of their text is lost."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.answers import KEY, SECRET_KEY, new_run
from tests.faults.conversations import Gated, Person, text_of
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Response, dial, encode_request
from tests.support.server import Server, wait_for

ENDED_S = 20.0
STAYS_S = 3.0  # a worker notices a signal after one second at most
MASTER = "to the master"
WORKER = "to the worker"
_BEGUN = b"GET "  # of a request, so that a worker has its connection


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[Server]:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "SECRET_KEY": SECRET_KEY}
    with Server(env, secrets=(KEY, SECRET_KEY)) as running:
        yield running


def send(server: Server, number: signal.Signals, to: str) -> int:
    """Send a signal; return the worker's process id before it."""
    worker = server.worker
    os.kill(server.pid if to == MASTER else worker, number)
    return worker


def is_gone(pid: int) -> Callable[[], bool]:
    """Return a function that says whether a process has ended; its master reaps it."""
    return lambda: not Path(f"/proc/{pid}").exists()


def stays(pid: int, seconds: float) -> bool:
    """Watch a process for a while; return whether it was there all the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_gone(pid)():
            return False
        time.sleep(0.05)
    return True


def begin(gated: Gated, person: Person, name: str) -> str:
    """Ask, read the first part, and leave; return the run."""
    with person.start(name, "Well?") as reader:
        gated.open(1)
        reader.read_text(1)
        run: str = reader.frames[0]["start"]["run"]
    return run


def stored(person: Person, name: str, run: str) -> tuple[str, str | None]:
    """Return the text of the answer, and its error."""
    message = person.conversation(name)["messages"][run]
    return text_of(message), message.get("error")


def start_again(server: Server) -> None:
    """Wait for the end of a server whose master got a signal, and start it on the same folder."""
    server.wait_ended(ENDED_S)
    server.start()


@pytest.mark.parametrize(
    ("number", "to"),
    [(signal.SIGTERM, MASTER), (signal.SIGTERM, WORKER), (signal.SIGHUP, MASTER), (signal.SIGHUP, WORKER)],
    ids=["TERM to the master", "TERM to the worker", "HUP to the master", "HUP to the worker"],
)
def test_n10_an_answer_that_nobody_reads_goes_on_within_the_grace_time(
    server: Server, provider: FakeProvider, number: signal.Signals, to: str
) -> None:
    anna, name = Person(server), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        run = begin(gated, anna, name)
        worker = send(server, number, to)
        assert stays(worker, STAYS_S), "the worker waits for the answer"
        gated.open()
        wait_for(is_gone(worker), ENDED_S, "the stopped worker, gone")
    if number == signal.SIGTERM and to == MASTER:
        start_again(server)
    wait_for(server.is_ready, ENDED_S, "a new worker")
    assert stored(anna, name, run) == ("It goes on.", None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_n10_an_answer_that_is_not_continued_is_interrupted_with_its_text(
    provider: FakeProvider, number: signal.Signals
) -> None:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "SECRET_KEY": SECRET_KEY}
    with Server(env | {"FRESHET_TAKEOVER": "off"}) as server, Gated("It ", "goes on.") as gated:
        anna, name = Person(server), new_run()
        provider.play(gated.answer)
        run = begin(gated, anna, name)
        worker = send(server, number, MASTER)
        wait_for(is_gone(worker), ENDED_S, "the stopped worker, gone")
        start_again(server)
        assert stored(anna, name, run) == ("It ", "interrupted")


def test_a_server_that_shuts_down_refuses_web_sockets_as_it_refuses_questions(
    server: Server, provider: FakeProvider
) -> None:
    """By connections that were open before: the worker accepts no others."""
    anna = Person(server)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | anna.headers
    with Gated("It ", "goes on.") as gated, ExitStack() as stack:
        provider.play(gated.answer)
        sockets = [stack.enter_context(dial(server.address)) for _ in range(60)]
        for sock in sockets:
            sock.sendall(_BEGUN)

        def ask(method: str, path: str, headers: dict[str, str], body: object = None) -> Response:
            sock = sockets.pop()
            sock.sendall(encode_request(server.address, method, path, headers, body).removeprefix(_BEGUN))
            return Response(sock)

        with anna.start(new_run(), "Well?") as reader:
            gated.open(1)
            reader.read_text(1)
            os.kill(server.pid, signal.SIGTERM)
            wait_for(lambda: ask("GET", "/readyz", {}).status == 503, ENDED_S, "the worker shutting down")
            refused = [
                ask("GET", "/ws", upgrade),
                ask("GET", f"/stream?query=Hi&run={new_run()}", anna.headers),
            ]
            gated.open()
        found = [(one.status, one.headers["retry-after"], json.loads(one.read_all())) for one in refused]
        assert found[0] == found[1]
        assert (found[0][0], found[0][2]["error"]["code"]) == (503, "draining")
    server.wait_ended(ENDED_S)
    server.start()
