"""What the engine stores of its runs in the journal, when, and what it does if that is away or another worker has a run."""

import json
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from tests.unit.engine import (
    TIMEOUT_S,
    PausedAnswer,
    RunsWithoutPulse,
    ScriptedEvents,
    ScriptedProvider,
    answers,
    bodies,
    finish,
    ids,
    read,
    run_spec,
    start,
    text_of,
)
from tests.unit.faulty_journal import FaultyJournal, wait_for
from tests.unit.other_worker import OtherRun
from tests.unit.test_lookup import Following
from tests.unit.test_run_storage import MemoryWriter
from webapp.chat import ModelRequest
from webapp.errors import AnswerError, Conflict, NotFound
from webapp.events import Event, Finished, TextDelta
from webapp.frames import Cursor, Frame, Reset, Start, new_run, reset_frames
from webapp.journal_records import JournalGroup
from webapp.runs.journaling import Journaling
from webapp.runs.log import StaleEpoch
from webapp.runs.readers import Delivery
from webapp.runs.record import MAX_AT_ONCE
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits
from webapp.seams import Control, JournalCondition

LEASE_S = 1.0


@pytest.fixture
def journal() -> FaultyJournal:
    return FaultyJournal()


def make_runs(journal: FaultyJournal, worker: str, lease_s: float = LEASE_S) -> RunsWithoutPulse:
    return RunsWithoutPulse(RunLimits(lease_s=lease_s, expiry_s=60), journal=journal, worker=worker)


@pytest.fixture
def runs(journal: FaultyJournal) -> Iterator[RunsWithoutPulse]:
    created = make_runs(journal, "a")
    yield created
    journal.held.clear()
    created.close(0.1)


def all_frames(run: Run) -> list[Frame]:
    return run.log.frames_from(0)


def kinds(frames: list[Frame]) -> list[str]:
    return [frame.kind for frame in frames]


def text_in(frames: list[Frame]) -> str:
    """Return the text of stored frames."""
    return text_of([(frame, None) for frame in frames])


def seize(journal: FaultyJournal, run: str, worker: str = "b") -> None:
    """Let another worker take a run over, whose worker's lease has lapsed."""
    row = journal.row(run)
    with journal._changed:
        journal._leases.pop(row.worker, None)
    reset = reset_frames(
        Reset(text="taken", reasoning="", start=Start(run=run, provider="openai", model="gpt-4.1"))
    )
    journal._leases[worker] = time.time() + 60
    assert journal.seize(run, row.epoch, row.last_seq, worker, reset) == row.epoch + 1


# The beginning.


def test_a_run_is_stored_before_its_provider_is_called(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    rows = []
    name = new_run()
    provider = answers("Hello")
    opened = provider.open

    def open_and_look(request: ModelRequest, control: Control) -> ScriptedEvents:
        rows.append(journal.row(name))
        return opened(request, control)

    provider.open = open_and_look  # type: ignore[method-assign]
    spec = msgspec.structs.replace(
        run_spec(provider, run=name, owner="anna"), reference=b"how to repeat it", conversation="c"
    )
    run, _ = runs.start(spec)
    finish(runs, run)
    row = rows[0]
    assert (row.owner, row.worker, row.conversation, row.state) == ("anna", "a", "c", "running")
    assert (row.request, row.fingerprint, row.temporary) == (b"how to repeat it", "body", False)
    assert json.loads(row.start)["start"]["run"] == name
    assert row.last_seq == 1


def test_the_text_is_stored_while_the_answer_goes_on(runs: RunsWithoutPulse, journal: FaultyJournal) -> None:
    paused = PausedAnswer("Hel", "lo")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: text_in(journal.frames(run.id)) == "Hello", "the text in the journal")
    run.request_stop("user")
    finish(runs, run)
    assert journal.frames(run.id) == all_frames(run)
    assert journal.row(run.id).state == "ended"


