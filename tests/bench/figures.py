"""Computes figures from the reads of streams: losses, added latency, bytes. No sockets, no clock."""

import bisect
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from tests.bench.client import Stream
from tests.bench.dialects import END_MARKS, pieces, split_head
from tests.bench.question import STAMPS


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delta: its number, when the provider sent it, and when its last byte arrived."""

    number: int
    sent_ns: int
    received_ns: int


@dataclass(slots=True)
class Reading:
    """One parsed stream. `failure` is empty when it ended correctly."""

    arrivals: list[Arrival] = field(default_factory=list)
    failure: str = ""


@dataclass(slots=True, kw_only=True)
class Figures:
    """Figures of the steady part of a measurement; `lost`, `repeated`, `failed` and `failures` are of all of it."""

    deltas: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    first_text_ms: float
    bytes_per_delta: float
    pacing_p99_ms: float
    lost: int
    repeated: int
    failed: int
    failures: list[str]


def read(stream: Stream) -> Reading:
    """Return the deltas of a stream with the arrival time of each."""
    received = b"".join(chunk for _, chunk in stream.reads)
    status, begin = split_head(received)
    if status not in (200, 101):
        return Reading(failure=stream.failure or f"status {status}: {received[:200]!r}")
    try:
        spans = list(pieces(stream.dialect, received, begin))
    except ValueError as error:
        return Reading(failure=f"broken framing: {error}")
    body = b"".join(received[start:end] for start, end in spans)
    body_ends = list(accumulate(end - start for start, end in spans))
    read_ends = list(accumulate(len(chunk) for _, chunk in stream.reads))
    arrivals = []
    for match in STAMPS.finditer(body):
        last = match.end() - 1
        span = bisect.bisect_right(body_ends, last)
        raw = spans[span][1] - (body_ends[span] - last)
        when = stream.reads[bisect.bisect_right(read_ends, raw)][0]
        arrivals.append(Arrival(int(match[1], 16), int(match[2], 16), when))
    ended = END_MARKS[stream.dialect] in body[-2000:]
    return Reading(arrivals, stream.failure or ("" if ended else f"no end mark: {body[-200:]!r}"))


def percentile(values: list[float], share: float) -> float:
    """Return a percentile of sorted values; 0 for an empty list."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def figure(streams: list[Stream], begin_ns: int, end_ns: int) -> Figures:
    """Return the figures of all streams; the steady part is what was received between two times."""
    readings = [read(stream) for stream in streams]
    delays: list[float] = []
    firsts: list[float] = []
    lateness: list[float] = []
    lost = repeated = 0
    for stream, reading in zip(streams, readings, strict=True):
        numbers = [arrival.number for arrival in reading.arrivals]
        distinct = len(set(numbers))
        lost += stream.order.deltas - distinct
        repeated += len(numbers) - distinct + sum(a > b for a, b in pairwise(numbers))
        if reading.arrivals:
            firsts.append((reading.arrivals[0].received_ns - stream.asked_ns) / 1e6)
        delays += [
            (arrival.received_ns - arrival.sent_ns) / 1e6
            for arrival in reading.arrivals
            if begin_ns <= arrival.received_ns < end_ns
        ]
        lateness += _lateness_ms(reading.arrivals, 1e9 // stream.order.rate)
    received = sum(
        len(chunk) for stream in streams for when, chunk in stream.reads if begin_ns <= when < end_ns
    )
    delays.sort()
    firsts.sort()
    lateness.sort()
    failures = [reading.failure for reading in readings if reading.failure]
    return Figures(
        deltas=len(delays),
        p50_ms=percentile(delays, 0.5),
        p99_ms=percentile(delays, 0.99),
        worst_ms=delays[-1] if delays else 0.0,
        first_text_ms=percentile(firsts, 0.5),
        bytes_per_delta=received / max(1, len(delays)),
        pacing_p99_ms=percentile(lateness, 0.99),
        lost=lost,
        repeated=repeated,
        failed=len(failures),
        failures=failures[:3],
    )


def _lateness_ms(arrivals: list[Arrival], interval_ns: float) -> list[float]:
    """Return by how much the provider itself was late with each delta after the first."""
    offsets = [arrival.sent_ns - arrival.number * interval_ns for arrival in arrivals[1:]]
    earliest = min(offsets, default=0.0)
    return [(offset - earliest) / 1e6 for offset in offsets]
