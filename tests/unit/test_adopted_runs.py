"""A run that goes on after its worker has died: its frames, its usage and cost, its storage and its limits."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.unit.engine import (
    PausedAnswer,
    RunsWithoutPulse,
    answers,
    bodies,
    ids,
    read,
    run_spec,
    scripted,
    text_of,
)
from tests.unit.faulty_journal import FaultyJournal, wait_for
from tests.unit.test_run_storage import MemoryWriter
from webapp.chat import Usage, estimate_tokens
from webapp.errors import UpstreamError
from webapp.events import Finished, ReasoningDelta, Source, SourcesFound, TextDelta, UsageReport
from webapp.frames import Start, new_run, reasoning_frame, sources_frame, start_frame, text_frame
from webapp.journal_records import JournalEntry
from webapp.runs.lost import LostRun, Recovery, Said
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits

DEAD = "dead"
OWNER = "user:anna"
SOURCE = Source(n=1, title="A page")
EARLIER = "What was said before."
TOKENS = estimate_tokens(EARLIER)


def price(provider: str, models: Sequence[str], usage: Usage) -> Decimal:
    """Return a price with which input and output can be told apart."""
    return Decimal(usage.input_tokens) + Decimal(usage.output_tokens) / 1_000


class Crew:
    """A journal with the run of a dead worker, and an engine that takes it over."""

    def __init__(self, limits: RunLimits) -> None:
        self.journal = FaultyJournal()
        self.runs = RunsWithoutPulse(limits, price, journal=self.journal, worker="alive")
        self.run = new_run()
        self.writer = MemoryWriter()

    def leave(self, *frames: Any, age_s: float = 0.0) -> None:
        """Leave a run behind that began `age_s` ago, as a dead worker does."""
        self.journal.renew(DEAD, 60.0)
        start = Start(run=self.run, provider="openai", model="gpt-4.1", conversation="c", message=self.run)
        entry = JournalEntry(
            run=self.run,
            owner=OWNER,
            fingerprint="body",
            start=start_frame(start).payload,
            request=b"reference",
            worker=DEAD,
            conversation="c",
            frames=(start_frame(start), *frames),
        )
        assert self.journal.begin(entry) is None
        self.journal._runs[self.run].change(began_at=self.journal.now() - age_s)
        self.journal.release(DEAD)

    def take_over(self, *chain: Any, input_tokens: int = 40, said: Said | None = None, **spec: Any) -> Run:
        """Take the run over, which then calls the first provider of the chain."""
        made = msgspec.structs.replace(
            run_spec(*chain, run=self.run, owner=OWNER),
            conversation="c",
            message=self.run,
            writer=self.writer,
            reference=b"reference",
            **spec,
        )

        def recover(lost: LostRun, epoch: int) -> Recovery:
            return Recovery(spec=made, writer=self.writer, input_tokens=input_tokens, said=said)

        self.runs.continue_lost(recover, may_continue=True)
        assert self.runs._takeovers is not None
        self.runs._takeovers.check()
        wait_for(lambda: self.run in self.runs._runs, "the run goes on")
        return self.runs._runs[self.run]


@pytest.fixture
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    made = Crew(getattr(request, "param", RunLimits(lease_s=60.0)))
    yield made
    made.runs.close(0.1)


def test_it_goes_on_in_a_new_epoch_after_a_reset(crew: Crew) -> None:
    crew.leave(reasoning_frame("Hm."), text_frame("Hel"))
    run = crew.take_over(answers("lo, ", "you"))
    received = read(crew.runs, run)
    assert text_of(received) == "Hello, you"
    assert bodies(received)[0]["reset"]["reasoning"] == "Hm."
    assert [cursor[0] for cursor in ids(received) if cursor] == [2] * len(received)
    assert bodies(received)[-1]["sha256"] == hashlib.sha256(b"Hello, you").hexdigest()
    row = crew.journal.row(crew.run)
    assert (row.worker, row.epoch, row.state, row.takeovers) == ("alive", 2, "ended", 1)
    assert row.last_seq == len(run.log.frames_after(2, 0))


def test_it_goes_on_after_what_only_its_conversation_has(crew: Crew) -> None:
    crew.leave(text_frame("Hel"))
    run = crew.take_over(answers(" you"), said=Said(text="Hello"))
    received = read(crew.runs, run)
    assert text_of(received) == "Hello you"
    assert (crew.writer.text, set(crew.writer.epochs)) == ("Hello you", {2})
    frames = crew.journal.frames(crew.run)
    assert text_of([(frame, None) for frame in frames]) == "Hello you"


def test_reasoning_that_goes_on_begins_a_paragraph(crew: Crew) -> None:
    crew.leave(reasoning_frame("Hm, let me think."), text_frame("Hel"))
    reasoning = [ReasoningDelta("As I "), ReasoningDelta("said.")]
    run = crew.take_over(scripted(*reasoning, TextDelta("lo"), ReasoningDelta("Well."), Finished("stop")))
    received = read(crew.runs, run)
    assert run.log.text_of("reasoning") == "Hm, let me think.\n\nAs I said.Well."
    assert text_of(received) == "Hello"


def test_its_answer_is_stored_whole(crew: Crew) -> None:
    crew.leave(text_frame("Hel"), sources_frame([SOURCE]))
    other = msgspec.structs.replace(SOURCE, title="Another page")
    found = SourcesFound(sources=(other,))
    run = crew.take_over(scripted("lo", found, Finished("stop")))
    read(crew.runs, run)
    assert (crew.writer.text, crew.writer.answer.state) == ("Hello", "done")
    assert [source.n for source in run.log.sources()] == [1, 2]


def test_usage_and_cost_are_of_both_calls(crew: Crew) -> None:
    crew.leave(text_frame(EARLIER))
    report = UsageReport(input_tokens=50, output_tokens=7)
    run = crew.take_over(scripted("rest", report, Finished("stop")))
    done = bodies(read(crew.runs, run))[-1]
    assert done["usage"] == {"input_tokens": 90, "output_tokens": 7 + TOKENS, "estimated": True}
    assert done["cost"] == 90 + (7 + TOKENS) / 1_000


def test_a_second_call_that_fails_leaves_the_text(crew: Crew) -> None:
    crew.leave(text_frame(EARLIER))
    run = crew.take_over(scripted(UpstreamError("upstream_quota")))
    error = bodies(read(crew.runs, run))[-1]
    assert (error["code"], error["partial"]) == ("upstream_quota", True)
    assert error["usage"] == {"input_tokens": 40, "output_tokens": TOKENS, "estimated": True}
    assert (crew.writer.text, crew.writer.answer.state) == (EARLIER, "failed")


def test_a_run_that_begins_anew_counts_what_is_new(crew: Crew) -> None:
    crew.leave(reasoning_frame("Hm, let me think."))
    report = UsageReport(input_tokens=50, output_tokens=7)
    run = crew.take_over(scripted(ReasoningDelta("Hm."), TextDelta("Hello"), report, Finished("stop")))
    received = read(crew.runs, run)
    assert run.log.text_of("reasoning") == "Hm."
    assert bodies(received)[-1]["usage"] == {"input_tokens": 50, "output_tokens": 7}


@pytest.mark.parametrize("crew", [RunLimits(lease_s=60.0, total_s=100.0)], indirect=True)
def test_it_still_has_the_time_limit_of_its_beginning(crew: Crew) -> None:
    crew.leave(text_frame("Hel"), age_s=90.0)
    paused = PausedAnswer("lo")
    run = crew.take_over(paused.provider)
    paused.wait()
    crew.runs.run_pulse(time.monotonic())
    assert run.ended_at is None
    crew.runs.run_pulse(time.monotonic() + 11.0)
    done = bodies(read(crew.runs, run))[-1]
    assert (done["done"], done["finish_reason"]) == (True, "length")


@pytest.mark.parametrize("crew", [RunLimits(lease_s=60.0, run_max_bytes=4_000)], indirect=True)
def test_it_still_has_the_size_limit_of_the_whole(crew: Crew) -> None:
    crew.leave(text_frame("x" * 3_000))
    run = crew.take_over(answers("y" * 3_000))
    received = read(crew.runs, run)
    assert (text_of(received), bodies(received)[-1]["finish_reason"]) == ("x" * 3_000, "length")


def test_nobody_who_reads_it_stops_it_after_its_orphan_time(crew: Crew) -> None:
    crew.leave(text_frame("Hel"))
    paused = PausedAnswer("lo")
    run = crew.take_over(paused.provider, orphan_s=30.0)
    paused.wait()
    assert not run.is_orphan(time.monotonic())
    assert run.is_orphan(time.monotonic() + 31.0)
    run.stop("user")


def test_it_can_be_stopped(crew: Crew) -> None:
    crew.leave(text_frame("Hel"))
    paused = PausedAnswer("lo")
    run = crew.take_over(paused.provider)
    paused.wait()
    receipt = run.stop("user")
    assert (receipt.state, receipt.usage) == ("cancelled", Usage(51, 2, estimated=True))
    assert crew.journal.row(crew.run).state == "ended"


def test_what_a_limit_counts_is_released_at_its_end(crew: Crew) -> None:
    crew.leave(text_frame("Hel"))
    released: list[bool] = []
    run = crew.take_over(answers("lo"), permit=lambda: lambda: released.append(True))
    read(crew.runs, run)
    wait_for(lambda: released == [True], "the release")


def test_a_draining_worker_takes_nothing_over(crew: Crew) -> None:
    crew.leave(text_frame("Hel"))
    crew.runs.continue_lost(lambda _lost, _epoch: Recovery(), may_continue=True)
    crew.runs.drain(10.0)
    assert crew.runs._takeovers is not None
    crew.runs._takeovers.check()
    assert crew.journal.row(crew.run).worker == DEAD
