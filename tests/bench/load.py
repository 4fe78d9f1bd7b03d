"""The load: one process a measurement, on the other core.

`python -m tests.bench.load` reads a task from stdin, a JSON object with `kind` (`flow`, `first_text`, `burst`,
`short` or `memory`), and writes what it measured to stdout, one JSON object.
"""

import gc
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass

from tests.bench import cores
from tests.bench.client import Client, Stream
from tests.bench.dialects import Dialect
from tests.bench.figures import figure, read
from tests.bench.question import Order

_SETTLE_S = 0.6
_TAIL_S = 0.2
_PATIENCE_S = 10.0  # how long a server that lags may still deliver after the last delta was sent
_FIRST_TEXTS = 25
_BURSTS = 8
_SHORT_ANSWERS = 400
_MEMORY_STEPS = (100, 500, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to measure. `pid` is the root of the server's process tree; `provider_pid` is the fake provider.

    `database_pid` is the root of a database server's process tree, whose time is measured beside.
    """

    kind: str
    dialect: Dialect
    port: int
    pid: int
    provider_pid: int
    streams: int
    rate: int
    seconds: float
    ramp_s: float
    server_core: int | None
    database_pid: int | None = None


def measure_flow(task: Task) -> dict[str, object]:
    """Open all streams, wait until they are steady, and measure while all of them are active."""
    length_s = task.ramp_s + _SETTLE_S + task.seconds + _TAIL_S
    streams = []
    for index in range(task.streams):
        opens_s = task.ramp_s * index / task.streams
        order = Order(
            deltas=int((length_s - opens_s) * task.rate),
            rate=task.rate,
            phase_us=1_000_000 * index // (task.rate * task.streams),
        )
        streams.append(Stream(task.dialect, order, task.port))
    client = Client(task.port)
    begun_ns = time.monotonic_ns()
    for index, stream in enumerate(streams):
        client.wait(begun_ns + int(task.ramp_s * 1e9 * index / task.streams))
        client.open(stream)
    client.wait(begun_ns + int((task.ramp_s + _SETTLE_S) * 1e9))
    trees = _trees(task)
    before, begin_ns = _clocks(trees, task.server_core), time.monotonic_ns()
    client.wait(begin_ns + int(task.seconds * 1e9))
    after, end_ns = _clocks(trees, task.server_core), time.monotonic_ns()
    deadline_ns = begun_ns + int((length_s + _PATIENCE_S) * 1e9)
    client.finish(deadline_ns)
    figures = figure(streams, begin_ns, end_ns)
    server, provider, load, database, busy = (late - early for early, late in zip(before, after, strict=True))
    lasted_ns = end_ns - begin_ns
    return {
        **asdict(figures),
        "cpu_us": server / 1000 / max(1, figures.deltas),
        "database_us": database / 1000 / max(1, figures.deltas),
        "server_share": server / lasted_ns,
        "provider_share": provider / lasted_ns,
        "load_share": load / lasted_ns,
        "foreign_share": max(0, busy - server) / lasted_ns if task.server_core is not None else 0.0,
    }


def _trees(task: Task) -> tuple[list[int], ...]:
    """Return the processes of the server, the provider, the load and the database."""
    database = [] if task.database_pid is None else cores.tree(task.database_pid)
    return cores.tree(task.pid), [task.provider_pid], [os.getpid()], database


def _clocks(trees: tuple[list[int], ...], core: int | None) -> list[int]:
    return [*map(cores.cpu_ns, trees), cores.busy_ns(core)]


def measure_first_text(task: Task) -> dict[str, object]:
    """Ask one question at a time on an idle server; report the median time to the first text."""
    times = []
    for _ in range(_FIRST_TEXTS):
        client = Client(task.port)
        stream = Stream(task.dialect, Order(deltas=4, rate=100, phase_us=0), task.port)
        client.open(stream)
        client.finish(time.monotonic_ns() + 5_000_000_000)
        reading = read(stream)
        if reading.failure:
            return {"failures": [reading.failure], "first_text_ms": 0.0, "failed": 1}
        times.append((reading.arrivals[0].received_ns - stream.asked_ns) / 1e6)
        time.sleep(0.01)
    return {"first_text_ms": statistics.median(times), "failed": 0, "failures": []}


def measure_burst(task: Task) -> dict[str, object]:
    """Open all streams at the same moment, several times; report the median time to the first text."""
    times: list[float] = []
    for _ in range(_BURSTS):
        client = Client(task.port)
        order = Order(deltas=4, rate=task.rate, phase_us=0)
        streams = [Stream(task.dialect, order, task.port) for _ in range(task.streams)]
        for stream in streams:
            client.open(stream)
        client.finish(time.monotonic_ns() + 5_000_000_000)
        for stream in streams:
            reading = read(stream)
            if reading.failure:
                return {"failures": [reading.failure], "first_text_ms": 0.0, "failed": 1}
            times.append((reading.arrivals[0].received_ns - stream.asked_ns) / 1e6)
        time.sleep(0.3)
    return {"first_text_ms": statistics.median(times), "failed": 0, "failures": []}


def measure_short(task: Task) -> dict[str, object]:
    """Ask for short answers, a few at a time, and measure the CPU time of the server for each."""
    trees = _trees(task)
    order = Order(deltas=10, rate=0, phase_us=0)
    client, streams, failures = Client(task.port), [], []
    before, begin_ns = _clocks(trees, task.server_core), time.monotonic_ns()
    deadline_ns = begin_ns + 60_000_000_000
    for _ in range(_SHORT_ANSWERS):
        streams.append(Stream(task.dialect, order, task.port))
        client.open(streams[-1])
        client.wait(deadline_ns, lambda: client.open_streams < task.streams)
    client.finish(deadline_ns)
    after, end_ns = _clocks(trees, task.server_core), time.monotonic_ns()
    failures = [reading.failure for stream in streams if (reading := read(stream)).failure]
    server, _, _, _, busy = (late - early for early, late in zip(before, after, strict=True))
    return {
        "cpu_us": server / 1000 / _SHORT_ANSWERS,
        "foreign_share": max(0, busy - server) / (end_ns - begin_ns) if task.server_core is not None else 0.0,
        "failed": len(failures),
        "failures": failures[:3],
    }


def measure_memory(task: Task) -> dict[str, object]:
    """Open streams in steps and fit a line through the memory of the server's process tree: bytes per stream."""
    whole_s = len(_MEMORY_STEPS) * (task.seconds + task.ramp_s) + 10
    client = Client(task.port)
    streams: list[Stream] = []
    sizes = []
    for step in _MEMORY_STEPS:
        begun_ns, wanted = time.monotonic_ns(), step - len(streams)
        for index in range(wanted):
            client.wait(begun_ns + int(task.ramp_s * 1e9 * index / wanted))
            phase_us = 1_000_000 * len(streams) // (task.rate * _MEMORY_STEPS[-1])
            order = Order(deltas=int(whole_s * task.rate), rate=task.rate, phase_us=phase_us)
            streams.append(Stream(task.dialect, order, task.port))
            client.open(streams[-1])
        client.wait(time.monotonic_ns() + int(task.seconds * 1e9))
        sizes.append(cores.pss_bytes(cores.tree(task.pid)))
    early = [
        stream.failure or f"ended early: {stream.reads[:1]!r}"
        for stream in streams
        if stream.over or stream.failure
    ]
    client.close()
    slope, base = statistics.linear_regression(_MEMORY_STEPS, sizes)
    return {
        "kb_per_stream": slope / 1000,
        "base_mb": base / 1e6,
        "sizes_mb": [size / 1e6 for size in sizes],
        "failed": len(early),
        "failures": early[:3],
    }


def main() -> None:
    """Read a task from standard input, measure, and print the result as JSON."""
    task = Task(**json.load(sys.stdin))
    gc.disable()
    kinds = {
        "flow": measure_flow,
        "first_text": measure_first_text,
        "burst": measure_burst,
        "short": measure_short,
        "memory": measure_memory,
    }
    print(json.dumps(kinds[task.kind](task)), flush=True)


if __name__ == "__main__":
    main()
