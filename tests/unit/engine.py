"""Helpers for tests of the engine: scripted providers, and runs whose pulse is called by the test.

Producers are real threads; every wait is bounded. Time-dependent checks happen only in `run_pulse`.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from webapp.chat import ModelMessage, ModelRequest, Usage
from webapp.errors import Interrupted
from webapp.events import Event, Finished, TextDelta
from webapp.frames import Cursor, new_run
from webapp.framing import FramingRules
from webapp.measurements import Observer
from webapp.runs.pulse import Pulse
from webapp.runs.readers import Delivery
from webapp.runs.registry import Runs
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits
from webapp.runs.run_spec import RunSpec
from webapp.seams import Control, EventStream, Journal, Provider

TIMEOUT_S = 10.0
QUESTION = ModelRequest(messages=(ModelMessage.user("Hello there, who are you?"),))

Script = Callable[[Control], Iterator[Event]]


class ScriptedProvider:
    """A provider that plays a script; `calls` counts its calls."""

    def __init__(self, script: Script, name: str = "openai", model: str = "gpt-4.1") -> None:
        self._script = script
        self.name = name
        self.model_name = model
        self.calls = 0

    def open(self, request: ModelRequest, control: Control) -> "ScriptedEvents":
        self.calls += 1
        return ScriptedEvents(self._script(control))


class ScriptedEvents:
    """Returns one event a read, so that each delta is sent in its own frame."""

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

    @property
    def rest(self) -> EventStream:
        return self

    def close(self) -> None:
        getattr(self._events, "close", lambda: None)()


def scripted(*events: Event | Exception | str, **named: str) -> ScriptedProvider:
    """Return a provider that sends these events one after the other; a string is a text delta."""

    def script(control: Control) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield TextDelta(event) if isinstance(event, str) else event

    return ScriptedProvider(script, **named)


def answers(*texts: str, **named: str) -> ScriptedProvider:
    """Return a provider that sends a complete answer."""
    return scripted(*texts, Finished("stop"), **named)


class PausedAnswer:
    """A provider that sends its first deltas and then pauses.

    A `stuck` provider cannot be stopped, until the test sets `release`; otherwise it waits through its control.
    """

    def __init__(self, *first: str, stuck: bool = False) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()
        self.aborted = threading.Event()
        self._stuck = stuck
        self.provider = ScriptedProvider(self._script)
        self._first = first

    def _script(self, control: Control) -> Iterator[Event]:
        control.register_abort(self.aborted.set)
        for text in self._first:
            yield TextDelta(text)
        self.reached.set()
        if self._stuck:
            assert self.release.wait(TIMEOUT_S), "the test did not set `release`"
        else:
            control.wait(TIMEOUT_S)
        yield TextDelta("late")
        yield Finished("stop")

    def wait(self) -> None:
        assert self.reached.wait(TIMEOUT_S)


class StillPulse(Pulse):
    def start(self) -> None:
        """Start no thread."""


class RunsWithoutPulse(Runs):
    """Runs without a pulse thread; the test calls `run_pulse`."""

    def __init__(
        self,
        limits: RunLimits | None = None,
        pricer: Callable[..., Any] | None = None,
        observer: Observer | None = None,
        journal: Journal | None = None,
        worker: str | None = None,
    ) -> None:
        rules = FramingRules(window_s=0.001)
        super().__init__(limits or RunLimits(), rules, pricer or no_price, observer, journal, worker)
        self._pulse = StillPulse(self._check_all)

    def run_pulse(self, now: float) -> None:
        """Run the checks of the pulse once, at `now`."""
        self._check_all(now)


def no_price(provider: str, models: Sequence[str], usage: Usage) -> None:
    del provider, models, usage


def run_spec(
    *chain: Provider,
    run: str | None = None,
    owner: str | None = None,
    fingerprint: str = "body",
    orphan_s: float = 900.0,
    request: ModelRequest = QUESTION,
) -> RunSpec:
    return RunSpec(
        run=run or new_run(),
        owner=owner,
        fingerprint=fingerprint,
        request=request,
        chain=chain,
        orphan_s=orphan_s,
    )


def start(runs: Runs, *chain: Provider, **rest: Any) -> Run:
    run, new = runs.start(run_spec(*chain, **rest))
    assert new
    return run


def read(runs: Runs, run: Run, cursor: Cursor | None = None, *, resumable: bool = True) -> list[Delivery]:
    """Read a run from a cursor to its end."""
    connection = runs.connect()
    reader = runs.attach(run, connection, cursor, resumable=resumable)
    found: list[Delivery] = []
    while not reader.ended:
        new = reader.take()
        if not new:
            assert connection.wake.wait(TIMEOUT_S), f"nothing after {found[-1:]}"
        found += new
    runs.detach(run, connection)
    runs.disconnect(connection)
    return found


def bodies(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    return [json.loads(frame.payload) for frame, _ in deliveries]


def ids(deliveries: Sequence[Delivery]) -> list[tuple[int, int] | None]:
    """Return the epoch and seq of each delivery."""
    cursors = [None if raw is None else Cursor.parse(raw.decode()) for _, raw in deliveries]
    return [None if cursor is None else (cursor.epoch, cursor.seq) for cursor in cursors]


def text_of(deliveries: Sequence[Delivery]) -> str:
    """Return the text as a client shows it: a reset replaces the text before."""
    text = ""
    for body in bodies(deliveries):
        text = body["reset"]["text"] if "reset" in body else text + body.get("text", "")
    return text


def finish(runs: Runs, run: Run) -> dict[str, Any]:
    """Wait for the end of a run and of its producer's thread; return the terminal frame."""
    last = bodies(read(runs, run))[-1]
    thread = next((one for one in threading.enumerate() if one.name == f"run-{run.id[:8]}"), None)
    if thread is not None:
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()
    return last
