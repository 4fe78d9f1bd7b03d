"""Mapping providers' errors to codes, and redacting secrets in them."""

import email.utils
import json
from typing import Any

import pytest

from webapp.providers.errors import error_from_event, error_from_response, parse_retry_after

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
    error = error_from_response(status, {}, raw(body))
    assert (error.code, error.retryable, error.status) == (code, retryable, status)
    assert error.detail.startswith(str(status))


@pytest.mark.parametrize("body", [CONTEXT, ANTHROPIC_LONG, {"error": {"message": "too many tokens"}}])
def test_a_conversation_that_is_too_long_has_its_own_message(body: Any) -> None:
    assert "too long for this model" in error_from_response(400, {}, raw(body)).message
    assert "too long" not in error_from_response(400, {}, raw({"error": {"message": "no"}})).message


def test_an_unknown_model_names_the_setting_to_change() -> None:
    assert "FRESHET_MODEL" in error_from_response(404, {}, raw(OLLAMA)).message


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
def test_any_body_of_an_error_is_accepted(body: bytes) -> None:
    error = error_from_response(400, {}, body)
    assert error.code == "upstream_bad_request"
    assert len(error.detail) <= 310


def test_an_html_page_is_not_part_of_the_detail() -> None:
    assert error_from_response(502, {}, HTML).detail == "502"


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
    assert error_from_event(error).code == code


# Redaction.

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
def test_secrets_are_redacted(canary: str, place: str) -> None:
    body = place.format(canary, canary).encode()
    errors = [
        error_from_response(401, {}, body),
        error_from_response(429, {}, body),
        error_from_event(json.loads(body).get("error", body.decode())),
    ]
    for error in errors:
        assert "canary" not in error.detail.lower(), error.detail
        assert "canary" not in error.message.lower()
        assert "\n" not in error.detail


def test_common_identifiers_are_not_redacted() -> None:
    detail = error_from_response(429, {}, raw(QUOTA)).detail
    assert detail == "429 insufficient_quota: You exceeded your current quota"
    assert (
        "stream_options" in error_from_response(400, {}, b'{"error":"unknown field stream_options."}').detail
    )


# Retry-After.

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
def test_retry_after_is_parsed(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_retry_after(headers, NOW) == seconds


def test_an_error_has_the_retry_hint() -> None:
    assert error_from_response(429, {"Retry-After": "12"}, b"").retry_after_s == 12.0
    assert error_from_response(503, {"Retry-After": "12"}, b"").retry_after_s == 12.0
    assert error_from_response(429, {}, b"").retry_after_s is None


@pytest.mark.parametrize("headers", [{"Retry-After": "1e300"}, {"retry-after-ms": "1e300"}])
def test_a_retry_after_is_capped_at_a_day(headers: dict[str, str]) -> None:
    assert parse_retry_after(headers, NOW) == 86_400


FILTERED = {
    "message": "The response was filtered due to Azure OpenAI's content management policy.",
    "code": "content_filter",
}
# The same refusal in the forms of other servers and proxies.
SHAPES: list[Any] = [
    {
        "error": {
            "message": "Provider returned error",
            "code": 400,
            "metadata": {"raw": {"error": {"message": "X"}}},
        }
    },
    {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"X"}}'}}},
    {"error": '{"message":"X"}'},
    {"errors": [{"message": "X", "code": 8001}], "success": False},
    {"errors": ["X"]},
    {"statusCode": 400, "message": ["X"], "error": "Bad Request"},
    {"error_code": 336003, "error_msg": "X"},
    {"base_resp": {"status_code": 2013, "status_msg": "X"}},
    {"fault": {"faultstring": "X", "detail": {"errorcode": "x"}}},
    {"type": "about:blank", "title": "Bad Request", "detail": "X"},
    {"object": "error", "message": {"detail": [{"loc": ["body"], "msg": "X"}]}},
    {"detail": {"error": {"message": "X"}}},
    [{"error": {"code": 400, "message": "no", "details": [{"reason": "X"}]}}],
    "X",
    b"X\n",
    b'event: error\ndata: {"error":{"message":"X"}}\n\n',
    b'{"error":{"message":"X, and then it was cut',
    b'\xef\xbb\xbf{"error":{"message":"X \xff"}}',
]


@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_an_error_is_read_in_any_shape(shape: Any) -> None:
    body = raw(shape).replace(b"X", b"Your credit balance is too low")
    error = error_from_response(400, {}, body)
    assert error.code == "upstream_quota"
    assert "credit balance" in error.detail


