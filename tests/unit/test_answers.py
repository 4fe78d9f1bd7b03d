"""Answers from start to end: the producer, its frames, usage, failures, fallbacks and limits."""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from tests.unit.engine import (
    QUESTION,
    RunsWithoutPulse,
    ScriptedProvider,
    answers,
    bodies,
    finish,
    ids,
    read,
    scripted,
    start,
    text_of,
)
from webapp.chat import TokenEstimator, Usage, estimate_input_tokens, estimate_tokens
from webapp.errors import AnswerError, Interrupted, InvalidRequest, UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.frames import Cursor
from webapp.runs.run_limits import RunLimits
from webapp.seams import Control

REQUEST_TOKENS = estimate_input_tokens(QUESTION)


def test_an_answer_from_its_start_to_its_end() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("Hel", "lo"))
    found = read(runs, run)
    kinds = [next(iter(body)) for body in bodies(found)]
    assert (kinds[0], kinds[-1], text_of(found)) == ("start", "done", "Hello")
    assert ids(found) == [(1, seq) for seq in range(1, len(found) + 1)]
    started, ended = bodies(found)[0]["start"], bodies(found)[-1]
    assert (started["run"], started["provider"], started["model"]) == (run.id, "openai", "gpt-4.1")
    assert ended["finish_reason"] == "stop"
    assert ended["sha256"] == hashlib.sha256(b"Hello").hexdigest()


def test_every_cursor_of_an_ended_run_resumes_to_the_same_end() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, answers("a", "b", "c"))
    whole = read(runs, run)
    for seq in range(len(whole)):
        assert read(runs, run, Cursor(run.id, 1, seq)) == whole[seq:]


def test_reasoning_is_separate_from_text() -> None:
    runs = RunsWithoutPulse()
    run = start(runs, scripted(ReasoningDelta("hm"), "Hello", Finished("stop")))
    found = bodies(read(runs, run))
    assert [body["reasoning"] for body in found if "reasoning" in body] == ["hm"]
    assert found[-1]["sha256"] == hashlib.sha256(b"Hello").hexdigest()


def test_the_thinking_time_is_reported() -> None:
    """From the first reasoning to the first text; absent with only one of them, or with text first."""
    times: list[float] = []

    def script(control: Control) -> Iterator[Event]:
        times.append(time.monotonic())
        yield ReasoningDelta("hm")
        times.append(time.monotonic())
        control.wait(0.05)
        times.append(time.monotonic())
        yield TextDelta("Hello")
        times.append(time.monotonic())
        control.wait(0.2)
        yield Finished("stop")

    runs = RunsWithoutPulse()
    thought_ms = finish(runs, start(runs, ScriptedProvider(script)))["thought_ms"]
    asked, reasoned, told, answered = (1000 * at for at in times)
    assert told - reasoned - 1 <= thought_ms <= answered - asked + 1
    for events in (["Hello"], [ReasoningDelta("hm")], ["Hello", ReasoningDelta("hm")]):
        last = finish(runs, start(runs, scripted(*events, Finished("stop"))))
        assert "thought_ms" not in last


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter"])
def test_the_finish_reason_is_reported(reason: str) -> None:
    runs = RunsWithoutPulse()
    assert finish(runs, start(runs, scripted("x", Finished(reason))))["finish_reason"] == reason


def test_the_model_s_own_name_and_damaged_events_are_reported() -> None:
    runs = RunsWithoutPulse()
    last = finish(runs, start(runs, scripted("x", Finished("stop", "gpt-4.1-2025-04-14", 2))))
    assert (last["model"], last["damaged"]) == ("gpt-4.1-2025-04-14", 2)


def test_without_a_name_from_the_provider_the_requested_model_is_reported() -> None:
    runs = RunsWithoutPulse()
    last = finish(runs, start(runs, scripted("x", Finished("stop", ""))))
    assert (last["model"], "damaged" in last) == ("gpt-4.1", False)


def test_a_model_name_that_cannot_be_encoded_is_cleaned() -> None:
    runs = RunsWithoutPulse()
    assert (
        finish(runs, start(runs, scripted("x", Finished("stop", "a\ud83d" + "b" * 999))))["model"]
        == "a?" + "b" * 198
    )


# Usage.


def test_the_provider_s_usage_is_reported() -> None:
    runs = RunsWithoutPulse()
    events = [UsageReport(9, 1), "x", UsageReport(None, 7), Finished("stop")]
    assert finish(runs, start(runs, scripted(*events)))["usage"] == {"input_tokens": 9, "output_tokens": 7}


