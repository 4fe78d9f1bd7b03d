"""Readers in a storm: each follows one run over many connections, SSE and WebSocket, as the Python client does."""

import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.promises import Reading, Received
from tests.support.rawhttp import Address, Cut
from tests.support.sse import SseReader
from tests.support.ws import Refused, WsClient
from tests.survival.storm_provider import Story
from tests.survival.storm_servers import Node

SILENCE_S = 4.0  # heartbeats come every second: a longer silence is a dead connection
_LINGER_S = 1.0
_CUT_AFTER_S = 4.0
_RETRY_STATUSES = (429, 502, 503, 504)


class TurnedAway(Exception):
    """The server refused to let the reader read on."""

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Channel(Protocol):
    """One connection that carries one run."""

    @property
    def port(self) -> int:
        """Return the local port, while the connection is open."""

    def next(self) -> Sequence[Received] | None:
        """Wait for new frames; none after a heartbeat, None at the end. Raises `TimeoutError`."""

    def drop(self, *, with_reset: bool) -> None:
        """Cut the connection."""


class SseChannel:
    """A stream over SSE. Raises `TurnedAway`."""

    def __init__(
        self, address: Address, headers: dict[str, str], run: str, body: object, cursor: str | None
    ) -> None:
        if body is not None:
            self._reader = SseReader(address, body=body, headers=headers, timeout_s=SILENCE_S + 2)
        else:
            lines = headers | ({} if cursor is None else {"Last-Event-ID": cursor})
            self._reader = SseReader(address, f"/stream/{run}", headers=lines, timeout_s=SILENCE_S)
        if self._reader.status != 200:
            try:
                raw = self._reader.response.read_all(SILENCE_S)
            finally:
                self._reader.drop()
            raise TurnedAway(
                self._reader.status, json.loads(raw)["error"]["code"] if raw.startswith(b"{") else None
            )
        self._taken = 0

    @property
    def port(self) -> int:
        return self._reader.port

    def next(self) -> Sequence[Received] | None:
        reader = self._reader
        known = len(reader.records)
        if not reader.read_until(lambda: len(reader.records) > known, SILENCE_S):
            return None
        new, self._taken = reader.received[self._taken :], len(reader.received)
        return new

    def drop(self, *, with_reset: bool) -> None:
        self._reader.drop(with_reset=with_reset)


class WsChannel:
    """A WebSocket with one run."""

    def __init__(
        self, address: Address, headers: dict[str, str], run: str, body: object, cursor: str | None
    ) -> None:
        self._run, self._taken, self._known = run, 0, 0
        self._client = WsClient(address, headers=headers, timeout_s=SILENCE_S)
        if isinstance(body, dict):
            self._client.send_json(type="start", ref="r", **body)
        else:
            self._client.send_json(
                type="resume", ref="r", run=run, **({} if cursor is None else {"after": cursor})
            )

    @property
    def port(self) -> int:
        return self._client.port

    def next(self) -> Sequence[Received] | None:
        """Wait for new frames. Raises `TurnedAway` too."""
        client = self._client
        if client.receive(SILENCE_S) is None or client.closed is not None:
            return None
        for _, message in client.jsons[self._known :]:
            if "refused" in message:
                raise TurnedAway(message["status"], message["code"])
        self._known = len(client.jsons)
        received = client.received(self._run)
        new, self._taken = received[self._taken :], len(received)
        return new

    def drop(self, *, with_reset: bool) -> None:
        self._client.drop(with_reset=with_reset)


@dataclass(slots=True)
class Shrinking:
    """A reset that took text back which the reader had."""

    had: int
    has: int


