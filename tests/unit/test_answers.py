"""How an answer is made and how it ends: the producer, its frames and what it tells of its use."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from tests.unit.engine import (
    QUESTION,
    ScriptedProvider,
    StillRuns,
    answers,
    bodies,
    finish,
    ids,
    read,
    says,
    start,
    text_of,
)
from webapp.chat import TokenGuess, Usage, estimate_input_tokens, estimate_tokens
from webapp.errors import AnswerError, Interrupted, InvalidRequest, UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.frames import Cursor
from webapp.runs.registry import RunLimits
from webapp.seams import Control

ASKED_TOKENS = estimate_input_tokens(QUESTION)


def test_an_answer_from_its_start_to_its_end() -> None:
    runs = StillRuns()
    run = start(runs, answers("Hel", "lo"))
    found = read(runs, run)
    kinds = [next(iter(body)) for body in bodies(found)]
    assert (kinds[0], kinds[-1], text_of(found)) == ("start", "done", "Hello")
    assert ids(found) == [(1, seq) for seq in range(1, len(found) + 1)]
    begun, ended = bodies(found)[0]["start"], bodies(found)[-1]
    assert (begun["run"], begun["provider"], begun["model"]) == (run.id, "openai", "gpt-4.1")
    assert ended["finish_reason"] == "stop"
    assert ended["sha256"] == hashlib.sha256(b"Hello").hexdigest()


def test_every_cursor_of_an_ended_run_goes_on_to_the_same_end() -> None:
    runs = StillRuns()
    run = start(runs, answers("a", "b", "c"))
    whole = read(runs, run)
    for seq in range(len(whole)):
        assert read(runs, run, Cursor(run.id, 1, seq)) == whole[seq:]


def test_thinking_is_kept_apart() -> None:
    runs = StillRuns()
    run = start(runs, says(ReasoningDelta("hm"), "Hello", Finished("stop")))
    found = bodies(read(runs, run))
    assert [body["reasoning"] for body in found if "reasoning" in body] == ["hm"]
    assert found[-1]["sha256"] == hashlib.sha256(b"Hello").hexdigest()


def test_how_long_it_thought_is_told() -> None:
    """From the first of its thinking to the first of its text; not where it did but one of them, or began to talk."""

    def script(control: Control) -> Iterator[Event]:
        yield ReasoningDelta("hm")
        control.wait(0.05)
        yield TextDelta("Hello")
        control.wait(0.2)
        yield Finished("stop")

    runs = StillRuns()
    assert 45 <= finish(runs, start(runs, ScriptedProvider(script)))["thought_ms"] < 200
    for said in (["Hello"], [ReasoningDelta("hm")], ["Hello", ReasoningDelta("hm")]):
        last = finish(runs, start(runs, says(*said, Finished("stop"))))
        assert "thought_ms" not in last


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter"])
def test_the_reason_of_the_end_is_told(reason: str) -> None:
    runs = StillRuns()
    assert finish(runs, start(runs, says("x", Finished(reason))))["finish_reason"] == reason


def test_the_model_tells_its_own_name_and_what_was_damaged() -> None:
    runs = StillRuns()
    last = finish(runs, start(runs, says("x", Finished("stop", "gpt-4.1-2025-04-14", 2))))
    assert (last["model"], last["damaged"]) == ("gpt-4.1-2025-04-14", 2)


def test_a_model_without_a_name_of_its_own_keeps_the_one_asked_for() -> None:
    runs = StillRuns()
    last = finish(runs, start(runs, says("x", Finished("stop", ""))))
    assert (last["model"], "damaged" in last) == ("gpt-4.1", False)


def test_a_name_that_cannot_be_encoded_does_not_lose_the_end() -> None:
    runs = StillRuns()
    assert (
        finish(runs, start(runs, says("x", Finished("stop", "a\ud83d" + "b" * 999))))["model"]
        == "a?" + "b" * 198
    )


# What was used.


def test_what_the_provider_counted_is_told() -> None:
    runs = StillRuns()
    events = [UsageReport(9, 1), "x", UsageReport(None, 7), Finished("stop")]
    assert finish(runs, start(runs, says(*events)))["usage"] == {"input_tokens": 9, "output_tokens": 7}


def test_what_nobody_counted_is_estimated() -> None:
    runs = StillRuns()
    events = [ReasoningDelta("hm, hm"), "Hello there", Finished("stop")]
    assert finish(runs, start(runs, says(*events)))["usage"] == {
        "input_tokens": ASKED_TOKENS,
        "output_tokens": estimate_tokens("hm, hm") + estimate_tokens("Hello there"),
        "estimated": True,
    }


def test_a_guess_is_the_same_however_the_text_was_cut() -> None:
    """Each delta's tokens were rounded up, so that the count of a growing answer was half as much again."""
    text = "Streaming lets you read an answer while it is written. 你好 😀 "
    for size in range(1, 9):
        guess = TokenGuess()
        counts = [guess.add(text[at : at + size]) for at in range(0, len(text), size)]
        assert counts == sorted(counts)
        assert counts[-1] == estimate_tokens(text)


