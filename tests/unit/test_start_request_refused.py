"""Invalid requests: every error names the field."""

import pytest

from tests.unit.starting import HI, PNG, RUN, STARTER, build_spec, image_message, user
from webapp.api.start_request import read_query
from webapp.errors import InvalidRequest

IMAGE_FIELD = "messages[0].content[1]"
INVALID_BODIES: list[tuple[object, str]] = [
    (b"", "body"),
    (b"{", "body"),
    (b"not json", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b"null", "body"),
    (b'{"query":"\xff"}', "body"),
    (b'{"query":"\\ud800"}', "body"),
    (b'{"query":"x"} and more', "body"),
    (b'{"query":"x","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body"),
    (b"[" * 100_000, "body"),
    ({}, "query"),
    ({"query": None}, "query"),
    ({"query": ""}, "query"),
    ({"query": " \n\t"}, "query"),
    ({"prompt": ""}, "prompt"),
    ({"query": 5}, "query"),
    ({"query": ["Hi"]}, "query"),
    ({"query": "Hi", "messages": HI}, "messages"),
    ({"query": "Hi", "prompt": "Hi"}, "prompt"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages"),
    ({"messages": [{"role": "system", "content": "Hi"}]}, "messages"),
    ({"messages": HI * 2001}, "messages"),
    ({"messages": ["Hi"]}, "messages[0]"),
    ({"messages": [*HI, {"role": "robot", "content": "x"}]}, "messages[1].role"),
    ({"messages": [{"role": 1, "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}, "messages[0].content"),
    ({"messages": [*HI, {"role": "assistant", "content": " "}]}, "messages[1].content"),
    (image_message(type="audio"), IMAGE_FIELD),
    (image_message(type="image"), IMAGE_FIELD),
    (image_message(type="image_url"), IMAGE_FIELD),
    (image_message(type="text"), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": ""}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "javascript:alert(1)"}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "file:///etc/passwd"}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "data:image/svg+xml;base64,PHN2Zz4="}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "data:text/html;base64,PHN2Zz4="}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "data:image/png;base64,no!"}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "data:image/png;base64,"}), IMAGE_FIELD),
    (image_message(type="image_url", image_url={"url": "data:image/png,raw"}), IMAGE_FIELD),
    (image_message(type="image", data=PNG), IMAGE_FIELD),
    (image_message(type="image", data="no!", media_type="image/png"), IMAGE_FIELD),
    ({"query": "Hi", "run": "short"}, "run"),
    ({"query": "Hi", "run": RUN + "A"}, "run"),
    ({"query": "Hi", "run": ""}, "run"),
    ({"query": "Hi", "run": 5}, "run"),
    ({"query": "Hi", "provider": "gpt"}, "provider"),
    ({"query": "Hi", "provider": "anthropic"}, "provider"),
    ({"query": "Hi", "provider": ""}, "provider"),
    ({"query": "Hi", "model": ""}, "model"),
    ({"query": "Hi", "model": "m" * 201}, "model"),
    ({"query": "Hi", "model": 5}, "model"),
    ({"query": "Hi", "max_tokens": 0}, "max_tokens"),
    ({"query": "Hi", "max_tokens": -1}, "max_tokens"),
    ({"query": "Hi", "max_tokens": "5"}, "max_tokens"),
    ({"query": "Hi", "max_tokens": 1.5}, "max_tokens"),
    ({"query": "Hi", "max_tokens": True}, "max_tokens"),
    ({"query": "Hi", "max_tokens": 1_000_001}, "max_tokens"),
    ({"query": "Hi", "model": "gpt-4.1", "max_tokens": 32_769}, "max_tokens"),
    ({"query": "Hi", "max_completion_tokens": 0}, "max_completion_tokens"),
    ({"query": "Hi", "temperature": 2.1}, "temperature"),
    ({"query": "Hi", "temperature": -0.1}, "temperature"),
    ({"query": "Hi", "temperature": "hot"}, "temperature"),
    ({"query": "Hi", "stop": ""}, "stop"),
    ({"query": "Hi", "stop": ["a"] * 5}, "stop"),
    ({"query": "Hi", "stop": 5}, "stop"),
    ({"query": "Hi", "seed": "x"}, "seed"),
    ({"query": "Hi", "system": 5}, "system"),
    ({"query": "Hi", "orphan_s": -1}, "orphan_s"),
    ({"query": "Hi", "orphan_s": 86_401}, "orphan_s"),
    ({"query": "Hi", "conversation": ""}, "conversation"),
    ({"query": "Hi", "parent": 5}, "parent"),
    ({"query": "Hi", "retrieve": "yes"}, "retrieve"),
    (
        {"provider": "ollama", "model": "llama3"} | image_message(type="image", url="http://h/a.png"),
        "messages[0].content",
    ),
]


@pytest.mark.parametrize(
    ("body", "param"), INVALID_BODIES, ids=[f"{n}-{param}" for n, (_, param) in enumerate(INVALID_BODIES)]
)
def test_an_invalid_body_names_the_field(body: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        build_spec(body)
    assert (refused.value.status, refused.value.param) == (400, param)
    assert refused.value.code
    assert len(refused.value.message) < 200
    assert "$" not in refused.value.message


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"query": "Hi", "max_tokens": "many"}, "max_tokens"),
        ({"query": "Hi", "temperature": "nan"}, "temperature"),
        ({"query": "Hi", "orphan_s": "inf"}, "orphan_s"),
        ({"messages": "[]"}, "messages"),
        ({"query": ""}, "query"),
    ],
)
def test_an_invalid_query_string_names_the_field(query: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        STARTER.build_spec(read_query(query), user())
    assert refused.value.param == param


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidRequest) as refused:
        build_spec({"query": "Hi", "provider": "<script>canary"})
    assert "canary" not in refused.value.message
