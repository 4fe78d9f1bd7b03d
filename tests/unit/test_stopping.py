"""Stopping a run: by a person, by its limits, and where its provider cannot be reached."""

import hashlib
import threading
import time

import pytest

from tests.unit.engine import PATIENCE_S, Held, StillRuns, answers, bodies, finish, ids, read, start, text_of
from webapp.errors import Stopped
from webapp.frames import Cursor
from webapp.runs.registry import RunLimits
from webapp.runs.run import Receipt


def test_a_silent_answer_is_stopped_and_its_socket_shut() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    receipt = runs.stop(run.id, None)
    assert held.aborted.is_set()
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert receipt.closed_ms < 700
    found = read(runs, run)
    assert text_of(found) == "Hel"
    assert (bodies(found)[-1]["finish_reason"], bodies(found)[-1]["by"]) == ("cancelled", "user")
    assert ids(found) == [(1, seq) for seq in range(1, len(found) + 1)]


def test_a_stop_before_the_first_word() -> None:
    runs, held = StillRuns(), Held()
    run = start(runs, held.provider)
    held.wait()
    assert run.receipt().state == "queued"
    assert runs.stop(run.id, None).state == "cancelled"
    assert [next(iter(body)) for body in bodies(read(runs, run))] == ["start", "done"]


def test_a_stop_is_idempotent() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    first = runs.stop(run.id, None)
    assert runs.stop(run.id, None) == first
    finish(runs, run)
    assert runs.stop(run.id, None) == first
    assert sum("done" in body for body in bodies(read(runs, run))) == 1


def test_many_who_stop_at_once_get_the_same_receipt() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    receipts: list[Receipt] = []
    threads = [threading.Thread(target=lambda: receipts.append(runs.stop(run.id, None))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [receipt.state for receipt in receipts] == ["cancelled"] * 6
    assert len({receipt.closed_ms for receipt in receipts}) == 1


def test_a_stop_after_the_end_changes_nothing() -> None:
    runs = StillRuns()
    run = start(runs, answers("Hello"))
    whole = read(runs, run)
    finish(runs, run)
    receipt = runs.stop(run.id, None)
    assert (receipt.state, receipt.finish_reason, receipt.closed_ms) == ("done", "stop", 0)
    assert read(runs, run) == whole


def test_a_stuck_provider_is_ended_by_raising_the_epoch() -> None:
    runs, held = StillRuns(), Held("Hel", stuck=True)
    run = start(runs, held.provider)
    held.wait()
    began = time.monotonic()
    receipt = runs.stop(run.id, None)
    assert time.monotonic() - began < 1.5
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert 600 <= receipt.closed_ms <= 1_500
    found = read(runs, run)
    assert (ids(found)[-1], text_of(found)) == ((2, 1), "Hel")
    held.release.set()
    finish(runs, run)
    assert read(runs, run) == found, "a late write was taken"


def test_a_reader_of_a_stuck_answer_gets_a_reset_and_the_end() -> None:
    runs, held = StillRuns(), Held("Hel", stuck=True)
    run = start(runs, held.provider)
    held.wait()
    follower = runs.connect()
    reader = runs.join(run, follower, None)
    before = reader.take()
    run.stop("user")
    after = reader.take()
    assert [next(iter(body)) for body in bodies(after)] == ["reset", "done"]
    assert text_of(before + after) == "Hel"
    assert text_of(read(runs, run, Cursor(run.id, 1, 2))) == "Hel"
    held.release.set()
    finish(runs, run)


def test_a_provider_that_opens_late_is_stopped_as_it_opens() -> None:
    """The stop comes while the provider connects: its socket is shut as soon as there is one."""
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    run.request_stop("user")
    assert finish(runs, run)["finish_reason"] == "cancelled"
    shut = threading.Event()
    with pytest.raises(Stopped):
        run._producer.opened(shut.set)
    assert shut.is_set()


# RunLimits of time; the pulse beats when the test says so.


def test_an_answer_that_nobody_reads_is_stopped_after_its_limit() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider, orphan_s=100)
    held.wait()
    runs.look_round(run.idle_since + 99)
    assert not held.aborted.is_set()
    runs.look_round(run.idle_since + 100.1)
    last = finish(runs, run)
    assert (last["finish_reason"], last["by"]) == ("cancelled", "orphan")


def test_a_reader_keeps_an_answer_alive_and_time_begins_when_it_leaves() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider, orphan_s=100)
    held.wait()
    follower = runs.connect()
    runs.join(run, follower, None)
    runs.look_round(run.began_at + 500)
    assert not held.aborted.is_set()
    runs.part(run, follower)
    runs.look_round(run.idle_since + 99)
    assert not held.aborted.is_set()
    runs.look_round(run.idle_since + 101)
    assert finish(runs, run)["by"] == "orphan"


