"""What the engine does with a run that somebody keeps: when it is told, and what its readers hear of it."""

import threading
import time
from typing import Any

import msgspec

from tests.unit.engine import (
    Held,
    ScriptedProvider,
    StillRuns,
    answers,
    bodies,
    finish,
    ids,
    order,
    read,
    says,
    text_of,
)
from webapp.errors import UpstreamError
from webapp.events import Finished
from webapp.frames import RunResult
from webapp.runs.run import Run

PATIENCE_S = 10.0


class AnswerWriter:
    """Keeps in memory, as well as the test lets it."""

    def __init__(self, *, begins: bool = True, ends: bool = True) -> None:
        self._begins, self._ends = begins, ends
        self.told: list[Any] = []
        self.entered = threading.Event()
        self.release = threading.Event()
        self.release.set()

    def begin(self) -> bool:
        self.told.append("begin")
        self.entered.set()
        assert self.release.wait(PATIENCE_S)
        return self._begins

    def so_far(self, text: str, reasoning: str) -> None:
        self.told.append(("so far", text))

    def end(self, result: RunResult, text: str, reasoning: str, *, wait: bool) -> bool:
        self.told.append((result, text, wait))
        return self._ends

    @property
    def answer(self) -> RunResult:
        found: RunResult = self.told[-1][0]
        return found

    @property
    def text(self) -> str:
        return str(self.told[-1][1])


def start(runs: StillRuns, keeper: AnswerWriter, *chain: Any, kept: str = "") -> Run:
    run, _ = runs.start(msgspec.structs.replace(order(*chain), writer=keeper, prefix=kept, conversation="c"))
    return run


def kinds(runs: StillRuns, run: Run) -> list[str]:
    return [next(iter(body)) for body in bodies(read(runs, run))]


def test_the_question_is_kept_before_the_provider_is_called_and_the_answer_before_it_ends() -> None:
    runs, keeper = StillRuns(), AnswerWriter()
    keeper.release.clear()
    provider = answers("Hel", "lo")
    run = start(runs, keeper, provider)
    assert keeper.entered.wait(PATIENCE_S)
    assert provider.asked == 0
    keeper.release.set()
    assert kinds(runs, run) == ["start", "text", "text", "done"]
    assert keeper.told[0] == "begin"
    assert (keeper.text, keeper.answer.state, keeper.answer.finish_reason) == ("Hello", "done", "stop")
    assert keeper.told[-1][2] is True


def test_what_is_not_saved_is_told_to_every_reader_and_has_its_place() -> None:
    runs = StillRuns()
    run = start(runs, AnswerWriter(begins=False, ends=False), answers("Hello"))
    whole = read(runs, run)
    assert [next(iter(body)) for body in bodies(whole)] == ["start", "notice", "text", "notice", "done"]
    assert [body["notice"]["code"] for body in bodies(whole) if "notice" in body] == ["not_saved"] * 2
    assert ids(whole) == [(1, seq) for seq in range(1, 6)]
    late = read(runs, run, prove=False)
    assert [next(iter(body)) for body in bodies(late)] == ["reset", "done"]


def test_where_only_the_end_is_not_saved_only_that_is_told() -> None:
    runs = StillRuns()
    assert kinds(runs, start(runs, AnswerWriter(ends=False), answers("x"))) == [
        "start",
        "text",
        "notice",
        "done",
    ]
    assert kinds(runs, start(runs, AnswerWriter(begins=False), answers("x"))) == [
        "start",
        "notice",
        "text",
        "done",
    ]


def test_a_run_that_is_stopped_while_its_question_is_kept_asks_nobody() -> None:
    runs, keeper, provider = StillRuns(), AnswerWriter(), answers("x")
    keeper.release.clear()
    run = start(runs, keeper, provider)
    assert keeper.entered.wait(PATIENCE_S)
    run.request_stop("user")
    keeper.release.set()
    assert finish(runs, run)["finish_reason"] == "cancelled"
    assert provider.asked == 0
    assert keeper.answer.state == "cancelled"


def test_a_failure_is_kept_with_its_text_and_its_code() -> None:
    runs, keeper = StillRuns(), AnswerWriter()
    finish(runs, start(runs, keeper, says("Hel", UpstreamError("upstream_stalled"))))
    assert (keeper.text, keeper.answer.state, keeper.answer.error) == (
        "Hel",
        "failed",
        "upstream_stalled",
    )


def test_a_run_that_is_ended_for_its_producer_is_kept_without_waiting() -> None:
    runs, keeper, held = StillRuns(), AnswerWriter(), Held("Hel", stuck=True)
    run = start(runs, keeper, held.provider)
    held.wait()
    run.request_stop("user")
    runs.look_round(time.monotonic() + 1.0)
    assert (keeper.text, keeper.answer.state) == ("Hel", "cancelled")
    assert keeper.told[-1][2] is False
    held.release.set()
    finish(runs, run)
    assert len(keeper.told) == 2, "the producer came too late to say anything"


def test_a_long_answer_is_kept_now_and_then_and_only_when_there_is_more() -> None:
    runs, keeper, held = StillRuns(), AnswerWriter(), Held("Hel")
    run = start(runs, keeper, held.provider)
    held.wait()
    now = time.monotonic()
    for seconds in (0, 4, 6, 7, 12, 18):
        runs.look_round(now + seconds)
    assert keeper.told[1:] == [("so far", "Hel")]
    run.stop("user")
    runs.look_round(now + 30)
    assert keeper.told[-1][2] is True


def test_what_an_answer_begins_with_is_part_of_it_and_not_counted() -> None:
    runs, keeper = StillRuns(), AnswerWriter()
    run = start(runs, keeper, answers("night."), kept="It was a dark ")
    found = read(runs, run)
    assert [body["text"] for body in bodies(found) if "text" in body] == ["It was a dark ", "night."]
    assert (text_of(found), keeper.text) == ("It was a dark night.",) * 2
    assert run.receipt().usage is not None
    assert run.receipt().usage.output_tokens == 1, "of five"


def test_a_keeper_and_a_request_are_let_go_with_the_end() -> None:
    runs, keeper = StillRuns(), AnswerWriter()
    run = start(runs, keeper, ScriptedProvider(lambda _: iter([Finished("stop")])))
    finish(runs, run)
    assert run._writer is None
    assert run._progress.meter._request is None
    assert run._producer._request is None
