"""A run with a writer: when the engine stores it, and which notices its readers get."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.unit.engine import (
    PausedAnswer,
    RunsWithoutPulse,
    ScriptedProvider,
    answers,
    bodies,
    finish,
    ids,
    read,
    run_spec,
    scripted,
    text_of,
)
from webapp.chat import estimate_tokens
from webapp.errors import Interrupted, UpstreamError
from webapp.events import Finished, ReasoningSealed, Source
from webapp.frames import RunResult, text_frame
from webapp.runs.run import Run

TIMEOUT_S = 10.0


class MemoryWriter:
    """Records its calls and their epochs; `question_stored` and `answer_stored` are its return values."""

    def __init__(self, *, question_stored: bool = True, answer_stored: bool = True) -> None:
        self._question_stored, self._answer_stored = question_stored, answer_stored
        self.calls: list[Any] = []
        self.epochs: list[int] = []
        self.entered = threading.Event()
        self.release = threading.Event()
        self.release.set()

    def store_question(self, epoch: int) -> bool:
        self.epochs.append(epoch)
        self.calls.append("store_question")
        self.entered.set()
        assert self.release.wait(TIMEOUT_S)
        return self._question_stored

    def save_progress(self, text: str, reasoning: str, sealed: str | None = None, *, epoch: int) -> None:
        del reasoning
        self.epochs.append(epoch)
        self.calls.append(("save_progress", text, sealed))

    def store_answer(
        self,
        result: RunResult,
        text: str,
        reasoning: str,
        sources: Sequence[Source] = (),
        *,
        epoch: int,
        wait: bool,
    ) -> bool:
        self.epochs.append(epoch)
        self.calls.append((result, text, wait))
        return self._answer_stored

    @property
    def answer(self) -> RunResult:
        found: RunResult = self.calls[-1][0]
        return found

    @property
    def text(self) -> str:
        return str(self.calls[-1][1])


def start(runs: RunsWithoutPulse, writer: MemoryWriter, *chain: Any, prefix: str = "") -> Run:
    run, _ = runs.start(
        msgspec.structs.replace(run_spec(*chain), writer=writer, prefix=prefix, conversation="c")
    )
    return run


def kinds(runs: RunsWithoutPulse, run: Run) -> list[str]:
    return [next(iter(body)) for body in bodies(read(runs, run))]


def test_the_question_is_stored_before_the_call_and_the_answer_before_the_end() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    writer.release.clear()
    provider = answers("Hel", "lo")
    run = start(runs, writer, provider)
    assert writer.entered.wait(TIMEOUT_S)
    assert provider.calls == 0
    writer.release.set()
    assert kinds(runs, run) == ["start", "text", "text", "done"]
    assert writer.calls[0] == "store_question"
    assert (writer.text, writer.answer.state, writer.answer.finish_reason) == ("Hello", "done", "stop")
    assert writer.calls[-1][2] is True


def test_a_failed_save_sends_a_notice_with_an_id() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, MemoryWriter(question_stored=False, answer_stored=False), answers("Hello"))
    whole = read(runs, run)
    assert [next(iter(body)) for body in bodies(whole)] == ["start", "notice", "text", "notice", "done"]
    assert [body["notice"]["code"] for body in bodies(whole) if "notice" in body] == ["not_saved"] * 2
    assert ids(whole) == [(1, seq) for seq in range(1, 6)]
    resumed = read(runs, run, resumable=False)
    assert [next(iter(body)) for body in bodies(resumed)] == ["reset", "done"]


def test_each_failed_save_sends_its_own_notice() -> None:
    runs = RunsWithoutPulse()
    assert kinds(runs, start(runs, MemoryWriter(answer_stored=False), answers("x"))) == [
        "start",
        "text",
        "notice",
        "done",
    ]
    assert kinds(runs, start(runs, MemoryWriter(question_stored=False), answers("x"))) == [
        "start",
        "notice",
        "text",
        "done",
    ]


def test_a_run_stopped_while_its_question_is_stored_calls_no_provider() -> None:
    runs, writer, provider = RunsWithoutPulse(), MemoryWriter(), answers("x")
    writer.release.clear()
    run = start(runs, writer, provider)
    assert writer.entered.wait(TIMEOUT_S)
    run.request_stop("user")
    writer.release.set()
    assert finish(runs, run)["finish_reason"] == "cancelled"
    assert provider.calls == 0
    assert writer.answer.state == "cancelled"


def test_a_failure_is_stored_with_its_text_and_code() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    finish(runs, start(runs, writer, scripted("Hel", UpstreamError("upstream_stalled"))))
    assert (writer.text, writer.answer.state, writer.answer.error) == (
        "Hel",
        "failed",
        "upstream_stalled",
    )


def test_a_run_with_a_stuck_producer_is_stored_without_waiting() -> None:
    runs, writer, paused = RunsWithoutPulse(), MemoryWriter(), PausedAnswer("Hel", stuck=True)
    run = start(runs, writer, paused.provider)
    paused.wait()
    run.request_stop("user")
    runs.run_pulse(time.monotonic() + 1.0)
    assert (writer.text, writer.answer.state) == ("Hel", "cancelled")
    assert writer.calls[-1][2] is False
    paused.release.set()
    finish(runs, run)
    assert len(writer.calls) == 2, "the producer was too late to store anything"


def test_a_long_answer_is_stored_periodically_if_it_has_grown() -> None:
    runs, writer, paused = RunsWithoutPulse(), MemoryWriter(), PausedAnswer("Hel")
    run = start(runs, writer, paused.provider)
    paused.wait()
    now = time.monotonic()
    for seconds in (0, 4, 6, 7, 12, 18):
        runs.run_pulse(now + seconds)
    assert writer.calls[1:] == [("save_progress", "Hel", None)]
    run.stop("user")
    runs.run_pulse(now + 30)
    assert writer.calls[-1][2] is True


def test_without_a_journal_the_text_so_far_is_stored_every_second() -> None:
    runs, writer, paused = RunsWithoutPulse(), MemoryWriter(), PausedAnswer("Hel")
    run = start(runs, writer, paused.provider)
    paused.wait()
    now = time.monotonic()
    runs.run_pulse(now + 0.5)
    assert len(writer.calls) == 1
    runs.run_pulse(now + 1.0)
    assert writer.calls[1:] == [("save_progress", "Hel", None)]
    run.log.append(text_frame("lo"), 1)
    runs.run_pulse(now + 1.9)
    assert len(writer.calls) == 2
    runs.run_pulse(now + 2.0)
    assert writer.calls[2:] == [("save_progress", "Hello", None)]
    run.stop("user")


def test_the_prefix_is_part_of_the_answer_but_not_counted() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    run = start(runs, writer, answers("night."), prefix="It was a dark ")
    found = read(runs, run)
    assert [body["text"] for body in bodies(found) if "text" in body] == ["It was a dark ", "night."]
    assert (text_of(found), writer.text) == ("It was a dark night.",) * 2
    assert run.receipt().usage is not None
    whole, prefix = estimate_tokens("It was a dark night."), estimate_tokens("It was a dark ")
    assert 0 < run.receipt().usage.output_tokens == whole - prefix < whole


def test_the_writer_and_the_request_are_released_at_the_end() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    run = start(runs, writer, ScriptedProvider(lambda _: iter([Finished("stop")])))
    finish(runs, run)
    assert run._writer is None
    assert run._progress.meter._request is None
    assert run._producer._request is None


def test_sealed_reasoning_is_stored_and_part_of_no_frame() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    run = start(runs, writer, scripted(ReasoningSealed("s3cret"), "Hel", Interrupted("cut")))
    whole = read(runs, run)
    assert [next(iter(body)) for body in bodies(whole)] == ["start", "text", "error"]
    assert writer.answer.sealed == "s3cret"
    assert b"s3cret" not in b"".join(frame.payload for frame, _ in whole)


def test_what_one_provider_sealed_is_not_stored_with_the_text_of_its_fallback() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    first = scripted(ReasoningSealed("s3cret"), UpstreamError("upstream_overloaded"))
    finish(runs, start(runs, writer, first, scripted("Hel", Interrupted("cut"), name="ollama")))
    assert (writer.text, writer.answer.sealed, writer.answer.provider) == ("Hel", None, "ollama")


def test_sealed_reasoning_is_stored_with_the_text_so_far() -> None:
    runs, writer, paused = RunsWithoutPulse(), MemoryWriter(), PausedAnswer("Hel")
    run = start(runs, writer, paused.provider)
    paused.wait()
    run._progress.note(ReasoningSealed("s3cret"))
    runs.run_pulse(time.monotonic() + 6)
    assert writer.calls[-1] == ("save_progress", "Hel", "s3cret")
    with_sealed = run.size_bytes
    run.stop("user")
    assert (writer.answer.state, writer.answer.sealed) == ("cancelled", "s3cret")
    run._progress.note(ReasoningSealed("s" * 100_000))
    assert run.size_bytes > with_sealed + 90_000, "it counts"


def test_an_ended_run_does_not_hold_what_is_stored() -> None:
    runs, writer = RunsWithoutPulse(), MemoryWriter()
    run = start(runs, writer, scripted(ReasoningSealed("s" * 100_000), "Hel", Interrupted("cut")))
    finish(runs, run)
    assert writer.answer.sealed is not None
    assert run.size_bytes < 50_000
    assert run._result is not None
    assert run._result.sealed is None
