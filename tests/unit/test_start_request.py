"""Request bodies and query strings become run specs."""

import json
from typing import Any

import msgspec
import pytest

from tests.unit.starting import HI, PNG, RUN, STARTER, build_spec, image_message, run_starter, user
from webapp.api.completion_body import read_completion
from webapp.api.completion_messages import read_completion_messages
from webapp.api.start_request import derive_run_id, read_query, requested_effort
from webapp.chat import ImagePart, ModelMessage, TextPart
from webapp.errors import InvalidRequest
from webapp.frames import is_run_id


def messages(body: object) -> list[ModelMessage]:
    return list(build_spec(body).request.messages)


def test_a_query_is_a_user_s_message() -> None:
    assert messages({"query": " Hi "}) == [ModelMessage.user(" Hi ")]
    assert messages({"prompt": "Hi"}) == [ModelMessage.user("Hi")]


def test_the_system_prompt_comes_first() -> None:
    assert messages({"query": "Hi", "system": "Be brief."}) == [
        ModelMessage.system("Be brief."),
        ModelMessage.user("Hi"),
    ]
    assert messages({"query": "Hi", "system": ""}) == [ModelMessage.user("Hi")]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("user", "user"),
        ("human", "user"),
        ("assistant", "assistant"),
        ("ai", "assistant"),
        ("developer", "system"),
    ],
)
def test_roles_may_have_their_other_names(role: str, expected: str) -> None:
    assert messages({"messages": [*HI, {"role": role, "content": "x"}]})[1].role == expected


def test_text_may_replace_content_and_the_role_may_be_missing() -> None:
    assert messages({"messages": [{"text": "Hi"}, {"role": "ai", "text": "Hello"}]}) == [
        ModelMessage.user("Hi"),
        ModelMessage.assistant("Hello"),
    ]


def test_text_parts_are_joined() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert messages({"messages": [{"role": "user", "content": content}]}) == [ModelMessage.user("a\nb")]


@pytest.mark.parametrize(
    ("part", "image"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ImagePart(media_type="image/png", data=PNG),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
            ImagePart(url="https://example.org/a.png"),
        ),
        (
            {"type": "image", "media_type": "image/webp", "data": PNG},
            ImagePart(media_type="image/webp", data=PNG),
        ),
        ({"type": "image", "url": "http://example.org/a.gif"}, ImagePart(url="http://example.org/a.gif")),
    ],
)
def test_images_are_read_in_both_formats(part: dict[str, Any], image: ImagePart) -> None:
    content = [{"type": "text", "text": "What is this?"}, part]
    (message,) = messages({"messages": [{"role": "user", "content": content}]})
    assert message.content == (TextPart("What is this?"), image)


def test_absent_fields_have_defaults() -> None:
    spec = build_spec({"query": "Hi"}, user("anna"))
    assert is_run_id(spec.run)
    assert (spec.owner, spec.orphan_s, spec.chain[0].name) == ("user:anna", 900.0, "openai")
    request = spec.request
    assert (request.max_tokens, request.temperature, request.stop, request.seed) == (None, None, (), None)


def test_fields_are_copied_into_the_spec() -> None:
    body = {
        "query": "Hi",
        "run": RUN,
        "provider": "ollama",
        "model": "llama3.2",
        "max_tokens": 5,
        "temperature": 0,
        "stop": "END",
        "seed": 7,
        "orphan_s": 0,
    }
    spec = build_spec(body)
    assert (spec.run, spec.chain[0].name, spec.chain[0].model_name) == (RUN, "ollama", "llama3.2")
    request = spec.request
    assert (request.max_tokens, request.temperature, request.stop, request.seed) == (5, 0, ("END",), 7)
    assert spec.orphan_s == 0
    assert build_spec({"query": "Hi", "stop": ["a", "b"], "max_completion_tokens": 9}).request.stop == (
        "a",
        "b",
    )


def test_unknown_fields_are_ignored() -> None:
    assert messages({"query": "Hi", "novelty": {"deep": [1]}, "n": 3}) == [ModelMessage.user("Hi")]


def test_equal_requests_have_equal_fingerprints_and_others_do_not() -> None:
    def fingerprint_of(**more: Any) -> str:
        return build_spec({"query": "Hi", **more}).fingerprint

    assert fingerprint_of() == fingerprint_of(run=RUN, novelty=1, orphan_s=5)
    others = [
        fingerprint_of(**more)
        for more in ({"system": "x"}, {"model": "o3"}, {"max_tokens": 5}, {"temperature": 0})
    ]
    assert len({fingerprint_of(), build_spec({"query": "Ho"}).fingerprint, *others}) == 6


def test_a_default_that_changes_between_two_attempts_makes_no_other_request() -> None:
    prints = [
        {
            build_spec({"query": "Hi"} | more, starter=run_starter(FRESHET_MODEL=model)).fingerprint
            for model in ("o3", "gpt-3.5-turbo")
        }
        for more in ({}, {"provider": "openai"}, {"model": "gpt-4o"}, {"max_tokens": 9})
    ]
    assert [len(found) for found in prints] == [1, 1, 1, 1]


