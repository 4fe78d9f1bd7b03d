"""The targets, and whether the figures meet them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.bench_search.filled import Taken
from tests.bench_search.finding import AT, Figures
from tests.bench_search.speed import Gaps, percentile

LIKE, WHOLE = "plain LIKE", "BM25 over whole documents"
PASSAGES = 100_000
_BETTER_BY = 0.1
_SEARCH_MS = {"SQLite": 30.0, "Postgres": 50.0}
_HELD_UP_MS = 50.0
_INGEST_MB_S = 2.0
_FEWEST_PASSAGES, _FEWEST_QUESTIONS = 2_000, 100


@dataclass(slots=True, kw_only=True)
class Results:
    """What was measured: by searcher, and by kind of database."""

    passages: int = 0
    questions: int = 0
    found: dict[str, Figures] = field(default_factory=dict)
    found_later: dict[str, Figures] = field(default_factory=dict)  # of the later questions alone
    filled: dict[str, int] = field(default_factory=dict)
    times_ms: dict[str, list[list[float]]] = field(default_factory=dict)
    gaps: dict[str, list[Gaps]] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target, the measured value, and whether it is met."""

    target: str
    figure: str
    is_met: bool


def judge(results: Results, kinds: Sequence[str]) -> list[Verdict]:
    """Return the verdicts on all targets of these databases."""
    verdicts = [
        _at_least("passages of real text", results.passages, _FEWEST_PASSAGES),
        _at_least("questions", results.questions, _FEWEST_QUESTIONS),
    ]
    for kind in kinds:
        ours = results.found[kind]
        for other in (LIKE, WHOLE):
            better = ours.recall - results.found[other].recall
            verdicts.append(
                Verdict(
                    target=f"recall@{AT}, {kind}, above {other} by ≥ {_BETTER_BY:g}",
                    figure=f"{better:.3f}",
                    is_met=better >= _BETTER_BY,
                )
            )
        if kind in results.times_ms:
            verdicts += _judge_speed(results, kind)
    return verdicts


def _judge_speed(results: Results, kind: str) -> list[Verdict]:
    p95 = best_p95_ms(results.times_ms[kind])
    held = held_up_ms(results.gaps[kind])
    rate = results.taken[kind].per_second
    return [
        _at_least(f"passages in {kind}", results.filled[kind], PASSAGES),
        Verdict(
            target=f"p95 of a search, {kind} ≤ {_SEARCH_MS[kind]:g} ms",
            figure=f"{p95:.1f} ms",
            is_met=p95 <= _SEARCH_MS[kind],
        ),
        Verdict(
            target=f"stream held up by searches, {kind} ≤ {_HELD_UP_MS:g} ms",
            figure=f"{held:.0f} ms",
            is_met=held <= _HELD_UP_MS,
        ),
        Verdict(
            target=f"ingest, {kind} ≥ {_INGEST_MB_S:g} MB/s of text",
            figure=f"{rate:.2f} MB/s",
            is_met=rate >= _INGEST_MB_S,
        ),
    ]


def best_p95_ms(rounds: Sequence[Sequence[float]]) -> float:
    """Return the least p95 of the rounds, because other work on the machine only adds."""
    return min(percentile(each, 0.95) for each in rounds)


def held_up_ms(gaps: Sequence[Gaps]) -> float:
    """Return by how much the longest gap was longer with searches: the least of the rounds, because other work only adds."""
    return max(0.0, min(each.beside_ms - each.alone_ms for each in gaps))


def table(results: Results) -> str:
    """Return the figures as Markdown tables."""
    lines = [
        f"| all questions | recall@{AT} | MRR | the later ones: recall@{AT} | MRR |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, each in results.found.items():
        later = results.found_later[name]
        lines.append(
            f"| {name} | {each.recall:.3f} | {each.mrr:.3f} | {later.recall:.3f} | {later.mrr:.3f} |"
        )
    lines += [
        "",
        "| | p50 | p95 | longest gap alone | beside searches | ingest, MB/s | per second of CPU |",
    ]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for kind, rounds in results.times_ms.items():
        gaps, taken = results.gaps[kind], results.taken[kind]
        lines.append(
            f"| {kind}, {results.filled[kind]:,} passages | {min(percentile(each, 0.5) for each in rounds):.1f} ms "
            f"| {best_p95_ms(rounds):.1f} ms | {_spread([each.alone_ms for each in gaps])} "
            f"| {_spread([each.beside_ms for each in gaps])} | {taken.per_second:.2f} "
            f"| {taken.megabytes / taken.cpu_s:.2f} |"
        )
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f} ms"


def _at_least(what: str, count: int, fewest: int) -> Verdict:
    return Verdict(target=f"{what} ≥ {fewest:,}", figure=f"{count:,}", is_met=count >= fewest)


def as_json(results: Results, verdicts: Sequence[Verdict]) -> Mapping[str, object]:
    """Return what is written beside the tables."""
    return {"results": asdict(results), "verdicts": [asdict(each) for each in verdicts]}
