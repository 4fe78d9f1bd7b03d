"""The raw readers and the proxy see what came, and say what broke."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
import simple_websocket

from tests.support.fake_provider import FakeProvider
from tests.support.promises import Received, check_promises, digest, read_frames
from tests.support.proxy import Proxy
from tests.support.rawhttp import Address
from tests.support.script import STALL, Answer
from tests.support.sse import SseReader, parse_record
from tests.support.ws import BINARY, PING, PONG, WsClient

RUN = "r" * 22
ANSWER = [
    b'retry: 500\nid: %b:1:1\ndata: {"start": {"run": "%b"}}\n\n' % (RUN.encode(), RUN.encode()),
    b': \n\nid: %b:1:2\ndata: {"text": "He' % RUN.encode(),
    b'llo"}\n\n',
    b'id: %b:1:3\nevent: done\ndata: {"done": true, "sha256": "%b"}\n\n'
    % (RUN.encode(), digest("Hello").encode()),
]


def address_of(provider: FakeProvider) -> Address:
    return "127.0.0.1", int(provider.url.rsplit(":", 1)[1])


def frame(seq: int, epoch: int = 1, **body: object) -> Received:
    return Received(0.0, dict(body), f"{RUN}:{epoch}:{seq}")


def test_an_answer_is_read_with_its_ids_and_comments() -> None:
    with FakeProvider(Answer(steps=tuple(ANSWER))) as provider:
        with SseReader(address_of(provider), body={"query": "x"}) as reader:
            reader.read_text(5)
            assert check_promises(reader.read_to_end()).text == "Hello"
        assert reader.run == RUN
        assert reader.last_id == f"{RUN}:1:3"
        assert len(reader.comments) == 1
        assert reader.records[0].retry == 500
        assert [one.at for one in reader.received] == sorted(one.at for one in reader.received)


@pytest.mark.parametrize(
    "block", ["data:x", "oops: 1", "data: 1\ndata: 2", 'event: done\ndata: {"text": "x"}', ""]
)
def test_what_our_wire_form_does_not_have_is_a_fault(block: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        parse_record(block, 0.0)


@pytest.mark.parametrize(
    "received",
    [
        [frame(1, text="a")],
        [frame(1, done=True, sha256=digest("")), frame(2, text="late")],
        [frame(1, text="a"), frame(3, done=True, sha256=digest("a"))],
        [frame(1, text="a"), frame(2, done=True, sha256=digest("b"))],
        [frame(1, done=True, sha256=digest("")), frame(2, done=True, sha256=digest(""))],
        [frame(2, done=True, sha256=digest(""))],
    ],
)
def test_a_broken_promise_is_seen(received: list[Received]) -> None:
    with pytest.raises(AssertionError):
        check_promises(received)


def test_a_reader_drops_what_it_has_seen_and_forgets_on_a_reset() -> None:
    frames = [frame(1, text="a"), frame(1, text="a"), frame(2, text="b")]
    assert read_frames(frames).text == "ab"
    folded = {"text": "xy", "reasoning": ""}
    parts = [Received(0.0, {"reset": folded}), Received(0.0, {"text": "z"}), frame(7, epoch=2, text="!")]
    reading = read_frames([*frames, *parts, frame(8, epoch=2, text="?")])
    assert (reading.text, reading.faults, reading.resets) == ("xyz!?", [], 1)


def test_leaving_by_fin_and_by_reset_reaches_the_other_side() -> None:
    for with_reset in (False, True):
        with FakeProvider(Answer(steps=(ANSWER[0], STALL))) as provider:
            with SseReader(address_of(provider)) as reader:
                reader.read_frames(1)
                reader.drop(with_reset=with_reset)
            provider.wait_closed()


def test_the_proxy_cuts_holds_back_and_swallows() -> None:
    with FakeProvider(Answer(steps=tuple(ANSWER))) as provider:
        for by_reset in (False, True):
            with (
                Proxy(address_of(provider), cut_after_bytes=300, cut_by_reset=by_reset) as proxy,
                SseReader(proxy.address) as reader,
            ):
                assert not reader.read_until(lambda: False)
                assert reader.cut == ("reset" if by_reset else "end of stream")
                assert proxy.cuts == ["bytes"]
        with Proxy(address_of(provider), hold_back_bytes=65536) as proxy, SseReader(proxy.address) as reader:
            assert check_promises(reader.read_to_end()).text == "Hello"
        with Proxy(address_of(provider), swallow_sse=True) as proxy, SseReader(proxy.address) as reader:
            assert reader.status == 200
            reader.read_until(lambda: False)
            assert reader.cut
            assert not reader.records


@pytest.mark.parametrize("habit", ["cut_after_silence_s", "cut_after_s"])
def test_the_proxy_cuts_by_time(habit: str) -> None:
    with (
        FakeProvider(Answer(steps=(ANSWER[0], STALL))) as provider,
        Proxy(address_of(provider), **{habit: 0.3}) as proxy,
    ):
        began = time.monotonic()
        with SseReader(proxy.address) as reader:
            assert not reader.read_until(lambda: False)
        assert time.monotonic() - began > 0.25
        provider.wait_closed()


@contextlib.contextmanager
def echo_server() -> Iterator[Address]:
    """Serve one WebSocket, which sends back what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            head = sock.recv(65536).decode().split("\r\n")
            lines = dict(line.split(": ", 1) for line in head[1:] if line)
            environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in lines.items()}
            ws = simple_websocket.Server(environ | {"werkzeug.socket": sock})
            with contextlib.suppress(simple_websocket.ConnectionClosed):
                while True:
                    ws.send(ws.receive(5))
            ws.thread.join(5)  # it says the last word

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        listener.close()
        thread.join(5)


def test_the_websocket_speaks_and_breaks_the_protocol() -> None:
    with echo_server() as address, WsClient(address) as client:
        client.send_json(run=RUN, text="é" * 70000)
        client.read_until(lambda: bool(client.received(RUN)))
        assert client.received(RUN)[0].frame == {"text": "é" * 70000}
        client.send_frame(PING, b"there?")
        message = client.receive()
        assert message is not None
        assert (message.opcode, message.payload) == (PONG, b"there?")
        client.send_frame(BINARY, b"ab", fin=False)
        client.send_frame(0, b"cd")
        message = client.receive()
        assert message is not None
        assert (message.opcode, message.payload) == (BINARY, b"abcd")
        client.send_frame(BINARY, reserved=1)
        assert client.read_close() == 1002
        client.drop(with_reset=True)


def test_a_close_code_is_read() -> None:
    with echo_server() as address, WsClient(address) as client:
        client.send_frame(8, struct.pack(">H", 1000))
        assert client.read_close() == 1000
