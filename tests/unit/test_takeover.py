"""Runs of workers that have died are taken over: they go on, or end with their text."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.engine import TIMEOUT_S, answers, no_price, run_spec
from tests.unit.test_run_storage import MemoryWriter
from webapp.chat import Usage
from webapp.errors import JournalUnavailable, NotFound, Unavailable
from webapp.events import Source
from webapp.frames import (
    Frame,
    RunResult,
    Start,
    done_frame,
    reasoning_frame,
    sources_frame,
    start_frame,
    text_frame,
)
from webapp.journal.memory import MemoryJournal
from webapp.journal_records import JournalCursor, JournalEntry, JournalGroup, JournalRun
from webapp.measurements import NoObserver, RunReport, TakeoverOutcome
from webapp.runs.lost import LostRun, Recovery, Said, StoredEnd
from webapp.runs.run_spec import RunSpec, TakenOver
from webapp.runs.takeover import Patience, Takeovers

LEASE_S = 8.0
TOTAL_S = 1_800.0
RUN = "AAAAAAAAAAAAAAAAAAAA-_"
START = Start(run=RUN, provider="openai", model="gpt-4.1", conversation="c", message=RUN, question="q")
SOURCE = Source(n=1, title="A page")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counts(NoObserver):
    def __init__(self) -> None:
        self.outcomes: list[TakeoverOutcome] = []
        self.reports: list[RunReport] = []

    def run_taken_over(self, outcome: TakeoverOutcome) -> None:
        self.outcomes.append(outcome)

    def run_ended(self, report: RunReport) -> None:
        self.reports.append(report)


class World:
    """A journal with a worker `a` that dies, and the takeovers of a worker `b`."""

    def __init__(self, journal_type: Callable[..., MemoryJournal] = MemoryJournal) -> None:
        self.clock = Clock()
        self.journal = journal_type(self.clock)
        self.journal.renew("a", LEASE_S)
        self.observer = Counts()
        self.writer = MemoryWriter()
        self.adopted: list[tuple[RunSpec, TakenOver]] = []
        self.asked: list[LostRun] = []
        self.recovery: Recovery | Exception = Recovery()
        self.is_full, self.may_start = False, True

    def begin(self, *frames: Frame, start: Start = START, owner: str | None = "user:anna") -> None:
        entry = JournalEntry(
            run=start.run,
            owner=owner,
            fingerprint="print",
            start=start_frame(start).payload,
            request=b"reference",
            worker="a",
            conversation=start.conversation,
            temporary=owner is None,
            frames=(start_frame(start), *frames),
        )
        assert self.journal.begin(entry) is None

    def takeovers(self, *, worker: str = "b", may_continue: bool = True) -> Takeovers:
        return Takeovers(
            self.journal,
            worker,
            LEASE_S,
            TOTAL_S,
            recover=self._recover,
            adopt=self._adopt,
            may_start=lambda: self.may_start,
            prepare=lambda: self._hold(worker),
            pricer=no_price,
            observer=self.observer,
            may_continue=may_continue,
        )

    def check(self, takeovers: Takeovers | None = None) -> None:
        """Look once for runs of dead workers, and wait until those taken over have ended or go on."""
        taken = takeovers or self.takeovers()
        taken.check()
        for _ in range(8):
            assert taken._slots.acquire(timeout=TIMEOUT_S)
        for _ in range(8):
            taken._slots.release()

    def die(self) -> None:
        self.clock.now += LEASE_S

    def row(self, run: str = RUN) -> JournalRun:
        found = self.journal.find(run)
        assert found is not None
        return found

    def frames(self) -> list[dict[str, Any]]:
        """Return all that a reader who comes now gets of the journal."""
        update = self.journal.read({RUN: JournalCursor()}, 10**9)[RUN]
        return [json.loads(frame.payload) for frame in (*update.reset, *update.frames)]

    def _hold(self, worker: str) -> None:
        self.journal.reclaim(worker, LEASE_S)

    def _recover(self, lost: LostRun, epoch: int) -> Recovery:
        assert epoch == lost.row.epoch + 1
        self.asked.append(lost)
        if isinstance(self.recovery, Exception):
            raise self.recovery
        return self.recovery

    def _adopt(self, spec: RunSpec, taken: TakenOver) -> None:
        if self.is_full:
            raise Unavailable("full")
        self.adopted.append((spec, taken))


@pytest.fixture
def world() -> World:
    return World()


def spec() -> RunSpec:
    return msgspec.structs.replace(run_spec(answers("rest")), run=RUN)


def stored_end(text: str) -> StoredEnd:
    result = RunResult(
        state="done", finish_reason="stop", usage=Usage(3, 5), cost=None, sha256="s", provider="p", model="m"
    )
    return StoredEnd(said=Said(text=text), ending=(result, done_frame(result)))


# What is taken over.


def test_a_run_of_a_worker_with_a_lease_is_left_alone(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.clock.now += LEASE_S - 0.1
    world.check()
    assert (world.row().worker, world.row().epoch, world.asked) == ("a", 1, [])


def test_a_workers_own_runs_are_left_to_its_lease(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.die()
    world.check(world.takeovers(worker="a"))
    assert (world.row().epoch, world.asked) == (1, [])


def test_where_nothing_has_lapsed_no_lease_is_begun(world: World) -> None:
    world.check()
    world.begin(text_frame("Hel"))
    world.check()
    assert "b" not in world.journal._leases


def test_a_full_server_leaves_runs_to_others_for_one_more_lease(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.may_start = False
    world.die()
    world.check()
    assert world.row().worker == "a"
    world.clock.now += LEASE_S
    world.check()
    assert world.row().worker == "b"


def test_of_two_workers_one_takes_a_run(world: World) -> None:
    world.recovery = Recovery(spec=spec())
    world.begin(text_frame("Hel"))
    world.die()
    for worker in ("b", "c"):
        world.check(world.takeovers(worker=worker))
    assert (world.row().worker, len(world.adopted)) == ("b", 1)


# Runs that go on.


def test_a_run_goes_on_after_a_reset_of_its_text(world: World) -> None:
    world.begin(reasoning_frame("Hm."), text_frame("Hel"), sources_frame([SOURCE]))
    world.journal.append(
        "a", [JournalGroup(run=RUN, epoch=1, first_seq=5, frames=(text_frame("lo, "), text_frame("you")))]
    )
    world.recovery = Recovery(spec=spec(), input_tokens=40, prefix_tokens=1)
    world.clock.now += 3
    world.die()
    world.check()
    assert (world.row().state, world.row().epoch, world.row().takeovers) == ("running", 2, 1)
    (reset,) = world.frames()
    assert reset["reset"]["text"] == "Hello, you"
    assert reset["reset"]["reasoning"] == "Hm."
    assert reset["reset"]["sources"] == [{"n": 1, "title": "A page"}]
    ((_, taken),) = world.adopted
    log = taken.open_log(None)
    assert (taken.row.epoch, log.epoch, log.text_of("text"), log.sources()) == (2, 2, "Hello, you", (SOURCE,))
    assert (taken.age_s, taken.earlier) == (LEASE_S + 3, Usage(40, 3, estimated=True))
    assert world.observer.outcomes == ["continued"]
    assert world.asked[0].may_continue


def test_a_run_without_text_begins_anew_without_its_reasoning(world: World) -> None:
    world.begin(reasoning_frame("Hm."))
    world.recovery = Recovery(spec=spec(), input_tokens=40)
    world.die()
    world.check()
    assert world.frames()[0]["reset"]["reasoning"] == ""
    assert world.adopted[0][1].earlier == Usage()


def test_a_run_that_is_taken_over_again_ends(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(spec=spec(), writer=world.writer)
    world.die()
    world.check()
    world.recovery = Recovery(writer=world.writer)
    world.die()
    world.check(world.takeovers(worker="c"))
    assert [lost.may_continue for lost in world.asked] == [True, False]
    assert (world.row().state, world.row().epoch, world.row().takeovers) == ("ended", 3, 2)
    assert world.frames()[-1]["code"] == "interrupted"
    assert world.writer.text == "Hel"


def test_nothing_is_continued_where_that_is_off(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.die()
    world.check(world.takeovers(may_continue=False))
    assert not world.asked[0].may_continue
    assert world.row().state == "ended"


def test_a_run_past_its_time_limit_is_not_continued(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.clock.now += TOTAL_S
    world.check()
    assert not world.asked[0].may_continue


def test_a_run_that_finds_no_room_ends(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery, world.is_full = Recovery(spec=spec(), writer=world.writer), True
    world.die()
    world.check()
    assert world.frames()[-1]["code"] == "interrupted"
    assert world.writer.answer.state == "interrupted"


# Runs that end.


def test_a_run_that_cannot_go_on_ends_as_interrupted_with_its_text(world: World) -> None:
    world.begin(text_frame("Hello, "), text_frame("you"))
    world.recovery = Recovery(writer=world.writer, input_tokens=40)
    world.die()
    world.check()
    reset, error = world.frames()
    assert reset["reset"]["text"] == "Hello, you"
    assert (error["code"], error["partial"], error["retryable"]) == ("interrupted", True, True)
    assert error["usage"] == {"input_tokens": 40, "output_tokens": 3, "estimated": True}
    assert (error["provider"], error["model"]) == ("openai", "gpt-4.1")
    assert world.writer.calls[0] == "store_question"
    assert (world.writer.text, world.writer.answer.state) == ("Hello, you", "interrupted")
    assert world.writer.answer.sha256 == error["sha256"]
    assert world.observer.outcomes == ["interrupted"]
    assert world.observer.reports[0].result == world.writer.answer


def test_a_run_whose_conversation_is_gone_ends(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = NotFound("There is no such conversation.")
    world.die()
    world.check()
    assert world.frames()[-1]["code"] == "interrupted"


def test_an_answer_that_could_not_be_stored_says_so(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(writer=MemoryWriter(answer_stored=False))
    world.die()
    world.check()
    assert [next(iter(frame)) for frame in world.frames()] == ["reset", "notice", "error"]


def check_ends_as_stopped(world: World) -> None:
    """Take the run over."""
    world.check()
    last = world.frames()[-1]
    assert (last["finish_reason"], last["by"]) == ("cancelled", "user")
    assert not world.asked[0].may_continue
    assert (world.writer.answer.state, world.observer.outcomes) == ("cancelled", ["cancelled"])


def test_a_run_that_was_to_be_stopped_ends_as_stopped(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(writer=world.writer)
    world.journal.request_stop(RUN, "user")
    world.die()
    check_ends_as_stopped(world)


def test_a_stop_that_comes_while_a_run_is_being_taken_over_ends_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its receipt may have said that the run will end as cancelled, while nobody had the run."""
    seize = world.journal.seize

    def seize_stopped(*arguments: Any) -> int | None:
        world.journal.request_stop(RUN, "user")
        return seize(*arguments)

    monkeypatch.setattr(world.journal, "seize", seize_stopped)
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(writer=world.writer)
    world.die()
    check_ends_as_stopped(world)


