"""What a caller asks for, read into an order."""

from typing import Any

import pytest

from tests.unit.starting import HI, PARTS, PNG, RUN, image, ordered, parts, user
from webapp.api.start_request import read_query, run_for_key
from webapp.chat import ImagePart, ModelMessage, TextPart
from webapp.frames import is_run


def messages(body: object) -> list[ModelMessage]:
    return list(ordered(body).request.messages)


def test_a_query_is_a_user_s_message() -> None:
    assert messages({"query": " Hi "}) == [ModelMessage.user(" Hi ")]
    assert messages({"prompt": "Hi"}) == [ModelMessage.user("Hi")]


def test_an_instruction_comes_first() -> None:
    assert messages({"query": "Hi", "system": "Be brief."}) == [
        ModelMessage.system("Be brief."),
        ModelMessage.user("Hi"),
    ]
    assert messages({"query": "Hi", "system": ""}) == [ModelMessage.user("Hi")]


@pytest.mark.parametrize(
    ("role", "read"),
    [
        ("user", "user"),
        ("human", "user"),
        ("assistant", "assistant"),
        ("ai", "assistant"),
        ("developer", "system"),
    ],
)
def test_roles_by_their_other_names(role: str, read: str) -> None:
    assert messages({"messages": [*HI, {"role": role, "content": "x"}]})[1].role == read


def test_text_is_read_as_content_and_a_role_may_be_missing() -> None:
    assert messages({"messages": [{"text": "Hi"}, {"role": "ai", "text": "Hello"}]}) == [
        ModelMessage.user("Hi"),
        ModelMessage.assistant("Hello"),
    ]


def test_parts_of_text_become_one_text() -> None:
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
def test_images_in_both_forms(part: dict[str, Any], image: ImagePart) -> None:
    content = [{"type": "text", "text": "What is this?"}, part]
    (message,) = messages({"messages": [{"role": "user", "content": content}]})
    assert message.content == (TextPart("What is this?"), image)


def test_what_is_not_asked_has_its_default() -> None:
    order = ordered({"query": "Hi"}, user("anna"))
    assert is_run(order.run)
    assert (order.owner, order.orphan_s, order.chain[0].name) == ("user:anna", 900.0, "openai")
    request = order.request
    assert (request.max_tokens, request.temperature, request.stop, request.seed) == (None, None, (), None)


def test_what_is_asked_is_taken() -> None:
    asked = {
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
    order = ordered(asked)
    assert (order.run, order.chain[0].name, order.chain[0].model_name) == (RUN, "ollama", "llama3.2")
    request = order.request
    assert (request.max_tokens, request.temperature, request.stop, request.seed) == (5, 0, ("END",), 7)
    assert order.orphan_s == 0
    assert ordered({"query": "Hi", "stop": ["a", "b"], "max_completion_tokens": 9}).request.stop == ("a", "b")


def test_unknown_fields_are_ignored() -> None:
    assert messages({"query": "Hi", "novelty": {"deep": [1]}, "n": 3}) == [ModelMessage.user("Hi")]


def test_the_same_body_has_the_same_fingerprint_and_another_has_another() -> None:
    def print_of(**more: Any) -> str:
        return ordered({"query": "Hi", **more}).fingerprint

    assert print_of() == print_of(run=RUN, novelty=1, orphan_s=5)
    others = [
        print_of(**more) for more in ({"system": "x"}, {"model": "o3"}, {"max_tokens": 5}, {"temperature": 0})
    ]
    assert len({print_of(), ordered({"query": "Ho"}).fingerprint, *others}) == 6


def test_a_query_string_has_numbers_in_words() -> None:
    asked = read_query(
        {"query": "Hi", "max_tokens": "5", "temperature": "0.5", "retrieve": "true", "orphan_s": "3"}
    )
    order = PARTS.order(asked, user())
    assert (order.request.max_tokens, order.request.temperature, order.orphan_s) == (5, 0.5, 3.0)


# Who stands in when the first one fails.


def test_a_stand_in_that_cannot_answer_is_left_out() -> None:
    with_fallback = parts(FRESHET_FALLBACK="ollama/llama3, mock")
    plain = ordered({"query": "Hi"}, with_parts=with_fallback)
    assert [link.name for link in plain.chain] == ["openai", "ollama", "mock"]
    asked = image(type="image", data=PNG, media_type="image/png")
    assert [link.name for link in ordered(asked, with_parts=with_fallback).chain] == ["openai", "mock"]


# Keys that stand for runs.


def test_a_key_stands_for_one_run_of_one_owner() -> None:
    one = run_for_key("k", "visitor:a", "10.0.0.1")
    assert is_run(one)
    assert one == run_for_key("k", "visitor:a", "10.9.9.9")
    others = {
        run_for_key("k", "visitor:b", ""),
        run_for_key("k2", "visitor:a", ""),
        run_for_key("k", None, "10.0.0.1"),
        run_for_key("k", None, "10.0.0.2"),
    }
    assert len({one, *others}) == 5


def test_keys_and_owners_do_not_run_into_each_other() -> None:
    assert run_for_key("b:c", "a", "") != run_for_key("c", "a:b", "")
    assert run_for_key("1:x", "a", "") != run_for_key("x", "a:1", "")