def test_usage_is_estimated_without_a_report() -> None:
    runs = RunsWithoutPulse()
    events = [ReasoningDelta("hm, hm"), "Hello there", Finished("stop")]
    assert finish(runs, start(runs, scripted(*events)))["usage"] == {
        "input_tokens": REQUEST_TOKENS,
        "output_tokens": estimate_tokens("hm, hm") + estimate_tokens("Hello there"),
        "estimated": True,
    }


def test_an_estimate_does_not_depend_on_how_the_text_was_cut() -> None:
    """Rounding up each delta's tokens made the estimate half as large again."""
    text = "Streaming lets you read an answer while it is written. 你好 😀 "
    for size in range(1, 9):
        estimator = TokenEstimator()
        counts = [estimator.add(text[at : at + size]) for at in range(0, len(text), size)]
        assert counts == sorted(counts)
        assert counts[-1] == estimate_tokens(text)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("😀" * 100, 200, 300),
        ("👩‍👩‍👧‍👦" * 100, 1100, 1800),
        ("🇩🇪" * 100, 400, 600),
        ("❤️" * 100, 100, 300),
        ("☀" * 100, 100, 300),
        ("𠮷" * 100, 200, 400),
        ("你好" * 100, 200, 200),
        ("a" * 100, 25, 25),
        ("é" * 100, 25, 50),
        ("“quoted” – and so on…" * 10, 50, 80),
    ],
)
def test_n30_emoji_are_counted_by_their_bytes(text: str, least: int, most: int) -> None:
    """An emoji was counted as one token, so that a window of them overflowed."""
    assert least <= estimate_tokens(text) <= most


def test_a_partial_report_is_completed_by_an_estimate() -> None:
    runs = RunsWithoutPulse()
    usage = finish(runs, start(runs, scripted("Hello there", UsageReport(9, None), Finished("stop"))))[
        "usage"
    ]
    assert usage == {"input_tokens": 9, "output_tokens": 3, "estimated": True}


@pytest.mark.parametrize("delivered", [True, False])
def test_an_undelivered_request_is_not_counted(delivered: bool) -> None:
    def script(control: Control) -> Iterator[Event]:
        control.report_delivery(delivered)
        raise UpstreamError("upstream_timeout")
        yield

    runs = RunsWithoutPulse()
    usage = finish(runs, start(runs, ScriptedProvider(script)))["usage"]
    assert (usage["input_tokens"], usage.get("estimated", False)) == (
        (REQUEST_TOKENS, True) if delivered else (0, False)
    )


@pytest.mark.parametrize("count", [-5, 10**30])
def test_an_implausible_count_is_ignored(count: int) -> None:
    runs = RunsWithoutPulse()
    events = ["Hello there", UsageReport(count, count), Finished("stop")]
    assert finish(runs, start(runs, scripted(*events)))["usage"]["estimated"]


def test_after_an_interruption_the_larger_count_is_used() -> None:
    runs = RunsWithoutPulse()
    early = scripted(UsageReport(9, 1), "a" * 400, Interrupted())
    assert finish(runs, start(runs, early))["usage"] == {
        "input_tokens": 9,
        "output_tokens": 100,
        "estimated": True,
    }
    late = scripted("a", UsageReport(9, 50), Interrupted())
    assert finish(runs, start(runs, late))["usage"]["output_tokens"] == 50


def price(provider: str, models: Sequence[str], usage: Usage) -> Decimal | None:
    return Decimal("0.0000001") * usage.output_tokens if "gpt-4.1" in models else None


def test_without_a_price_for_its_own_name_the_requested_model_s_price_is_used() -> None:
    runs = RunsWithoutPulse(pricer=price)
    last = finish(runs, start(runs, scripted("x", UsageReport(1, 120), Finished("stop", "gpt-4.1-special"))))
    assert (last["cost"], last["model"]) == (0.000012, "gpt-4.1-special")


def test_an_unknown_price_is_none() -> None:
    runs = RunsWithoutPulse(pricer=price)
    unknown = answers("x", model="mystery")
    assert finish(runs, start(runs, unknown))["cost"] is None


# Failures.


