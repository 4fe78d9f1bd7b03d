"""The targets, and whether measurements meet them. Pure."""

from tests.bench.plan import FRAME_MS, Contender
from tests.bench.rounds import Results
from tests.bench.targets import Verdict, ratio
from tests.bench_scale import plan

_CPU: dict[Contender, float] = {plan.SQLITE: 1.3, plan.POSTGRES: 1.4, plan.REDIS: 1.6}
_AWAY_MS: dict[Contender, float] = {plan.SQLITE: 200, plan.POSTGRES: 120, plan.REDIS: 40}
_CAUGHT_UP_MS = 2_000


def judge(results: Results) -> list[Verdict]:
    """Compare the results with every target; a target that was not measured is not met."""
    return [
        *(
            ratio(results, work.name, contender.name, plan.MEMORY.name, limit)
            for contender, limit in _CPU.items()
            for work in plan.FLOWS
        ),
        *(_away(results, contender, limit_ms) for contender, limit_ms in _AWAY_MS.items()),
        *(
            ratio(results, work, plan.SQLITE_ONE.name, plan.FLASK_VIEW.name, 3.0, what="a resume of 1 MB")
            for work in (plan.RESUME, plan.RESUME_SMALL)
        ),
        *(_returned(results, contender) for contender in plan.SHARED),
        _shared_answer(results),
        _nothing(results, "lost", "lost deltas"),
        _nothing(results, "failed", "failed streams"),
    ]


def _away(results: Results, contender: Contender, limit_ms: float) -> Verdict:
    share = results.median(plan.AWAY, contender.name, "server_share")
    note = "" if share is None else f"{share:.0%} of a core"
    return Verdict(
        work=plan.AWAY,
        asks=f"{contender.name}, p99 of a reader on another worker, ms",
        limit=FRAME_MS + limit_ms,
        value=results.median(plan.AWAY, contender.name, "p99_ms"),
        note=note,
    )


def _returned(results: Results, contender: Contender) -> Verdict:
    return Verdict(
        work=plan.RETURN.name,
        asks=f"{contender.name}, 500 readers back within 1 s have caught up after, ms",
        limit=_CAUGHT_UP_MS,
        value=results.median(plan.RETURN.name, contender.name, "caught_up_ms"),
    )


def _shared_answer(results: Results) -> Verdict:
    """Compare the median costs of a delta with one answer for all readers, and with an answer for each."""
    one = results.median(plan.MANY_READERS.name, plan.SQLITE.name, "cpu_us")
    many = results.median(plan.MANY_ANSWERS.name, plan.SQLITE.name, "cpu_us")
    value = one / many if one is not None and many else None
    asks = "one answer to 500 readers / 500 answers, CPU a delta"
    return Verdict(work=plan.MANY_READERS.name, asks=asks, limit=0.5, value=value)


def _nothing(results: Results, figure: str, asks: str) -> Verdict:
    counts = [cell[figure] for cells in results.cells.values() for cell in cells if figure in cell]
    value = float(sum(counts)) if counts else None
    return Verdict(work="all", asks=asks, limit=0, value=value, note="all cells, all rounds")
