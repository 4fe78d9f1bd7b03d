"""Every stop signal, to the master, the workers or all processes, with a reader and without (docs/faults.md, N10)."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal

import pytest

from tests.deploy.returning import Returning, Tales
from tests.faults.answers import KEY, SECRET_KEY, new_run
from tests.faults.conversations import Person
from tests.support.fake_provider import FakeProvider
from tests.support.processes import workers_of
from tests.support.server import Server, wait_for
from tests.survival.storm_readers import SseChannel

ENDED_S = 30.0
Target = Literal["master", "workers", "all"]
TARGETS: tuple[Target, ...] = ("workers", "master", "all")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[Server]:
    with Server(settings(provider), secrets=(KEY, SECRET_KEY)) as running:
        yield running


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"])
def test_n10_no_answer_runs_for_ever(
    server: Server, provider: FakeProvider, dice: random.Random, name: str
) -> None:
    number = signal.Signals[name]
    for target in TARGETS:
        tales = Tales(2, dice)
        provider.play(tales)
        print(f"{name} to {target}")
        try:
            stop_and_check(server, provider, tales, number, target)
        finally:
            tales.open()


def stop_and_check(
    server: Server, provider: FakeProvider, tales: Tales, number: signal.Signals, target: Target
) -> None:
    """Send a signal during two answers; both go on after the grace time of a second, in other workers or the next server."""
    wait_for(lambda: len(workers_of(server)) == 2, ENDED_S, "two workers")
    wait_for(server.is_ready, ENDED_S, "a worker")
    anna, conversations = Person(server), (new_run(), new_run())
    with ExitStack() as stack:
        reader = Returning(
            SseChannel,
            lambda: server.address,
            anna.headers,
            tales.question(0),
            more={"conversation": conversations[0]},
        )
        stack.callback(reader.give_up)
        with anna.start(conversations[1], tales.question(1)) as leaving:
            leaving.read_text(len(tales.half(1)))
        wait_for(lambda: reader.has(tales.half(0)), 10.0, "the first half of the answer")
        send(server, number, target)
        provider.wait_calls(4, ENDED_S)  # each answer is continued
        tales.open()
        assert reader.wait_end().text == tales.texts[0], reader.troubles
        for conversation, text in zip(conversations, tales.texts, strict=True):
            wait_for(
                lambda conversation=conversation, text=text: is_stored(anna, conversation, text),
                ENDED_S,
                "the whole answer in its conversation",
            )
        assert tales.calls == {0: 2, 1: 2}


def settings(provider: FakeProvider) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "SECRET_KEY": SECRET_KEY,
        "WEB_CONCURRENCY": "2",
        "FRESHET_HEARTBEAT_S": "1",
        "FRESHET_LEASE_S": "1",
        "GUNICORN_CMD_ARGS": "--graceful-timeout 6",
    }


def send(server: Server, number: signal.Signals, target: Target) -> None:
    """Send a signal; where it ends the server, start the server again on the same folder."""
    pids = {"master": [server.pid], "workers": workers_of(server), "all": [server.pid, *workers_of(server)]}
    for pid in pids[target]:
        os.kill(pid, number)
    if target != "workers" and number != signal.SIGHUP:
        server.wait_ended(ENDED_S)
        server.start()


def is_stored(person: Person, name: str, text: str) -> bool:
    """Return whether a conversation has an answer, and does not say that it is still running."""
    status, _, conversation = person.do("GET", f"/conversations/{name}")
    if status != 200 or conversation["run"] is not None:
        return False
    return person.texts(name)[-1] == text
