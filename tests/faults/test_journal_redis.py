"""The Redis of the journal down at the start, dying in the middle of an answer, frozen, flushed, read-only or full (docs/faults.md, S9)."""

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from tests.faults.answers import KEY, answered, ask, new_run
from tests.faults.conversations import Gated, Person
from tests.faults.workers import ask_each
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.redis import Redis
from tests.support.script import Answer
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from webapp.journal.redis_scripts import PREFIX

RECOVERED_S = 10.0
TIMELY_S = 1.6
FIRST_FRAME_S = 1.3  # a second for all that is waited for together, and the rest for the work
CONNECTIONS = 3  # of each worker: for reads, writes and the lease


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as created:
        yield created


@pytest.fixture(scope="module")
def settings(redis: Redis) -> dict[str, str]:
    return {"REDIS_URL": redis.url()}


@pytest.fixture(scope="module")
def server(redis: Redis, server: Server, provider: FakeProvider) -> Server:
    """Open the server's connections to Redis, so that they count as what it always holds."""
    provider.play(Answer(steps=openai(["warm"])))

    def is_connected() -> bool:
        ask(server)
        clients: bytes = redis.execute("CLIENT", "LIST")
        return clients.count(b"cmd=eval") == CONNECTIONS * len(server.workers)

    wait_for(is_connected, RECOVERED_S, "the connections")
    return server


def state_of_journal(server: Server) -> str:
    """Return the journal's state from /readyz: `away` if it is for one of the workers."""
    states = []
    for status, _, body in ask_each(server, "/readyz"):
        assert status == 200, "a server without its journal answers"
        found = json.loads(body)["journal"]
        assert found["kind"] == "redis"
        states.append(str(found["state"]))
    return next((state for state in states if state != "ready"), "ready")


@contextlib.contextmanager
def stopped(redis: Redis) -> Iterator[None]:
    redis.stop()
    yield
    redis.start()


@contextlib.contextmanager
def frozen(redis: Redis) -> Iterator[None]:
    redis.freeze()
    yield
    redis.thaw()


@contextlib.contextmanager
def flushed(redis: Redis) -> Iterator[None]:
    redis.flush()
    yield


@contextlib.contextmanager
def read_only(redis: Redis) -> Iterator[None]:
    redis.execute("REPLICAOF", "127.0.0.1", "1")
    yield
    redis.execute("REPLICAOF", "NO", "ONE")


@contextlib.contextmanager
def full(redis: Redis) -> Iterator[None]:
    with redis.configured("maxmemory", "1"):
        yield


FAULTS: dict[str, Callable[[Redis], contextlib.AbstractContextManager[None]]] = {
    "stopped": stopped,
    "frozen": frozen,
    "flushed": flushed,
    "read-only": read_only,
    "full": full,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_s9_an_answer_goes_on_and_the_journal_recovers(
    server: Server, provider: FakeProvider, redis: Redis, fault: str
) -> None:
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with SseReader(server.address, body={"query": "Still there?"}) as reader:
            gated.open(1)
            reader.read_text(1)
            with FAULTS[fault](redis):
                if fault != "flushed":  # which is a journal that works, and has lost its runs
                    wait_for(lambda: state_of_journal(server) == "away", RECOVERED_S, "the fault")
                watch = server.stopwatch()
                gated.open()
                answer = answered(reader, reader.read_to_end())
                assert watch.busy_s < TIMELY_S
                assert answer.text == "It goes on."
                provider.play(Answer(steps=openai(["Yes."])))
                watch = server.stopwatch()
                assert ask(server).text == "Yes."
                assert watch.busy_s < 2 * TIMELY_S
    wait_for(lambda: state_of_journal(server) == "ready", RECOVERED_S, "the journal")
    provider.play(Answer(steps=openai(["Again."])))
    answer = ask(server)
    assert answer.text == "Again."
    assert stored(redis, answer.run)
    assert "Traceback" not in server.log
    if fault != "flushed":
        server.wait_log("the redis journal is available again")


def test_s9_the_first_question_after_it_froze_waits_once(
    server: Server, provider: FakeProvider, redis: Redis
) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    anna, name = Person(server), new_run()
    anna.ask(name)
    with frozen(redis):
        watch = server.stopwatch()
        with anna.start(name, "Still there?", run=new_run()) as reader:
            reader.read_frames(1)
            print(f"first frame after {watch.busy_s:.2f} s")
            assert watch.busy_s < FIRST_FRAME_S
            assert answered(reader, reader.read_to_end()).text == "Yes."
    wait_for(lambda: state_of_journal(server) == "ready", RECOVERED_S, "the journal")


def test_s9_down_at_the_start(provider: FakeProvider) -> None:
    with Redis() as own:
        own.stop()
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "REDIS_URL": own.url()}
        with Server(env, secrets=(KEY,), dirty_log=True) as server:
            provider.play(Answer(steps=openai(["Hello."])))
            assert ask(server).text == "Hello."
            assert state_of_journal(server) == "away"
            own.start()
            wait_for(lambda: state_of_journal(server) == "ready", RECOVERED_S, "the journal")
            answer = ask(server)
            assert answer.text == "Hello."
            assert stored(own, answer.run)


def stored(redis: Redis, run: str) -> bool:
    """Return whether Redis has a run with its end."""
    return redis.execute("HGET", f"{PREFIX}run:{run}", "terminal") is not None
