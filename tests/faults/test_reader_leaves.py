"""Readers that leave, go silent or read slowly (docs/faults.md, C1 to C4)."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.faults.answers import answered, ask, new_run, stop
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.script import STALL, Answer, Step
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.support.ws import WsClient

HEARTBEAT_S = 0.5
WRITE_S = 5.0
SMALL = 4096


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_HEARTBEAT_S": str(HEARTBEAT_S), "FRESHET_WRITE_S": str(WRITE_S), "FRESHET_RETRIES": "0"}


def resume(server: Server, run: str, after: str | None = None) -> SseReader:
    return SseReader(server.address, f"/stream/{run}?after={after or f'{run}:1:0'}")


@pytest.mark.parametrize("seen", ["nothing", "start"])
@pytest.mark.parametrize("with_reset", [False, True])
def test_c1_leaving_before_the_first_delta(
    server: Server, provider: FakeProvider, seen: str, with_reset: bool
) -> None:
    provider.play(Answer(steps=openai(["Hello ", "there"]), head_after_s=0.6))
    run = new_run()
    with SseReader(server.address, body={"query": "hello", "run": run}) as reader:
        if seen == "start":
            reader.read_frames(1)
        reader.drop(with_reset=with_reset)
    with resume(server, run) as again:
        answer = answered(again, again.read_to_end())
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello there", 1)


@pytest.mark.parametrize("with_reset", [False, True])
def test_c2_leaving_in_the_middle_is_noticed_within_a_heartbeat(
    server: Server, provider: FakeProvider, with_reset: bool
) -> None:
    provider.play(Answer(steps=(openai_delta("Hello "), STALL)))
    with SseReader(server.address, body={"query": "hello"}) as reader:
        reader.read_text(6)
        port, greenlets = reader.port, server.probe()["greenlets"]
        reader.drop(with_reset=with_reset)
        watch = server.stopwatch()
        server.wait_closed_from(port, 10)
        assert watch.busy_s < HEARTBEAT_S + 0.5
        wait_for(lambda: server.probe()["greenlets"] < greenlets, 2, "the reader's greenlet, ended")
        assert provider.open_connections == 1
    assert stop(server, reader.run)["state"] == "cancelled"
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 1


@pytest.mark.parametrize("way", ["close", "fin", "reset"])
def test_c2_leaving_on_a_websocket_is_noticed_at_once(
    server: Server, provider: FakeProvider, way: str
) -> None:
    provider.play(Answer(steps=(openai_delta("Hello "), STALL)))
    run = new_run()
    with WsClient(server.address) as client:
        client.send_json(type="start", ref="1", query="hello", run=run)
        client.read_until(lambda: any("text" in one.frame for one in client.received(run)))
        port, greenlets = client.port, server.probe()["greenlets"]
        client.drop(with_reset=way == "reset", politely=way == "close")
        watch = server.stopwatch()
        server.wait_closed_from(port, 10)
        assert watch.busy_s < 0.4
        wait_for(lambda: server.probe()["greenlets"] < greenlets, 2, "the reader's greenlet, ended")
        assert provider.open_connections == 1
    assert stop(server, run)["state"] == "cancelled"


def flood(seconds: float) -> Iterator[Step]:
    """Yield far more than the kernel's buffers hold, for some seconds."""
    line = "0123456789abcdef" * 64
    for number in range(int(seconds / 0.01)):
        yield openai_delta(f"{number:07d} {line}\n")
        yield 0.01
    yield from openai_finish()
    yield DONE


def test_c3_a_reader_that_stops_reading_is_dropped_and_can_resume(
    server: Server, provider: FakeProvider
) -> None:
    text = "x" * 3_000_000
    provider.play(Answer(steps=(openai_delta(text), *openai_finish(), DONE)))
    with SseReader(server.address, body={"query": "hello"}, receive_buffer=SMALL) as reader:
        reader.read_frames(2)
        run, after = reader.run, reader.last_id
        assert server.wait_closed_from(reader.port, WRITE_S + 5) > WRITE_S - 1
        with resume(server, run, after) as again:
            assert check_promises(reader.received[:2] + again.read_to_end()).text == text
        assert len(provider.calls) == 1


def test_c3_a_websocket_that_stops_reading_is_dropped(server: Server, provider: FakeProvider) -> None:
    text = "x" * 3_000_000
    provider.play(Answer(steps=(openai_delta(text), *openai_finish(), DONE)))
    run = new_run()
    with WsClient(server.address, receive_buffer=SMALL) as client:
        client.send_json(type="start", ref="1", query="hello", run=run)
        client.read_until(lambda: len(client.received(run)) >= 2)
        assert server.wait_closed_from(client.port, WRITE_S + 5) > WRITE_S - 1
        with resume(server, run) as again:
            assert check_promises(again.read_to_end()).text == text


def test_c3_a_websocket_that_answers_no_ping_is_dropped(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(openai_delta("Hello "), STALL)))
    run = new_run()
    with WsClient(server.address, answer_pings=False) as client:
        client.send_json(type="start", ref="1", query="hello", run=run)
        watch = server.stopwatch()
        assert client.read_close(10) == 4408
        assert watch.elapsed_s > HEARTBEAT_S * 2
        assert watch.busy_s < HEARTBEAT_S * 6
    stop(server, run)


def test_c4_a_slow_reader_gets_every_byte_and_a_dead_one_is_dropped(
    server: Server, provider: FakeProvider
) -> None:
    """Read 6 kB/s with a deadline of 5 s: as many bytes per deadline as 1 kB/s with 30 s."""
    text = "".join(f"{number:07d} " for number in range(100_000))
    provider.play(Answer(steps=(openai_delta(text), *openai_finish(), DONE)))
    before = server.memory_bytes()
    with SseReader(server.address, body={"query": "hello"}, receive_buffer=SMALL) as slow:
        slow.read_frames(1)
        with SseReader(server.address, f"/stream/{slow.run}", receive_buffer=SMALL) as dead:
            dead.read_frames(1)
            with pytest.raises(TimeoutError):
                slow.read_slowly(6000, WRITE_S * 3, piece=600)
            assert not server.holds(dead.port), "the reader that reads nothing was not dropped"
            assert slow.cut is None
            received = slow.read_to_end(30)
            assert check_promises(received).text == text
            assert server.memory_bytes() - before < 30 * 2**20
    assert len(provider.calls) == 1


def test_c4_a_websocket_that_reads_slowly_gets_every_byte(server: Server, provider: FakeProvider) -> None:
    """A plain `send` may take a part only; the rest must follow."""
    text = "".join(f"{number:07d} " for number in range(250_000))
    provider.play(Answer(steps=(openai_delta(text), *openai_finish(), DONE)))
    run = new_run()
    with WsClient(server.address, receive_buffer=SMALL) as client:
        client.send_json(type="start", ref="1", query="hello", run=run)
        for _ in range(20):
            client.receive()
            time.sleep(0.05)
        assert check_promises(client.read_to_end(run, 60)).text == text


def test_nothing_is_lost_when_the_only_reader_is_away_for_long(
    server: Server, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=lambda: flood(1.5)))
    with SseReader(server.address, body={"query": "hello"}) as reader:
        reader.read_text(1)
        held = list(reader.received)
        reader.drop()
    provider.wait_closed(5)
    with resume(server, reader.run, reader.last_id) as again:
        assert json.dumps(check_promises(held + again.read_to_end()).terminal)
    assert ask(server, query="another").code is None
