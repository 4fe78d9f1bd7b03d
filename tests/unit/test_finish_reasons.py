"""Mapping providers' finish reasons."""

import logging

import pytest

from webapp.errors import UpstreamError
from webapp.providers.finish_reasons import parse_finish_reason

KNOWN = {
    "stop": "stop STOP end_turn endTurn END_TURN eos eos_token stop_sequence COMPLETE FINISH_REASON_STOP pause_turn done",
    "length": "length LENGTH MAX_TOKENS max_tokens maxTokens max_output_tokens model_length token_limit "
    "model_context_window_exceeded FINISH_REASON_MAX_TOKENS max-tokens MaxTokens context_length_exceeded incomplete "
    "ERROR_LIMIT context_limit contextLengthReached maxPredictedTokensReached num_predict context_overflow ctx_limit",
    "content_filter": "content_filter ContentFilter CONTENT_FILTERED SAFETY safety PROHIBITED_CONTENT BLOCKLIST SPII RECITATION "
    "refusal IMAGE_SAFETY guardrail_intervened sensitive FINISH_REASON_SAFETY "
    "ERROR_TOXIC LANGUAGE content_policy_violation",
    "tool_calls": "tool_calls TOOL_CALLS tool_use toolUse function_call tool_call FUNCTION_CALL",
}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(raw, reason) for reason, words in KNOWN.items() for raw in words.split()],
)
def test_n16_a_finish_reason_is_known_in_any_case_and_wording(raw: str, reason: str) -> None:
    assert parse_finish_reason(raw) == reason


@pytest.mark.parametrize(
    "raw",
    [
        "error",
        "ERROR",
        "insufficient_system_resource",
        "network_error",
        "internalError",
        "abort",
        "failed",
        "MALFORMED_FUNCTION_CALL",
        "timeout",
        "USER_CANCEL",
        "modelUnloaded",
        "userStopped",
        "disconnected",
        "rate_limit",
    ],
)
def test_n15_a_finish_reason_that_reports_a_failure_is_an_error(raw: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        parse_finish_reason(raw)
    assert raised.value.retryable


def test_n16_an_unknown_reason_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert parse_finish_reason("Novel-Reason\n" + "x" * 500) == "stop"
    assert "novel_reason_x" in caplog.text
    assert len(caplog.text) < 300
