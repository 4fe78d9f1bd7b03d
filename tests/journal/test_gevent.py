"""In a worker, which gevent patches, a journal's server that is frozen holds up nobody else, and the lease has a thread of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journal.away import BOUND_S
from tests.support.postgres import Postgres
from tests.support.redis import Redis

ROOT = Path(__file__).resolve().parents[2]
SERVERS: dict[str, type[Postgres] | type[Redis]] = {"redis": Redis, "postgres": Postgres}


class Worker:
    """The process of `gevent_worker`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def step(self) -> dict[str, Any]:
        """Return what a step found."""
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


@contextmanager
def worker(kind: str, url: str) -> Iterator[Worker]:
    command = [sys.executable, "-m", "tests.journal.gevent_worker", kind, url]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_frozen_server_holds_up_no_greenlet(kind: str) -> None:
    with SERVERS[kind]() as server, worker(kind, server.new_url()) as process:
        assert process.step() == {"renewed": True, "begun": True, "appended": {}, "news": 1}
        server.freeze()
        try:
            process.go_on()
            frozen = process.step()
        finally:
            server.thaw()
        assert (frozen["renewed"], frozen["outcomes"]) == ("away", ["away"] * 3)
        assert frozen["seconds"] < BOUND_S
        assert frozen["gap"] < 0.6, "a call that blocks the event loop does so for a second"
        process.go_on()
        assert process.step() == {"renewed": True, "appended": {}, "condition": "closed"}
