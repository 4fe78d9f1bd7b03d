"""An answer that one worker generates, read, stopped, joined and found from another."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.answers import at_once, new_run
from tests.faults.conversations import Gated, Person
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.promises import Received, check_promises
from tests.support.rawhttp import request
from tests.support.script import STALL, Answer, Step
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.support.ws import WsClient
from tests.survival.workers import KEY, Workers

SOON_S = 3.0
TEXT = "".join(f"word {number} " for number in range(60))


@pytest.fixture(scope="module", params=["sqlite", "postgres", "redis"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Two workers with one journal."""
    settings = {"FRESHET_HEARTBEAT_S": "1", "FRESHET_VISITOR_ORPHAN_S": "3"}
    url = request.getfixturevalue("postgres").new_url() if request.param == "postgres" else None
    if request.param == "redis":
        settings["REDIS_URL"] = request.getfixturevalue("redis").new_url()
    with Workers(settings, database_url=url) as running:
        yield running


@pytest.fixture(autouse=True)
def left_alone(workers: Workers) -> Iterator[None]:
    """End what a test has left unfinished."""
    yield
    workers.provider.hang_up()
    workers.provider.wait_closed()
    assert not workers.provider.failures


def slowly(pause_s: float = 0.02) -> Answer:
    """Return an answer whose words come one after the other."""

    def steps() -> Iterator[Step]:
        for word in TEXT.split(" ")[:-1]:
            yield openai_delta(f"{word} ")
            yield pause_s
        yield from openai_finish()
        yield DONE

    return Answer(steps=steps)


def stalling(*words: str) -> Answer:
    return Answer(steps=[*(openai_delta(word) for word in words), STALL])


def resume(
    server: Server, run: str, headers: dict[str, str], after: str | None = None, **more: Any
) -> SseReader:
    named = headers if after is None else headers | {"Last-Event-ID": after}
    return SseReader(server.address, f"/stream/{run}", headers=named, **more)


def ids(received: list[Received]) -> list[str | None]:
    return [one.id for one in received]


def stop(server: Server, run: str, headers: dict[str, str]) -> dict[str, Any]:
    status, _, body = request(server.address, "POST", f"/stream/{run}/stop", None, headers)
    assert status == 200, body
    receipt: dict[str, Any] = json.loads(body)
    return receipt


def test_a_reader_of_another_worker_gets_the_same_frames(workers: Workers) -> None:
    workers.provider.play(slowly())
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(20)
        with resume(workers.second, run, anna) as other:
            assert other.status == 200
            got = other.read_to_end()
        expected = own.read_to_end()
    assert [one.frame for one in got] == [one.frame for one in expected]
    assert ids(got) == ids(expected)
    assert check_promises(got).text == TEXT
    assert len(workers.provider.calls) == 1


def test_the_first_write_has_all_there_is(workers: Workers) -> None:
    workers.provider.play(stalling("a", "b", "c"))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(3)
        time.sleep(0.2)  # more than a group of the journal
        with resume(workers.second, run, anna) as other:
            other.read_text(3)
            assert other.records[-1].at - other.records[0].at < 0.1
        stop(workers.first, run, anna)


@pytest.mark.parametrize("seq", [0, 1, 2, 10, 30])
def test_a_reader_continues_on_another_worker(workers: Workers, seq: int) -> None:
    workers.provider.play(slowly(0.01))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_frames(seq or 1)
        before = own.received[:seq]
    with resume(workers.second, run, anna, f"{run}:1:{seq}") as other:
        after = other.read_to_end()
    reading = check_promises([*before, *after])
    assert (reading.text, reading.resets) == (TEXT, 0)
    with resume(workers.first, run, anna, f"{run}:1:{seq}") as own:
        assert [one.frame for one in own.read_to_end()] == [one.frame for one in after]
    assert len(workers.provider.calls) == 1


def test_a_reader_hops_between_the_workers(workers: Workers) -> None:
    workers.provider.play(slowly(0.03))
    anna, run = workers.cookie(), new_run()
    received: list[Received] = []
    reader = SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna)
    for hop in range(12):
        with reader:
            assert reader.status == 200
            reader.read_until(lambda reader=reader: len(reader.received) >= 5)
            received += reader.received
            if any(one.terminal for one in reader.received):
                break
            last = next(one.id for one in reversed(received) if one.id is not None)
        reader = resume((workers.second, workers.first)[hop % 2], run, anna, last)
    with reader:
        received += reader.read_to_end()[len(reader.received) :]
    while not received[-1].terminal:
        with resume(workers.second, run, anna, received[-1].id) as rest:
            received += rest.read_to_end()
    reading = check_promises(received)
    assert (reading.text, reading.resets) == (TEXT, 0)


def test_a_reader_with_the_whole_answer_gets_204(workers: Workers) -> None:
    workers.provider.play(Answer(steps=openai(["Hello"])))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_to_end()
        last = own.last_id
    for headers, path in (
        ({"Last-Event-ID": last or ""}, f"/stream/{run}"),
        ({}, f"/stream/{run}?after={last}"),
    ):
        status, _, body = request(workers.second.address, "GET", path, None, anna | headers)
        assert (status, body) == (204, b"")
    with SseReader(
        workers.second.address, body={"query": "hi", "run": run}, headers=anna | {"Last-Event-ID": last or ""}
    ) as again:
        assert again.status == 204