@dataclass(slots=True)
class Follower:
    """One reader of a run, and what it has seen of it.

    It cuts its own connections now and then, unless `cuts` is False; `by_websocket` is how often it uses a WebSocket. `place` is
    the node that it asks first; None for any. Where it was cut off it comes back at any node in `moves` of the cases.
    """

    name: str
    story: Story
    nodes: Sequence[Node]
    headers: dict[str, str]
    dice: random.Random
    began: float
    body: dict[str, Any] | None = None  # to start the run; None for a reader that joins
    cuts: bool = True
    by_websocket: float = 0.3
    place: int | None = None
    moves: float = 0.4
    reading: Reading = field(default_factory=Reading)
    faults: list[str] = field(default_factory=list)
    shrunk: list[Shrinking] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)
    connections: int = 0
    terminals: int = 0
    longest: int = 0
    arrivals: list[float] = field(default_factory=list)  # when frames came, by `time.monotonic`
    _epoch: int = 0

    @property
    def has_begun(self) -> bool:
        """Whether it has received anything."""
        return self._epoch > 0

    def follow(self, deadline: float) -> None:
        """Read to the end of the run, over as many connections as it takes."""
        place = self.dice.randrange(len(self.nodes)) if self.place is None else self.place
        while self.reading.terminal is None:
            if time.monotonic() > deadline:
                self.fault("has not come to the end of the answer in time")
                return
            node = self.nodes[place]
            try:
                self._read(node)
                if self.dice.random() < self.moves:
                    place = self.dice.randrange(len(self.nodes))
                continue
            except TurnedAway as away:
                self._note(f"turned away by :{node.address[1]} with {away}")
                if away.status not in _RETRY_STATUSES:
                    self.fault(f"turned away with {away} at {self.reading.cursor}")
                    return
            except (Cut, OSError, Refused) as error:  # also `TimeoutError`: the server is silent
                self._note(f"lost :{node.address[1]}: {type(error).__name__} {error}")
                if isinstance(error, Refused) and error.status not in _RETRY_STATUSES:
                    self.fault(f"its WebSocket was refused: {error}")
                    return
            place = (place + 1) % len(self.nodes)
            time.sleep(self.dice.uniform(0.05, 0.3))  # as clients do, so that a server can start

    def fault(self, what: str) -> None:
        """Note what should not have happened."""
        self.faults.append(what)
        self._note(f"FAULT {what}")

    def _read(self, node: Node) -> None:
        cut_at = time.monotonic() + self.dice.expovariate(1 / _CUT_AFTER_S) if self.cuts else math.inf
        with_reset = self.dice.random() < 0.5
        kind = WsChannel if self.dice.random() < self.by_websocket else SseChannel
        cursor = self.reading.cursor
        body = self.body if cursor is None and not self.has_begun else None
        self.connections += 1
        self._note(f"{kind.__name__} to :{node.address[1]} at {cursor}{' with its question' if body else ''}")
        channel: Channel = kind(node.address, self.headers, self.story.plan.run, body, cursor)
        try:
            while self.reading.terminal is None:
                new = channel.next()
                if new is None:
                    self._note("the connection ended")
                    return
                for one in new:
                    self._take(one)
                if time.monotonic() >= cut_at:
                    self._note(f"cuts by {'RST' if with_reset else 'FIN'} at {self.reading.cursor}")
                    return
            self._linger(channel)
        finally:
            channel.drop(with_reset=with_reset)

    def _linger(self, channel: Channel) -> None:
        """See that nothing of the run follows the terminal frame."""
        until = time.monotonic() + _LINGER_S
        try:
            while time.monotonic() < until and (new := channel.next()) is not None:
                for one in new:
                    self._take(one)
        except (Cut, OSError, TurnedAway):
            pass  # its server was struck: all is read

    def _take(self, one: Received) -> None:
        self.arrivals.append(one.at)
        if one.cursor is not None:
            run, epoch, seq = one.cursor
            if run != self.story.plan.run:
                self.fault(f"got a frame of another run: {one.id}")
            if epoch < self._epoch:
                self.fault(f"epoch {self._epoch} was followed by {epoch}:{seq}: {str(one.frame)[:80]}")
            if epoch != self._epoch:
                self._note(f"epoch {epoch} begins at {seq} with {str(one.frame)[:60]}")
            self._epoch = max(self._epoch, epoch)
        had = self.reading.text
        faults = len(self.reading.faults)
        self.reading.feed(one)
        self.terminals += one.terminal
        for fault in self.reading.faults[faults:]:
            self.fault(fault)
        text = self.reading.text
        if text == had:
            return
        if not self.story.text.startswith(text):
            self.fault(f"has a text that was never sent: …{text[-80:]!r} after …{had[-40:]!r}")
        elif len(text) < len(had):
            self.shrunk.append(Shrinking(len(had), len(text)))
            self._note(f"shrinks from {len(had)} to {len(text)}")
        self.longest = max(self.longest, len(text))

    def _note(self, what: str) -> None:
        self.diary.append(f"{time.monotonic() - self.began:6.2f} s  {self.name}: {what}")
