"""Slow request bodies: a deadline with a minimum rate, at every endpoint."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.access.conftest import Start, make_server
from tests.access.device import PASSWORD, Device
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Address, Response, dial, request
from tests.support.script import Answer
from tests.support.server import Server

CLOSED_S = 40.0
DEADLINE_S = 30.0

pytestmark = pytest.mark.timeout(180)


class SlowClient:
    """A client that sends a request body byte by byte."""

    def __init__(
        self, address: Address, path: str, headers: str, length: str = "Content-Length: 100000"
    ) -> None:
        self.sock = dial(address)
        head = f"POST {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n{headers}{length}\r\n\r\n"
        self.sock.sendall(head.encode())
        self.sock.settimeout(0)
        self.closed_at: float | None = None

    def send_byte(self) -> None:
        """Send one more byte, or record that the server has closed the connection."""
        if self.closed_at is not None:
            return
        try:
            self.sock.send(b"x")
            while self.sock.recv(65536):
                pass
            self.closed_at = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self.closed_at = time.monotonic()


def send_until_closed(clients: list[SlowClient], address: Address, timeout_s: float) -> tuple[float, float]:
    """Send bytes until all connections are closed. Return the seconds taken and the slowest `/healthz` meanwhile."""
    started, slowest = time.monotonic(), 0.0
    while any(client.closed_at is None for client in clients):
        assert time.monotonic() - started < timeout_s, (
            f"{sum(client.closed_at is None for client in clients)} are still open"
        )
        for client in clients:
            client.send_byte()
        sent_at = time.monotonic()
        assert request(address, "GET", "/healthz", timeout_s=5)[0] == 200
        slowest = max(slowest, time.monotonic() - sent_at)
        time.sleep(0.5)  # the pace of the clients
    return time.monotonic() - started, slowest


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"
SIGNED_IN = f"Authorization: Bearer {PASSWORD}\r\n"


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_MAX_STREAMS="50") as running:
        yield running


@pytest.mark.alone
def test_four_hundred_slow_sign_ins(server: Server) -> None:
    # The first sign-in of a worker opens its database, and creates the tables of a new one.
    request(server.address, "POST", "/signin", timeout_s=30)
    with ExitStack() as stack:
        clients = []
        for _ in range(400):
            client = SlowClient(server.address, "/signin", FORM)
            stack.callback(client.sock.close)
            clients.append(client)
        took_s, slowest_s = send_until_closed(clients, server.address, CLOSED_S)
        print(f"gone after {took_s:.1f} s, /healthz within {slowest_s * 1000:.0f} ms")
        assert slowest_s < 1.0


def test_slow_bodies_are_cut_at_every_endpoint(server: Server, provider: FakeProvider) -> None:
    """Signed in or not, with Content-Length or chunked."""
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
        clients = []
        for path, headers, length in requests:
            client = SlowClient(server.address, path, headers, length)
            stack.callback(client.sock.close)
            clients.append(client)
        send_until_closed(clients, server.address, CLOSED_S)
    assert not provider.calls
    assert Device(server.address, {"Authorization": f"Bearer {PASSWORD}"}).ask() == "Hello"


def test_a_slow_body_gets_a_response(server: Server) -> None:
    client = SlowClient(server.address, "/stream", JSON + SIGNED_IN)
    try:
        client.sock.settimeout(CLOSED_S)
        started_at = time.monotonic()
        response = Response(client.sock, timeout_s=CLOSED_S)
        assert response.status in (400, 408)
        assert time.monotonic() - started_at < CLOSED_S
    finally:
        client.sock.close()


def test_a_body_above_the_minimum_rate_is_read(start: Start, provider: FakeProvider) -> None:
    """An import from a phone: 100 kB per second, for longer than a body without progress may take."""
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD)
    size = int(100_000 * (DEADLINE_S + 4))
    with dial(server.address, timeout_s=60) as sock:
        head = (
            f"POST /conversations/import HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{JSON}{SIGNED_IN}"
            f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
        )
        sock.sendall(head.encode())
        started_at, sent = time.monotonic(), 0
        while sent < size:
            due = min(size, int((time.monotonic() - started_at) * 100_000))
            if due > sent:
                sock.sendall(b" " * (due - sent))
                sent = due
            time.sleep(0.02)  # the rate of the connection
        response = Response(sock, timeout_s=20)
        assert response.status == 400, "it was read completely and is not a conversation"
        assert b"not JSON" in response.read_all()
