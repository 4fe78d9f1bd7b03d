"""The metrics: what the engine's measurements become, which labels there are, and the sum over several workers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.engine import RunsWithoutPulse, answers, finish, scripted, start
from webapp.catalog.models import ModelTable
from webapp.errors import UpstreamError
from webapp.events import Finished, UsageReport
from webapp.frames import Cursor
from webapp.measurements import GAP_BOUNDS_S, FrameGaps
from webapp.metrics import Metrics
from webapp.metrics_folder import MetricsFolder

TABLE = ModelTable.read()
CANARY = "canary-model-of-a-caller"


def values(metrics: Metrics) -> dict[str, float]:
    """Return each sample by its name and labels as they are written."""
    lines = metrics.render().decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples if "_created" not in name}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(TABLE.table_name)


@pytest.fixture
def runs(metrics: Metrics) -> RunsWithoutPulse:
    return RunsWithoutPulse(pricer=TABLE.compute_cost, observer=metrics)


def test_an_answer_is_counted_at_its_end(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    usage = UsageReport(input_tokens=1_000, output_tokens=200)
    run = start(runs, scripted("Hello", " there", usage, Finished("stop")))
    finish(runs, run)
    found = values(metrics)
    assert found['freshet_runs_total{provider="openai",state="done"}'] == 1
    assert found['freshet_first_delta_seconds_count{provider="openai"}'] == 1
    assert found["freshet_frames_total"] == len(run.log)
    assert found["freshet_frame_bytes_total"] == sum(len(f.payload) for f in run.log.frames_from(0))
    assert (
        found["freshet_frame_gap_seconds_count"] == sum(f.kind == "text" for f in run.log.frames_from(0)) - 1
    )
    assert found['freshet_tokens_total{kind="input",model="gpt-4.1",provider="openai"}'] == 1_000
    assert found['freshet_tokens_total{kind="output",model="gpt-4.1",provider="openai"}'] == 200
    cost = run.receipt().cost
    assert cost is not None
    assert cost > 0
    assert found['freshet_cost_dollars_total{model="gpt-4.1",provider="openai"}'] == pytest.approx(
        float(cost)
    )


def test_no_label_has_a_text_of_a_caller_or_of_a_provider(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    provider = scripted("Hi", Finished("stop", model=f"{CANARY}-2"), model=CANARY)
    finish(runs, start(runs, provider))
    assert CANARY not in metrics.render().decode()
    found = values(metrics)
    assert any('model="other"' in name for name in found)
    assert found['freshet_runs_unpriced_total{provider="openai"}'] == 1


def test_a_dated_name_counts_as_its_row_of_the_table(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    finish(runs, start(runs, answers("Hi", model="gpt-4.1-2025-04-14")))
    assert 'freshet_tokens_total{kind="output",model="gpt-4.1",provider="openai"}' in values(metrics)


def test_provider_errors_are_counted_by_code(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    failing = scripted(UpstreamError("upstream_overloaded", detail=CANARY), name="anthropic")
    finish(runs, start(runs, failing, answers("Hi")))
    finish(runs, start(runs, scripted(UpstreamError("upstream_quota"))))
    found = values(metrics)
    errors = "freshet_provider_errors_total"
    assert found[f'{errors}{{code="upstream_overloaded",provider="anthropic",repeated="yes"}}'] == 1
    assert found[f'{errors}{{code="upstream_quota",provider="openai",repeated="no"}}'] == 1
    assert found['freshet_runs_total{provider="openai",state="failed"}'] == 1
    assert CANARY not in metrics.render().decode()


def test_resumes_are_counted_by_kind(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    run = start(runs, answers("One", "Two"))
    finish(runs, run)
    connection = runs.connect()
    counted = 'freshet_resumes_total{{kind="{}"}}'.format
    assert sum(values(metrics)[counted(kind)] for kind in ("continued", "reset", "joined", "at_end")) == 0
    runs.attach(run, connection, None)
    runs.attach(run, connection, Cursor(run.id, 1, 1))
    runs.attach(run, connection, Cursor(run.id, 1, 999))
    runs.attach(run, connection, None, resumable=False)
    assert not runs.has_read_all(run, Cursor(run.id, 1, 1))
    assert runs.has_read_all(run, Cursor(run.id, 1, len(run.log)))
    found = values(metrics)
    assert [found[counted(kind)] for kind in ("continued", "reset", "joined", "at_end")] == [1, 2, 1, 1]


def test_the_pulse_counts_what_is_in_progress(metrics: Metrics, runs: RunsWithoutPulse) -> None:
    connection = runs.connect()
    runs.run_pulse(time.monotonic())
    assert values(metrics)["freshet_readers"] == 1
    runs.disconnect(connection)
    runs.run_pulse(time.monotonic())
    assert values(metrics)["freshet_readers"] == 0


def test_gaps_fall_into_the_buckets_in_which_prometheus_puts_them(metrics: Metrics) -> None:
    gaps = FrameGaps()
    now = 100.0
    gaps.note(now)
    for gap in (GAP_BOUNDS_S[0] / 2, 0.06, 0.06, 99.0):
        now += gap
        gaps.note(now)
    metrics._gaps.add_counts(gaps.counts, gaps.total_s)
    by_hand = Metrics(TABLE.table_name)
    for gap in (GAP_BOUNDS_S[0] / 2, 0.06, 0.06, 99.0):
        by_hand._gaps.observe(gap)
    expected = {name: value for name, value in values(by_hand).items() if "frame_gap" in name}
    assert {name: values(metrics)[name] for name in expected} == pytest.approx(expected)
    assert gaps.total_s == pytest.approx(99.0 + 0.12 + GAP_BOUNDS_S[0] / 2)


OpenFolder = Callable[[], MetricsFolder]


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[OpenFolder]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(MetricsFolder(str(tmp_path))))


_WORKER = """
import os, sys
from webapp.catalog.models import ModelTable
from webapp.metrics import Metrics
metrics = Metrics(ModelTable.read().table_name)
metrics.resumed("reset")
metrics.set_current(queued=1, streaming=2, readers=3)
print(os.getpid())
if sys.argv[1:]:
    print(metrics.render().decode())