def test_half_a_count_is_filled_by_an_estimate() -> None:
    runs = StillRuns()
    usage = finish(runs, start(runs, says("Hello there", UsageReport(9, None), Finished("stop"))))["usage"]
    assert usage == {"input_tokens": 9, "output_tokens": 3, "estimated": True}


@pytest.mark.parametrize("taken", [True, False])
def test_what_no_provider_took_is_not_counted(taken: bool) -> None:
    def script(control: Control) -> Iterator[Event]:
        control.asked(taken)
        raise UpstreamError("upstream_timeout")
        yield

    runs = StillRuns()
    usage = finish(runs, start(runs, ScriptedProvider(script)))["usage"]
    assert (usage["input_tokens"], usage.get("estimated", False)) == (
        (ASKED_TOKENS, True) if taken else (0, False)
    )


@pytest.mark.parametrize("absurd", [-5, 10**30])
def test_a_count_that_cannot_be_is_not_heard(absurd: int) -> None:
    runs = StillRuns()
    events = ["Hello there", UsageReport(absurd, absurd), Finished("stop")]
    assert finish(runs, start(runs, says(*events)))["usage"]["estimated"]


def test_after_a_cut_the_larger_count_holds() -> None:
    runs = StillRuns()
    early = says(UsageReport(9, 1), "a" * 400, Interrupted())
    assert finish(runs, start(runs, early))["usage"] == {
        "input_tokens": 9,
        "output_tokens": 100,
        "estimated": True,
    }
    late = says("a", UsageReport(9, 50), Interrupted())
    assert finish(runs, start(runs, late))["usage"]["output_tokens"] == 50


def price(provider: str, models: Sequence[str], usage: Usage) -> Decimal | None:
    return Decimal("0.0000001") * usage.output_tokens if "gpt-4.1" in models else None


def test_the_price_is_that_of_the_model_asked_for_where_its_own_name_has_none() -> None:
    runs = StillRuns(pricer=price)
    last = finish(runs, start(runs, says("x", UsageReport(1, 120), Finished("stop", "gpt-4.1-special"))))
    assert (last["cost"], last["model"]) == (0.000012, "gpt-4.1-special")


def test_an_unknown_price_is_none() -> None:
    runs = StillRuns(pricer=price)
    unknown = answers("x", model="mystery")
    assert finish(runs, start(runs, unknown))["cost"] is None


# Failing.


@pytest.mark.parametrize(
    ("error", "code", "retryable", "state"),
    [
        (UpstreamError("upstream_auth", detail="Bearer secret"), "upstream_auth", False, "failed"),
        (UpstreamError("upstream_rate_limited", retry_after_s=30), "upstream_rate_limited", True, "failed"),
        (Interrupted(), "interrupted", True, "interrupted"),
        (InvalidRequest("images are not for it"), "upstream_bad_request", False, "failed"),
        (AnswerError("internal"), "internal", True, "failed"),
    ],
)
def test_a_failure_is_the_last_frame(error: Exception, code: str, retryable: bool, state: str) -> None:
    runs = StillRuns()
    run = start(runs, says(error))
    found = bodies(read(runs, run))
    last = finish(runs, run)
    assert [next(iter(body)) for body in found] == ["start", "error"]
    assert (last["code"], last["retryable"], last["partial"]) == (code, retryable, False)
    assert "secret" not in str(last)
    assert run.receipt().state == state


