"""The targets, and whether measurements meet them. Pure."""

import statistics
from dataclasses import dataclass

from tests.bench.plan import (
    BURST,
    CALM,
    DIRECT,
    FAST,
    FRAME_MS,
    FRESHET,
    FRESHET_TLS,
    FRESHET_WS,
    HALF,
    MANY,
    NGINX_TLS,
    SHORT,
)
from tests.bench.plan import NGINX as NG
from tests.bench.plan import STARLETTE as ST
from tests.bench.rounds import Results

_HALF_A_CORE = 0.5
_SLACK_MS = 10
_FRESHETS = (FRESHET.name, FRESHET_TLS.name, FRESHET_WS.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target: its limit, the measured value (None when it was not measured), and the spread or the reason."""

    work: str
    asks: str
    limit: float
    value: float | None
    note: str = ""

    @property
    def word(self) -> str:
        """Return the verdict in a word."""
        if self.value is None:
            return "NOT MEASURED"
        return "met" if self.value <= self.limit else "MISSED"


def judge(results: Results) -> list[Verdict]:
    """Compare the results with every target; a target that was not measured is not met."""
    return [
        ratio(results, FAST.name, FRESHET.name, NG.name, 0.8),
        ratio(results, FAST.name, FRESHET.name, ST.name, 0.5),
        ratio(results, CALM.name, FRESHET.name, NG.name, 1.3),
        ratio(results, CALM.name, FRESHET.name, ST.name, 0.8),
        ratio(results, MANY.name, FRESHET.name, NG.name, 3.2),
        ratio(results, MANY.name, FRESHET.name, ST.name, 0.7),
        ratio(results, FAST.name, FRESHET_TLS.name, NGINX_TLS.name, 1.0),
        ratio(results, SHORT.name, FRESHET.name, ST.name, 1.0, what="an answer"),
        _total(results, (MANY.name,), "lost", "lost deltas"),
        _total(results, (MANY.name,), "failed", "failed streams"),
        *(ratio(results, work.name, FRESHET_TLS.name, FRESHET.name, 1.5) for work in (FAST, CALM, MANY)),
        *(ratio(results, work.name, FRESHET_WS.name, FRESHET.name, 1.3) for work in (FAST, CALM)),
        _latency(results),
        _first_text(results, "first-text", "1 stream", DIRECT.name, 2.5),
        _first_text(results, BURST.name, "50 begun at once", NG.name, 22),
        _memory(results),
        ratio(results, CALM.name, FRESHET.name, DIRECT.name, 0.35, "bytes_per_delta"),
        ratio(results, FAST.name, FRESHET.name, DIRECT.name, 0.15, "bytes_per_delta"),
        _total(results, (FAST.name, CALM.name, HALF), "lost", "lost deltas"),
        _total(results, (FAST.name, CALM.name, HALF), "repeated", "deltas repeated or out of order"),
        _total(results, (FAST.name, CALM.name, HALF), "failed", "failed streams"),
    ]


def ratio(
    results: Results,
    work: str,
    ours: str,
    theirs: str,
    limit: float,
    figure: str = "cpu_us",
    what: str = "a delta",
) -> Verdict:
    """Return the median of the ratios of each round, because within a round both met the same machine."""
    asks = f"{ours} / {theirs}, {'CPU' if figure == 'cpu_us' else 'bytes'} {what}"
    above, below = results.all(work, ours, figure), results.all(work, theirs, figure)
    if not above or not below:
        return Verdict(work=work, asks=asks, limit=limit, value=None, note="one of the two is missing")
    if len(above) != len(below):
        below = [statistics.median(below)] * len(above)
    ratios = [mine / other for mine, other in zip(above, below, strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return Verdict(work=work, asks=asks, limit=limit, value=statistics.median(ratios), note=spread)


def _total(results: Results, works: tuple[str, ...], figure: str, asks: str) -> Verdict:
    counts = [count for work in works for name in _FRESHETS for count in results.all(work, name, figure)]
    value = float(sum(counts)) if counts else None
    return Verdict(
        work=", ".join(works), asks=asks, limit=0, value=value, note="all Freshet cells, all rounds"
    )


def _latency(results: Results) -> Verdict:
    """Return Freshet's worst p99 among the workloads that took at most half of the core."""
    cells = []
    for work, contender in results.cells:
        share = results.median(work, contender, "server_share")
        p99_ms = results.undisturbed(work, contender, "p99_ms")
        if contender in _FRESHETS and share is not None and p99_ms and share <= _HALF_A_CORE:
            where = f"{contender} at {work}, {share:.0%} of the core, {len(p99_ms)} rounds"
            cells.append((statistics.median(p99_ms), where))
    worst_ms, where = max(cells, default=(None, "no cell within half of the core"))
    asks = "p99 of added latency, ms, at ≤ 50 % of the core"
    return Verdict(work="all", asks=asks, limit=FRAME_MS + _SLACK_MS, value=worst_ms, note=where)


def _first_text(results: Results, work: str, title: str, theirs: str, limit: float) -> Verdict:
    ours = results.median(work, FRESHET.name, "first_text_ms")
    other = results.median(work, theirs, "first_text_ms")
    value = ours - other if ours is not None and other is not None else None
    return Verdict(work=title, asks=f"time to first text over {theirs}, ms", limit=limit, value=value)


def _memory(results: Results) -> Verdict:
    value = results.median("memory", FRESHET.name, "kb_per_stream")
    failed = sum(results.all("memory", FRESHET.name, "failed"))
    note = f"{failed:.0f} streams failed" if failed else ""
    return Verdict(work="1,000 streams", asks="memory, KB a stream", limit=55, value=value, note=note)
