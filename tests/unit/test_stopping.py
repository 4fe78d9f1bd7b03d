"""Stopping a run: by a user, by its limits, and with a stuck provider."""

import hashlib
import threading
import time

import pytest

from tests.unit.engine import (
    TIMEOUT_S,
    PausedAnswer,
    RunsWithoutPulse,
    answers,
    bodies,
    finish,
    ids,
    read,
    start,
    text_of,
)
from webapp.errors import Stopped
from webapp.frames import Cursor
from webapp.runs.run_limits import RunLimits
from webapp.runs.run_spec import Receipt


def test_a_stop_shuts_the_socket_of_a_silent_provider() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    receipt = runs.stop(run.id, None)
    assert paused.aborted.is_set()
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert receipt.closed_ms < 700
    found = read(runs, run)
    assert text_of(found) == "Hel"
    assert (bodies(found)[-1]["finish_reason"], bodies(found)[-1]["by"]) == ("cancelled", "user")
    assert ids(found) == [(1, seq) for seq in range(1, len(found) + 1)]


def test_a_run_can_be_stopped_before_its_first_delta() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer()
    run = start(runs, paused.provider)
    paused.wait()
    assert run.receipt().state == "queued"
    assert runs.stop(run.id, None).state == "cancelled"
    assert [next(iter(body)) for body in bodies(read(runs, run))] == ["start", "done"]


def test_a_stop_is_idempotent() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    first = runs.stop(run.id, None)
    assert runs.stop(run.id, None) == first
    finish(runs, run)
    assert runs.stop(run.id, None) == first
    assert sum("done" in body for body in bodies(read(runs, run))) == 1


def test_concurrent_stops_return_the_same_receipt() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    receipts: list[Receipt] = []
    threads = [threading.Thread(target=lambda: receipts.append(runs.stop(run.id, None))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert [receipt.state for receipt in receipts] == ["cancelled"] * 6
    assert len({receipt.closed_ms for receipt in receipts}) == 1


def test_a_stop_after_the_end_changes_nothing() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("Hello"))
    whole = read(runs, run)
    finish(runs, run)
    receipt = runs.stop(run.id, None)
    assert (receipt.state, receipt.finish_reason, receipt.closed_ms) == ("done", "stop", 0)
    assert read(runs, run) == whole


def test_a_run_with_a_stuck_provider_ends_in_a_new_epoch() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider)
    paused.wait()
    began = time.monotonic()
    receipt = runs.stop(run.id, None)
    assert time.monotonic() - began < TIMEOUT_S / 2, "it has waited for the provider"
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert receipt.closed_ms >= 600
    found = read(runs, run)
    assert (ids(found)[-1], text_of(found)) == ((2, 1), "Hel")
    paused.release.set()
    finish(runs, run)
    assert read(runs, run) == found, "a late frame was appended"


def test_a_reader_of_a_stuck_run_gets_a_reset_and_the_end() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider)
    paused.wait()
    connection = runs.connect()
    reader = runs.attach(run, connection, None)
    before = reader.take()
    run.stop("user")
    after = reader.take()
    assert [next(iter(body)) for body in bodies(after)] == ["reset", "done"]
    assert text_of(before + after) == "Hel"
    assert text_of(read(runs, run, Cursor(run.id, 1, 2))) == "Hel"
    paused.release.set()
    finish(runs, run)


def test_a_connection_opened_after_the_stop_is_shut_at_once() -> None:
    """A stop while the provider connects shuts the socket as soon as it is open."""
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    run.request_stop("user")
    assert finish(runs, run)["finish_reason"] == "cancelled"
    shut = threading.Event()
    with pytest.raises(Stopped):
        run._producer.register_abort(shut.set)
    assert shut.is_set()


# Time limits; the test calls the pulse.


def test_a_run_without_readers_is_stopped_after_its_limit() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider, orphan_s=100)
    paused.wait()
    runs.run_pulse(run.log.idle_since + 99)
    assert not paused.aborted.is_set()
    runs.run_pulse(run.log.idle_since + 100.1)
    last = finish(runs, run)
    assert (last["finish_reason"], last["by"]) == ("cancelled", "orphan")


def test_the_orphan_limit_starts_when_the_last_reader_leaves() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider, orphan_s=100)
    paused.wait()
    connection = runs.connect()
    runs.attach(run, connection, None)
    runs.run_pulse(run.began_at + 500)
    assert not paused.aborted.is_set()
    runs.detach(run, connection)
    runs.run_pulse(run.log.idle_since + 99)
    assert not paused.aborted.is_set()
    runs.run_pulse(run.log.idle_since + 101)
    assert finish(runs, run)["by"] == "orphan"


def test_the_last_reader_that_detaches_with_stop_ends_the_run() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    one, other = runs.connect(), runs.connect()
    runs.attach(run, one, None)
    runs.attach(run, other, None)
    runs.detach(run, one, stop=True)
    assert not paused.aborted.is_set()
    runs.detach(run, other, stop=True)
    assert finish(runs, run)["by"] == "orphan"


def test_a_run_over_its_time_limit_ends_with_length() -> None:
    runs, paused = RunsWithoutPulse(RunLimits(total_s=60)), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    runs.run_pulse(run.began_at + 59.9)
    assert not paused.aborted.is_set()
    runs.run_pulse(run.began_at + 60.1)
    last = finish(runs, run)
    assert (last["finish_reason"], "by" in last) == ("length", False)
    assert run.receipt().state == "done"
    assert last["usage"]["estimated"]


def test_the_first_stop_reason_is_used() -> None:
    runs, paused = RunsWithoutPulse(RunLimits(total_s=60)), PausedAnswer("Hel")
    run = start(runs, paused.provider)
    paused.wait()
    runs.run_pulse(run.began_at + 61)
    run.request_stop("user")
    assert finish(runs, run)["finish_reason"] == "length"


# Shutting down.


def test_draining_waits_for_runs_and_then_interrupts_them() -> None:
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider)
    paused.wait()
    connection = runs.connect()
    reader = runs.attach(run, connection, None)
    runs.drain(20.0)
    assert runs.is_draining
    assert connection.wake.wait(0)
    assert run.receipt().state == "streaming"
    runs.run_pulse(time.monotonic() + 19)
    assert run.receipt().state == "streaming"
    runs.run_pulse(time.monotonic() + 21)
    assert connection.must_reconnect
    last = bodies(reader.take())[-1]
    assert (last["code"], last["retryable"], last["partial"]) == ("interrupted", True, True)
    paused.release.set()
    finish(runs, run)


@pytest.mark.parametrize(("limit", "by"), [("total", None), ("orphan", "orphan")])
def test_a_time_limit_ends_a_run_with_a_stuck_producer(limit: str, by: str | None) -> None:
    runs, paused = RunsWithoutPulse(RunLimits(total_s=60)), PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider, orphan_s=1.0 if limit == "orphan" else 900.0)
    paused.wait()
    runs.run_pulse(run.began_at + (61 if limit == "total" else 2))
    last = bodies(read(runs, run))[-1]
    assert last["finish_reason"] == ("length" if limit == "total" else "cancelled")
    assert last.get("by") == by
    paused.release.set()
    finish(runs, run)


def test_the_digest_excludes_late_text_of_a_stuck_producer() -> None:
    """The log is seized before it is read, so that the digest matches the text that readers get."""
    runs, paused = RunsWithoutPulse(), PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider)
    paused.wait()
    run.stop("user")
    found = bodies(read(runs, run))
    assert found[-1]["sha256"] == hashlib.sha256(b"Hel").hexdigest()
    paused.release.set()
    finish(runs, run)
