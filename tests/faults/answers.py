"""What the fault tests share: ask, read to the end, and check what every answer promises."""

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.support.dialects import openai_delta
from tests.support.promises import Reading, Received, check_promises
from tests.support.script import Call
from tests.support.server import Server
from tests.support.sse import SseReader
from tests.support.stopwatch import Stopwatch

KEY = "sk-canary-5f0e1d2c3b4a59687766554433221100"
BODY = "body-canary-8c1b7a60"
SECRET_KEY = "cookie-canary-90aa17ce"
WORKERS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A whole answer as one reader received it."""

    run: str
    text: str
    reasoning: str
    terminal: dict[str, Any]
    received: list[Received]
    reading: Reading
    headers_s: float
    elapsed_s: float
    busy_s: float  # without what the machine withheld, for upper bounds; see `Stopwatch`
    silence_s: float

    @property
    def code(self) -> str | None:
        """Return the error's code; None for `done`."""
        return self.terminal.get("code")

    @property
    def counted(self) -> tuple[int, int, bool]:
        """Return the input tokens, the output tokens, and whether they are estimated."""
        usage = self.terminal["usage"]
        return usage["input_tokens"], usage["output_tokens"], usage.get("estimated", False)

    @property
    def text_frames(self) -> list[Received]:
        """Return the frames with text."""
        return [one for one in self.received if "text" in one.frame]


def new_run() -> str:
    """Return a new run id."""
    return secrets.token_urlsafe(16)


def ask(server: Server, query: str = "hello", *, timeout_s: float = 20.0, **body: object) -> Answered:
    """Start a run, read it to its end over SSE, and check I1, I2 and I5 of docs/faults.md."""
    watch = server.stopwatch()
    with SseReader(server.address, body={"query": query, **body}) as reader:
        headers_s = watch.busy_s
        assert reader.status == 200, reader.response.read_all()
        received = reader.read_to_end(timeout_s)
        return answered(reader, received, headers_s, watch)


def answered(
    reader: SseReader, received: list[Received], headers_s: float = 0.0, watch: Stopwatch | None = None
) -> Answered:
    """Check what every answer promises, and return the answer."""
    reading = check_promises(received)
    assert reading.terminal is not None
    for record in reader.records:
        assert KEY not in (record.data or ""), "a key in a frame"
        assert BODY not in (record.data or ""), "a provider's body in a frame"
    elapsed_s = time.monotonic() - reader.began
    busy_s = watch.busy_s if watch else elapsed_s
    return Answered(
        run=reader.run,
        text=reading.text,
        reasoning=reading.reasoning,
        terminal=reading.terminal,
        received=received,
        reading=reading,
        headers_s=headers_s,
        elapsed_s=elapsed_s,
        busy_s=busy_s,
        silence_s=max(0.0, longest_silence(reader) - max(0.0, elapsed_s - busy_s)),
    )


def longest_silence(reader: SseReader) -> float:
    """Return the longest time without a byte, from the request on."""
    times = [reader.began, *(record.at for record in reader.records)]
    return max(after - before for before, after in itertools.pairwise(times))


def ask_all(server: Server, queries: Iterable[str], **body: object) -> list[Answered]:
    """Ask many questions, a few at a time; return the answers in order."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda query: ask(server, query, **body), queries))


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run several tasks at the same moment; return their results."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(60) for future in [pool.submit(task) for task in tasks]]


def query_of(call: Call) -> str:
    """Return the user's question in a request to a provider, in any format."""
    content = call.json["messages"][-1]["content"]
    if isinstance(content, list):
        return "".join(part["text"] for part in content)
    assert isinstance(content, str)
    return content


def deltas(text: str) -> list[bytes]:
    """Return one OpenAI delta per word, spaces kept."""
    words = text.split(" ")
    return [openai_delta(word if last else word + " ") for word, last in _marked(words)]


def _marked(words: list[str]) -> Iterable[tuple[str, bool]]:
    return ((word, number == len(words) - 1) for number, word in enumerate(words))


def stop(server: Server, run: str) -> dict[str, Any]:
    """Stop a run and return the receipt."""
    status, _, body = server.request("POST", f"/stream/{run}/stop")
    assert status == 200, (status, body)
    receipt: dict[str, Any] = json.loads(body)
    return receipt


def refusal_of(status: int, body: bytes) -> dict[str, Any]:
    """Return the error of a response outside a stream, and check its shape."""
    assert status >= 400
    reply = json.loads(body)
    assert list(reply) == ["error"]
    error: dict[str, Any] = reply["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    return error


def cookie_of(server: Server) -> str:
    """Return the cookie of a new visitor."""
    status, headers, _ = server.request("GET", "/", Cookie="none=yet")
    assert status == 200
    return headers["set-cookie"].split(";")[0]
