"""`make bench-scale` in small: each kind of work is measured on SQLite, and nothing is lost. No target is judged: the machine is busy."""

from pathlib import Path

import pytest

from tests.bench.cores import Cores
from tests.bench.plan import CALM, Work
from tests.bench.rounds import Results
from tests.bench.servers import provider
from tests.bench_scale import plan
from tests.bench_scale.operations import count
from tests.bench_scale.rounds import Choice, Rounds
from tests.bench_scale.servers import Bench
from tests.bench_scale.targets import judge

UNPINNED = Cores(server=None, load=None)


@pytest.mark.timeout(300)  # it starts eight workers: some ten seconds, but many more beside other tests
def test_each_kind_of_work_is_measured(tmp_path: Path) -> None:
    works = (CALM.name, plan.AWAY, plan.RESUME, plan.RETURN.name)
    choice = Choice(
        rounds=1, seconds=0.3, works=works, contenders=("memory", "sqlite-1", "sqlite"), scale=0.02
    )
    with provider(tmp_path / "tls", UNPINNED) as source:
        results = Rounds(Bench(folder=tmp_path, cores=UNPINNED, provider=source), choice).run()
    assert results.failures == []
    assert {work for work, _ in results.cells} == set(works)
    verdicts = {(verdict.work, verdict.asks): verdict for verdict in judge(results)}
    judged = {work for (work, _), verdict in verdicts.items() if verdict.value is not None}
    assert judged == {*works, "all"}
    assert (verdicts["all", "lost deltas"].value, verdicts["all", "failed streams"].value) == (0, 0)


def test_operations_are_counted(tmp_path: Path) -> None:
    with provider(tmp_path, UNPINNED) as source:
        found = count("sqlite", source, 2, deltas=25, read_elsewhere=True)
    assert found["journal rows"] >= 5
    assert found["journal transactions"] >= 5
    assert found["store transactions"] >= 2


def test_a_trial_says_how_many_streams_take_a_quarter_of_a_core() -> None:
    assert plan.quarter_core(0.05) == Work(name=plan.AWAY, streams=100, rate=50, ramp_s=0.5)


def test_what_was_not_measured_is_not_met() -> None:
    assert {verdict.word for verdict in judge(Results())} == {"NOT MEASURED"}
