"""While a worker drains, readers that can read on at another one are sent away; the others stay until the runs end."""

import time
from collections.abc import Iterator

import pytest

from tests.unit.engine import PausedAnswer, RunsWithoutPulse
from tests.unit.test_leaving import SharedJournal, begin, make_runs
from webapp.runs.readers import ReaderConnection
from webapp.runs.run import Run

GRACE_S = 20.0
SENT_AWAY_S = 4.0  # a signal is noticed within a second: five in all


@pytest.fixture
def journal() -> SharedJournal:
    return SharedJournal()


@pytest.fixture
def runs(journal: SharedJournal) -> Iterator[RunsWithoutPulse]:
    made = make_runs(journal, "a")
    yield made
    made.drain(0.0)
    made.run_pulse(time.monotonic() + 1.0)
    made.wait_until_idle(10.0)
    made.close(0.1)


def read(runs: RunsWithoutPulse, *read_runs: Run, can_resume: bool = True) -> ReaderConnection:
    connection = runs.connect(can_resume=can_resume)
    for run in read_runs:
        runs.attach(run, connection, None)
    return connection


def drain(runs: RunsWithoutPulse, seconds: float) -> None:
    """Begin to drain, and let so many seconds pass."""
    runs.drain(GRACE_S)
    runs.run_pulse(time.monotonic() + seconds)


def test_readers_that_can_resume_are_sent_away_within_five_seconds(runs: RunsWithoutPulse) -> None:
    run, _ = begin(runs, PausedAnswer("Hel"))
    moving, staying = read(runs, run), read(runs, run, can_resume=False)
    drain(runs, 1.0)
    assert not moving.must_reconnect, "a short answer ends where it is"
    runs.run_pulse(time.monotonic() + SENT_AWAY_S)
    assert moving.must_reconnect
    assert not staying.must_reconnect
    assert run.ended_at is None


def test_the_readers_of_a_run_that_nobody_else_can_read_stay(runs: RunsWithoutPulse) -> None:
    run, _ = begin(runs, PausedAnswer("Hel"))
    temporary, _ = begin(runs, PausedAnswer("Hel"), owner=None)
    moving, staying, both = read(runs, run), read(runs, temporary), read(runs, run, temporary)
    drain(runs, SENT_AWAY_S)
    assert [one.must_reconnect for one in (moving, staying, both)] == [True, False, False]


@pytest.mark.parametrize(("kind", "condition"), [("memory", "ready"), ("sqlite", "away")])
def test_without_a_journal_that_others_can_read_all_stay(
    runs: RunsWithoutPulse, journal: SharedJournal, kind: str, condition: str
) -> None:
    run, _ = begin(runs, PausedAnswer("Hel"))
    reader = read(runs, run)
    journal.kind, journal.condition = kind, condition  # type: ignore[assignment]
    drain(runs, SENT_AWAY_S)
    assert not reader.must_reconnect
