"""The fake provider plays what it is told, to the byte."""

import json
import socket
import ssl
import time
from typing import cast

import pytest
import requests

from tests.support import script
from tests.support.certs import Certificates
from tests.support.dialects import anthropic, ollama, openai, openai_text, pieces_of
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.rawhttp import Address, Cut, Response, dial, encode_request
from tests.support.script import CLOSE, RESET, STALL, Answer, Framing, Raw, paced, refusal, silent, whole


def address_of(provider: FakeProvider) -> Address:
    host, port = provider.url.rsplit("/", 1)[1].split(":")
    return host, int(port)


def ask(provider: FakeProvider) -> Response:
    sock = dial(address_of(provider))
    sock.sendall(encode_request(address_of(provider), "POST", "/v1/x", {"X-Key": "k"}, {"a": 1}))
    return Response(sock)


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_every_framing_carries_the_same_bytes(framing: Framing) -> None:
    with FakeProvider(Answer(steps=(b"one", 0.01, b"two"), framing=framing)) as provider:
        with ask(provider) as response:
            assert response.read_all() == b"onetwo"
        (call,) = provider.calls
        assert (call.method, call.path, call.json, call.headers["x-key"]) == ("POST", "/v1/x", {"a": 1}, "k")
        provider.wait_closed()
        assert call.outcome == "played"


def test_requests_reads_it_over_tls_only_with_our_authority(certificates: Certificates) -> None:
    with FakeProvider(Answer(steps=(b"hello",)), tls=certificates.good) as provider:
        reply = requests.get(provider.url, verify=str(certificates.ca_file), timeout=5)
        assert reply.content == b"hello"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(provider.url, timeout=5)
    for context in (certificates.expired, certificates.untrusted, certificates.wrong_name):
        with FakeProvider(tls=context) as provider, pytest.raises(requests.exceptions.SSLError):
            requests.get(provider.url, verify=str(certificates.ca_file), timeout=5)


def test_a_reset_a_close_and_a_cut_chunk_are_told_apart() -> None:
    cases = [
        ((b"x", 0.02, RESET), "reset"),
        ((b"x", CLOSE), "end of stream"),
        ((Raw(b"5\r\nab"), CLOSE), "end"),
    ]
    for steps, sign in cases:
        with FakeProvider(Answer(steps=steps)) as provider, ask(provider) as response:
            with pytest.raises(Cut, match=sign):
                response.read_all()
            assert len(provider.calls) == 1


def test_a_close_delimited_tls_answer_ends_cleanly(certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca_file))
    with (
        FakeProvider(Answer(steps=(b"hello",), framing="close"), tls=certificates.good) as provider,
        context.wrap_socket(dial(address_of(provider)), server_hostname="127.0.0.1") as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with Response(sock) as response:
            assert response.read_all() == b"hello"


def test_silence_lasts_until_the_other_side_leaves() -> None:
    for answer in (silent(), Answer(steps=(b"x", STALL)), Answer(steps=(b"x", 60.0))):
        with FakeProvider(answer) as provider:
            sock = dial(address_of(provider))
            sock.sendall(encode_request(address_of(provider), "POST", "/", {}, {}))
            provider.wait_calls(1)
            assert provider.open_connections == 1
            sock.close()
            provider.wait_closed()
            assert provider.calls[0].outcome == "left"


def test_an_answer_without_end_stops_with_the_reader() -> None:
    def flood():
        while True:
            yield b"x" * 65536

    with FakeProvider(Answer(steps=flood)) as provider:
        with ask(provider) as response:
            assert response.read(time.monotonic() + 5)
        provider.wait_closed()


class SlowSocket:
    """A socket whose every `sendall` takes 4 ms of a clock that only it and its selector advance."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[bytes] = []

    def monotonic(self) -> float:
        return self.now

    def sendall(self, payload: bytes) -> None:
        self.sent.append(payload)
        self.now += 0.004

    def register(self, *_: object) -> None:
        pass

    def select(self, timeout: float) -> tuple[()]:
        self.now += timeout
        return ()


def test_a_pace_does_not_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for sending is part of the pause, or a slow machine would make an answer last longer."""
    events, sock = openai(pieces_of("x" * 400)), SlowSocket()
    monkeypatch.setattr(script, "time", sock)
    monkeypatch.setattr(script, "_Selector", lambda: sock)
    call = script.Call(0, "POST", "/", {}, b"", 0.0)
    script.Player(cast("socket.socket", sock), call).play(
        Answer(steps=lambda: paced(events, 200), status=None)
    )
    assert (call.outcome, sock.sent) == ("played", list(events))
    assert sock.now == pytest.approx((len(events) - 1) / 200 + 0.004)


def test_scripts_differ_by_call_and_the_last_repeats() -> None:
    with FakeProvider([refusal(503, retry_after="2"), whole({"ok": True})]) as provider:
        seen = []
        for _ in range(3):
            with ask(provider) as response:
                seen.append((response.status, response.headers.get("retry-after"), response.read_all()))
        assert [status for status, *_ in seen] == [503, 200, 200]
        assert seen[0][1] == "2"
        assert json.loads(seen[2][2]) == {"ok": True}
        provider.play(lambda call: refusal(400 + call.number))
        for status in (400, 401):
            with ask(provider) as response:
                assert response.status == status


def test_nobody_listens_on_a_closed_port() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", closed_port()), 2)


def test_dialects_say_the_text() -> None:
    pieces = ["Hé", "llo ", "😀"]
    chat = [json.loads(event[6:]) for event in openai(pieces) if b"[DONE]" not in event]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chat if chunk["choices"])
    older = [json.loads(event[6:]) for event in openai_text(pieces) if b"[DONE]" not in event]
    assert said == "".join(chunk["choices"][0]["text"] for chunk in older) == "Héllo 😀"
    lines = [json.loads(line) for line in ollama(pieces)]
    assert "".join(line["message"]["content"] for line in lines) == "Héllo 😀"
    events = [json.loads(event.split(b"data: ")[1]) for event in anthropic(pieces)]
    assert "".join(e["delta"].get("text", "") for e in events if "delta" in e) == "Héllo 😀"
