"""What is refused of what a caller asks for: every refusal names the field."""

import pytest

from tests.unit.starting import HI, PARTS, PNG, RUN, image, ordered, user
from webapp.api.start_request import read_query
from webapp.errors import InvalidRequest

IMAGE_AT = "messages[0].content[1]"
REFUSED: list[tuple[object, str]] = [
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
    (image(type="audio"), IMAGE_AT),
    (image(type="image"), IMAGE_AT),
    (image(type="image_url"), IMAGE_AT),
    (image(type="text"), IMAGE_AT),
    (image(type="image_url", image_url={"url": ""}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "javascript:alert(1)"}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "file:///etc/passwd"}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "data:image/svg+xml;base64,PHN2Zz4="}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "data:text/html;base64,PHN2Zz4="}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "data:image/png;base64,no!"}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "data:image/png;base64,"}), IMAGE_AT),
    (image(type="image_url", image_url={"url": "data:image/png,raw"}), IMAGE_AT),
    (image(type="image", data=PNG), IMAGE_AT),
    (image(type="image", data="no!", media_type="image/png"), IMAGE_AT),
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
    ({"query": "Hi", "max_tokens": 32_769}, "max_tokens"),
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
        {"provider": "ollama", "model": "llama3"} | image(type="image", url="http://h/a.png"),
        "messages[0].content",
    ),
]


@pytest.mark.parametrize(
    ("body", "param"), REFUSED, ids=[f"{n}-{param}" for n, (_, param) in enumerate(REFUSED)]
)
def test_a_refusal_names_the_field(body: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ordered(body)
    assert (refused.value.status, refused.value.param) == (400, param)
    assert refused.value.code
    assert len(refused.value.message) < 200
    assert "$" not in refused.value.message


@pytest.mark.parametrize(
    ("words", "param"),
    [
        ({"query": "Hi", "max_tokens": "many"}, "max_tokens"),
        ({"query": "Hi", "temperature": "nan"}, "temperature"),
        ({"query": "Hi", "orphan_s": "inf"}, "orphan_s"),
        ({"messages": "[]"}, "messages"),
        ({"query": ""}, "query"),
    ],
)
def test_a_query_string_s_refusal_names_the_field(words: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        PARTS.order(read_query(words), user())
    assert refused.value.param == param


def test_what_a_caller_sent_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as refused:
        ordered({"query": "Hi", "provider": "<script>canary"})
    assert "canary" not in refused.value.message
