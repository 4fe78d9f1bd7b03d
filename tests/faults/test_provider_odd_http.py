"""Unusual and broken HTTP from a provider."""

import gzip
from collections.abc import Iterator

import pytest

from tests.faults.answers import ask
from tests.support.dialects import DONE, openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, Answer, Raw, Step, whole
from tests.support.server import Server

GOOD = openai(["Hello ", "there"])
BODY = b"".join(GOOD)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {
        "FRESHET_FIRST_BYTE_S": "2",
        "FRESHET_IDLE_S": "1",
        "FRESHET_RETRIES": "0",
    }


def raw(*pieces: bytes | float) -> Answer:
    """Return an answer that sends these bytes as they are, head included, and closes."""
    steps: list[Step] = [Raw(piece) if isinstance(piece, bytes) else piece for piece in pieces]
    return Answer(status=None, steps=(*steps, CLOSE))


def chunk(payload: bytes, extension: bytes = b"", size: bytes | None = None) -> bytes:
    return (size or b"%x" % len(payload)) + extension + b"\r\n" + payload + b"\r\n"


LEGAL = {
    "chunk extensions": raw(CHUNKED + b"\r\n", chunk(BODY, b";name=value;x"), b"0;last\r\n\r\n"),
    "trailers": raw(CHUNKED + b"\r\n", chunk(BODY), b"0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n"),
    "upper-case size": raw(
        CHUNKED + b"\r\n", chunk(BODY[:200], size=b"00C8"), chunk(BODY[200:]), b"0\r\n\r\n"
    ),
    "no last chunk": raw(CHUNKED + b"\r\n", chunk(BODY)),
    "http/1.0": raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", BODY),
    "informational first": raw(b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"\r\n", BODY),
    "no reason phrase": raw(OK.replace(b" OK", b""), b"\r\n", BODY),
    "names in capitals": raw(
        CHUNKED.upper().replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK"), b"\r\n", chunk(BODY), b"0\r\n\r\n"
    ),
    "head and body at once": raw(OK + b"\r\n" + BODY),
    "head in pieces": raw(OK[:5], 0.05, OK[5:30], 0.05, OK[30:], b"\r", 0.05, b"\n", BODY),
    "exact length": raw(OK + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY),
    "more than its length": raw(
        OK + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY, b"HTTP/1.1 500 Extra\r\n\r\n"
    ),
    "cookies": raw(OK + b"Set-Cookie: a=b; Domain=127.0.0.1\r\n\r\n", BODY),
    "no content type": raw(b"HTTP/1.1 200 OK\r\n\r\n", BODY),
}


@pytest.mark.parametrize("name", LEGAL)
def test_unusual_but_legal_http_is_read(server: Server, provider: FakeProvider, name: str) -> None:
    provider.play(LEGAL[name])
    answer = ask(server)
    assert (answer.code, answer.text, len(provider.calls)) == (None, "Hello there", 1)
    assert "cookie" not in provider.calls[0].headers


def head_drip() -> Iterator[Step]:
    yield Raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        yield Raw(b"X-Slow: 1\r\n")
        yield 0.3


def head_flood() -> Iterator[Step]:
    yield Raw(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        yield Raw(b"X-Header-%d: %b\r\n" % (number, b"y" * 500))


BOMB = gzip.compress(openai_delta("x") * 200_000)
BROKEN = {
    "early hints": raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", OK + b"\r\n", BODY),
    "no http at all": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "half a status line": raw(b"HTTP/1.1 2"),
    "a status that is no number": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a head that never ends": Answer(status=None, steps=head_drip),
    "a head without bound": Answer(status=None, steps=head_flood),
    "a line of the head without bound": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000),
    "a chunk size that is no number": raw(CHUNKED + b"\r\n", b"xyz\r\n" + BODY),
    "a negative chunk size": raw(CHUNKED + b"\r\n", b"-5\r\n" + BODY),
    "an enormous chunk size": raw(CHUNKED + b"\r\n", b"f" * 64 + b"\r\n" + openai_delta("a")),
    "a chunk size line without end": raw(CHUNKED + b"\r\n", b"5;" + b"x" * 300_000),
    "gzip unasked": raw(OK + b"Content-Encoding: gzip\r\n\r\n", BOMB),
    "gzip unnamed": raw(OK + b"\r\n", BOMB),
    "no content": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "another 2xx": raw(b"HTTP/1.1 206 Partial Content\r\n\r\n", BODY[:100]),
    "an empty body": raw(OK + b"Content-Length: 0\r\n\r\n"),
    "zero bytes": raw(OK + b"\r\n", b"\0" * 100_000),
    "a whole answer": whole({"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}),
    "switching protocols": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", BODY),
    "a length that is no number": raw(OK + b"Content-Length: many\r\n\r\n", BODY[:100]),
    "deep json": Answer(steps=(openai_delta("a"), b"data: " + b"[" * 200_000 + b"\n\n", DONE)),
    "huge numbers": Answer(
        steps=(b'data: {"usage": {"prompt_tokens": ' + b"9" * 5000 + b"}}\n\n", *GOOD[:1])
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_http_leads_to_one_terminal_frame(server: Server, provider: FakeProvider, name: str) -> None:
    provider.play(BROKEN[name])
    before = server.memory_bytes()
    answer = ask(server)
    if answer.code is None:
        assert answer.terminal["finish_reason"] in ("stop", "length")
    else:
        assert answer.code.startswith("upstream_") or answer.code == "interrupted", answer.terminal
    assert answer.busy_s < 8
    watch = server.stopwatch()
    provider.wait_closed()
    assert watch.busy_s < 2
    assert server.memory_bytes() - before < 60 * 2**20
    assert "Traceback" not in server.log
