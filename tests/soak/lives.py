"""The kinds of life that an answer can have: how it is asked for, read, left, found again, stopped or forgotten.

Each is a function that leads one such life through a running server and raises `AssertionError` if it is not as it should be.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.answers import new_run
from tests.soak import stories
from tests.support.promises import Reading, check_promises
from tests.support.rawhttp import Address, request
from tests.support.sse import SseReader
from tests.support.ws import WsClient

ORPHAN_S = 0.5  # after which an answer that stalls and is not read is stopped
READ_S = 30.0
_TRIES = 20
_PAUSE_S = 0.5  # between two tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One answer to be: its kind and number, the caller's headers, and the dice for what is left to chance."""

    kind: str
    number: int
    address: Address
    headers: Mapping[str, str]
    dice: random.Random
    conversation: str = field(default_factory=new_run)

    @property
    def text(self) -> str:
        """The whole text of the answer."""
        return stories.text(self.number)

    def body(self, **more: Any) -> dict[str, Any]:
        """Return the request, with a run of its own; in a conversation of its own unless `more` says otherwise."""
        question = stories.question(self.kind, self.number)
        fields = {"query": question, "run": new_run(), "conversation": self.conversation} | more
        return {name: value for name, value in fields.items() if value is not None}

    def start(self, **more: Any) -> SseReader:
        """Ask, and begin to read."""
        body = self.body(**more)
        return _open(lambda: SseReader(self.address, body=body, headers=self.headers, timeout_s=READ_S))

    def join(self, run: str, after: str | None = None) -> SseReader:
        """Read a run from its beginning, or after a cursor."""
        lines = dict(self.headers) | ({} if after is None else {"Last-Event-ID": after})
        return _open(lambda: SseReader(self.address, f"/stream/{run}", headers=lines, timeout_s=READ_S))

    def ask_until(self, wanted: int, method: str, path: str) -> None:
        """Make a request, again and again while a busy server asks for that, and check its status."""
        for _ in range(_TRIES):
            status, _, raw = request(self.address, method, path, None, self.headers, timeout_s=READ_S)
            if status != 503:
                break
            time.sleep(_PAUSE_S)
        assert status == wanted, (status, raw[:300])


def _open(connect: Callable[[], SseReader]) -> SseReader:
    """Connect, again and again while a busy server asks for that, as clients do."""
    for _ in range(_TRIES):
        reader = connect()
        if reader.status == 200:
            return reader
        with reader:
            refusal = f"status {reader.status}: {reader.response.read_all()[:300]!r}"
        if reader.status != 503:
            break
        time.sleep(_PAUSE_S)
    raise AssertionError(refusal)


def _read_whole(reader: SseReader) -> Reading:
    return check_promises(reader.read_to_end(READ_S))


def read(life: Life) -> None:
    """Read the answer to its end."""
    with life.start() as reader:
        assert _read_whole(reader).text == life.text


def resumed(life: Life) -> None:
    """Leave in the middle, and come back for the rest, some times."""
    run, received = new_run(), []
    reader = life.start(run=run)
    for _ in range(life.dice.randrange(1, 4)):
        wanted = life.dice.randrange(1, 6)
        reader.read_until(lambda reader=reader, wanted=wanted: len(reader.received) >= wanted, READ_S)
        reader.drop(with_reset=life.dice.random() < 0.5)
        received += reader.received
        if received[-1].terminal:
            break
        reader = life.join(run, received[-1].id)
    else:
        with reader:
            received += reader.read_to_end(READ_S)
    assert check_promises(received).text == life.text


def stopped(life: Life) -> None:
    """Read an answer that stalls, and stop it."""
    with life.start() as reader:
        reader.read_text(5, READ_S)
        life.ask_until(200, "POST", f"/stream/{reader.run}/stop")
        reading = _read_whole(reader)
    assert reading.terminal is not None
    assert reading.terminal.get("finish_reason") == "cancelled", reading.terminal
    assert life.text.startswith(reading.text)


def unread(life: Life) -> None:
    """Leave before the first frame is read; the answer goes on by itself."""
    life.start().drop(with_reset=life.dice.random() < 0.5)


def orphaned(life: Life) -> None:
    """Leave an answer that stalls, which the server stops after a while."""
    life.start(orphan_s=ORPHAN_S).drop(with_reset=life.dice.random() < 0.5)


