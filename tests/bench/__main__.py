"""`make bench`: measure, print tables of figures and verdicts, write JSON and a chart; exits with 1 if a target is missed."""

import argparse
from pathlib import Path

from tests.bench import chart, cores, plan, report
from tests.bench.peers.install import install
from tests.bench.rounds import Choice, Rounds
from tests.bench.servers import ROOT, Stage, provider
from tests.bench.targets import judge


def main() -> int:
    """Run the benchmark and return the exit code."""
    asked = _arguments()
    folder: Path = asked.folder
    where = cores.choose(ahead=asked.ahead)
    if where.server is None:
        print("bench: this machine has one core; going on unpinned", flush=True)
    choice = Choice(
        rounds=1 if asked.quick else asked.rounds,
        seconds=2.0 if asked.quick else asked.seconds,
        works=tuple(asked.work),
        contenders=tuple(asked.only),
    )
    peers = install(folder)
    with provider(folder / "tls", where) as source:
        stage = Stage(folder=folder, cores=where, peers=peers, provider=source)
        results = Rounds(stage, choice).run()
    results.missing |= peers.missing
    verdicts = judge(results)
    setting = report.Setting(
        machine=cores.describe(),
        versions=peers.versions,
        rounds=choice.rounds,
        seconds=choice.seconds,
        pinned=where.server is not None,
    )
    print(f"\n{report.figures_table(results)}\n\n{report.verdicts_table(verdicts)}\n")
    for caution in report.cautions(results, setting.pinned):
        print(f"caution: {caution}")
    report.write(asked.json, report.as_json(results, verdicts, setting))
    report.write(asked.svg, chart.draw(results, setting))
    return 0 if all(verdict.word == "met" for verdict in verdicts) else 1


def _arguments() -> argparse.Namespace:
    folder = ROOT / ".cache" / "bench"
    works = (*plan.FLOWS, "first-text", plan.BURST.name, plan.SHORT.name, "memory")
    names = [contender.name for contender in plan.CONTENDERS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all cells (5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured part of a cell (3)")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--ahead", action="store_true", help="go before other work of the machine (root)")
    parser.add_argument("--work", nargs="+", default=[], choices=works, help="only these works")
    parser.add_argument("--only", nargs="+", default=[], choices=names, help="only these servers")
    parser.add_argument("--json", type=Path, default=folder / "bench.json", help="where the figures go")
    parser.add_argument("--svg", type=Path, default=folder / "bench.svg", help="where the picture goes")
    parser.add_argument("--folder", type=Path, default=folder, help="the benchmark's own folder")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