"""


def run_worker(folder: Path, *arguments: str) -> list[str]:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", _WORKER, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_metrics_of_all_workers_are_summed_and_an_ended_ones_current_numbers_removed(
    open_folder: OpenFolder,
) -> None:
    folder = open_folder()
    first = int(run_worker(folder.path)[0])
    lines = run_worker(folder.path, "render")
    assert 'freshet_resumes_total{kind="reset"} 2.0' in lines
    assert "freshet_readers 6.0" in lines
    folder.forget_current(first)
    folder.forget_current(int(lines[0]))
    lines = run_worker(folder.path, "render")
    assert 'freshet_resumes_total{kind="reset"} 3.0' in lines
    assert "freshet_readers 3.0" in lines


def test_a_worker_writes_only_into_space_that_is_reserved(open_folder: OpenFolder) -> None:
    folder = open_folder()
    folder.reserve(1)
    reserved = {file.name for file in folder.path.glob("*.db")}
    assert all((folder.path / name).stat().st_blocks * 512 >= 1024**2 for name in reserved)
    worker = run_worker(folder.path)[0]
    written = {file.name.replace(worker, "1") for file in folder.path.glob(f"*_{worker}.db")}
    assert written == reserved


def test_the_next_server_removes_the_folders_of_ended_ones_and_no_other(open_folder: OpenFolder) -> None:
    running, ended = open_folder(), open_folder()
    ended.close()
    other = open_folder()
    assert running.path.is_dir()
    assert other.path.is_dir()
    assert not ended.path.exists()


def test_a_cost_of_zero_is_no_unknown_cost(metrics: Metrics) -> None:
    runs = RunsWithoutPulse(pricer=lambda *_: Decimal(0), observer=metrics)
    finish(runs, start(runs, answers("Hi")))
    assert not any("unpriced" in name or "cost" in name for name in values(metrics))
