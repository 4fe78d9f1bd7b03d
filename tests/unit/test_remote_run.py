"""A run of another worker: its log is filled from the journal, and its stop is asked for there."""

import random
import threading
import time
from decimal import Decimal

import msgspec
import pytest

from tests.unit.engine import TIMEOUT_S, bodies, ids, text_of
from tests.unit.other_worker import CANCELLED, DONE, INTERRUPTED, OtherRun, result_of
from webapp.chat import Usage
from webapp.errors import JournalUnavailable
from webapp.frames import Cursor, Frame, done_frame, text_frame
from webapp.journal.memory import MemoryJournal
from webapp.journal_records import JournalCursor
from webapp.runs.log import RunLog
from webapp.runs.readers import Reader
from webapp.runs.remote_run import RemoteRun


def remote_of(other: OtherRun, *, loaded: bool = True) -> RemoteRun:
    row = other.journal.find(other.id)
    assert row is not None
    remote = RemoteRun.from_row(other.journal, row)
    if loaded:
        assert remote.catch_up()
    return remote


def test_a_run_is_read_from_its_first_frame() -> None:
    other = OtherRun(MemoryJournal(), "Hel", "lo", conversation="c")
    remote = remote_of(other)
    assert (remote.id, remote.owner, remote.conversation) == (other.id, "anna", "c")
    assert (remote.fingerprint, remote.model, remote.state) == ("body", "m", "streaming")
    found = Reader(remote.log, None, resumable=True).take()
    assert (text_of(found), ids(found)) == ("Hello", [(1, 1), (1, 2), (1, 3)])
    other.say(" you")
    other.end()
    assert remote.catch_up()
    assert remote.log.text_of("text") == "Hello you"
    assert (remote.state, remote.log.closed, remote.model) == ("done", True, "m-1")
    assert remote.ended_at is not None


def test_a_run_that_has_said_nothing_is_queued() -> None:
    assert remote_of(OtherRun(MemoryJournal())).state == "queued"


def test_a_run_of_a_later_epoch_begins_with_its_reset() -> None:
    other = OtherRun(MemoryJournal(), "Hel", "lo wor")
    other.move("third", "Hello")
    other.say(" you")
    remote = remote_of(other)
    found = Reader(remote.log, None, resumable=True).take()
    assert (text_of(found), ids(found)) == ("Hello you", [(2, 1)])
    assert remote.cursor == JournalCursor(2, 1)


def test_a_reader_follows_into_a_later_epoch() -> None:
    other = OtherRun(MemoryJournal(), "Hel", "lo wor")
    remote = remote_of(other)
    reader = Reader(remote.log, None, resumable=True)
    found = reader.take()
    other.move("third", "Hello")
    other.say(" you")
    other.end()
    remote.catch_up()
    found += reader.take()
    assert (text_of(found), reader.ended) == ("Hello you", True)


def test_what_the_log_has_is_skipped() -> None:
    other = OtherRun(MemoryJournal(), "a")
    remote = remote_of(other, loaded=False)
    old = other.journal.read({other.id: remote.cursor}, 1_000)[other.id]
    other.say("b", "c")
    newer = other.journal.read({other.id: remote.cursor}, 1_000)[other.id]
    for update in (old, newer, old, newer):
        remote.apply(update)
    assert remote.log.text_of("text") == "abc"
    tail = other.journal.read({other.id: JournalCursor(1, 3)}, 1_000)[other.id]
    fresh = remote_of(other, loaded=False)
    fresh.apply(tail)  # the frames before it are missing
    assert (len(fresh.log), fresh.cursor.seq) == (0, 0)


def test_an_update_of_an_earlier_epoch_is_ignored() -> None:
    other = OtherRun(MemoryJournal(), "a")
    remote = remote_of(other, loaded=False)
    old = other.journal.read({other.id: remote.cursor}, 1_000)[other.id]
    other.move("third", "b")
    remote.catch_up()
    remote.apply(old)
    assert (remote.log.epoch, remote.log.text_of("text")) == (2, "b")


def test_a_long_run_is_read_in_several_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.runs.remote_run.READ_BYTES", 1_000)
    other = OtherRun(MemoryJournal())
    for _ in range(30):
        other.say("x" * 500)
    assert remote_of(other).log.text_of("text") == "x" * 15_000


def test_concurrent_readers_of_the_journal_append_each_frame_once(dice: random.Random) -> None:
    other = OtherRun(MemoryJournal())
    remote = remote_of(other)
    failures: list[Exception] = []

    def follow() -> None:
        try:
            while not remote.log.closed:
                remote.catch_up()
        except Exception as error:  # noqa: BLE001  (a failure of the test)
            failures.append(error)

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    text, epoch = "", 1
    for number in range(200):
        if dice.random() < 0.1:
            epoch += 1
            text = text[: dice.randint(0, len(text))]
            other.move(f"worker {number}", text)
        other.say(f"{number} ")
        text += f"{number} "
    other.end()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert failures == []
    assert (remote.log.text_of("text"), remote.log.epoch, remote.log.closed) == (text, epoch, True)


def test_a_run_that_the_journal_has_lost_is_reported() -> None:
    journal = MemoryJournal()
    other = OtherRun(journal, "a")
    remote = remote_of(other)
    other.end()
    journal.expire(0.0)
    assert not remote.catch_up()
    assert remote.log.text_of("text") == "a"


