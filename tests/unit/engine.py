"""What tests of the engine are made of: providers that do as told, and runs whose pulse is the test's own.

Producers are real threads; every wait is bounded. Time passes only where a test calls `look_round`.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from webapp.chat import ModelMessage, ModelRequest, Usage
from webapp.errors import Interrupted
from webapp.events import Event, Finished, TextDelta
from webapp.frames import Cursor, new_run
from webapp.framing import Rules
from webapp.runs.readers import Delivery
from webapp.runs.registry import RunLimits, Runs
from webapp.runs.run import Order, Run
from webapp.seams import Control, Provider

PATIENCE_S = 10.0
QUESTION = ModelRequest(messages=(ModelMessage.user("Hello there, who are you?"),))

Script = Callable[[Control], Iterator[Event]]


class ScriptedProvider:
    """A provider that does what a test tells it. `asked` counts its calls."""

    def __init__(self, script: Script, name: str = "openai", model: str = "gpt-4.1") -> None:
        self._script = script
        self.name = name
        self.model_name = model
        self.asked = 0

    def open(self, request: ModelRequest, control: Control) -> "ScriptedEvents":
        self.asked += 1
        return ScriptedEvents(self._script(control))


class ScriptedEvents:
    """One event a read, so that each delta leaves in a frame of its own."""

    has_more = False

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        if not wait:
            return []
        event = next(self._events, None)
        if event is None:
            raise Interrupted("the script has no more events")
        return [event]

    def close(self) -> None:
        getattr(self._events, "close", lambda: None)()


def says(*events: Event | Exception | str, **named: str) -> ScriptedProvider:
    """A provider that says these, one after the other, letting each leave on its own; a text is a delta."""

    def script(control: Control) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield TextDelta(event) if isinstance(event, str) else event

    return ScriptedProvider(script, **named)


def answers(*texts: str, **named: str) -> ScriptedProvider:
    """A provider that gives a whole answer."""
    return says(*texts, Finished("stop"), **named)


class Held:
    """A provider that says its first words and then waits where only the test can reach it.

    `stuck` is the kind that no stop reaches; the other waits by its control and is silent.
    """

    def __init__(self, *first: str, stuck: bool = False) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()
        self.aborted = threading.Event()
        self._stuck = stuck
        self.provider = ScriptedProvider(self._script)
        self._first = first

    def _script(self, control: Control) -> Iterator[Event]:
        control.opened(self.aborted.set)
        for text in self._first:
            yield TextDelta(text)
        self.reached.set()
        if self._stuck:
            assert self.release.wait(PATIENCE_S), "the test let it go in time"
        else:
            control.wait(PATIENCE_S)
        yield TextDelta("late")
        yield Finished("stop")

    def wait(self) -> None:
        assert self.reached.wait(PATIENCE_S)


class StillRuns(Runs):
    """Runs without a pulse of their own."""

    def __init__(self, limits: RunLimits | None = None, pricer: Callable[..., Any] | None = None) -> None:
        super().__init__(limits or RunLimits(), Rules(window_s=0.001), pricer or no_price)

    def _start_pulse(self) -> None:
        """Leave time to the test."""

    def look_round(self, now: float) -> None:
        """Run the pulse's check once, at `now`."""
        self._check_all(now)


def no_price(provider: str, models: Sequence[str], usage: Usage) -> None:
    del provider, models, usage


def order(
    *chain: Provider,
    run: str | None = None,
    owner: str | None = None,
    fingerprint: str = "body",
    orphan_s: float = 900.0,
    request: ModelRequest = QUESTION,
) -> Order:
    return Order(
        run=run or new_run(),
        owner=owner,
        fingerprint=fingerprint,
        request=request,
        chain=chain,
        orphan_s=orphan_s,
    )


def start(runs: Runs, *chain: Provider, **rest: Any) -> Run:
    run, new = runs.start(order(*chain, **rest))
    assert new
    return run


def read(runs: Runs, run: Run, cursor: Cursor | None = None, *, prove: bool = True) -> list[Delivery]:
    """Follow a run from a cursor to its end."""
    follower = runs.connect()
    reader = runs.join(run, follower, cursor, prove=prove)
    found: list[Delivery] = []
    while not reader.ended:
        new = reader.take()
        if not new:
            assert follower.wake.wait(PATIENCE_S), f"nothing after {found[-1:]}"
        found += new
    runs.part(run, follower)
    runs.leave(follower)
    return found


def bodies(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    return [json.loads(frame.payload) for frame, _ in deliveries]


def ids(deliveries: Sequence[Delivery]) -> list[tuple[int, int] | None]:
    """The epoch and seq of each delivery."""
    cursors = [None if raw is None else Cursor.parse(raw.decode()) for _, raw in deliveries]
    return [None if cursor is None else (cursor.epoch, cursor.seq) for cursor in cursors]


def text_of(deliveries: Sequence[Delivery]) -> str:
    """The text as a reader shows it: a reset forgets what came before."""
    text = ""
    for body in bodies(deliveries):
        text = body["reset"]["text"] if "reset" in body else text + body.get("text", "")
    return text


def finish(runs: Runs, run: Run) -> dict[str, Any]:
    """Wait for the end and for the producer's thread; gives the terminal frame."""
    last = bodies(read(runs, run))[-1]
    thread = next((one for one in threading.enumerate() if one.name == f"run-{run.id[:8]}"), None)
    if thread is not None:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    return last
