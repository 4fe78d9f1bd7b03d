"""Programs on Node start answers with its own fetch."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support import node
from tests.support.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.mark.parametrize("agent", ["", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "my-program/1"])
@pytest.mark.parametrize("accept", ["", "text/event-stream", "*/*"])
def test_n26_node_may_get_a_stream(server: Server, agent: str, accept: str) -> None:
    headers = {"user-agent": agent, "accept": accept}
    script = f"""
        const headers = Object.fromEntries(Object.entries({headers}).filter(([, value]) => value));
        fetch("{server.url}/stream?query=hi&max_tokens=3", {{ headers }})
            .then(async (response) => console.log(response.status, (await response.text()).includes("event: done")));
    """
    ran = subprocess.run(
        [*node.find().node, "-e", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout.strip() == "200 true"