def joined(life: Life) -> None:
    """Let a second reader, on whichever worker, read the same answer."""
    with life.start() as first:
        first.read_frames(life.dice.randrange(1, 3), READ_S)  # every answer has more
        with life.join(first.run) as second:
            assert _read_whole(first).text == life.text
            assert _read_whole(second).text == life.text


def websocket(life: Life) -> None:
    """Read over a WebSocket, some of which are cut."""
    body = life.body()
    with WsClient(life.address, headers=life.headers, timeout_s=READ_S) as client:
        for tried in range(1, _TRIES + 1):
            client.send_json(type="start", ref=tried, **body)
            reply = _reply_to(client, tried)
            if reply.get("status") != 503:
                break
            time.sleep(_PAUSE_S)
        assert "refused" not in reply, reply
        reading = check_promises(client.read_to_end(body["run"], READ_S))
        client.drop(with_reset=life.dice.random() < 0.3, politely=life.dice.random() < 0.5)
    assert reading.text == life.text


def _reply_to(client: WsClient, ref: int) -> dict[str, Any]:
    """Receive until a message answers the one with a `ref`, and return it."""

    def replies() -> list[dict[str, Any]]:
        return [message for _, message in client.jsons if message.get("ref") == ref]

    assert client.read_until(lambda: bool(replies()), READ_S), f"closed with {client.closed}"
    return replies()[0]


def failing(life: Life) -> None:
    """Read an answer whose provider fails, in one way or another."""
    with life.start() as reader:
        reading = _read_whole(reader)
    assert reading.terminal is not None
    assert "error" in reading.terminal, reading.terminal


def unstored(life: Life) -> None:
    """Read an answer without a conversation, which its owner could come back to."""
    with life.start(conversation=None) as reader:
        assert _read_whole(reader).text == life.text


def temporary(life: Life) -> None:
    """Read an answer that belongs to nobody: without a cookie, and without its text in the journal."""
    body = life.body(conversation=None)
    with _open(lambda: SseReader(life.address, body=body, timeout_s=READ_S)) as reader:
        assert _read_whole(reader).text == life.text


def completion(life: Life) -> None:
    """Ask as a program does, by OpenAI's API."""
    messages = [{"role": "user", "content": stories.question(life.kind, life.number)}]
    body = {"messages": messages, "stream": life.dice.random() < 0.5}
    status, _, raw = request(life.address, "POST", "/v1/chat/completions", body, timeout_s=READ_S)
    assert status == 200, raw[:300]
    assert _completion_text(raw) == life.text


def _completion_text(raw: bytes) -> str:
    if not raw.startswith(b"data:"):
        return str(json.loads(raw)["choices"][0]["message"]["content"])
    lines = [line.removeprefix("data: ") for line in raw.decode().splitlines() if line]
    assert lines[-1] == "[DONE]", lines[-1]
    chunks = [json.loads(line) for line in lines[:-1]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


KINDS: dict[str, tuple[Callable[[Life], None], int]] = {
    "read": (read, 6),
    "resumed": (resumed, 4),
    "stopped": (stopped, 2),
    "unread": (unread, 2),
    "orphaned": (orphaned, 1),
    "joined": (joined, 3),
    "websocket": (websocket, 3),
    "failing": (failing, 2),
    "unstored": (unstored, 2),
    "temporary": (temporary, 2),
    "completion": (completion, 1),
}
"""Each kind of life, and how often it is drawn."""

_STORED = ("read", "resumed", "stopped", "joined", "websocket", "failing")


def draw(seed: int, number: int, address: Address, callers: list[dict[str, str]]) -> Life:
    """Draw the life with a number; the first ones are of each kind in turn."""
    dice = random.Random(f"{seed}:{number}")
    names = list(KINDS)
    weights = [weight for _, weight in KINDS.values()]
    kind = names[number] if number < len(names) else dice.choices(names, weights)[0]
    return Life(kind=kind, number=number, address=address, headers=dice.choice(callers), dice=dice)


def lead(life: Life) -> None:
    """Lead a life to its end. Raises `AssertionError`, or an `OSError` of the connection.

    Then its conversation is deleted: workers keep the last ones in memory, up to 16 MiB, which would hide what is lost otherwise.
    """
    KINDS[life.kind][0](life)
    if life.kind in _STORED:
        life.ask_until(200, "DELETE", f"/conversations/{life.conversation}")