@pytest.mark.parametrize(
    ("shape", "blamed"),
    [
        ({"errors": {"stop": ["unknown field"]}}, "stop"),
        ({"errors": [{"pointer": "#/stop", "detail": "is not a known property"}]}, "#/stop"),
        ({"error": {"details": [{"fieldViolations": [{"field": "stop", "description": "no"}]}]}}, "stop"),
    ],
)
def test_a_blamed_field_is_read_in_any_shape(shape: Any, blamed: str) -> None:
    assert error_from_response(400, {}, raw(shape)).reason.partition("\n")[0] == blamed


@pytest.mark.parametrize("depth", [10, 5_000])
def test_an_error_within_errors_without_end_is_bounded(depth: int) -> None:
    body = b'{"error":' * depth + b'"x"' + b"}" * depth
    assert error_from_response(400, {}, body).code == "upstream_bad_request"


# llama.cpp, LM Studio, Groq (two statuses), Anthropic, TGI, Bedrock, OpenAI, Gemini, xAI, DashScope, GitHub, vLLM, Zhipu, Moonshot.
LONG: list[tuple[int, Any]] = [
    (400, {"type": "exceed_context_size_error", "message": "the request exceeds the available context size"}),
    (400, "Trying to keep the first 9000 tokens when context the overflows. The model is loaded with context length of only 4096"),
    (413, {"message": "Request too large for model `x` on tokens per minute (TPM): Limit 6000", "code": "rate_limit_exceeded"}),
    (429, {"message": "Request too large for x on tokens per min (TPM): Limit 10000", "code": "rate_limit_exceeded"}),
    (413, {"type": "request_too_large", "message": "Request exceeds the maximum size"}),
    (422, "Input validation error: `inputs` must have less than 4095 tokens. Given: 9000"),
    (400, {"message": "Input is too long for requested model."}),
    (400, {"message": "Input tokens exceed the configured limit of 272000 tokens."}),
    (400, {"message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}),
    (400, {"message": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."}),
    (400, {"message": "Range of input length should be [1, 30720]"}),
    (400, {"code": "tokens_limit_reached", "message": "Request body too large for gpt-4o model. Max size: 8000 tokens."}),
    (400, {"message": "The decoder prompt (length 9000) is longer than the maximum model length of 4096."}),
    (400, {"message": "Prompt 超长", "code": "1261"}),
    (400, {"message": "Invalid request: Your request exceeded model token limit: 8192"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error"), LONG, ids=range(len(LONG)))
def test_u6_a_conversation_that_is_too_long_is_told_in_any_wording(status: int, error: Any) -> None:
    found = error_from_response(status, {}, raw({"error": error}))
    assert (found.code, found.retryable) == ("upstream_bad_request", False)
    assert "too long for this model" in found.message


@pytest.mark.parametrize(
    "error",
    [
        {"message": "name is too long", "param": "messages[0].name"},
        {"message": "string too long, maximum 64", "param": "user"},
        {"message": "max_tokens (40000) exceeds the maximum allowed 16384"},
        {"message": "image too large: 5 MB maximum"},
    ],
)
def test_u6_an_option_that_is_too_long_is_not_the_conversation(error: Any) -> None:
    assert "too long" not in error_from_response(400, {}, raw({"error": error})).message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("context size has been exceeded", "upstream_bad_request"),
        ("temperature is not supported by this model", "upstream_bad_request"),
        ({"code": 40001, "message": "no"}, "upstream_overloaded"),
        ({"status": "INVALID_ARGUMENT"}, "upstream_bad_request"),
        ({"code": "invalid_value"}, "upstream_bad_request"),
        ("the upstream is not available", "upstream_overloaded"),
    ],
)
def test_an_error_in_a_stream_without_a_status_is_told_apart(error: object, code: str) -> None:
    assert error_from_event(error).code == code


WORDED: list[tuple[int, Any, str]] = [
    (
        400,
        {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."},
        "upstream_quota",
    ),
    (400, {"message": "Insufficient Balance"}, "upstream_quota"),
    (403, {"message": "Your team doesn't have any credits yet. Purchase some."}, "upstream_quota"),
    (400, {"message": "Access denied, your account is in arrears."}, "upstream_quota"),
    (
        429,
        {"message": "You exceeded your current quota, check your plan and billing details."},
        "upstream_quota",
    ),
    (
        400,
        {"message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"},
        "upstream_auth",
    ),
    (400, {"message": "Incorrect API key provided: sk-x."}, "upstream_auth"),
    (422, {"message": "Invalid authentication credentials"}, "upstream_auth"),
    (403, {"message": "You have no access to this model."}, "upstream_auth"),
    (400, {"message": "The key 'stop' is invalid."}, "upstream_bad_request"),
    (400, {"message": "max_tokens is too large"}, "upstream_bad_request"),
    (400, {"message": "Invalid token in the JSON body"}, "upstream_bad_request"),
    # DashScope, Zhipu, OpenRouter, ElevenLabs, Anthropic, LiteLLM, Hugging Face
    (400, {"code": "Arrearage", "message": "Access denied, is your account in good standing?"}, "upstream_quota"),
    (429, {"code": "1113", "message": "余额不足或无可用资源包,请充值。"}, "upstream_quota"),
    (403, {"message": "Key limit exceeded (total limit)", "code": 403}, "upstream_quota"),
    (403, {"message": "no", "code": "quota_exceeded"}, "upstream_quota"),
    (400, {"message": "You have reached your specified API usage limits."}, "upstream_quota"),
    (400, {"message": "Budget has been exceeded! Current cost: 2", "type": "budget_exceeded"}, "upstream_quota"),
    (403, {"message": "You have exceeded your monthly included credits."}, "upstream_quota"),
    (400, "Insufficient account balance", "upstream_quota"),
    # Gemini's limit of a minute, which it calls a quota
    (
        429,
        {"code": 429, "message": "You exceeded your current quota.\nPlease retry in 33.5s.", "status": "RESOURCE_EXHAUSTED"},
        "upstream_rate_limited",
    ),
    (400, {"message": "Slow down", "code": "rate_limit_exceeded"}, "upstream_rate_limited"),
    (498, {"message": "Flex tier full", "code": "capacity_exceeded"}, "upstream_overloaded"),
    (400, {"message": "You didn't provide an API key."}, "upstream_auth"),
    (400, {"message": "token expired or incorrect", "code": "1000"}, "upstream_auth"),
    (400, "invalid_token", "upstream_auth"),
    (400, {"message": "The security token included in the request is expired"}, "upstream_auth"),
    (407, {}, "upstream_auth"),
    (500, {"message": "litellm.BadRequestError: Error code: 400 - {'error': …}"}, "upstream_bad_request"),
    (500, {"message": "Error code: 500"}, "upstream_overloaded"),
    (501, {"message": "logit_bias is not implemented"}, "upstream_bad_request"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "code"), WORDED, ids=range(len(WORDED)))
def test_n22_a_refusal_is_told_apart_by_its_words(status: int, error: Any, code: str) -> None:
    assert error_from_response(status, {}, raw({"error": error})).code == code


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, FILTERED),
        (400, {"message": "no", "code": "data_inspection_failed"}),
        (403, {"message": "Your input was flagged", "metadata": {}}),
        (400, {"message": "Rejected by the safety system."}),
        (422, {"type": "ResponsibleAIPolicyViolation"}),
        (400, {"message": "系统检测到输入或生成内容可能包含不安全或敏感内容", "code": "1301"}),
        (400, {"message": "Content Exists Risk", "type": "invalid_request_error"}),
        (400, {"code": "InputTextSensitiveContentDetected", "message": "The request failed"}),
        (400, {"message": "Blocked by guardrail: prompt injection detected"}),
        (403, {"message": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}),
        (400, {"message": "Prompt blocked. Reason: PROHIBITED_CONTENT"}),
        (451, {"message": "no"}),
    ],
)
def test_n22_a_content_filter_has_its_own_message(status: int, error: Any) -> None:
    found = error_from_response(status, {}, raw({"error": error}))
    assert (found.code, found.retryable) == ("upstream_bad_request", False)
    assert "content filter refused" in found.message
    assert (
        "content filter refused" in error_from_event({"code": status, **error}).message
        or "code" in error
        or status == 451
    )


def test_n22_an_error_in_a_stream_is_told_apart_by_its_words() -> None:
    assert (
        error_from_event({"type": "invalid_request_error", "message": "credit balance is too low"}).code
        == "upstream_quota"
    )
    assert error_from_event("Invalid API key").code == "upstream_auth"
