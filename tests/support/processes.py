"""The worker processes of a server, and their connections (Linux)."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.support.server import Server, wait_for

_ESTABLISHED = "01"


def workers_of(server: Server) -> list[int]:
    """Return the process ids of a server's workers."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return list(map(int, children.split()))


def connections_of(pid: int) -> set[tuple[int, int]]:
    """Return the open TCP connections of a process as pairs of its own port and the other's."""
    links = _links(pid)
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _ESTABLISHED and f"socket:[{fields[9]}]" in links:
            ends = (fields[1], fields[2])
            local, remote = (int(end.rpartition(":")[2], 16) for end in ends)
            found.add((local, remote))
    return found


def worker_that_serves(server: Server, port: int) -> int:
    """Return the worker that serves the connection from a client's port."""
    return find_holder(workers_of(server), server.port, port)


def find_holder(pids: Sequence[int], own_port: int, port: int) -> int:
    """Return which of these processes has the connection between its own port and another."""
    for pid in pids:
        if (own_port, port) in connections_of(pid):
            return pid
    raise AssertionError(f"no worker has the connection from {port}")


def worker_that_calls(server: Server, url: str) -> int:
    """Return the worker that has a connection to another server, such as a provider, at a URL without a path."""
    port = int(url.rpartition(":")[2])
    for pid in workers_of(server):
        if any(remote == port for _, remote in connections_of(pid)):
            return pid
    raise AssertionError(f"no worker has a connection to {url}")


def descriptors_of(pid: int) -> int:
    """Return how many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def kill_workers(server: Server, *pids: int) -> None:
    """Kill workers of a server, and wait until its master has started others."""
    count = len(workers_of(server))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: len(found := workers_of(server)) >= count and not set(pids) & set(found),
        10.0,
        f"other workers instead of {pids}",
    )


def _links(pid: int) -> set[str]:
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(path.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
