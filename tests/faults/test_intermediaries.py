"""Proxies between reader and server that buffer, cut and block (docs/faults.md, C14)."""

from collections.abc import Iterator

import pytest

from tests.faults.answers import new_run
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.promises import Received, check_promises
from tests.support.proxy import Proxy
from tests.support.script import Answer, Step
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.ws import WsClient

TEXT = "".join(f"word{number} " for number in range(60))
HEARTBEAT_S = 0.4


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Time runs 25 times faster: a heartbeat of 10 s is 0.4 s, and 30 s without a byte are 1.2 s."""
    return {"FRESHET_HEARTBEAT_S": str(HEARTBEAT_S)}


def steadily(pause_s: float = 0.02) -> Iterator[Step]:
    for word in TEXT.split(" ")[:-1]:
        yield openai_delta(word + " ")
        yield pause_s
    yield from openai_finish()
    yield DONE


def with_silence() -> Iterator[Step]:
    yield openai_delta(TEXT[:100])
    yield 3.0
    yield openai_delta(TEXT[100:])
    yield from openai_finish()
    yield DONE


@pytest.mark.parametrize("door", ["/stream", "/ws"])
@pytest.mark.parametrize("silence_s", [HEARTBEAT_S * 3, HEARTBEAT_S * 5.5])
def test_a_proxy_that_cuts_after_silence_never_does(
    server: Server, provider: FakeProvider, door: str, silence_s: float
) -> None:
    provider.play(Answer(steps=with_silence, head_after_s=2.0))
    with Proxy(server.address, cut_after_silence_s=silence_s) as proxy:
        if door == "/stream":
            with SseReader(proxy.address, body={"query": "hello"}) as reader:
                received = reader.read_to_end()
        else:
            with WsClient(proxy.address) as client:
                run = new_run()
                client.send_json(type="start", ref="1", query="hello", run=run)
                received = client.read_to_end(run)
        assert check_promises(received).text == TEXT
        assert proxy.cuts == []
    assert len(provider.calls) == 1


def test_a_proxy_that_buffers_sixty_four_kilobytes(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=steadily))
    with (
        Proxy(server.address, hold_back_bytes=65536) as proxy,
        SseReader(proxy.address, body={"query": "hello"}) as reader,
    ):
        assert check_promises(reader.read_to_end()).text == TEXT
    assert len(provider.calls) == 1


def test_a_proxy_that_cuts_by_age(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=steadily))
    run = new_run()
    received: list[Received] = []
    with Proxy(server.address, cut_after_s=0.3) as proxy:
        for _ in range(30):
            after = next((one.id for one in reversed(received) if one.id), None)
            headers = {"Last-Event-ID": after} if after else {}
            with SseReader(proxy.address, body={"query": "hello", "run": run}, headers=headers) as reader:
                reader.read_until(lambda: False)
                received += reader.received
            if any(one.terminal for one in received):
                break
        assert len(proxy.cuts) >= 2
    assert check_promises(received).text == TEXT
    assert len(provider.calls) == 1


def test_a_proxy_that_blocks_sse(server: Server, provider: FakeProvider) -> None:
    """The page waits three seconds for SSE and then joins over the WebSocket; here it switches at once."""
    provider.play(Answer(steps=steadily))
    run = new_run()
    with (
        Proxy(server.address, swallow_sse=True) as proxy,
        SseReader(proxy.address, body={"query": "hello", "run": run}) as reader,
    ):
        with pytest.raises(TimeoutError):
            reader.read_frames(1, timeout_s=0.5)
        assert reader.status == 200
        assert not reader.records
        with WsClient(proxy.address) as client:
            client.send_json(type="start", ref="1", query="hello", run=run)
            assert check_promises(client.read_to_end(run)).text == TEXT
    assert len(provider.calls) == 1


def test_the_headers_ask_proxies_not_to_buffer_or_transform(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=steadily))
    with SseReader(
        server.address, body={"query": "hello"}, headers={"Accept-Encoding": "gzip, br"}
    ) as reader:
        watch = server.stopwatch()
        reader.read_frames(1)
        assert watch.busy_s < 1
        assert reader.headers["content-type"].startswith("text/event-stream")
        assert reader.headers["cache-control"] == "no-cache, no-transform"
        assert reader.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in reader.headers
        assert any(record.retry for record in reader.records)
        check_promises(reader.read_to_end())
