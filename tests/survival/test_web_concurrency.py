"""One server with several workers, as `WEB_CONCURRENCY` starts it: whichever worker a connection reaches, all work."""

import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.access.device import PASSWORD, Device
from tests.faults.answers import at_once, cookie_of, new_run
from tests.faults.conversations import Person
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.script import STALL, Answer, Step
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader

TEXT = "".join(f"word {number} " for number in range(40))
KEY = "sk-canary-77aa"


def slowly() -> Iterator[Step]:
    for word in TEXT.split(" ")[:-1]:
        yield openai_delta(f"{word} ")
        yield 0.02
    yield from openai_finish()
    yield DONE


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake
    assert not fake.failures


def settings(provider: FakeProvider, **more: str) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_PROVIDER": "openai",
        "WEB_CONCURRENCY": "2",
    } | more


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    with Server(settings(provider), secrets=(KEY,)) as running:
        yield running


def workers_of(server: Server) -> list[str]:
    return Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()


def follow(server: Server, run: str, headers: dict[str, str]) -> str:
    with SseReader(server.address, body={"query": "hi", "run": run}, headers=headers) as reader:
        assert reader.status == 200, reader.response.read_all()
        return check_promises(reader.read_to_end()).text


def test_as_many_workers_run_as_are_asked_for(server: Server) -> None:
    assert len(workers_of(server)) == 2


def test_a_run_has_one_call_whichever_workers_its_readers_reach(
    server: Server, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=slowly))
    anna = {"Cookie": cookie_of(server)}
    for round_ in range(1, 4):
        run = new_run()
        texts = at_once(*[lambda run=run: follow(server, run, anna) for _ in range(10)])
        assert set(texts) == {TEXT}
        assert len(provider.calls) == round_


def test_any_worker_stops_a_run(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("Hello"), STALL]))
    anna = {"Cookie": cookie_of(server)}
    for _ in range(4):
        run = new_run()
        with SseReader(server.address, body={"query": "hi", "run": run}, headers=anna) as reader:
            reader.read_text(5)
            status, _, body = server.request("POST", f"/stream/{run}/stop", **anna)
            assert (status, json.loads(body)["state"]) == (200, "cancelled")
            assert check_promises(reader.read_to_end()).text == "Hello"


def test_a_conversation_goes_on_whichever_worker_it_reaches(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    anna, conversation = Person(server), new_run()
    expected = []
    for number in range(6):
        anna.ask(conversation, f"Question {number}")
        expected += [f"Question {number}", "Hello"]
        assert anna.texts(conversation) == expected
    assert [len(call.json["messages"]) for call in provider.calls] == [1, 3, 5, 7, 9, 11]


def test_answers_at_once_are_counted_over_all_workers(provider: FakeProvider) -> None:
    provider.play(Answer(steps=[openai_delta("Hello"), STALL]))
    limits = {"FRESHET_VISITOR_ANSWERS": "2", "FRESHET_PUBLIC": "true", "FRESHET_VISITOR_MODELS": "all"}
    with Server(settings(provider, **limits), secrets=(KEY,)) as server:
        anna = {"Cookie": cookie_of(server)}
        readers = []
        for _ in range(2):
            reader = SseReader(server.address, body={"query": "hi"}, headers=anna)
            assert reader.status == 200
            reader.read_text(5)
            readers.append(reader)
        for _ in range(6):
            with SseReader(server.address, body={"query": "hi"}, headers=anna) as refused:
                assert refused.status == 429
        for reader in readers:
            server.request("POST", f"/stream/{reader.run}/stop", **anna)
            reader.drop()


def test_a_journal_in_memory_has_one_worker(provider: FakeProvider) -> None:
    with Server(settings(provider, FRESHET_JOURNAL="memory"), secrets=(KEY,)) as server:
        assert "one worker runs instead of 2" in server.log
        assert len(workers_of(server)) == 1


# Limits.


def check_counted(statuses: Sequence[int], status: int, limit: int, began: float, window_s: int = 60) -> None:
    """Check how many requests were not refused: in one slot of the clock as many as the limit says, in two at most twice that."""
    most = limit if began // window_s == time.time() // window_s else 2 * limit
    assert set(statuses) == {status, 429}
    assert limit <= statuses.count(status) <= most


def wait_open(server: Server, **headers: str) -> None:
    """Wait until the workers have opened the store: until then each counts for itself."""

    def is_open() -> bool:
        bodies = [json.loads(server.request("GET", "/readyz", **headers)[2]) for _ in range(12)]
        return all(body["store"]["state"] == "ready" for body in bodies)

    wait_for(is_open, 20.0, "the store of both workers")


def test_wrong_passwords_count_over_both_workers(provider: FakeProvider) -> None:
    with Server(settings(provider, FRESHET_ACCESS_PASSWORD=PASSWORD)) as server:
        wait_open(server, Authorization=f"Bearer {PASSWORD}")
        began = time.time()
        guesses = [partial(Device(server.address).sign_in, f"guess {number}") for number in range(24)]
        check_counted(at_once(*guesses), 401, 8, began)
        assert [Device(server.address).sign_in() for _ in range(6)] == [429] * 6


def test_starts_and_new_visitors_count_over_both_workers(provider: FakeProvider) -> None:
    limits = {"FRESHET_VISITOR_STARTS": "6", "FRESHET_ADDRESS_VISITORS": "5"}
    provider.play(lambda _: Answer(steps=openai(["Hello"])))
    with Server(settings(provider, **limits)) as server:
        wait_open(server)
        anna, began = Device(server.address), time.time()
        visits = [anna.open(), *(Device(server.address).open() for _ in range(15))]
        check_counted(visits, 200, 5, began, 3_600)
        began = time.time()
        check_counted([anna.request("POST", "/stream", {"query": "Hi"})[0] for _ in range(16)], 200, 6, began)
