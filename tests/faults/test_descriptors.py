"""A worker that has no descriptors left says so, refuses what is new, and recovers."""

import json
import resource
import socket
import time

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.processes import descriptors_of
from tests.support.rawhttp import Response, dial
from tests.support.script import Answer
from tests.support.server import Server, wait_for


def test_n30_no_descriptors_left(server: Server, provider: FakeProvider) -> None:
    """Each failed `accept` was a traceback, and new connections hung without an answer."""
    provider.play(Answer(steps=openai(["Hello"])))
    workers = server.workers
    _, hard = limits = resource.prlimit(workers[0], resource.RLIMIT_NOFILE)
    held: list[socket.socket] = []
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    room = 8
    try:
        for worker in workers:
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (descriptors_of(worker) + room, hard))
        held += [dial(server.address) for _ in range(len(workers) * room + 2)]
        began = time.monotonic()
        statuses: list[int] = []
        for _ in range(20):
            with dial(server.address) as sock:
                sock.sendall(head)
                response = Response(sock, timeout_s=5)
                statuses.append(response.status)
                if response.status == 503:
                    assert json.loads(response.read_all())["error"]["code"] == "full"
                    assert response.headers["retry-after"] == "5"
        assert set(statuses) <= {200, 503}  # another part of the server may have freed a descriptor
        assert 503 in statuses
        assert time.monotonic() - began < 10
        held[0].sendall(head)  # those that are open go on
        assert Response(held[0]).status == 200
        assert "ulimit -n" in server.wait_log("no connection can be accepted")
        assert server.log.count("no connection can be accepted") <= len(workers)
    finally:
        for sock in held:
            sock.close()
        for worker in workers:
            resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
    began = time.monotonic()
    wait_for(lambda: server.request("GET", "/healthz")[0] == 200, 5, "a server that accepts again")
    assert time.monotonic() - began < 10
    assert server.request("POST", "/v1/chat/completions", {"prompt": "x"})[0] == 200