# Cursors.


def test_a_reader_ahead_of_the_journal_is_waited_for() -> None:
    """Frames reach the journal a moment after the readers of the run's own worker."""
    other = OtherRun(MemoryJournal(), "a")
    remote = remote_of(other)
    late = threading.Timer(0.05, other.say, ["b", "c"])
    late.start()
    assert remote.catch_up(Cursor(other.id, 1, 4))
    assert remote.cursor == JournalCursor(1, 4)
    late.join(TIMEOUT_S)


@pytest.mark.parametrize("cursor", [(1, 9), (2, 0), (1, 2)])
def test_no_reader_is_waited_for_long(cursor: tuple[int, int]) -> None:
    other = OtherRun(MemoryJournal(), "a")
    remote = remote_of(other)
    began = time.monotonic()
    remote.catch_up(Cursor(other.id, *cursor))
    waited = time.monotonic() - began
    assert waited < 2.0
    assert (waited >= 0.2) == (cursor != (1, 2))


# Ends.


@pytest.mark.parametrize(
    ("terminal", "state", "reason"),
    [(DONE, "done", "stop"), (CANCELLED, "cancelled", "cancelled"), (INTERRUPTED, "interrupted", None)],
)
def test_the_receipt_says_what_the_terminal_frame_says(
    terminal: Frame, state: str, reason: str | None
) -> None:
    other = OtherRun(MemoryJournal(), "a")
    other.end(terminal)
    receipt = remote_of(other).receipt()
    assert (receipt.run, receipt.state, receipt.finish_reason) == (other.id, state, reason)
    assert receipt.usage == Usage(input_tokens=3, output_tokens=5)


def test_a_cost_is_exact() -> None:
    other = OtherRun(MemoryJournal())
    result = msgspec.structs.replace(result_of("done"), cost=Decimal("0.0000123"))
    other.end(done_frame(result))
    assert remote_of(other).receipt().cost == Decimal("0.0000123")


def test_a_stop_waits_for_the_end() -> None:
    journal = MemoryJournal()
    other = OtherRun(journal, "a")
    remote = remote_of(other, loaded=False)

    def obey() -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not journal.find_stops("other") and time.monotonic() < deadline:
            time.sleep(0.01)
        other.say("b")
        other.end(CANCELLED)

    thread = threading.Thread(target=obey)
    thread.start()
    receipt = remote.stop("user")
    thread.join(TIMEOUT_S)
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert 0 < receipt.closed_ms < 1_500
    assert remote.log.text_of("text") == "ab"
    assert remote.stop("user") == receipt


def test_a_worker_that_does_not_stop_is_not_waited_for_long() -> None:
    other = OtherRun(MemoryJournal(), "a")
    began = time.monotonic()
    receipt = remote_of(other).stop("user")
    assert 0.9 < time.monotonic() - began < 5.0
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    assert (receipt.usage, receipt.closed_ms) == (None, 0)
    assert other.journal.find_stops("other") == {other.id: "user"}


def test_an_ended_run_is_not_stopped() -> None:
    other = OtherRun(MemoryJournal(), "a")
    other.end()
    receipt = remote_of(other, loaded=False).stop("user")
    assert (receipt.state, receipt.closed_ms) == ("done", 0)


def test_a_stop_without_a_journal_is_an_error() -> None:
    class Away(MemoryJournal):
        def read(self, *_: object, **__: object) -> dict[str, object]:  # type: ignore[override]
            raise JournalUnavailable

    other = OtherRun(MemoryJournal(), "a")
    row = other.journal.find(other.id)
    assert row is not None
    with pytest.raises(JournalUnavailable):
        RemoteRun.from_row(Away(), row).stop("user")


# Temporary runs, of which the journal has no text.


def test_the_end_of_a_temporary_run_follows_what_is_known_of_it() -> None:
    journal = MemoryJournal()
    other = OtherRun(journal, "Hel", owner=None)
    row = journal.find(other.id)
    assert row is not None
    assert RemoteRun.from_row(journal, row).text_elsewhere
    log = RunLog(other.start)
    log.extend([text_frame("Hel"), text_frame("lo")], 1)
    lost = RemoteRun(journal, owner=None, fingerprint="body", log=log, temporary=True)
    reader = Reader(log, None, resumable=True)
    found = reader.take()
    other.move("third", "")
    other.end(INTERRUPTED)
    assert lost.catch_up()
    found += reader.take()
    assert (text_of(found), bodies(found)[-1]["code"], reader.ended) == ("Hello", "interrupted", True)
    stranger = remote_of(other)
    assert not stranger.text_elsewhere
    kinds = [frame.kind for frame, _ in Reader(stranger.log, None, resumable=True).take()]
    assert kinds == ["reset", "error"]


def test_a_reader_of_a_later_epoch_is_not_led_back() -> None:
    """It has read on at another worker; this one's copy of the run is a moment old."""
    other = OtherRun(MemoryJournal(), "Hel", "lo wor")
    remote = remote_of(other)
    assert not remote.is_behind(Cursor(other.id, 1, 3))
    later = Cursor(other.id, 2, 0)
    assert remote.is_behind(later)
    other.move("third", "Hello")
    remote.catch_up(later)
    assert not remote.is_behind(later)
    reader = Reader(remote.log, later, resumable=True)
    assert not reader.needs_reset