def test_numbers_in_a_query_string_are_parsed() -> None:
    body = read_query(
        {"query": "Hi", "max_tokens": "5", "temperature": "0.5", "retrieve": "true", "orphan_s": "3"}
    )
    assert body.retrieve is True
    spec = STARTER.build_spec(
        msgspec.structs.replace(body, retrieve=None), user()
    )  # the starter has no documents
    assert (spec.request.max_tokens, spec.request.temperature, spec.orphan_s) == (5, 0.5, 3.0)


# Fallbacks.


def test_a_fallback_without_image_support_is_left_out_for_images() -> None:
    with_fallback = run_starter(FRESHET_FALLBACK="ollama/llama3, mock")
    text_only = build_spec({"query": "Hi"}, starter=with_fallback)
    assert [provider.name for provider in text_only.chain] == ["openai", "ollama", "mock"]
    body = image_message(type="image", data=PNG, media_type="image/png")
    assert [provider.name for provider in build_spec(body, starter=with_fallback).chain] == [
        "openai",
        "mock",
    ]


# Run ids from Idempotency-Keys.


def test_a_key_gives_one_run_id_per_owner() -> None:
    one = derive_run_id("k", "visitor:a", "10.0.0.1")
    assert is_run_id(one)
    assert one == derive_run_id("k", "visitor:a", "10.9.9.9")
    others = {
        derive_run_id("k", "visitor:b", ""),
        derive_run_id("k2", "visitor:a", ""),
        derive_run_id("k", None, "10.0.0.1"),
        derive_run_id("k", None, "10.0.0.2"),
    }
    assert len({one, *others}) == 5


def test_key_and_owner_are_separated_unambiguously() -> None:
    assert derive_run_id("b:c", "a", "") != derive_run_id("c", "a:b", "")
    assert derive_run_id("1:x", "a", "") != derive_run_id("x", "a:1", "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"effort": "xhigh"}, "xhigh"),
        ({"effort": None}, None),
        ({"reasoning_effort": "none"}, "none"),
        ({"reasoning_effort": "minimal"}, "low"),
        ({"effort": "max", "reasoning_effort": "low"}, "max"),
    ],
)
def test_effort_has_two_names(fields: dict[str, Any], expected: str | None) -> None:
    assert build_spec({"query": "Hi", "model": "gpt-6.1-terra"} | fields).request.effort == expected


def test_effort_in_a_query_string() -> None:
    body = read_query({"query": "Hi", "effort": "high"})
    assert requested_effort(body) == "high"
    assert requested_effort(read_query({"query": "Hi", "reasoning_effort": "minimal"})) == "low"


@pytest.mark.parametrize("field", ["effort", "reasoning_effort"])
@pytest.mark.parametrize("value", ["", "HIGH", "minimum", 3, True, ["low"]])
def test_another_effort_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        build_spec({"query": "Hi", field: value})
    assert refused.value.param == field
    if isinstance(value, str):
        with pytest.raises(InvalidRequest) as refused:
            read_query({"query": "Hi", field: value})
        assert refused.value.param == field


def test_requests_of_two_efforts_differ() -> None:
    efforts: list[dict[str, str]] = [{}, {"effort": "low"}, {"effort": "high"}]
    specs = [build_spec({"query": "Hi", "model": "o3"} | effort) for effort in efforts]
    assert len({spec.fingerprint for spec in specs}) == 3


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": "They greet me.", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "reasoning", "text": "They greet me."},
    ],
)
def test_reasoning_of_earlier_answers_is_dropped(part: dict[str, Any]) -> None:
    answer = {"role": "assistant", "content": [part, {"type": "text", "text": "Hello"}]}
    assert messages({"messages": [*HI, answer, *HI]})[1] == ModelMessage.assistant("Hello")
    completion = json.dumps({"messages": [*HI, answer, *HI]}).encode()
    assert read_completion_messages(read_completion(completion))[1] == ModelMessage.assistant("Hello")
    with pytest.raises(InvalidRequest) as refused:
        messages({"messages": [{"role": "user", "content": [part]}]})
    assert refused.value.code == "bad_part"


def test_a_fallback_that_cannot_reason_as_asked_stays_in_the_chain() -> None:
    starter = run_starter(FRESHET_FALLBACK="anthropic/claude-opus-5-5", ANTHROPIC_API_KEY="k")
    spec = build_spec({"query": "Hi", "model": "gpt-6.1-terra", "effort": "none"}, starter=starter)
    assert [provider.model_name for provider in spec.chain] == ["gpt-6.1-terra", "claude-opus-5-5"]
    with pytest.raises(InvalidRequest) as refused:
        build_spec({"query": "Hi", "model": "claude-opus-5-5", "effort": "none"}, starter=starter)
    assert refused.value.param == "effort"
