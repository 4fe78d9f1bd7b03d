"""At the end of draining, runs are left to another worker where one can continue them."""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.unit.engine import PausedAnswer, RunsWithoutPulse, answers, bodies, read, run_spec, text_of
from tests.unit.faulty_journal import FaultyJournal, wait_for
from tests.unit.test_run_storage import MemoryWriter
from webapp.runs.lost import LostRun, Recovery
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits

OWNER = "user:anna"


class SharedJournal(FaultyJournal):
    kind = "sqlite"  # of which other workers would know


@pytest.fixture
def journal() -> SharedJournal:
    return SharedJournal()


def make_runs(journal: FaultyJournal, worker: str, *, may_continue: bool = True) -> RunsWithoutPulse:
    runs = RunsWithoutPulse(RunLimits(lease_s=60.0), journal=journal, worker=worker)
    runs.continue_lost(lambda _lost, _epoch: Recovery(), may_continue=may_continue)
    return runs


@pytest.fixture
def runs(journal: SharedJournal) -> Iterator[RunsWithoutPulse]:
    made = make_runs(journal, "a")
    yield made
    made.close(0.1)


def begin(
    runs: RunsWithoutPulse, paused: PausedAnswer, *, owner: str | None = OWNER, **spec: Any
) -> tuple[Run, MemoryWriter]:
    writer = MemoryWriter()
    made = msgspec.structs.replace(
        run_spec(paused.provider, owner=owner), writer=writer, **({"reference": b"reference"} | spec)
    )
    run, _ = runs.start(made)
    paused.wait()
    return run, writer


def end_draining(runs: RunsWithoutPulse) -> None:
    runs.drain(0.0)
    runs.run_pulse(time.monotonic() + 1.0)
    assert runs.wait_until_idle(10.0)


def test_another_worker_goes_on_with_a_run_that_was_left(
    runs: RunsWithoutPulse, journal: SharedJournal
) -> None:
    released: list[bool] = []
    run, writer = begin(runs, PausedAnswer("Hel", "lo"), permit=lambda: lambda: released.append(True))
    end_draining(runs)
    runs.close(1.0)
    assert run.is_lost
    assert not run.log.closed
    assert released == [True]
    assert writer.calls[-1][:2] == ("save_progress", "Hello")
    row = journal.row(run.id)
    assert (row.state, row.worker) == ("running", "a")
    other = make_runs(journal, "b")
    spec = msgspec.structs.replace(run_spec(answers(", you"), run=run.id, owner=OWNER), writer=writer)

    def recover(lost: LostRun, epoch: int) -> Recovery:
        assert lost.said.text == "Hello"
        return Recovery(spec=spec, writer=writer)

    other.continue_lost(recover, may_continue=True)
    assert other._takeovers is not None
    other._takeovers.check(lapsed=False)
    wait_for(lambda: run.id in other._runs, "the run goes on")
    received = read(other, other._runs[run.id])
    assert text_of(received) == writer.text == "Hello, you"
    assert bodies(received)[-1]["done"] is True
    other.close(0.1)


def test_what_a_worker_that_was_frozen_stores_of_a_run_that_it_leaves_has_its_epoch(
    runs: RunsWithoutPulse,
) -> None:
    """Another worker may have stored more of it, under a later epoch."""
    run, writer = begin(runs, PausedAnswer("Hel", "lo"))
    assert runs.journaling is not None
    runs.journaling.lease._valid_until = 0.0  # as time goes by while it is frozen
    end_draining(runs)
    assert run.is_lost
    assert (writer.calls[-1][:2], set(writer.epochs)) == (("save_progress", "Hello"), {1})


@pytest.mark.parametrize(
    "spec", [{"reference": b""}, {"owner": None}], ids=["without a reference", "without an owner"]
)
def test_a_run_that_nobody_could_continue_ends_as_interrupted(
    runs: RunsWithoutPulse, spec: dict[str, Any]
) -> None:
    run, writer = begin(runs, PausedAnswer("Hel"), **spec)
    end_draining(runs)
    assert bodies(read(runs, run))[-1]["code"] == "interrupted"
    assert writer.answer.state == "interrupted"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_where_nothing_is_taken_over_runs_end(kind: str) -> None:
    journal = FaultyJournal()
    journal.kind = kind  # type: ignore[assignment]
    runs = make_runs(journal, "a", may_continue=kind == "memory")
    run, _ = begin(runs, PausedAnswer("Hel"))
    end_draining(runs)
    assert bodies(read(runs, run))[-1]["code"] == "interrupted"
    runs.close(0.1)


def test_while_the_journal_is_away_runs_end(runs: RunsWithoutPulse, journal: SharedJournal) -> None:
    run, writer = begin(runs, PausedAnswer("Hel"))
    journal.condition = "away"
    end_draining(runs)
    assert bodies(read(runs, run))[-1]["code"] == "interrupted"
    assert writer.answer.state == "interrupted"


def test_a_run_that_is_being_stopped_is_not_left(runs: RunsWithoutPulse) -> None:
    paused = PausedAnswer("Hel", stuck=True)
    run, _ = begin(runs, paused)
    run.request_stop("user")
    runs.drain(0.0)
    runs.run_pulse(time.monotonic() + 1.0)
    wait_for(lambda: run.log.closed, "the end of the run")
    paused.release.set()
    assert runs.wait_until_idle(10.0)
