"""What the fault tests do so that it does not matter how many workers a server has."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.faults.answers import ask, cookie_of, stop
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.processes import worker_that_serves
from tests.support.rawhttp import VISITORS, Response, dial, encode_request
from tests.support.script import Answer, Step
from tests.support.server import Server
from tests.support.sse import SseReader

_MAX_TRIES = 200  # until each worker has accepted a connection


def ask_each(server: Server, path: str) -> list[tuple[int, dict[str, str], bytes]]:
    """Make a GET request to each worker; return the responses."""
    found: dict[int, tuple[int, dict[str, str], bytes]] = {}
    for _ in range(_MAX_TRIES):
        with dial(server.address) as sock:
            sock.sendall(encode_request(server.address, "GET", path, {"Connection": "keep-alive"}))
            response = Response(sock)
            body = response.read_all()
            worker = worker_that_serves(server, sock.getsockname()[1])
            found[worker] = (response.status, response.headers, body)
        if len(found) == len(server.workers):
            return list(found.values())
    raise AssertionError(f"of the workers {server.workers} only {list(found)} took a request")


@contextmanager
def known_callers(server: Server) -> Iterator[None]:
    """Make callers without a cookie one visitor, where a server has several workers: they share the text of known callers only."""
    if not server.has_several_workers:
        yield
        return
    VISITORS[server.address] = cookie_of(server)
    try:
        yield
    finally:
        del VISITORS[server.address]


def warm_workers(server: Server, provider: FakeProvider) -> None:
    """Let each worker answer, and read answers of the others, so that its permanent memory is allocated."""
    if server.has_several_workers:
        provider.play(Answer(steps=_steadily))
        for worker in server.workers:
            _warm(server, worker)
        provider.hang_up()
    provider.play(Answer(steps=openai(["warm"])))
    assert ask(server).text == "warm"


def _steadily() -> Iterator[Step]:
    while True:  # until the answer is stopped: a pause would be taken for its end
        yield openai_delta("warm")
        yield 0.1


def _warm(server: Server, worker: int) -> None:
    """Start an answer on a worker, and read it on all others."""
    with ExitStack() as stack:
        run = _start_on(server, worker, stack)
        missing = set(server.workers) - {worker}
        for _ in range(_MAX_TRIES):
            if not missing:
                break
            reader = stack.enter_context(SseReader(server.address, f"/stream/{run}"))
            reader.read_text(4)
            missing.discard(worker_that_serves(server, reader.port))
        assert not missing, f"the workers {missing} take no connection"
        stop(server, run)


def _start_on(server: Server, worker: int, stack: ExitStack) -> str:
    """Start an answer on a worker; return its run. Those that start on another are stopped."""
    for _ in range(_MAX_TRIES):
        reader = stack.enter_context(SseReader(server.address, body={"query": "warm"}))
        reader.read_text(4)
        if worker_that_serves(server, reader.port) == worker:
            return reader.run
        stop(server, reader.run)
    raise AssertionError(f"the worker {worker} takes no connection")