def test_of_two_workers_that_start_the_same_run_one_calls_the_provider(journal: FaultyJournal) -> None:
    workers = make_runs(journal, "a"), make_runs(journal, "b")
    name, provider = new_run(), answers("Hello")
    barrier, texts, are_new = threading.Barrier(2), [], []

    def begin(runs: RunsWithoutPulse) -> None:
        barrier.wait(TIMEOUT_S)
        run, is_new = runs.start(run_spec(provider, run=name, owner="anna"))
        are_new.append(is_new)
        texts.append(text_of(read(runs, run)))

    threads = [threading.Thread(target=begin, args=(runs,)) for runs in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert (sorted(are_new), texts) == ([False, True], ["Hello", "Hello"])
    assert provider.calls == 1
    for runs in workers:
        runs.close(0.1)


def test_a_run_that_is_begun_here_is_joined_and_not_begun_twice(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.held["begin"] = threading.Event()
    name, provider, got = new_run(), answers("Hello"), []

    def begin() -> None:
        got.append(runs.start(run_spec(provider, run=name, owner="anna")))

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: journal.calls["begin"] == 1, "the call")
    journal.held["begin"].set()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert len({run for run, _ in got}) == 1
    assert sorted(new for _, new in got) == [False, False, True]
    finish(runs, got[0][0])
    assert (provider.calls, journal.calls["begin"]) == (1, 1)


@pytest.mark.parametrize(
    ("owner", "fingerprint", "error"), [("bert", "body", NotFound), ("anna", "other", Conflict)]
)
def test_a_run_of_another_worker_is_refused_to_other_owners_and_bodies(
    runs: RunsWithoutPulse,
    journal: FaultyJournal,
    owner: str,
    fingerprint: str,
    error: type[Exception],
) -> None:
    others, paused = make_runs(journal, "b"), PausedAnswer("Hel")
    run = start(others, paused.provider, owner="anna")
    released: list[bool] = []
    provider = answers("x")
    spec = msgspec.structs.replace(
        run_spec(provider, run=run.id, owner=owner, fingerprint=fingerprint),
        permit=lambda: lambda: released.append(True),
    )
    with pytest.raises(error):
        runs.start(spec)
    assert (provider.calls, released) == (0, [True]), "the permit is given back"
    assert runs._active == set()
    run.request_stop("user")
    finish(others, run)
    others.close(0.1)


def test_a_run_starts_while_the_journal_is_away_and_is_stored_later(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.go_away()
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    assert not MemoryRows(journal).has(run.id)
    journal.come_back()
    wait_for(lambda: MemoryRows(journal).has(run.id), "the run in the journal")
    run.request_stop("user")
    finish(runs, run)
    wait_for(lambda: journal.row(run.id).state == "ended", "the end in the journal")
    assert journal.frames(run.id) == all_frames(run)


def test_a_begin_whose_response_is_lost_is_not_taken_for_another_worker_s(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.lost_responses.add("begin")
    run = start(runs, answers("Hello"), owner="anna")
    finish(runs, run)
    wait_for(lambda: journal.row(run.id).state == "ended", "the end in the journal")
    assert journal.frames(run.id) == all_frames(run)


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "not stored"])
def test_a_begin_in_which_the_process_stood_still_is_repeated_at_once(
    runs: RunsWithoutPulse, journal: FaultyJournal, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    """As after a freeze: the call has failed, and its outcome is unknown; readers elsewhere must find the run."""
    monkeypatch.setattr("webapp.runs.journaling._SLOW_S", 0.0)
    if is_stored:
        journal.lost_responses.add("begin")
    else:
        journal.refuse_once("begin")
    run = start(runs, answers("Hello"), owner="anna")
    assert journal.row(run.id).worker == "a"
    assert journal.calls["begin"] == 2
    finish(runs, run)
    assert journal.row(run.id).state == "ended"
    assert journal.frames(run.id) == all_frames(run)


def test_a_lease_that_the_journal_has_lost_is_begun_again(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    finish(runs, start(runs, answers("x"), owner="anna"))
    journal.clear()
    run = start(runs, answers("Hello"), owner="anna")
    assert journal.row(run.id).worker == "a"
    finish(runs, run)


# The end.


def test_readers_get_the_end_after_the_journal_has_it(runs: RunsWithoutPulse, journal: FaultyJournal) -> None:
    journal.held["end"] = threading.Event()
    run = start(runs, answers("Hello"), owner="anna")
    wait_for(lambda: journal.calls["end"] == 1, "the call")
    assert not run.log.closed
    assert run.state == "streaming"
    journal.held["end"].set()
    assert finish(runs, run)["done"]
    assert "notice" not in kinds(all_frames(run))


@pytest.mark.parametrize("owner", ["anna", None])
def test_an_end_that_the_journal_cannot_take_is_sent_with_a_notice_and_stored_later(
    runs: RunsWithoutPulse, journal: FaultyJournal, owner: str | None
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner=owner)
    paused.wait()
    journal.go_away()
    began = time.monotonic()
    run.request_stop("user")
    finish(runs, run)
    assert time.monotonic() - began < 2.0
    notices = [body["notice"]["code"] for body in bodies(read(runs, run)) if "notice" in body]
    assert notices == (["not_saved"] if owner else []), "nothing is ever kept of an anonymous caller's"
    assert journal.row(run.id).state == "running"
    journal.come_back()
    wait_for(lambda: journal.row(run.id).state == "ended", "the end in the journal")
    assert journal.frames(run.id)[-1] == all_frames(run)[-1]
    if owner:
        assert journal.frames(run.id) == all_frames(run)


def test_many_answers_that_end_at_once_do_not_overfill_the_journal(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.held["end"] = threading.Event()
    count = MAX_AT_ONCE + 20
    started = [start(runs, answers("Hello"), owner="anna") for _ in range(count)]
    wait_for(lambda: all(run.log._is_ending for run in started), "all of them at their end")
    most = journal.calls["end"]
    journal.held["end"].set()
    for run in started:
        assert finish(runs, run)["done"]
    assert MAX_AT_ONCE // 2 < most <= MAX_AT_ONCE + 1, "the writer may try one too"
    assert {journal.row(run.id).state for run in started} == {"ended"}


def test_an_answer_that_is_stored_in_its_conversation_needs_no_notice(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused, writer = PausedAnswer("Hel"), MemoryWriter()
    spec = msgspec.structs.replace(run_spec(paused.provider, owner="anna"), writer=writer, conversation="c")
    run, _ = runs.start(spec)
    paused.wait()
    journal.go_away()
    run.request_stop("user")
    finish(runs, run)
    assert writer.answer.state == "cancelled"
    assert "notice" not in kinds(all_frames(run))


def test_an_end_whose_response_is_lost_ends_the_run_once(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.lost_responses.add("end")
    run = start(runs, answers("Hello"), owner="anna")
    assert finish(runs, run)["done"]
    assert sum(frame.terminal for frame in all_frames(run)) == 1
    assert journal.frames(run.id)[-1] == all_frames(run)[-1]
    wait_for(lambda: not journaling(runs).writer.has_records, "nothing left to write")


def test_a_run_that_is_ended_from_outside_ends_in_a_new_epoch_of_the_journal(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    receipt = runs.stop(run.id, "anna")
    assert receipt.state == "cancelled"
    row = journal.row(run.id)
    assert (row.epoch, row.state, row.last_seq) == (2, "ended", 1)
    assert text_in(journal.frames(run.id)) == "Hel"
    assert journal.frames(run.id)[-1] == all_frames(run)[-1]
    paused.release.set()
    finish(runs, run)


def test_a_run_that_is_ended_from_outside_while_the_journal_is_away_is_stored_later(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel", stuck=True)
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    journal.go_away()
    began = time.monotonic()
    assert runs.stop(run.id, "anna").state == "cancelled"
    assert time.monotonic() - began < 2.0
    journal.come_back()
    wait_for(lambda: journal.row(run.id).state == "ended", "the end in the journal")
    assert (journal.row(run.id).epoch, text_in(journal.frames(run.id))) == (2, "Hel")
    paused.release.set()
    finish(runs, run)


def test_readers_of_a_run_that_another_worker_seizes_while_it_is_ended_here_follow_it(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel", "lo wor", stuck=True)
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 3, "the text in the journal")
    mine = Following(runs, run)
    mine.read_until(lambda: text_of(mine.found) == "Hello wor")
    released = journal.held["seize"] = threading.Event()
    run.fail(AnswerError("internal"))
    wait_for(lambda: journal.calls["seize"] == 1, "the end of the run offered to the journal")
    del journal.held["seize"]  # of other calls
    other = OtherRun.take(journal, run.id, "b", "Hello")
    other.say(" you")
    released.set()
    mine.read_until(lambda: text_of(mine.found) == "Hello you")
    other.end()
    found = mine.read_to_end()
    assert [next(iter(body)) for body in bodies(found)].count("done") == 1
    assert ids(found)[-2:] == [(2, 1), (2, 2)]
    assert run.is_lost
    mine.leave()
    paused.release.set()


def test_the_notice_of_a_run_that_is_ended_from_outside_is_in_the_journal_too(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused, writer = PausedAnswer("Hel", stuck=True), MemoryWriter(answer_stored=False)
    spec = msgspec.structs.replace(run_spec(paused.provider, owner="anna"), writer=writer, conversation="c")
    run, _ = runs.start(spec)
    paused.wait()
    assert runs.stop(run.id, "anna").state == "cancelled"
    assert kinds(journal.frames(run.id)) == ["reset", "notice", "done"]
    assert journal.frames(run.id)[1:] == all_frames(run)[-2:]
    assert set(writer.epochs) == {1}, "another worker might begin epoch 2"
    paused.release.set()
    finish(runs, run)


def test_a_run_is_not_ended_from_outside_while_its_producer_ends_it(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    journal.held["end"] = threading.Event()
    run = start(runs, answers("Hello"), owner="anna")
    wait_for(lambda: journal.calls["end"] == 1, "the call")
    run.fail(AnswerError("internal"))
    journal.held["end"].set()
    assert finish(runs, run)["done"]
    assert [frame.terminal for frame in all_frames(run)].count(True) == 1


def test_of_a_caller_without_an_owner_no_text_is_stored(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    run = start(runs, answers("Secret"))
    last = finish(runs, run)
    row = journal.row(run.id)
    assert (row.temporary, row.state) == (True, "ended")
    assert [json.loads(frame.payload) for frame in journal.frames(run.id)] == [last]
    assert row.last_seq == run.log.last_seq, "the end has the same number as in the log"


def test_the_writer_s_thread_ends_with_the_last_run_and_returns_with_the_next(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    for _ in range(2):
        paused = PausedAnswer("Hel")
        run = start(runs, paused.provider, owner="anna")
        paused.wait()
        assert "freshet-journal" in thread_names()
        run.request_stop("user")
        finish(runs, run)
        wait_for(lambda: "freshet-journal" not in thread_names(), "the writer's thread, gone")


def test_a_run_that_has_expired_is_not_stored_any_more(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    journal.go_away()
    run.request_stop("user")
    finish(runs, run)
    runs.run_pulse(time.monotonic() + 61)
    wait_for(lambda: not journaling(runs).writer.has_records, "nothing left to write")
    assert journal.row(run.id).state == "running"


# A journal that comes back empty.


def test_a_journal_that_comes_back_empty_gets_the_whole_run_again(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    gate = threading.Event()

    def script(control: Control) -> Iterator[Event]:
        del control
        yield TextDelta("Hel")
        assert gate.wait(TIMEOUT_S)
        yield TextDelta("lo")
        yield Finished("stop")

    run = start(runs, ScriptedProvider(script), owner="anna")
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    journal.clear()
    gate.set()
    assert finish(runs, run)["done"]
    wait_for(lambda: MemoryRows(journal).has(run.id), "the run in the journal")
    wait_for(lambda: journal.row(run.id).state == "ended", "its end")
    assert journal.frames(run.id) == all_frames(run)
    assert run.log.epoch == 1, "its readers notice nothing"


# A run that another worker has taken over.


def test_a_run_that_another_worker_has_taken_over_is_lost(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    released: list[bool] = []
    paused, writer = PausedAnswer("Hel"), MemoryWriter()
    spec = msgspec.structs.replace(
        run_spec(paused.provider, owner="anna"),
        writer=writer,
        conversation="c",
        permit=lambda: lambda: released.append(True),
    )
    run, _ = runs.start(spec)
    paused.wait()
    seize(journal, run.id)
    run.log.append(Frame("text", b'{"text":"more"}'), 1)  # whose group is refused
    wait_for(lambda: run.is_lost, "the loss noticed")
    assert paused.aborted.wait(TIMEOUT_S)
    wait_for(lambda: run not in runs._active, "the run forgotten")
    assert released == [True]
    assert not any(isinstance(call, tuple) and call[0] != "save_progress" for call in writer.calls)
    with pytest.raises(StaleEpoch):
        run.log.append(Frame("text", b'{"text":"late"}'), 1)
    assert not run.log.closed
    assert journal.row(run.id).worker == "b"


def test_the_end_of_a_run_that_another_worker_has_taken_over_is_not_sent(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    run.request_stop("user")
    wait_for(lambda: run.is_lost, "the loss noticed")
    wait_for(lambda: run not in runs._active, "the run forgotten")
    assert not run.log.closed


def test_a_frozen_worker_asks_who_has_its_run_before_it_stores_the_answer(journal: FaultyJournal) -> None:
    """Its lease has lapsed without its noticing; the conversation has the text of the new worker."""
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    paused, writer = PausedAnswer("Hel"), MemoryWriter()
    spec = msgspec.structs.replace(run_spec(paused.provider, owner="anna"), writer=writer, conversation="c")
    run, _ = runs.start(spec)
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    journaling(runs).lease._valid_until = 0.0  # as time goes by while it is frozen
    run.request_stop("user")
    wait_for(lambda: run.is_lost, "the loss noticed")
    assert not any(isinstance(call, tuple) for call in writer.calls)
    runs.close(0.1)


@pytest.mark.parametrize("condition", ["ready", "away"])
@pytest.mark.parametrize("is_taken", [True, False], ids=["taken over", "still its own"])
def test_a_worker_that_was_frozen_sends_nothing_before_it_knows_whose_its_run_is(
    journal: FaultyJournal, is_taken: bool, condition: JournalCondition
) -> None:
    """What its provider has sent meanwhile may have been generated anew by another worker.

    The calls that it was in have failed, so that the journal seems to be away.
    """
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    gated = GatedAnswer("Hel", "lo")
    run = start(runs, gated.provider, owner="anna")
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    if is_taken:
        seize(journal, run.id)
    lease = journaling(runs).lease
    lease._valid_until = 0.0  # as time goes by while it is frozen
    journal.condition = condition
    gated.gate.set()
    wait_for(lambda: lease._wait_until > 0, "the frame waits")
    lease.restore()  # as its thread does
    if is_taken:
        wait_for(lambda: run.is_lost, "the loss noticed")
        assert run.log.text_of("text") == "Hel"
    else:
        finish(runs, run)
        assert run.log.text_of("text") == "Hello"
    runs.close(0.1)


def test_without_a_lease_the_journal_is_asked_whose_a_run_is(journal: FaultyJournal) -> None:
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    gated = GatedAnswer("Hel", "lo")
    run = start(runs, gated.provider, owner="anna")
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    journaling(runs).lease._valid_until = 0.0
    gated.gate.set()
    wait_for(lambda: run.is_lost, "the loss noticed")
    assert run.log.text_of("text") == "Hel"
    runs.close(0.1)


def test_no_frame_waits_for_the_lease_while_the_journal_is_away(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    gated = GatedAnswer("Hel", "lo")
    run = start(runs, gated.provider, owner="anna")
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    journal.go_away()
    wait_for(lambda: not journaling(runs).lease.is_valid(), "the lease, lapsed")
    began = time.monotonic()
    gated.gate.set()
    wait_for(lambda: run.log.text_of("text") == "Hello", "the text sent")
    assert time.monotonic() - began < 0.5
    journal.come_back()
    finish(runs, run)


def test_a_worker_that_was_frozen_does_not_store_the_end_of_a_run_that_another_has(
    journal: FaultyJournal,
) -> None:
    """Neither of one that was stopped just before, and whose producer does not end it."""
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    paused, writer = PausedAnswer("Hel"), MemoryWriter()
    spec = msgspec.structs.replace(run_spec(paused.provider, owner="anna"), writer=writer, conversation="c")
    run, _ = runs.start(spec)
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    journaling(runs).lease._valid_until = 0.0  # as time goes by while it is frozen
    run.fail(AnswerError("internal"))
    wait_for(lambda: run.is_lost, "the loss noticed")
    assert not any(isinstance(call, tuple) for call in writer.calls)
    assert not run.log.closed
    runs.close(0.1)


def test_a_stop_of_a_run_that_another_worker_has_is_passed_on(journal: FaultyJournal) -> None:
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    lease = journaling(runs).lease
    lease._valid_until = 0.0  # as time goes by while it is frozen
    lease._is_cut_off = True  # so that nothing waits for it
    runs.stop(run.id, "anna")
    assert journal.row(run.id).stop == "user"
    runs.close(0.1)


def test_a_stop_of_a_run_that_is_being_lost_is_passed_on_after_its_receipt(journal: FaultyJournal) -> None:
    """While the worker waits for its lease it does not know whether it still has the run."""
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    journaling(runs).lease._valid_until = 0.0  # as time goes by while it is frozen
    began = time.monotonic()
    receipt = runs.stop(run.id, "anna")
    assert time.monotonic() - began < 2.0
    assert (receipt.state, receipt.finish_reason) == ("cancelled", "cancelled")
    wait_for(lambda: journal.row(run.id).stop == "user", "the stop passed on")
    assert run.is_lost
    runs.close(0.1)


def test_a_reader_that_has_seen_another_worker_s_epoch_is_not_sent_back(journal: FaultyJournal) -> None:
    """The worker was frozen, and does not know yet that another one has its run."""
    runs = make_runs(journal, "a", lease_s=60)  # no renewal during the test
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    seize(journal, run.id)
    connection = runs.connect()
    reader = runs.attach(run, connection, Cursor(run.id, 2, 0))
    frame = Frame("text", b'{"text":" over"}')
    group = JournalGroup(run=run.id, epoch=2, first_seq=1, frames=[frame])
    assert journal.append("b", [group]) == {}
    taken: list[Delivery] = []
    wait_for(lambda: bool(taken.extend(reader.take()) or taken), "the other worker's frame")
    assert taken == [(frame, f"{run.id}:2:1".encode())]
    runs.detach(run, connection)
    runs.close(0.1)


# What other workers ask for.


def test_a_stop_that_another_worker_has_asked_for(runs: RunsWithoutPulse, journal: FaultyJournal) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    assert journal.request_stop(run.id, "user")
    began = time.monotonic()
    last = finish(runs, run)
    assert (last["finish_reason"], last["by"]) == ("cancelled", "user")
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("away", [False, True])
def test_a_run_that_nobody_reads_anywhere_is_stopped(
    runs: RunsWithoutPulse, journal: FaultyJournal, away: bool
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna", orphan_s=0.4)
    paused.wait()
    if away:
        journal.go_away()
    runs.run_pulse(time.monotonic() + 100)
    assert run._stopping is None, "the pulse leaves that to the watch"
    wait_for(lambda: run.ended_at is not None, "the end")
    assert finish(runs, run)["by"] == "orphan"


def test_a_run_that_is_read_on_another_worker_is_no_orphan(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna", orphan_s=1_000)
    paused.wait()
    watch, now = journaling(runs).watch, time.monotonic()
    journal.ahead_s += 999
    journal.mark_read([run.id])
    journal.ahead_s += 900
    watch.check(now + 1_899)
    assert run._stopping is None
    assert run.log.idle_since >= now + 990
    journal.ahead_s += 200
    watch.check(now + 2_099)
    assert finish(runs, run)["by"] == "orphan"


def test_a_change_of_owner_reaches_the_journal_even_if_it_is_away(
    runs: RunsWithoutPulse, journal: FaultyJournal
) -> None:
    paused = PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    journal.go_away()
    runs.change_owner("anna", "bert")
    assert run.owner == "bert"
    journal.come_back()
    wait_for(lambda: journal.row(run.id).owner == "bert", "the new owner")
    run.request_stop("user")
    finish(runs, run)


def test_runs_expire_in_the_journal(runs: RunsWithoutPulse, journal: FaultyJournal) -> None:
    run = start(runs, answers("x"), owner="anna")
    finish(runs, run)
    watch = journaling(runs).watch
    watch.check(time.monotonic() + 1_000)
    assert MemoryRows(journal).has(run.id)
    journal.ahead_s += 61
    watch.check(time.monotonic() + 2_000)
    assert not MemoryRows(journal).has(run.id)


# Leaving.


def test_a_worker_that_leaves_ends_its_lease(journal: FaultyJournal) -> None:
    runs, paused = make_runs(journal, "a"), PausedAnswer("Hel")
    run = start(runs, paused.provider, owner="anna")
    paused.wait()
    wait_for(lambda: journal.row(run.id).last_seq == 2, "the text in the journal")
    assert journal.list_lapsed(0.0) == []
    runs.close(0.1)
    assert [row.run for row in journal.list_lapsed(0.0)] == [run.id], "others may take it over at once"
    assert journal.condition == "closed"
    run.request_stop("user")


class GatedAnswer:
    """An answer whose second piece comes once `gate` is set."""

    def __init__(self, first: str, second: str) -> None:
        self.gate = threading.Event()
        self._pieces = first, second
        self.provider = ScriptedProvider(self._play)

    def _play(self, control: Control) -> Iterator[Event]:
        del control
        yield TextDelta(self._pieces[0])
        assert self.gate.wait(TIMEOUT_S)
        yield TextDelta(self._pieces[1])
        yield Finished("stop")


def journaling(runs: RunsWithoutPulse) -> Journaling:
    assert runs.journaling is not None
    return runs.journaling


def thread_names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


class MemoryRows:
    """What is stored, also while the journal is away."""

    def __init__(self, journal: FaultyJournal) -> None:
        self._runs = journal._runs

    def has(self, run: str) -> bool:
        return run in self._runs
