"""Bodies over the limit: each gets its JSON answer, whether the client reads before or after it has sent everything."""

import json
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.support.rawhttp import Response, dial
from tests.support.server import Server

MIB = 2**20
LIMIT = 16 * MIB
PASSWORD = "a-long-password"
BLOCK = b" " * 65_536
PATHS = ("/stream", "/v1/chat/completions", "/conversations/import")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({"FRESHET_IMPORT_MAX_BYTES": str(LIMIT), "FRESHET_ACCESS_PASSWORD": PASSWORD}) as running:
        yield running


def head(path: str, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", *headers)
    lines += ("Content-Type: application/json", f"Authorization: Bearer {PASSWORD}", "", "")
    return "\r\n".join(lines).encode()


def send_blocks(sock: socket.socket, size: int, *, chunked: bool = False) -> None:
    for _ in range(0, size, len(BLOCK)):
        sock.sendall(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
    if chunked:
        sock.sendall(b"0\r\n\r\n")


def assert_too_large(response: Response) -> None:
    assert response.status == 413
    error = json.loads(response.read_all())["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "body_too_large")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
@pytest.mark.parametrize("size", [17 * MIB, 40 * MIB])
def test_n30_a_whole_body_gets_its_413(server: Server, path: str, connection: str, size: int) -> None:
    """The connection was reset while the client was sending."""
    with dial(server.address) as sock:
        sock.sendall(head(path, f"Connection: {connection}", f"Content-Length: {size}"))
        send_blocks(sock, size)
        assert_too_large(Response(sock))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [LIMIT + len(BLOCK), 24 * MIB])
def test_n30_a_chunked_body_is_too_large_not_malformed(server: Server, path: str, size: int) -> None:
    """It was cut at the limit, and the rest told as "not JSON"."""
    with dial(server.address) as sock:
        sock.sendall(head(path, "Transfer-Encoding: chunked"))
        send_blocks(sock, size, chunked=True)
        assert_too_large(Response(sock))


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", f"Content-Length: {LIMIT}"])
def test_a_body_at_the_limit_is_read(server: Server, framing: str) -> None:
    with dial(server.address) as sock:
        sock.sendall(head("/stream", framing))
        send_blocks(sock, LIMIT, chunked="chunked" in framing)
        response = Response(sock)
        assert (response.status, json.loads(response.read_all())["error"]["code"]) == (400, "not_json")


def test_the_connection_can_be_used_again(server: Server) -> None:
    with requests.Session() as session:
        for _ in range(2):
            refused = session.post(server.url + "/stream", data=b" " * 17 * MIB, timeout=20)
            assert refused.status_code == 401  # before any of the body was read
        assert session.get(server.url + "/healthz", timeout=20).status_code == 200


def test_a_refusal_does_not_wait_for_the_body(server: Server) -> None:
    with dial(server.address) as sock:
        watch = server.stopwatch()
        sock.sendall(head("/stream", f"Content-Length: {900 * MIB}"))
        response = Response(sock)
        assert_too_large(response)
        assert watch.busy_s < 1
        sock.settimeout(10)
        assert sock.recv(1) == b"", "the connection is held"
        assert watch.busy_s < 4


def test_a_trickle_after_the_refusal_is_cut(server: Server) -> None:
    """What follows a refusal is discarded within a few seconds, however slowly it comes."""
    with dial(server.address) as sock:
        sock.sendall(head("/stream", f"Content-Length: {900 * MIB}"))
        assert_too_large(Response(sock))
        watch = server.stopwatch()
        sock.settimeout(0.3)
        while watch.busy_s < 12:
            try:
                sock.sendall(b" ")
                if sock.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert watch.elapsed_s > 3
        assert watch.busy_s < 8


def test_discarding_does_not_delay_others(server: Server) -> None:
    with dial(server.address) as sock, requests.Session() as session:
        session.get(server.url + "/healthz", timeout=20)
        sock.sendall(head("/stream", f"Content-Length: {200 * MIB}"))
        slowest = 0.0
        for _ in range(100):
            send_blocks(sock, 2 * MIB)
            watch = server.stopwatch()
            session.get(server.url + "/healthz", timeout=20)
            slowest = max(slowest, watch.busy_s)
        assert_too_large(Response(sock))
    assert slowest < 0.4
