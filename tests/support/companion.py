"""Another stream on each worker, watched from a process of its own (docs/faults.md, I3).

The process is provider and reader at once: the fake Ollama (or Anthropic, where a test needs Ollama for
itself) stamps the time into every delta, the readers take the difference. So nothing that a test does in its
own process looks like a fault of the server. Where the machine has too little time for all, what the worker
and this process had to wait for a core is taken off: Linux counts it.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.cores import starved_s, waited_s
from tests.support.dialects import anthropic_begin, anthropic_delta, ollama_delta
from tests.support.fake_provider import FakeProvider
from tests.support.processes import find_holder
from tests.support.rawhttp import Address, Cut, request
from tests.support.script import Answer, Call, Step
from tests.support.server import ROOT, Server
from tests.support.sse import SseReader

EVERY_S = 0.04
GAP_S = 0.2
_MAX_STARTS = 100  # until each worker has accepted a connection
DEAD_S = 10.0  # a delay is measured when it is over: only then is this the end
TICK_S = 0.01


@dataclass(slots=True)
class Pace:
    """Measurements of streams: the worst delay from write to read that the server caused, and what was subtracted."""

    deltas: int = 0
    worst_s: float = 0.0
    starved_s: float = 0.0
    ended: str = ""

    def check(self) -> None:
        """Assert that no delay was too long."""
        assert not self.ended, f"the companion ended: {self.ended}"
        assert self.deltas, "the companion got nothing"
        assert self.worst_s <= GAP_S, (
            f"another stream was held up for {self.worst_s:.3f} s, and {self.starved_s:.3f} s for want of a core"
        )


class Companion:
    """The companion process, as the test controls it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.companion"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url: str = self._listen()["url"]

    def start(self, server: Server, provider: str = "ollama") -> None:
        """Start a stream on each worker of a server which finds `provider` at `url`, and wait for their first deltas."""
        reply = self._tell({"start": list(server.address), "workers": server.workers, "provider": provider})
        assert reply == {"started": True}, reply

    def mark(self) -> None:
        """Start a new measurement."""
        self._tell({"mark": True})

    def pace(self) -> Pace:
        """Return the measurement since the last mark, after one more delta of each stream."""
        return Pace(**self._tell({"pace": True}))

    def leave(self) -> Pace:
        """Close the streams and return their measurement."""
        return Pace(**self._tell({"leave": True}))

    def _tell(self, order: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._listen()

    def _listen(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the companion's process ended"
        reply: dict[str, Any] = json.loads(line)
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait(5)
        self._process.stdout.close()


class _Hunger:
    """Samples, every few milliseconds, how long the worker and our own threads waited for a core."""

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._looks: deque[tuple[float, float, float]] = deque(
            maxlen=1000
        )  # when, all that waited, our delay
        self.look()

    def look(self) -> None:
        """Take a sample of the waiting times and of our own delay."""
        at = time.monotonic()
        waited = starved_s(self._worker) + sum(map(waited_s, Path("/proc/self/task").glob("*/schedstat")))
        late = max(0.0, at - self._looks[-1][0] - TICK_S) if self._looks else 0.0
        self._looks.append((at, waited, late))

    def between(self, begin: float, end: float) -> float:
        """Return how long a core was waited for between two times."""
        self.look()
        looks = list(self._looks)
        before = max((look for look in looks if look[0] <= begin), default=looks[0])
        return looks[-1][1] - before[1] + max(late for at, _, late in looks if at >= before[0])


class _Follower:
    """Reads one stream of a worker in a thread."""

    def __init__(self, reader: SseReader, worker: int) -> None:
        self.pace = Pace()
        self._hunger = _Hunger(worker)
        self.began, self._leaving = threading.Event(), threading.Event()
        self._reader = reader
        self._threads = [threading.Thread(target=target) for target in (self._follow, self._watch)]
        for thread in self._threads:
            thread.start()

    def _follow(self) -> None:
        reader = self._reader
        try:
            while not self._leaving.is_set():
                if not reader.read_until(lambda: bool(reader.received), DEAD_S):
                    self.pace.ended = self.pace.ended or reader.cut or f"an end, status {reader.status}"
                    return
                for one in reader.received:
                    self._measure(one.frame, one.at)
                reader.received.clear()
        except (TimeoutError, OSError, Cut) as error:
            if not self._leaving.is_set():
                self.pace.ended = repr(error)
        finally:
            self.began.set()

    def _measure(self, frame: dict[str, str], at: float) -> None:
        stamps = [float(word) for word in frame.get("text", "").split()]
        if stamps:
            self.pace.deltas += len(stamps)
            starved = self._hunger.between(stamps[0], at)
            if at - stamps[0] - starved > self.pace.worst_s:
                self.pace.worst_s, self.pace.starved_s = at - stamps[0] - starved, starved
            self.began.set()
        elif "done" in frame or "error" in frame:
            self.pace.ended = json.dumps(frame)

    def _watch(self) -> None:
        while not self._leaving.wait(TICK_S):
            self._hunger.look()

    def mark(self) -> Pace:
        """Start a new measurement."""
        self.began.clear()
        self.pace = Pace(ended=self.pace.ended)
        return self.pace

    def measured(self) -> Pace:
        """Wait for one more delta, so that a stalled stream is noticed, and return the measurement."""
        self.began.clear()
        if not self.began.wait(DEAD_S):
            self.pace.ended = self.pace.ended or "nothing came any more"
        return self.pace

    def leave(self) -> Pace:
        """Close the connection."""
        self._leaving.set()
        for thread in self._threads:
            thread.join(DEAD_S)
        self._reader.drop()
        return self.pace


def _stamps(delta: Callable[[str], bytes]) -> Iterator[Step]:
    while True:
        yield delta(f"{time.monotonic():.4f} ")
        yield EVERY_S


def _anthropic() -> Iterator[Step]:
    yield from anthropic_begin()
    yield from _stamps(anthropic_delta)


def _answer(call: Call) -> Answer:
    if call.path == "/v1/messages":
        return Answer(steps=_anthropic)
    return Answer(steps=lambda: _stamps(ollama_delta), content_type="application/x-ndjson")


def _start(address: Address, workers: list[int], provider: str) -> list[_Follower]:
    """Start a stream on each worker; those that reach a worker with a stream are stopped again."""
    found: dict[int, _Follower] = {}
    for _ in range(_MAX_STARTS):
        reader = SseReader(address, body={"query": "keep the pace", "provider": provider})
        worker = find_holder(workers, address[1], reader.port)
        if worker in found:
            reader.read_frames(1)
            request(address, "POST", f"/stream/{reader.run}/stop")
            reader.drop()
        else:
            found[worker] = _Follower(reader, worker)
        if len(found) == len(workers):
            return list(found.values())
    raise AssertionError(f"of the workers {workers} only {list(found)} took a stream")


def _worst(paces: list[Pace]) -> Pace:
    """Return what all streams have, with the worst delay of them; without deltas if one of them has none."""
    worst = max(paces, key=lambda pace: pace.worst_s)
    return Pace(
        deltas=min(pace.deltas for pace in paces),
        worst_s=worst.worst_s,
        starved_s=worst.starved_s,
        ended=" ".join(filter(None, (pace.ended for pace in paces))),
    )


def obey(order: dict[str, Any], followers: list[_Follower]) -> tuple[list[_Follower], object]:
    """Carry out a command; return the current followers and the reply."""
    if "start" in order:
        followers = _start((order["start"][0], order["start"][1]), order["workers"], order["provider"])
        began = all(each.began.wait(10) and each.pace.deltas > 0 for each in followers)
        return followers, {"started": True} if began else asdict(_worst([each.pace for each in followers]))
    assert followers, "nothing is followed"
    if "leave" in order:
        return [], asdict(_worst([each.leave() for each in followers]))
    paces = [each.mark() if "mark" in order else each.measured() for each in followers]
    return followers, asdict(_worst(paces))


def main() -> None:
    """Carry out commands from standard input until it closes."""
    followers: list[_Follower] = []
    with FakeProvider(_answer) as provider:
        print(json.dumps({"url": provider.url}), flush=True)
        for line in sys.stdin:
            followers, reply = obey(json.loads(line), followers)
            if not followers:
                provider.hang_up()
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
