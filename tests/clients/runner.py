"""Runs programs that use clients of others; each prints the text of the answer."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.support import node
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

PROGRAMS = Path(__file__).parent / "programs"
HOME = Path(__file__).resolve().parents[2] / ".cache" / "clients"
ANSWER = ("It rises ", "in the Ardèche, ", "and 𝄞 ends in the sea.")
_RUN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client: the npm packages with versions, or the Python distribution, and the program that uses it."""

    name: str
    program: str
    npm: tuple[str, ...] = ()
    distribution: str = ""

    @property
    def version(self) -> str:
        """The version that is used."""
        return self.npm[0].rpartition("@")[2] if self.npm else metadata.version(self.distribution)


CLIENTS = (
    Client(name="requests", program="requests.py", distribution="requests"),
    Client(name="httpx-sse", program="httpx_sse.py", distribution="httpx-sse"),
    Client(name="websocket-client", program="websocket_client.py", distribution="websocket-client"),
    Client(name="openai (Python)", program="openai_python.py", distribution="openai"),
    Client(name="eventsource", program="eventsource.mjs", npm=("eventsource@3.0.7",)),
    Client(name="eventsource-parser", program="eventsource-parser.mjs", npm=("eventsource-parser@3.0.6",)),
    Client(name="ws", program="ws.mjs", npm=("ws@8.18.3",)),
    Client(name="openai (JavaScript)", program="openai.mjs", npm=("openai@5.12.2",)),
    Client(name="ai, its chat transport", program="ai.mjs", npm=("ai@5.0.60",)),
    Client(
        name="@ai-sdk/openai-compatible",
        program="openai-compatible.mjs",
        npm=("@ai-sdk/openai-compatible@1.0.20", "ai@5.0.60"),
    ),
)


@contextmanager
def server() -> Iterator[Server]:
    """Start a server whose provider always gives the same answer."""
    with FakeProvider(Answer(steps=openai(list(ANSWER)))) as provider:
        env = {
            "OPENAI_API_KEY": "sk-canary-9",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "FRESHET_MODEL": "gpt-4.1",
        }
        with Server(env) as running:
            yield running


def prepare(clients: tuple[Client, ...] = CLIENTS) -> None:
    """Fetch the npm packages, once."""
    packages = sorted({package for client in clients for package in client.npm})
    node.install(node.find(), HOME, *packages)


def run(client: Client, url: str) -> str:
    """Run a client's program against a server; return what it prints, or its error's last line."""
    if client.npm:
        # Node looks for packages beside the program.
        program = HOME / client.program
        program.write_text((PROGRAMS / client.program).read_text())
        command = [*node.find().node, str(program), url]
    else:
        command = [sys.executable, "-P", str(PROGRAMS / client.program), url]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=_RUN_S)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or [""]
    return lines[-1]