def test_a_last_reader_who_leaves_with_stop_ends_it() -> None:
    runs, held = StillRuns(), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    one, other = runs.connect(), runs.connect()
    runs.join(run, one, None)
    runs.join(run, other, None)
    runs.part(run, one, stop=True)
    assert not held.aborted.is_set()
    runs.part(run, other, stop=True)
    assert finish(runs, run)["by"] == "orphan"


def test_an_answer_over_its_time_ends_by_length() -> None:
    runs, held = StillRuns(RunLimits(total_s=60)), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    runs.look_round(run.began_at + 59.9)
    assert not held.aborted.is_set()
    runs.look_round(run.began_at + 60.1)
    last = finish(runs, run)
    assert (last["finish_reason"], "by" in last) == ("length", False)
    assert run.receipt().state == "done"
    assert last["usage"]["estimated"]


def test_the_first_reason_counts() -> None:
    runs, held = StillRuns(RunLimits(total_s=60)), Held("Hel")
    run = start(runs, held.provider)
    held.wait()
    runs.look_round(run.began_at + 61)
    run.request_stop("user")
    assert finish(runs, run)["finish_reason"] == "length"


# Going away.


def test_a_server_that_goes_lets_answers_end_and_then_cuts_them() -> None:
    runs, held = StillRuns(), Held("Hel", stuck=True)
    run = start(runs, held.provider)
    held.wait()
    follower = runs.connect()
    reader = runs.join(run, follower, None)
    runs.drain(20.0)
    assert runs.draining
    assert follower.wake.wait(0)
    assert run.receipt().state == "streaming"
    runs.look_round(time.monotonic() + 19)
    assert run.receipt().state == "streaming"
    runs.look_round(time.monotonic() + 21)
    assert follower.leaving
    last = bodies(reader.take())[-1]
    assert (last["code"], last["retryable"], last["partial"]) == ("interrupted", True, True)
    held.release.set()
    finish(runs, run)


@pytest.mark.parametrize(("limit", "by"), [("total", None), ("orphan", "orphan")])
def test_a_limit_ends_a_stuck_producer_too(limit: str, by: str | None) -> None:
    runs, held = StillRuns(RunLimits(total_s=60)), Held("Hel", stuck=True)
    run = start(runs, held.provider, orphan_s=1.0 if limit == "orphan" else 900.0)
    held.wait()
    runs.look_round(run.began_at + (61 if limit == "total" else 2))
    last = bodies(read(runs, run))[-1]
    assert last["finish_reason"] == ("length" if limit == "total" else "cancelled")
    assert last.get("by") == by
    held.release.set()
    finish(runs, run)


def test_what_a_stuck_producer_says_late_is_not_in_the_digest() -> None:
    """The log is taken first and read then: the digest is of what every reader gets."""
    runs, held = StillRuns(), Held("Hel", stuck=True)
    run = start(runs, held.provider)
    held.wait()
    run.stop("user")
    found = bodies(read(runs, run))
    assert found[-1]["sha256"] == hashlib.sha256(b"Hel").hexdigest()
    held.release.set()
    finish(runs, run)
