"""The load: one process a measurement, on the core that the servers do not use.

`python -m tests.bench_scale.load` reads a task from stdin, a JSON object with `kind` (`away`, `one_answer`, `resume` or `return`),
and writes what it measured to stdout, one JSON object. What one stream and its server cost is measured by `tests.bench.load`.
"""

import gc
import json
import random
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench import cores
from tests.bench.client import Client, Stream
from tests.bench.dialects import new_run, pieces, split_head
from tests.bench.figures import figure, percentile, read
from tests.bench.question import Order

_SETTLE_S = 0.6
_TAIL_S = 0.4
_PATIENCE_S = 10.0  # how long a server that lags may still deliver
_AWAY_S = 1.0  # how long readers stay away, and within what time they come back
_IDS = re.compile(rb"^id: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to measure. `ports` and `pids` are those of the servers; for `body`, `deltas` and `repeats` see `measure_resume`."""

    kind: str
    ports: list[int]
    pids: list[int]
    provider_pid: int
    database_pid: int | None
    streams: int
    rate: int
    seconds: float
    ramp_s: float
    server_core: int | None
    body: str = ""
    deltas: int = 0
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The CPU time of servers and database, and of other work on the servers' core, within some time."""

    server_ns: int
    database_ns: int
    foreign_ns: int
    lasted_ns: int

    def per(self, count: int) -> dict[str, float]:
        """Return the CPU time for each of `count` things, and the shares of a core."""
        return {
            "cpu_us": self.server_ns / 1000 / max(1, count),
            "database_us": self.database_ns / 1000 / max(1, count),
            "server_share": self.server_ns / self.lasted_ns,
            "foreign_share": self.foreign_ns / self.lasted_ns,
        }


class Meter:
    """Measures costs from its creation on."""

    def __init__(self, task: Task) -> None:
        self._core = task.server_core
        self._servers = [pid for root in task.pids for pid in cores.tree(root)]
        self._database = [] if task.database_pid is None else cores.tree(task.database_pid)
        self._before = self._clocks()
        self.began_ns = time.monotonic_ns()

    def stop(self) -> Costs:
        """Return the costs so far."""
        lasted_ns = time.monotonic_ns() - self.began_ns
        server, database, busy = (now - then for now, then in zip(self._clocks(), self._before, strict=True))
        foreign = 0 if self._core is None else max(0, busy - server)
        return Costs(server_ns=server, database_ns=database, foreign_ns=foreign, lasted_ns=lasted_ns)

    def _clocks(self) -> tuple[int, int, int]:
        return cores.cpu_ns(self._servers), cores.cpu_ns(self._database), cores.busy_ns(self._core)


class Asked:
    """An answer that is asked for at one server, and its readers. `run` is its id."""

    def __init__(self, order: Order, port: int) -> None:
        self.run = new_run()
        self.order, self.port = order, port
        self.first = Stream("freshet", order, port)
        self.first.words = _request(port, "POST", "/stream", {"query": order.text(), "run": self.run})

    def reader(self, port: int, after: bytes = b"") -> Stream:
        """Return a reader that joins it at a server, after a cursor if it has one."""
        stream = Stream("freshet", self.order, port)
        stream.words = _request(port, "GET", f"/stream/{self.run}", None, after.decode())
        return stream


def measure_away(task: Task) -> dict[str, object]:
    """Ask at the first server, read at the second too, and measure how much later the deltas arrive there."""
    home, away = task.ports
    length_s = task.ramp_s + 2 * _SETTLE_S + task.seconds + _TAIL_S
    asked = [Asked(_order(task, index, length_s), home) for index in range(task.streams)]
    client = Client(home)
    _open_all(client, asked, task.ramp_s)
    readers = [one.reader(away) for one in asked]
    for reader in readers:
        client.open(reader, away)
    client.wait(time.monotonic_ns() + int(_SETTLE_S * 1e9))
    meter = Meter(task)
    client.wait(meter.began_ns + int(task.seconds * 1e9))
    end_ns, costs = time.monotonic_ns(), meter.stop()
    client.finish(end_ns + int((_TAIL_S + length_s + _PATIENCE_S) * 1e9))
    figures = figure(readers, meter.began_ns, end_ns)
    at_home = figure([one.first for one in asked], meter.began_ns, end_ns)
    return {
        **asdict(figures),
        **costs.per(figures.deltas + at_home.deltas),
        "home_p99_ms": at_home.p99_ms,
        "lost": figures.lost + at_home.lost,
        "failed": figures.failed + at_home.failed,
        "failures": [*figures.failures, *at_home.failures],
    }


def measure_one_answer(task: Task) -> dict[str, object]:
    """Let many readers follow one answer, and measure the CPU time for each delta that one of them gets."""
    length_s = 2 * task.ramp_s + _SETTLE_S + task.seconds + _TAIL_S
    (port,) = task.ports
    asked = Asked(Order(deltas=int(length_s * task.rate), rate=task.rate, phase_us=0), port)
    client = Client(port)
    _open_all(client, [asked], 0.0)
    readers = [asked.reader(port) for _ in range(task.streams - 1)]
    begun_ns = time.monotonic_ns()
    for index, reader in enumerate(readers):
        client.wait(begun_ns + int(task.ramp_s * 1e9 * index / task.streams))
        client.open(reader)
    client.wait(time.monotonic_ns() + int(_SETTLE_S * 1e9))
    meter = Meter(task)
    client.wait(meter.began_ns + int(task.seconds * 1e9))
    end_ns, costs = time.monotonic_ns(), meter.stop()
    client.finish(end_ns + int((length_s + _PATIENCE_S) * 1e9))
    figures = figure([asked.first, *readers], meter.began_ns, end_ns)
    return {**asdict(figures), **costs.per(figures.deltas)}


def measure_resume(task: Task) -> dict[str, object]:
    """Read the same bytes `repeats` times, one reader at a time, and measure the CPU time for each.

    With `deltas` an answer of so many is made first, and what is sent of it is stored in the file `body`.
    """
    (port,) = task.ports
    run = new_run()
    if task.deltas:
        asked = Asked(Order(deltas=task.deltas, rate=0, phase_us=0), port)
        reader = asked.reader(port)
        failure = _read_one(asked.first, port) or _read_one(reader, port)
        if failure:
            return {"failed": 1, "failures": [failure]}
        Path(task.body).write_bytes(_body_of(reader))
        run = asked.run
    failures, sizes = [], []
    meter = Meter(task)
    for _ in range(task.repeats):
        stream = Stream("freshet", Order(deltas=0, rate=0, phase_us=0), port)
        stream.words = _request(port, "GET", f"/stream/{run}")
        failure = _read_one(stream, port)
        if failure:
            failures.append(failure)
        sizes.append(sum(len(chunk) for _, chunk in stream.reads))
    costs = meter.stop()
    return {
        **costs.per(task.repeats),
        "received_mb": min(sizes) / 1e6,
        "failed": len(failures),
        "failures": failures[:3],
    }


def measure_return(task: Task) -> dict[str, object]:
    """Cut off the readers of many answers, and let all come back within a second, at any server; measure when each has caught up."""
    dice = random.Random(11)
    length_s = task.ramp_s + _SETTLE_S + 2 * _AWAY_S + task.seconds + _TAIL_S
    asked = [
        Asked(_order(task, index, length_s), task.ports[index % len(task.ports)])
        for index in range(task.streams)
    ]
    client = Client(task.ports[0])
    _open_all(client, asked, task.ramp_s)
    client.wait(time.monotonic_ns() + int(_SETTLE_S * 1e9))
    client.cut("left")
    cut_ns = time.monotonic_ns()
    back_ns = cut_ns + int(_AWAY_S * 1e9)
    client.wait(back_ns)
    away = [index for index, one in enumerate(asked) if not one.first.over]
    arrivals = sorted((dice.random() * _AWAY_S, index) for index in away)
    readers: dict[int, Stream] = {}
    meter = Meter(task)
    for after_s, index in arrivals:
        port = dice.choice(task.ports)
        readers[index] = asked[index].reader(port, _last_id(asked[index].first))
        client.wait(back_ns + int(after_s * 1e9))
        client.open(readers[index], port)
    client.wait(back_ns + int((_AWAY_S + task.seconds) * 1e9))
    costs = meter.stop()
    client.finish(time.monotonic_ns() + int((length_s + _PATIENCE_S) * 1e9))
    late_ms, waits_ms, lost, failures = [], [], 0, []
    for index in away:
        one, reader = asked[index], readers[index]
        reading = read(reader)
        if reading.failure:
            failures.append(reading.failure)
        before = {arrival.number for arrival in read(one.first).arrivals}
        lost += len(set(range(1, one.order.deltas + 1)) - before - {each.number for each in reading.arrivals})
        missed = [each.received_ns for each in reading.arrivals if each.sent_ns <= reader.asked_ns]
        caught_up_ns = max(missed, default=reader.asked_ns)
        late_ms.append((caught_up_ns - back_ns) / 1e6)
        waits_ms.append((caught_up_ns - reader.asked_ns) / 1e6)
    waits_ms.sort()
    return {
        **costs.per(task.streams),
        "caught_up_ms": max(late_ms),
        "p50_ms": percentile(waits_ms, 0.5),
        "p99_ms": percentile(waits_ms, 0.99),
        "worst_ms": waits_ms[-1],
        "lost": lost,
        "failed": len(failures) + task.streams - len(away),
        "failures": failures[:3],
    }


def _order(task: Task, index: int, length_s: float) -> Order:
    """Return the order of one of the task's answers: no two are in step."""
    opens_s = task.ramp_s * index / task.streams
    phase_us = 1_000_000 * index // (task.rate * task.streams)
    return Order(deltas=int((length_s - opens_s) * task.rate), rate=task.rate, phase_us=phase_us)


def _open_all(client: Client, asked: list[Asked], ramp_s: float) -> None:
    """Ask for all answers over some time, and wait until each has begun."""
    begun_ns = time.monotonic_ns()
    for index, one in enumerate(asked):
        client.wait(begun_ns + int(ramp_s * 1e9 * index / len(asked)))
        client.open(one.first, one.port)
    patience_ns = time.monotonic_ns() + int(_PATIENCE_S * 1e9)
    client.wait(patience_ns, lambda: all(one.first.reads or one.first.failure for one in asked))


def _read_one(stream: Stream, port: int) -> str:
    """Read one stream to its end; return why it failed, or nothing."""
    client = Client(port)
    client.open(stream)
    client.finish(time.monotonic_ns() + int(_PATIENCE_S * 1e9))
    return stream.failure


def _body_of(stream: Stream) -> bytes:
    received = b"".join(chunk for _, chunk in stream.reads)
    status, begin = split_head(received)
    if status != 200:
        return b""
    return b"".join(received[start:end] for start, end in pieces("freshet", received, begin))


def _last_id(stream: Stream) -> bytes:
    """Return the cursor of the last whole record that a stream has received."""
    whole, _, _ = _body_of(stream).rpartition(b"\n\n")
    found = _IDS.findall(whole)
    return found[-1] if found else b""


def _request(port: int, method: str, path: str, body: object = None, after: str = "") -> bytes:
    payload = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    lines.append("Accept: text/event-stream")
    if payload:
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    if after:
        lines.append(f"Last-Event-ID: {after}")
    return "\r\n".join([*lines, "", ""]).encode() + payload


def main() -> None:
    """Read a task from standard input, measure, and print the result as JSON."""
    task = Task(**json.load(sys.stdin))
    gc.disable()
    kinds = {
        "away": measure_away,
        "one_answer": measure_one_answer,
        "resume": measure_resume,
        "return": measure_return,
    }
    print(json.dumps(kinds[task.kind](task)), flush=True)


if __name__ == "__main__":
    main()
