"""What a provider's error means, and that nothing secret of it is kept."""

import email.utils
import json
from typing import Any

import pytest

from webapp.providers.errors import refusal, reported, retry_after

HTML = b"<!DOCTYPE html><title>502 Bad Gateway</title><h1>cloudflare</h1>"
QUOTA = {
    "error": {
        "message": "You exceeded your current quota",
        "type": "insufficient_quota",
        "code": "insufficient_quota",
    }
}
CONTEXT = {
    "error": {
        "message": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}
ANTHROPIC_LONG = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
}
GOOGLE = [{"error": {"code": 429, "message": "Resource has been exhausted", "status": "RESOURCE_EXHAUSTED"}}]
AZURE_TPM = {"error": {"code": "429", "message": "Requests have exceeded token rate limit"}}
OLLAMA = {"error": "model 'llama9' not found"}

# status, body, code, retryable
REFUSALS: list[tuple[int, Any, str, bool]] = [
    (400, {"error": {"message": "no", "type": "invalid_request_error"}}, "upstream_bad_request", False),
    (400, CONTEXT, "upstream_bad_request", False),
    (400, HTML, "upstream_bad_request", False),
    (401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, "upstream_auth", False),
    (402, {"error": {"message": "Insufficient credits", "code": 402}}, "upstream_quota", False),
    (403, {"error": {"type": "permission_error"}}, "upstream_auth", False),
    (404, OLLAMA, "upstream_bad_request", False),
    (404, HTML, "upstream_bad_request", False),
    (405, b"", "upstream_bad_request", False),
    (408, b"", "upstream_timeout", True),
    (409, b"", "upstream_bad_request", False),
    (413, {"error": {"type": "request_too_large"}}, "upstream_bad_request", False),
    (422, {"detail": "no"}, "upstream_bad_request", False),
    (429, {"error": {"type": "rate_limit_error"}}, "upstream_rate_limited", True),
    (429, QUOTA, "upstream_quota", False),
    (429, GOOGLE, "upstream_rate_limited", True),
    (429, AZURE_TPM, "upstream_rate_limited", True),
    (429, b"", "upstream_rate_limited", True),
    (500, {"error": {"message": "oops"}}, "upstream_overloaded", True),
    (502, HTML, "upstream_overloaded", True),
    (503, b"", "upstream_overloaded", True),
    (504, HTML, "upstream_overloaded", True),
    (529, {"type": "error", "error": {"type": "overloaded_error"}}, "upstream_overloaded", True),
    (599, b"\xff\xfe", "upstream_overloaded", True),
    (204, b"", "upstream_overloaded", True),
    (301, HTML, "upstream_redirect", False),
    (302, b"", "upstream_redirect", False),
    (307, b"", "upstream_redirect", False),
]


def raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.mark.parametrize(("status", "body", "code", "retryable"), REFUSALS)
def test_a_status_and_a_body_become_a_code(status: int, body: Any, code: str, retryable: bool) -> None:
    error = refusal(status, {}, raw(body))
    assert (error.code, error.retryable, error.status) == (code, retryable, status)
    assert error.detail.startswith(str(status))


@pytest.mark.parametrize("body", [CONTEXT, ANTHROPIC_LONG, {"error": {"message": "too many tokens"}}])
def test_a_conversation_that_is_too_long_is_told_so(body: Any) -> None:
    assert "too long for this model" in refusal(400, {}, raw(body)).message
    assert "too long" not in refusal(400, {}, raw({"error": {"message": "no"}})).message


def test_an_unknown_model_names_the_setting_to_change() -> None:
    assert "FRESHET_MODEL" in refusal(404, {}, raw(OLLAMA)).message


BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b'{"error":null}',
    b'{"error":{"type":null,"code":[],"message":{"a":1}}}',
    b'{"error":[1]}',
    b'{"error":{"message":"' + b"x" * 100_000 + b'"}}',
    b"[" * 60_000,
    b'{"error":' * 20_000,
    b'{"error":{"message":"\\ud83d"}}',
    b'{"error":{"message":"\xff"}}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_any_body_is_survived(body: bytes) -> None:
    error = refusal(400, {}, body)
    assert error.code == "upstream_bad_request"
    assert len(error.detail) <= 310