def test_a_stop_from_another_worker(workers: Workers) -> None:
    workers.provider.play(stalling("Hel", "lo"))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(5)
        with resume(workers.second, run, anna) as other:
            other.read_text(5)
            began = time.monotonic()
            receipt = stop(workers.second, run, anna)
            assert time.monotonic() - began < 1.5 + SOON_S
            assert (receipt["run"], receipt["state"], receipt["finish_reason"]) == (
                run,
                "cancelled",
                "cancelled",
            )
            assert receipt["closed_ms"] > 0
            assert receipt["usage"]["output_tokens"] > 0
            for reader in (own, other):
                reading = check_promises(reader.read_to_end())
                assert reading.text == "Hello"
                assert reading.terminal is not None
                assert (reading.terminal["finish_reason"], reading.terminal["by"]) == ("cancelled", "user")
    workers.provider.wait_left()
    assert stop(workers.second, run, anna)["state"] == "cancelled"
    assert stop(workers.first, run, anna)["state"] == "cancelled"


def test_only_its_owner_finds_a_run_of_another_worker(workers: Workers) -> None:
    workers.provider.play(stalling("secret"))
    anna, bert, run = workers.cookie(), workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(6)
        for headers in (bert, {}):
            for method, path, body, expected in (
                ("GET", f"/stream/{run}", None, 404),
                ("POST", f"/stream/{run}/stop", None, 404),
                ("POST", "/stream", {"query": "hi", "run": run}, 404),
            ):
                status, _, reply = request(workers.second.address, method, path, body, headers)
                assert status == expected, (method, path, status)
                assert b"secret" not in reply
            status, _, _ = request(
                workers.second.address, "GET", "/stream", None, headers | {"Last-Event-ID": f"{run}:1:1"}
            )
            assert status == 204
        for headers, expected in ((anna, 200), (bert, 404)):
            with resume(workers.second, run, headers, method="HEAD") as head:
                assert head.status == expected
        stop(workers.first, run, anna)


# Starting once.


def by_post(server: Server, run: str, headers: dict[str, str]) -> str:
    with SseReader(server.address, body={"query": "hi", "run": run}, headers=headers) as reader:
        assert reader.status == 200, reader.response.read_all()
        return check_promises(reader.read_to_end()).text


def by_socket(server: Server, run: str, headers: dict[str, str]) -> str:
    with WsClient(server.address, headers=headers) as client:
        client.send_json(type="start", ref="1", run=run, query="hi")
        return check_promises(client.read_to_end(run)).text


WAYS: list[Callable[[Server, str, dict[str, str]], str]] = [by_post, by_socket]


def test_the_same_run_on_both_workers_at_once_is_one_call(workers: Workers) -> None:
    workers.provider.play(slowly(0.01))
    anna = workers.cookie()
    for _ in range(3):
        calls = len(workers.provider.calls)
        run = new_run()
        tasks = [
            lambda way=way, server=server, run=run: way(server, run, anna)
            for way in WAYS
            for server in (workers.first, workers.second)
        ]
        assert set(at_once(*tasks * 2)) == {TEXT}
        assert len(workers.provider.calls) == calls + 1


def test_the_same_run_later_is_joined(workers: Workers) -> None:
    workers.provider.play(Answer(steps=openai(["Hello"])))
    anna, run = workers.cookie(), new_run()
    assert by_post(workers.first, run, anna) == "Hello"
    assert {way(workers.second, run, anna) for way in WAYS} == {"Hello"}
    assert len(workers.provider.calls) == 1
    status, _, reply = request(workers.second.address, "POST", "/stream", {"query": "else", "run": run}, anna)
    assert (status, json.loads(reply)["error"]["code"]) == (409, "run_conflict")


def test_a_completion_is_joined_by_its_key(workers: Workers) -> None:
    workers.provider.play(slowly(0.01))
    anna = workers.cookie() | {"Idempotency-Key": new_run()}
    body = {"messages": [{"role": "user", "content": "hi"}]}

    def complete(server: Server) -> str:
        status, _, reply = request(server.address, "POST", "/v1/chat/completions", body, anna, timeout_s=20)
        assert status == 200, reply
        text: str = json.loads(reply)["choices"][0]["message"]["content"]
        return text

    texts = at_once(
        *[lambda server=server: complete(server) for server in (workers.first, workers.second) * 2]
    )
    assert set(texts) == {TEXT}
    assert len(workers.provider.calls) == 1


# The WebSocket.