def test_an_answer_that_is_stored_already_ends_as_it_is_stored(world: World) -> None:
    world.begin(text_frame("Hello"))
    world.recovery = Recovery(spec=spec(), writer=world.writer, stored=stored_end("Hello"))
    world.die()
    world.check()
    assert [next(iter(frame)) for frame in world.frames()] == ["reset", "done"]
    assert (world.adopted, world.writer.calls, world.observer.outcomes) == ([], [], ["stored"])


def test_readers_get_what_only_the_conversation_has(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(stored=stored_end("Hello"))
    world.die()
    world.check()
    first, second, done = world.frames()
    assert (first["reset"]["text"], second["reset"]["text"]) == ("Hel", "Hello")
    assert second["reset"]["replaced"] is True
    assert done["done"] is True


def test_an_interrupted_answer_has_what_only_the_conversation_has(world: World) -> None:
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(writer=world.writer, said=Said(text="Hello"), input_tokens=40)
    world.die()
    world.check()
    first, second, error = world.frames()
    assert (first["reset"]["text"], second["reset"]["text"]) == ("Hel", "Hello")
    assert (error["code"], error["usage"]["output_tokens"]) == ("interrupted", 2)
    assert (world.writer.text, set(world.writer.epochs)) == ("Hello", {2})


def test_a_temporary_run_ends_without_text(world: World) -> None:
    start = msgspec.structs.replace(START, conversation=None, message=None)
    world.begin(text_frame("Hel"), start=start, owner=None)
    world.die()
    world.check()
    (error,) = world.frames()
    assert (error["code"], error["partial"]) == ("interrupted", False)


# A journal that fails.


class SeizesUnheard(MemoryJournal):
    """A journal whose first seizure succeeds, but its answer is lost."""

    failed = False

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        found = super().seize(run, epoch, last_seq, worker, reset)
        if not self.failed:
            self.failed = True
            raise JournalUnavailable
        return found


def test_a_seizure_of_unknown_outcome_is_looked_up() -> None:
    world = World(SeizesUnheard)
    world.begin(text_frame("Hel"))
    world.recovery = Recovery(spec=spec())
    world.die()
    takeovers = world.takeovers()
    with pytest.raises(JournalUnavailable):
        takeovers.check()
    assert world.adopted == []
    world.check(takeovers)
    assert len(world.adopted) == 1
    world.check(takeovers)
    assert len(world.adopted) == 1


class EndsLate(MemoryJournal):
    """A journal that is away at the first three ends."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.failures = 3

    def end(self, worker: str, group: JournalGroup) -> Any:
        self.failures -= 1
        if self.failures >= 0:
            raise JournalUnavailable
        return super().end(worker, group)


def test_the_end_is_repeated_until_the_journal_accepts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.runs.lost_end._RETRY_S", 0.01)
    world = World(EndsLate)
    world.begin(text_frame("Hel"))
    world.die()
    world.check()
    assert world.row().state == "ended"
    assert world.observer.outcomes == ["interrupted"]


def test_many_runs_are_taken_over_at_once(world: World) -> None:
    names = [f"{number:022d}" for number in range(250)]
    for name in names:
        world.begin(text_frame("Hel"), start=msgspec.structs.replace(START, run=name))
    world.die()
    world.check()
    assert {world.row(name).state for name in names} == {"ended"}


def test_the_thread_ends_when_it_is_closed(world: World) -> None:
    takeovers = world.takeovers()
    takeovers.start()
    thread = next(one for one in threading.enumerate() if one.name == "freshet-takeovers")
    takeovers.close()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()


# When.


def may_take(patience: Patience, first: int, last: int) -> list[bool]:
    """Check once a second; return when runs of lapsed leases may be taken over."""
    found = []
    for second in range(first, last + 1):
        patience.note_check(second)
        found.append(patience.may_take_lapsed(second))
    return found


def test_a_worker_waits_one_lease_after_its_start() -> None:
    patience = Patience(LEASE_S, 100)
    assert patience.may_take_released(100)
    assert may_take(patience, 101, 109) == [False] * 7 + [True] * 2


def test_after_an_outage_it_waits_two_leases() -> None:
    patience = Patience(LEASE_S, 0)
    assert may_take(patience, 1, 19)[-1]
    patience.note_outage(19)
    assert not patience.may_take_released(34)
    assert may_take(patience, 20, 36) == [False] * 15 + [True] * 2
    assert patience.may_take_released(35)


@pytest.mark.parametrize("gap_s", [60, -60])
def test_a_process_that_stood_still_waits_for_the_others(gap_s: int) -> None:
    patience = Patience(LEASE_S, 0)
    assert all(may_take(patience, 1, 19)[8:])
    now = 19 + gap_s
    assert may_take(patience, now, now + 9) == [False] * 8 + [True] * 2


def test_a_clock_that_was_set_back_ends_no_wait_late() -> None:
    patience = Patience(LEASE_S, 1_000)
    patience.note_outage(1_001)
    patience.note_check(10)
    assert patience.may_take_released(10 + 2 * LEASE_S)


def test_a_run_that_was_left_on_purpose_is_taken_at_once(world: World) -> None:
    world.begin(text_frame("Hel"))
    takeovers = world.takeovers()
    world.die()
    takeovers.check(lapsed=False)
    assert world.row().worker == "a"
    world.journal.release("a")
    takeovers.check(lapsed=False)
    assert world.row().worker == "b"