@pytest.mark.parametrize(
    ("error", "code", "retryable", "state"),
    [
        (UpstreamError("upstream_auth", detail="Bearer secret"), "upstream_auth", False, "failed"),
        (UpstreamError("upstream_rate_limited", retry_after_s=30), "upstream_rate_limited", True, "failed"),
        (Interrupted(), "interrupted", True, "interrupted"),
        (InvalidRequest("the model does not support images"), "upstream_bad_request", False, "failed"),
        (AnswerError("internal"), "internal", True, "failed"),
    ],
)
def test_a_failure_is_the_last_frame(error: Exception, code: str, retryable: bool, state: str) -> None:
    runs = RunsWithoutPulse()
    run = start(runs, scripted(error))
    found = bodies(read(runs, run))
    last = finish(runs, run)
    assert [next(iter(body)) for body in found] == ["start", "error"]
    assert (last["code"], last["retryable"], last["partial"]) == (code, retryable, False)
    assert "secret" not in str(last)
    assert run.receipt().state == state


def test_text_before_a_failure_is_sent() -> None:
    runs = RunsWithoutPulse()
    found = read(runs, start(runs, scripted("Hel", UpstreamError("upstream_stalled"))))
    assert (text_of(found), bodies(found)[-1]["partial"]) == ("Hel", True)


def test_buffered_text_is_sent_before_a_failure() -> None:
    def script(control: Control) -> Iterator[Event]:
        yield TextDelta("first")
        yield TextDelta(" and more")
        raise Interrupted

    runs = RunsWithoutPulse()
    assert text_of(read(runs, start(runs, ScriptedProvider(script)))) == "first and more"


def test_an_answer_without_an_end_is_interrupted() -> None:
    runs = RunsWithoutPulse()
    assert finish(runs, start(runs, scripted("Hel")))["code"] == "interrupted"


def test_a_bug_ends_the_answer_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("freshet").propagate = True
    runs = RunsWithoutPulse()
    with caplog.at_level(logging.ERROR, "freshet.runs"):
        last = finish(runs, start(runs, scripted("x", ZeroDivisionError("oops"))))
    assert (last["code"], last["partial"]) == ("internal", True)
    assert "ZeroDivisionError" in caplog.text


# Fallbacks.


def test_before_the_first_delta_the_next_provider_is_called() -> None:
    runs = RunsWithoutPulse()
    second = answers("Hello", name="anthropic", model="claude")
    found = read(runs, start(runs, scripted(UpstreamError("upstream_overloaded")), second))
    last = bodies(found)[-1]
    assert (text_of(found), last["provider"], last["model"]) == ("Hello", "anthropic", "claude")


def test_after_the_first_delta_no_other_provider_is_called() -> None:
    runs = RunsWithoutPulse()
    second = answers("Hello")
    found = read(runs, start(runs, scripted("Hel", UpstreamError("upstream_overloaded")), second))
    assert (text_of(found), bodies(found)[-1]["code"], second.calls) == ("Hel", "upstream_overloaded", 0)


def test_the_last_failure_is_reported_when_all_fail() -> None:
    runs = RunsWithoutPulse()
    chain = [
        scripted(UpstreamError(code)) for code in ("upstream_overloaded", "upstream_auth", "upstream_quota")
    ]
    assert finish(runs, start(runs, *chain))["code"] == "upstream_quota"
    assert [provider.calls for provider in chain] == [1, 1, 1]


def test_the_first_provider_s_usage_is_not_added_to_the_second_s() -> None:
    runs = RunsWithoutPulse()
    first = scripted(UsageReport(900, 900), UpstreamError("upstream_overloaded"))
    usage = finish(runs, start(runs, first, scripted("x", UsageReport(2, 1), Finished("stop"))))["usage"]
    assert usage == {"input_tokens": 2, "output_tokens": 1}


# Limits.


def test_an_answer_over_the_byte_limit_ends_by_length_with_its_text() -> None:
    runs = RunsWithoutPulse(RunLimits(run_max_bytes=20_000))
    found = read(runs, start(runs, scripted(UsageReport(3, 1), *["x" * 1_000] * 50, Finished("stop"))))
    last, text = bodies(found)[-1], text_of(found)
    assert last["finish_reason"] == "length"
    assert 15_000 <= len(text) <= 20_000
    assert last["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert last["usage"] == {"input_tokens": 3, "output_tokens": len(text) // 4, "estimated": True}


def test_a_single_delta_over_the_limit_ends_the_answer() -> None:
    runs = RunsWithoutPulse(RunLimits(run_max_bytes=20_000))
    found = read(runs, start(runs, scripted("x" * 3_000_000, Finished("stop"))))
    assert bodies(found)[-1]["finish_reason"] == "length"
    assert len(text_of(found)) <= 20_000
