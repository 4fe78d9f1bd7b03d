"""Slow request bodies: a deadline with a least rate, and few at a time, at every endpoint."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.access.conftest import Start, made
from tests.access.device import PASSWORD, Device
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Address, Response, dial, request
from tests.support.script import Answer
from tests.support.server import Server

GONE_S = 40.0
PATIENCE_S = 30.0

pytestmark = pytest.mark.timeout(180)


class Drip:
    """A request whose body comes byte by byte."""

    def __init__(
        self, address: Address, path: str, headers: str, length: str = "Content-Length: 100000"
    ) -> None:
        self.sock = dial(address)
        head = f"POST {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n{headers}{length}\r\n\r\n"
        self.sock.sendall(head.encode())
        self.sock.settimeout(0)
        self.gone_at: float | None = None

    def drop_byte(self) -> None:
        """Send one byte more, or note that the other side has left."""
        if self.gone_at is not None:
            return
        try:
            self.sock.send(b"x")
            while self.sock.recv(65536):
                pass
            self.gone_at = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self.gone_at = time.monotonic()


def dripping(drips: list[Drip], address: Address, longest_s: float) -> tuple[float, float]:
    """Drip until all are gone; return how long that took, and the slowest answer of `/healthz` meanwhile."""
    began, slowest = time.monotonic(), 0.0
    while any(drip.gone_at is None for drip in drips):
        assert time.monotonic() - began < longest_s, f"{sum(drip.gone_at is None for drip in drips)} are held"
        for drip in drips:
            drip.drop_byte()
        asked = time.monotonic()
        assert request(address, "GET", "/healthz", timeout_s=5)[0] == 200
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.5)  # the drip's own pace
    return time.monotonic() - began, slowest


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"
SIGNED_IN = f"Authorization: Bearer {PASSWORD}\r\n"


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_MAX_STREAMS="50") as running:
        yield running


@pytest.mark.alone
def test_four_hundred_dripping_sign_ins(server: Server) -> None:
    with ExitStack() as stack:
        drips = []
        for _ in range(400):
            drip = Drip(server.address, "/signin", FORM)
            stack.callback(drip.sock.close)
            drips.append(drip)
        took_s, slowest_s = dripping(drips, server.address, GONE_S)
        print(f"gone after {took_s:.1f} s, /healthz within {slowest_s * 1000:.0f} ms")
        assert slowest_s < 1.0


def test_every_endpoint_that_reads_a_body(server: Server, provider: FakeProvider) -> None:
    """Signed in or not, with a length or in chunks."""
    provider.play(Answer(steps=openai(["Hello"])))
    chunked = "Transfer-Encoding: chunked"
    requests = [
        ("/signin", FORM, "Content-Length: 100000"),
        ("/signin", FORM, chunked),
        ("/stream", JSON + SIGNED_IN, "Content-Length: 100000"),
        ("/stream", JSON + SIGNED_IN, chunked),
        ("/v1/chat/completions", JSON + SIGNED_IN, "Content-Length: 100000"),
        ("/conversations/import", JSON + SIGNED_IN, "Content-Length: 60000000"),
        ("/stream", JSON, "Content-Length: 100000"),
        ("/signout", FORM, "Content-Length: 100000"),
        ("/nowhere", JSON + SIGNED_IN, "Content-Length: 100000"),
    ]
    with ExitStack() as stack:
        drips = []
        for path, headers, length in requests:
            drip = Drip(server.address, path, headers, length)
            stack.callback(drip.sock.close)
            drips.append(drip)
        dripping(drips, server.address, GONE_S)
    assert not provider.calls
    assert Device(server.address, {"Authorization": f"Bearer {PASSWORD}"}).ask() == "Hello"


def test_a_cut_body_is_told_so(server: Server) -> None:
    drip = Drip(server.address, "/stream", JSON + SIGNED_IN)
    try:
        drip.sock.settimeout(GONE_S)
        began = time.monotonic()
        response = Response(drip.sock, timeout_s=GONE_S)
        assert response.status in (400, 408)
        assert time.monotonic() - began < GONE_S
    finally:
        drip.sock.close()


def test_a_slow_line_that_is_fast_enough_gets_its_time(start: Start, provider: FakeProvider) -> None:
    """100 kB a second for longer than the patience: an import from a phone."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD)
    size = int(100_000 * (PATIENCE_S + 4))
    with dial(server.address, timeout_s=60) as sock:
        head = (
            f"POST /conversations/import HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{JSON}{SIGNED_IN}"
            f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(head.encode())
        began, sent = time.monotonic(), 0
        while sent < size:
            due = min(size, int((time.monotonic() - began) * 100_000))
            if due > sent:
                sock.sendall(b" " * (due - sent))
                sent = due
            time.sleep(0.02)  # the line's own pace
        response = Response(sock, timeout_s=20)
        assert response.status == 400, "it was read to its end, and is no conversation"
        assert b"not JSON" in response.read_all()
