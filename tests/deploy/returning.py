"""Answers that go on while servers are restarted, and readers that come back to them until they have ended."""

from __future__ import annotations

import random
import string
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.answers import new_run
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.promises import Reading
from tests.support.rawhttp import Address, Cut
from tests.support.script import Answer, Call, Step
from tests.support.ws import Refused
from tests.survival.storm_readers import Channel, SseChannel, TurnedAway, WsChannel

_WORDS = 40
_DELTA_S = 0.03
_HELD_S = 120.0
_AWAY_STATUSES = (429, 502, 503)
_RETURN_S = (0.05, 0.3)  # readers come back at random, as clients do


class Tales:
    """A provider's answers, known beforehand. `open` lets the second half of each follow, also in calls that continue one."""

    def __init__(self, count: int, dice: random.Random) -> None:
        self.texts = [_make_text(dice) for _ in range(count)]
        self.calls: Counter[int] = Counter()
        self._is_open = threading.Event()

    def question(self, number: int) -> str:
        """Return the question that a text answers."""
        return f"Tell tale {number}."

    def half(self, number: int) -> str:
        """Return what comes of an answer before `open`."""
        return "".join(_pieces(self.texts[number])[: _WORDS // 2])

    def open(self) -> None:
        """Let the answers go on to their ends."""
        self._is_open.set()

    def __call__(self, call: Call) -> Answer:
        """Stream the text that is asked for, or the rest of it."""
        messages = call.json["messages"]
        number = int(messages[0]["content"].split()[-1].rstrip("."))
        begun = messages[1]["content"] if len(messages) > 1 else ""
        assert self.texts[number].startswith(begun), f"asked to continue {begun!r}"
        self.calls[number] += 1
        return Answer(steps=lambda: self._tell(number, len(begun)))

    def _tell(self, number: int, begun: int) -> Iterator[Step]:
        end = 0
        for place, piece in enumerate(_pieces(self.texts[number])):
            end += len(piece)
            if end <= begun:
                continue
            if place >= _WORDS // 2:
                assert self._is_open.wait(_HELD_S)
            yield openai_delta(self.texts[number][max(begun, end - len(piece)) : end])
            yield _DELTA_S
        yield from openai_finish()
        yield DONE


def _make_text(dice: random.Random) -> str:
    words = ("".join(dice.choices(string.ascii_lowercase, k=7)) for _ in range(_WORDS))
    return "".join(f"{word}{number} " for number, word in enumerate(words))


def _pieces(text: str) -> list[str]:
    return [f"{word} " for word in text.split()]


@dataclass
class Returning:
    """A reader of one answer, in a thread of its own, which comes back wherever `address` says until the answer has ended."""

    kind: type[SseChannel | WsChannel]
    address: Callable[[], Address]
    headers: Mapping[str, str]
    question: str
    run: str = field(default_factory=new_run)
    more: Mapping[str, Any] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    terminals: int = 0
    connections: int = 0
    port: int | None = None
    troubles: list[str] = field(default_factory=list)
    _is_given_up: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read_to_end, daemon=True)
        self._thread.start()

    def has(self, text: str) -> bool:
        """Return whether it has read at least this text."""
        return self.reading.text.startswith(text)

    def wait_end(self, timeout_s: float = 30.0) -> Reading:
        """Wait until it has read to the end, and check what every answer promises."""
        self._thread.join(timeout_s)
        assert not self._thread.is_alive(), f"{self.run} is not at its end: {self.troubles}"
        assert self.reading.terminal is not None, self.troubles
        assert not self.reading.faults, (self.reading.faults, self.troubles)
        assert self.terminals == 1
        return self.reading

    def give_up(self) -> None:
        """End the thread, whatever it has read."""
        self._is_given_up.set()
        self._thread.join(10.0)

    def _read_to_end(self) -> None:
        while self.reading.terminal is None and not self._is_given_up.is_set():
            try:
                self._read_on()
            except TurnedAway as away:
                self.troubles.append(f"turned away: {away}")
                if away.status not in _AWAY_STATUSES:
                    return
            except (Cut, OSError, Refused) as error:
                self.troubles.append(repr(error))
            time.sleep(random.uniform(*_RETURN_S))

    def _read_on(self) -> None:
        """Read over one connection until it ends."""
        cursor = self.reading.cursor
        body = {"query": self.question, "run": self.run, **self.more} if cursor is None else None
        channel: Channel = self.kind(self.address(), dict(self.headers), self.run, body, cursor)
        self.port, self.connections = channel.port, self.connections + 1
        try:
            while self.reading.terminal is None and not self._is_given_up.is_set():
                new = channel.next()
                if new is None:
                    return
                for one in new:
                    self.terminals += one.terminal
                    self.reading.feed(one)
        finally:
            self.port = None
            channel.drop(with_reset=False)
