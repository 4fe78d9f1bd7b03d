"""`make bench-scale`: measure journals and workers, print figures and verdicts; exits with 1 if a target is missed."""

import argparse
import sqlite3
from pathlib import Path

from tests.bench import cores, report
from tests.bench.servers import ROOT, provider
from tests.bench_scale import plan
from tests.bench_scale.rounds import Choice, Rounds
from tests.bench_scale.servers import Bench
from tests.bench_scale.targets import judge

_COLUMNS: report.Columns = (
    ("CPU µs", "cpu_us", "{:.1f}"),
    ("database µs", "database_us", "{:.1f}"),
    ("core", "server_share", "{:.0%}"),
    ("p50 ms", "p50_ms", "{:.1f}"),
    ("p99 ms", "p99_ms", "{:.1f}"),
    ("worst ms", "worst_ms", "{:.1f}"),
    ("first text ms", "first_text_ms", "{:.1f}"),
    ("caught up ms", "caught_up_ms", "{:.0f}"),
    ("MB", "received_mb", "{:.2f}"),
    ("lost", "lost", "{:.0f}"),
    ("failed", "failed", "{:.0f}"),
)


def main() -> int:
    """Run the benchmark and return the exit code."""
    asked = _arguments()
    where = cores.choose(ahead=asked.ahead)
    if where.server is None:
        print("bench-scale: this machine has one core; going on unpinned", flush=True)
    choice = Choice(
        rounds=1 if asked.quick else asked.rounds,
        seconds=2.0 if asked.quick else asked.seconds,
        works=tuple(asked.work),
        contenders=tuple(asked.only),
    )
    with provider(asked.folder / "tls", where) as source:
        bench = Bench(folder=asked.folder, cores=where, provider=source)
        results = Rounds(bench, choice).run()
    verdicts = judge(results)
    setting = report.Setting(
        machine=cores.describe(),
        versions={"sqlite": sqlite3.sqlite_version},
        rounds=choice.rounds,
        seconds=choice.seconds,
        pinned=where.server is not None,
    )
    print(
        f"\n{report.figures_table(results, plan.CONTENDERS, _COLUMNS)}\n\n{report.verdicts_table(verdicts)}\n"
    )
    print(
        "CPU µs are of the servers, for each delta that a reader gets; for the resumes and returns, for each of them."
    )
    for caution in report.cautions(results, setting.pinned):
        print(f"caution: {caution}")
    report.write(asked.json, report.as_json(results, verdicts, setting))
    return 0 if all(verdict.word == "met" for verdict in verdicts) else 1


def _arguments() -> argparse.Namespace:
    folder = ROOT / ".cache" / "bench-scale"
    names = [contender.name for contender in plan.CONTENDERS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench_scale", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all cells (5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured part of a cell (3)")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--ahead", action="store_true", help="go before other work of the machine (root)")
    parser.add_argument("--work", nargs="+", default=[], choices=plan.WORKS, help="only these works")
    parser.add_argument("--only", nargs="+", default=[], choices=names, help="only these servers")
    parser.add_argument("--json", type=Path, default=folder / "bench.json", help="where the figures go")
    parser.add_argument("--folder", type=Path, default=folder, help="the benchmark's own folder")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
