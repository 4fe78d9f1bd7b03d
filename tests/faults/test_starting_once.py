"""The same run started again, and stops (docs/faults.md, C10 and C11)."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.answers import ask, at_once, cookie_of, new_run, refusal_of, stop
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.script import STALL, Answer, Step, refusal, silent
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.ws import WsClient

QUERY = {"query": "hello"}


def slowly() -> Iterator[Step]:
    for letter in "Hello there":
        yield openai_delta(letter)
        yield 0.05
    yield from openai_finish()
    yield DONE


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_FIRST_BYTE_S": "20", "FRESHET_RETRY_MAX_S": "20"}


def by_post(server: Server, run: str, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with SseReader(server.address, body=QUERY | ({"run": run} if run else {}), headers=named) as reader:
        assert reader.status == 200
        return check_promises(reader.read_to_end()).text


def by_get(server: Server, run: str) -> str:
    with SseReader(server.address, f"/stream?query=hello&run={run}") as reader:
        assert reader.status == 200
        return check_promises(reader.read_to_end()).text


def by_socket(server: Server, run: str) -> str:
    with WsClient(server.address) as client:
        client.send_json(type="start", ref="1", run=run, **QUERY)
        return check_promises(client.read_to_end(run)).text


WAYS: list[Callable[[Server, str], str]] = [by_post, by_get, by_socket]


def test_c10_the_same_run_in_turn(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    run = new_run()
    assert {way(server, run) for way in (*WAYS, *WAYS)} == {"Hello there"}
    assert len(provider.calls) == 1


def test_c10_the_same_run_at_once_on_every_transport(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    run = new_run()
    texts = at_once(*(lambda way=way: way(server, run) for way in WAYS * 6))
    assert set(texts) == {"Hello there"}
    assert len(provider.calls) == 1


def test_c10_an_idempotency_key_stands_for_a_run(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    key = new_run() + "-any text will do"
    texts = at_once(*(lambda: by_post(server, "", Idempotency_Key=key) for _ in range(6)))
    assert set(texts) == {"Hello there"}
    assert by_post(server, "", Idempotency_Key=key) == "Hello there"
    assert len(provider.calls) == 1
    assert by_post(server, "", Idempotency_Key=key + "!") == "Hello there"
    assert len(provider.calls) == 2


def test_c10_another_body_is_a_conflict(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    run = new_run()
    assert by_post(server, run) == "Hello"
    bodies = [
        {"query": "other"},
        QUERY | {"system": "be brief"},
        QUERY | {"temperature": 0.5},
        QUERY | {"model": "m"},
    ]
    for body in bodies:
        status, _, reply = server.request("POST", "/stream", {**body, "run": run})
        assert status == 409, body
        assert refusal_of(status, reply)["param"] == "run"
    with WsClient(server.address) as client:
        client.send_json(type="start", ref="1", run=run, query="other")
        assert client.read_reply("refused")["status"] == 409
    assert len(provider.calls) == 1


def test_c10_another_owner_finds_nothing(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    run, mine, theirs = new_run(), cookie_of(server), cookie_of(server)
    assert by_post(server, run, Cookie=mine) == "Hello"
    for cookie in ({"Cookie": theirs}, {}):
        status, _, reply = server.request("POST", "/stream", QUERY | {"run": run}, **cookie)
        assert status == 404
        assert "Hello" not in str(refusal_of(status, reply))
    assert len(provider.calls) == 1


def test_c10_a_post_repeated_with_a_cursor_resumes(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=slowly))
    with SseReader(server.address, body=QUERY) as reader:
        reader.read_text(4)
        seen, after = list(reader.received), reader.last_id
        reader.drop()
    assert after is not None
    with SseReader(server.address, body=QUERY, headers={"Last-Event-ID": after}) as again:
        assert check_promises(seen + again.read_to_end()).text == "Hello there"
        last = again.last_id
    status, _, body = server.request("POST", "/stream", QUERY, Last_Event_ID=str(last))
    assert (status, body) == (204, b"")
    assert len(provider.calls) == 1


def test_c10_a_response_that_never_arrived_is_not_paid_for_twice(
    server: Server, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=slowly, head_after_s=0.3))
    run = new_run()
    for _ in range(3):
        with SseReader(server.address, body=QUERY | {"run": run}) as reader:
            reader.drop(with_reset=True)
    assert by_post(server, run) == "Hello there"
    assert len(provider.calls) == 1


@pytest.mark.parametrize(
    "run", ["short", "x" * 23, "ä" * 22, "../../../etc/passwd-xx", 7, None, "a" * 21 + " "]
)
def test_c10_a_malformed_run_id_is_refused(server: Server, provider: FakeProvider, run: object) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    status, _, reply = server.request("POST", "/stream", QUERY | {"run": run})
    if run is None and status == 200:
        return  # null means that no id was chosen
    assert status == 400
    assert refusal_of(status, reply)["param"] == "run"
    assert not provider.calls


STUCK = {
    "silent": silent(),
    "head only": Answer(steps=(STALL,)),
    "mid-answer": Answer(steps=(openai_delta("Hello"), STALL)),
    "drip": Answer(steps=lambda: (step for _ in range(600) for step in (b": x\n\n", 0.1))),
    "backing off": refusal(429, {"error": {"message": "slow"}}, retry_after="15"),
    "flood": Answer(steps=lambda: (step for _ in range(10**5) for step in (openai_delta("x" * 40), 0.0005))),
}


@pytest.mark.parametrize("name", STUCK)
def test_c11_a_stop_ends_it_within_a_second(server: Server, provider: FakeProvider, name: str) -> None:
    provider.play(STUCK[name])
    with SseReader(server.address, body=QUERY) as reader:
        reader.read_frames(2 if name in ("mid-answer", "flood") else 1)
        provider.wait_calls(1)
        watch = server.stopwatch()
        receipt = stop(server, reader.run)
        assert watch.busy_s < 1
        watch = server.stopwatch()
        provider.wait_closed()
        assert watch.busy_s < 1
        reading = check_promises(reader.read_to_end(2))
    assert reading.terminal is not None
    assert (reading.terminal["finish_reason"], reading.terminal["by"]) == ("cancelled", "user")
    assert set(receipt) == {"run", "state", "finish_reason", "usage", "cost", "closed_ms"}
    assert (receipt["run"], receipt["state"], receipt["finish_reason"]) == (
        reader.run,
        "cancelled",
        "cancelled",
    )
    assert receipt["usage"] == reading.terminal["usage"]
    assert 0 <= receipt["closed_ms"] < 1000
    assert len(provider.calls) == 1


def test_c11_stopping_twice_and_on_every_transport(server: Server, provider: FakeProvider) -> None:
    provider.play(STUCK["mid-answer"])
    with SseReader(server.address, body=QUERY) as reader, WsClient(server.address) as other:
        reader.read_text(5)
        other.send_json(type="resume", ref="1", run=reader.run, after=f"{reader.run}:1:0")
        other.read_until(lambda: bool(other.received(reader.run)))
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda _: stop(server, reader.run), range(8)))
        other.send_json(type="stop", ref="2", run=reader.run)
        reply = other.read_reply("stopped")
        assert (reply["run"], reply["ref"]) == (reader.run, "2")
        whole = check_promises(reader.read_to_end(2))
        assert check_promises(other.received(reader.run)).terminal == whole.terminal
    receipts += [reply["stopped"], stop(server, reader.run)]
    assert {receipt["state"] for receipt in receipts} == {"cancelled"}
    assert {str(receipt["usage"]) for receipt in receipts} == {str(receipts[0]["usage"])}


def test_c11_a_stop_after_the_end_changes_nothing(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    answer = ask(server)
    for _ in range(2):
        receipt = stop(server, answer.run)
        assert (receipt["state"], receipt["finish_reason"]) == ("done", "stop")
        assert receipt["usage"] == answer.terminal["usage"]
    with SseReader(server.address, f"/stream/{answer.run}") as again:
        assert check_promises(again.read_to_end()).terminal == answer.terminal


def test_c11_a_stop_while_connecting_over_tls(server: Server, provider: FakeProvider) -> None:
    """The provider accepts the connection and never answers the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        env = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"https://127.0.0.1:{mute.getsockname()[1]}/v1"}
        with Server(env) as other, SseReader(other.address, body=QUERY) as reader:
            reader.read_frames(1)
            mute.settimeout(5)
            listing, _ = mute.accept()  # the server asks for the models when it starts
            taken, _ = mute.accept()
            with listing, taken:
                watch = server.stopwatch()
                assert stop(other, reader.run)["state"] == "cancelled"
                taken.settimeout(2)
                while taken.recv(65536):
                    pass
                assert watch.busy_s < 1
                check_promises(reader.read_to_end(2))


def test_c11_a_run_without_readers_is_cancelled(server: Server, provider: FakeProvider) -> None:
    provider.play(STUCK["mid-answer"])
    with SseReader(server.address, body=QUERY | {"orphan_s": 1}) as reader:
        reader.read_text(5)
        reader.drop()
        watch = server.stopwatch()
        provider.wait_closed(4)
    assert watch.elapsed_s > 0.5
    assert watch.busy_s < 3
    with SseReader(server.address, f"/stream/{reader.run}") as again:
        terminal = check_promises(again.read_to_end()).terminal
    assert terminal is not None
    assert (terminal["finish_reason"], terminal["by"]) == ("cancelled", "orphan")