def test_a_page_of_some_proxy_is_read_by_nobody() -> None:
    assert refusal(502, {}, HTML).detail == "502"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "upstream_overloaded"),
        ({"type": "api_error", "message": "Internal"}, "upstream_overloaded"),
        ({"type": "rate_limit_error"}, "upstream_rate_limited"),
        ({"code": "rate_limit_exceeded", "type": "tokens"}, "upstream_rate_limited"),
        ({"code": 429}, "upstream_rate_limited"),
        ({"status": "RESOURCE_EXHAUSTED"}, "upstream_rate_limited"),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, "upstream_quota"),
        ({"type": "billing_error"}, "upstream_quota"),
        ({"code": 402}, "upstream_quota"),
        ({"type": "authentication_error"}, "upstream_auth"),
        ({"code": "invalid_api_key", "type": "auth"}, "upstream_auth"),
        ({"code": 403}, "upstream_auth"),
        ({"type": "invalid_request_error"}, "upstream_bad_request"),
        ({"type": "not_found_error"}, "upstream_bad_request"),
        ({"code": 400, "type": "BadRequestError"}, "upstream_bad_request"),
        ({"type": "timeout_error"}, "upstream_timeout"),
        ({"code": 504}, "upstream_timeout"),
        ({"code": 502, "message": "Provider disconnected"}, "upstream_overloaded"),
        ({"code": 500}, "upstream_overloaded"),
        ("an error was encountered", "upstream_overloaded"),
        ({}, "upstream_overloaded"),
        (None, "upstream_overloaded"),
        (True, "upstream_overloaded"),
        (["x"], "upstream_overloaded"),
    ],
)
def test_an_error_inside_a_stream_becomes_a_code(error: object, code: str) -> None:
    assert reported(error).code == code


# Nothing secret is kept.

CANARIES = [
    "sk-canaryCANARY0123456789",
    "sk-ant-api03-canary-0123456789",
    "gsk_canary0123456789CANARY",
    "xai-canary0123456789",
    "canary0123456789abcdef",
    "canary-canary-canary",
    "CANARY_TOKEN_VALUE",
    "Bearer canary",
    "bearer   canaryCANARY",
    "https://user:canary@host.example/path?key=canary",
    "http://10.0.0.7:8000/canary",
    "eyJhbGciOi.canary.c2lnbmF0dXJl",
    "sk-...canary",
    "sk-cana****************nary",
    "stream_options-canary0123456789",
    "org-canary0123456789",
]
PLACES = [
    '{{"error":{{"message":"Incorrect API key provided: {}. See the docs.","type":"auth"}}}}',
    '{{"error":{{"message":"no","code":"{}"}}}}',
    '{{"error":{{"message":"no","type":"{}"}}}}',
    '{{"error":"key={}"}}',
    '{{"error":"\\"{}\\""}}',
    '{{"detail":[{{"input":"{}"}}]}}',
    '{{"message":"({})\\nnext line {}"}}',
]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("place", PLACES)
def test_no_key_no_address_and_no_token_survives(canary: str, place: str) -> None:
    body = place.format(canary, canary).encode()
    errors = [
        refusal(401, {}, body),
        refusal(429, {}, body),
        reported(json.loads(body).get("error", body.decode())),
    ]
    for error in errors:
        assert "canary" not in error.detail.lower(), error.detail
        assert "canary" not in error.message.lower()
        assert "\n" not in error.detail


def test_words_of_the_trade_stay_readable() -> None:
    detail = refusal(429, {}, raw(QUOTA)).detail
    assert detail == "429 insufficient_quota insufficient_quota: You exceeded your current quota"
    assert "stream_options" in refusal(400, {}, b'{"error":"unknown field stream_options."}').detail


# When to come back.

NOW = 1_800_000_000.0


def date(in_s: float) -> str:
    return email.utils.formatdate(NOW + in_s, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "3600"}, 3600.0),
        ({"Retry-After": date(90)}, 90.0),
        ({"Retry-After": date(-90)}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "9"}, 9.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "Wed, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 99999 07:28:00 GMT"}, None),
        ({"Retry-After": "9" * 400}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_refusal_carries_the_hint() -> None:
    assert refusal(429, {"Retry-After": "12"}, b"").retry_after_s == 12.0
    assert refusal(503, {"Retry-After": "12"}, b"").retry_after_s == 12.0
    assert refusal(429, {}, b"").retry_after_s is None


@pytest.mark.parametrize("headers", [{"Retry-After": "1e300"}, {"retry-after-ms": "1e300"}])
def test_an_absurd_wait_is_a_day(headers: dict[str, str]) -> None:
    assert retry_after(headers, NOW) == 86_400