def test_a_socket_reads_and_stops_a_run_of_another_worker(workers: Workers) -> None:
    workers.provider.play(stalling("Hel", "lo"))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(5)
        with WsClient(workers.second.address, headers=anna) as client:
            client.send_json(type="resume", run=run, ref=1)
            client.read_until(lambda: len(client.received(run)) >= 3)
            client.send_json(type="stop", run=run, ref=2)
            reply = client.read_reply("stopped")
            assert reply["stopped"]["state"] == "cancelled"
            reading = check_promises(client.read_to_end(run))
            assert reading.text == "Hello"
            last = client.received(run)[-1].id
            client.send_json(type="resume", run=run, after=last, ref=3)
            assert client.read_reply("refused")["code"] == "at_end"
            client.send_json(type="resume", run=new_run(), ref=4)
            client.read_until(lambda: any(body.get("ref") == 4 for _, body in client.jsons))
            refused = next(body for _, body in client.jsons if body.get("ref") == 4)
            assert refused["status"] == 404


# Conversations.


def test_a_conversation_shows_the_run_of_another_worker(workers: Workers) -> None:
    with Gated("Hello", " you") as gated:
        workers.provider.play(gated.answer)
        anna = Person(workers.first)
        there = Person(workers.second, anna.headers)
        conversation, run = new_run(), new_run()
        with anna.start(conversation, run=run) as reader:
            gated.open(1)
            reader.read_text(5)
            told = there.conversation(conversation)
            assert (told["run"], told["messages"][run]["state"]) == (run, "streaming")
            listed = there.do("GET", "/conversations")[2]["conversations"]
            assert [one["run"] for one in listed if one["id"] == conversation] == [run]
            status, _, refused = there.do(
                "POST", "/stream", {"conversation": conversation, "query": "More?", "parent": run}
            )
            assert (status, refused["error"]["code"]) == (409, "answer_running")
            gated.open()
            reader.read_to_end()
        told = there.conversation(conversation)
        assert (told["run"], told["messages"][run]["state"]) == (None, "done")
        assert there.texts(conversation) == ["Well?", "Hello you"]


def test_deleting_a_conversation_stops_its_run_on_another_worker(workers: Workers) -> None:
    workers.provider.play(stalling("Hel", "lo"))
    anna = Person(workers.first)
    conversation = new_run()
    with anna.start(conversation) as reader:
        reader.read_text(5)
        assert Person(workers.second, anna.headers).do("DELETE", f"/conversations/{conversation}")[0] == 200
        reading = check_promises(reader.read_to_end())
        assert reading.terminal is not None
        assert reading.terminal["finish_reason"] == "cancelled"


# Waiting.


def test_heartbeats_while_nothing_comes(workers: Workers) -> None:
    workers.provider.play(stalling("a"))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(1)
        with resume(workers.second, run, anna) as other:
            other.read_until(lambda: len(other.comments) >= 2)
            assert len(other.comments) >= 2
        stop(workers.second, run, anna)


def test_a_run_that_only_another_worker_s_reader_reads_is_no_orphan(workers: Workers) -> None:
    """Without a reader anywhere for three seconds it would be stopped."""
    workers.provider.play(slowly(0.1))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(1)
    with resume(workers.second, run, anna) as other:
        reading = check_promises(other.read_to_end(30))
    assert reading.terminal is not None
    assert (reading.text, reading.terminal["finish_reason"]) == (TEXT, "stop")


def test_a_run_that_nobody_reads_any_more_is_stopped(workers: Workers) -> None:
    workers.provider.play(stalling("a"))
    anna, run = workers.cookie(), new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}, headers=anna) as own:
        own.read_text(1)
        with resume(workers.second, run, anna) as other:
            other.read_text(1)
    workers.provider.wait_closed(15)
    assert stop(workers.second, run, anna)["state"] == "cancelled"


def test_a_run_without_an_owner_is_stopped_but_not_read_elsewhere(workers: Workers) -> None:
    workers.provider.play(stalling("a"))
    run = new_run()
    with SseReader(workers.first.address, body={"query": "hi", "run": run}) as own:
        own.read_text(1)
        status, headers, reply = request(workers.second.address, "GET", f"/stream/{run}")
        assert (status, json.loads(reply)["error"]["code"]) == (503, "elsewhere")
        assert headers["retry-after"] == "1"
        assert stop(workers.second, run, {})["state"] == "cancelled"
        assert check_promises(own.read_to_end()).text == "a"


def test_what_remote_runs_hold_is_released(workers: Workers) -> None:
    workers.provider.play(Answer(steps=openai(["Hello"])))
    anna = workers.cookie()
    assert by_post(workers.second, new_run(), anna) == "Hello"
    before = workers.second.probe()
    for _ in range(20):
        run = new_run()
        assert by_post(workers.first, run, anna) == "Hello"
        with resume(workers.second, run, anna) as other:
            other.read_to_end()
    names = [name for name in before if name == "greenlets" or "Remote" in name]
    wait_for(
        lambda: all(workers.second.probe().get(name, 0) <= before.get(name, 0) for name in names),
        15.0,
        f"{names} as before, {before}",
    )
    assert workers.second.probe().get("RemoteRun", 0) <= before.get("RemoteRun", 0)


def test_no_key_is_in_the_journal(workers: Workers) -> None:
    for path in workers.folder.glob("journal*"):
        assert KEY.encode() not in path.read_bytes()