def test_text_before_a_failure_is_kept() -> None:
    runs = StillRuns()
    found = read(runs, start(runs, says("Hel", UpstreamError("upstream_stalled"))))
    assert (text_of(found), bodies(found)[-1]["partial"]) == ("Hel", True)


def test_text_that_is_still_held_leaves_before_a_failure() -> None:
    def script(control: Control) -> Iterator[Event]:
        yield TextDelta("first")
        yield TextDelta(" and more")
        raise Interrupted

    runs = StillRuns()
    assert text_of(read(runs, start(runs, ScriptedProvider(script)))) == "first and more"


def test_an_answer_without_an_end_is_interrupted() -> None:
    runs = StillRuns()
    assert finish(runs, start(runs, says("Hel")))["code"] == "interrupted"


def test_a_bug_ends_the_answer_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("freshet").propagate = True
    runs = StillRuns()
    with caplog.at_level(logging.ERROR, "freshet.runs"):
        last = finish(runs, start(runs, says("x", ZeroDivisionError("oops"))))
    assert (last["code"], last["partial"]) == ("internal", True)
    assert "ZeroDivisionError" in caplog.text


# Falling back.


def test_another_provider_is_asked_before_the_first_delta_only() -> None:
    runs = StillRuns()
    second = answers("Hello", name="anthropic", model="claude")
    found = read(runs, start(runs, says(UpstreamError("upstream_overloaded")), second))
    last = bodies(found)[-1]
    assert (text_of(found), last["provider"], last["model"]) == ("Hello", "anthropic", "claude")


def test_after_the_first_delta_nobody_else_is_asked() -> None:
    runs = StillRuns()
    second = answers("Hello")
    found = read(runs, start(runs, says("Hel", UpstreamError("upstream_overloaded")), second))
    assert (text_of(found), bodies(found)[-1]["code"], second.asked) == ("Hel", "upstream_overloaded", 0)


def test_the_last_failure_is_told_when_all_fail() -> None:
    runs = StillRuns()
    chain = [says(UpstreamError(code)) for code in ("upstream_overloaded", "upstream_auth", "upstream_quota")]
    assert finish(runs, start(runs, *chain))["code"] == "upstream_quota"
    assert [provider.asked for provider in chain] == [1, 1, 1]


def test_what_the_first_provider_counted_is_not_the_second_s() -> None:
    runs = StillRuns()
    first = says(UsageReport(900, 900), UpstreamError("upstream_overloaded"))
    usage = finish(runs, start(runs, first, says("x", UsageReport(2, 1), Finished("stop"))))["usage"]
    assert usage == {"input_tokens": 2, "output_tokens": 1}


# Limits.


def test_an_answer_over_its_bytes_ends_by_length_and_keeps_its_text() -> None:
    runs = StillRuns(RunLimits(run_max_bytes=20_000))
    found = read(runs, start(runs, says(UsageReport(3, 1), *["x" * 1_000] * 50, Finished("stop"))))
    last, text = bodies(found)[-1], text_of(found)
    assert last["finish_reason"] == "length"
    assert 15_000 <= len(text) <= 20_000
    assert last["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert last["usage"] == {"input_tokens": 3, "output_tokens": len(text) // 4, "estimated": True}


def test_one_delta_over_the_limit_ends_it_too() -> None:
    runs = StillRuns(RunLimits(run_max_bytes=20_000))
    found = read(runs, start(runs, says("x" * 3_000_000, Finished("stop"))))
    assert bodies(found)[-1]["finish_reason"] == "length"
    assert len(text_of(found)) <= 20_000
