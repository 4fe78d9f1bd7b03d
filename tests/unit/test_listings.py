"""What providers list: the forms that are read, what is left out of them, and their bounds."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.transports import FakeControl, FakeTransport
from webapp.catalog.listing import ListedModel
from webapp.errors import Interrupted, Stopped, UpstreamError
from webapp.providers.listings.entries import MAX_MODELS
from webapp.providers.listings.fetching import MAX_BYTES
from webapp.providers.listings.pages import read_pages
from webapp.providers.ollama.listing import read_ollama

URL = "https://example.org/v1/models"


def read(*pages: object) -> list[ListedModel]:
    """Return the models of a listing of these pages; bytes are sent as they are."""
    bodies = [[page] if isinstance(page, bytes) else [json.dumps(page).encode()] for page in pages]
    transport = FakeTransport(*bodies)
    (models,) = read_pages(transport, FakeControl(), URL, {})
    assert {call.method for call in transport.calls} == {"GET"}
    assert transport.open == 0
    return models


def names(*pages: object) -> list[str]:
    return [model.name for model in read(*pages)]


def one(**fields: Any) -> ListedModel:
    (model,) = read({"data": [{"id": "some-model", **fields}]})
    return model


@pytest.mark.parametrize(
    "page",
    [
        {"object": "list", "data": [{"id": "a/b"}, {"id": "c:d"}]},
        [{"id": "a/b", "type": "chat"}, {"id": "c:d", "type": "language"}],  # Together
        {"models": [{"name": "a/b"}, {"name": "c:d"}]},  # Cohere, Ollama
        {"data": ["a/b", "c:d"]},
        {"data": {"a/b": {"max_model_len": 5}, "c:d": {}}},
        {"success": True, "result": {"data": [{"id": "a/b"}, {"id": "c:d"}]}},
        {"data": {"models": [{"id": "a/b"}, {"id": "c:d"}]}},
        {"model_list": ["a/b", "c:d"]},
        {
            "models": [{"key": "a/b", "type": "llm"}, {"key": "x", "type": "embedding"}, {"key": "c:d"}]
        },  # LM Studio
        {"data": [{"id": "*"}, {"id": "a/b"}, {"id": "openai/*"}, {"id": "c:d"}]},  # LiteLLM's patterns
        b'\xef\xbb\xbf{"data": [{"id": "a/b"}, {"id": "c:d"}]}',
        {"data": [{"id": "a/b"}, {"id": "c:d"}, {"id": "a/b"}, {"id": "c:d", "title": "twice"}]},
        {"data": [None, 7, [], {}, {"id": 5}, {"id": ""}, {"id": "a/b"}, {"id": "x" * 201}, {"id": "c:d"}]},
        {"data": [{"id": "a/b"}, {"id": "line\nbreak"}, {"id": "nul\0"}, {"id": " blank "}, {"id": "c:d"}]},
    ],
)
def test_every_form_of_a_listing_is_read(page: object) -> None:
    assert names(page) == ["a/b", "c:d"]


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b'{"data": {}}', b'{"data": [', b"null", b"5", b"[" * 100_000, b'{"error": "no"}']
)
def test_what_is_no_listing_is_an_error(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as refused:
        read(raw)
    assert refused.value.code == "upstream_protocol"


def test_a_listing_is_bounded() -> None:
    assert len(read({"data": [{"id": f"m{number}"} for number in range(9_000)]})) == MAX_MODELS
    with pytest.raises(UpstreamError, match="could not be read"):
        read(b" " * (MAX_BYTES + 1))


def test_pages_are_followed_to_their_end_and_no_further() -> None:
    first = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    assert names(first, {"data": [{"id": "b"}], "has_more": False, "last_id": "b"}) == ["a", "b"]
    assert names(first, first) == ["a"], "a server that repeats itself"
    assert names({"data": [], "has_more": True, "last_id": "a"}) == []
    more = {"data": [{"id": "a"}], "has_more": True}
    assert names(more, more) == ["a"], "a server that does not know `after`"
    endless = [{"data": [{"id": f"m{n}"}], "has_more": True, "last_id": f"m{n}"} for n in range(20)]
    assert len(names(*endless)) == 10


@pytest.mark.parametrize(
    "end",
    [
        [Stopped()],
        [UpstreamError("upstream_stalled")],
        [Interrupted("the body is cut")],
        [b"<html>"],
        [b'{"data": 5}'],
    ],
)
def test_what_earlier_pages_said_is_kept(end: Any) -> None:
    first = json.dumps({"data": [{"id": "a"}], "has_more": True}).encode()
    transport = FakeTransport([first], end)
    (models,) = read_pages(transport, FakeControl(), URL, {})
    assert [model.name for model in models] == ["a"]
    assert (len(transport.calls), transport.open) == (2, 0)


@pytest.mark.parametrize(
    ("first", "query"),
    [
        ({"data": [{"id": "a"}], "has_more": True}, "after=a"),
        ({"data": [{"id": "a"}], "next_page_token": "t="}, "page_token=t%3D"),
        ({"models": [{"name": "a"}], "nextPageToken": "t"}, "pageToken=t"),
        ({"data": [{"id": "text-embedding-3"}, {"id": "a"}], "has_more": True, "last_id": "z"}, "after_id=z"),
    ],
)
def test_the_next_page_is_asked_for_in_each_servers_way(first: object, query: str) -> None:
    transport = FakeTransport([json.dumps(first).encode()], [b'{"data": ["b"]}'])
    (models,) = read_pages(transport, FakeControl(), URL, {})
    assert [model.name for model in models] == ["a", "b"]
    assert transport.calls[1].url == f"{URL}?{query}"


def test_the_next_page_is_asked_for_by_the_last_name() -> None:
    pages = [{"data": [{"id": "a&b"}], "has_more": True, "last_id": "a&b"}, {"data": []}]
    transport = FakeTransport(*([json.dumps(page).encode()] for page in pages))
    list(read_pages(transport, FakeControl(), URL, {"x-api-key": "k"}, "limit=1000"))
    assert [call.url for call in transport.calls] == [f"{URL}?limit=1000", f"{URL}?limit=1000&after_id=a%26b"]
    assert all(call.headers == {"x-api-key": "k"} for call in transport.calls)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "gpt-6.2-sol",
            "gpt-4o",
            "o3",
            "claude-opus-5-5",
            "ft:gpt-4o-mini-2024-07-18:org::id",
            "chatgpt-4o-latest",
        ),
        *(
            "meta-llama/Llama-3.3-70B-Instruct",
            "llama3.2-vision:11b",
            "adamo/canary",
            "deepseek-reasoner",
            "curiosity-7b",
        ),
        *("gpt-5-search-api", "qwen2.5-coder", "olive-7b", "models/gemini-2.5-pro"),
    ],
)
def test_models_for_chats_are_kept(name: str) -> None:
    assert names({"data": [{"id": name}]}) == [name]


@pytest.mark.parametrize(
    "item",
    [
        *(
            "text-embedding-3-large",
            "nomic-embed-text:latest",
            "tts-1-hd",
            "gpt-4o-mini-tts",
            "whisper-1",
            "dall-e-3",
        ),
        *(
            "gpt-image-1.5",
            "omni-moderation-latest",
            "gpt-realtime-2",
            "gpt-4o-audio-preview",
            "gpt-4o-transcribe",
        ),
        *(
            "davinci-002",
            "babbage-002",
            "text-embedding-ada-002",
            "sora-2",
            "gpt-3.5-turbo-instruct",
            "gpt-live-1",
        ),
        *("computer-use-preview", "BAAI/bge-reranker", "chatgpt-image-latest"),
        {"id": "x", "type": "embedding"},
        {"id": "x", "type": "image"},
        {"id": "x", "active": False},
        {"id": "x", "archived": True},
        {"id": "x", "capabilities": {"completion_chat": False}},
        {"id": "x", "architecture": {"output_modalities": ["image"]}},
        {"name": "x", "details": {"family": "bert"}},
        {"id": "imagen-4"},
        {"id": "models/veo-3"},
        {"id": "bge-m3"},
        {"id": "x", "supports_chat": False},
        {"id": "x", "endpoints": ["embed"]},
        {"id": "x", "supportedGenerationMethods": ["embedContent"]},
    ],
)
def test_models_for_other_purposes_are_left_out(item: object) -> None:
    assert names({"data": [item if isinstance(item, dict) else {"id": item}]}) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"context_length": 131_072}, {"context_window": 131_072}),
        ({"context_window": 131_072, "max_completion_tokens": 8_192}, {"context_window": 131_072, "max_answer_tokens": 8_192}),
        ({"max_model_len": 4_096.0}, {"context_window": 4_096}),
        ({"max_input_tokens": 1_000_000, "max_tokens": 128_000}, {"context_window": 1_000_000, "max_answer_tokens": 128_000}),
        ({"top_provider": {"context_length": 5, "max_completion_tokens": None}}, {"context_window": 5}),
        ({"context_length": "many"}, {}),
        ({"context_length": -5, "max_tokens": True}, {}),
        ({"context_length": 1e300}, {}),
        ({"display_name": "Some Model"}, {"title": "Some Model"}),
        ({"name": "Maker: Some"}, {"title": "Maker: Some"}),
        ({"name": "some-model"}, {}),
        ({"display_name": "line\nbreak"}, {}),
        ({"display_name": "x" * 101}, {}),
        ({"created": 1_794_700_800}, {"created": 1_794_700_800}),
        ({"created": "yesterday"}, {}),
        ({"created": True}, {}),
        ({"architecture": {"input_modalities": ["text", "image"]}}, {"supports_images": True}),
        ({"architecture": {"input_modalities": ["text"]}}, {"supports_images": False}),
        ({"capabilities": {"vision": True}}, {"supports_images": True}),
        ({"capabilities": {"image_input": {"supported": False}}}, {"supports_images": False}),
        ({"capabilities": ["vision"]}, {}),
        ({"supported_parameters": ["reasoning", "stop"]}, {"reasoning": True}),
        (
            {"capabilities": {"thinking": {"supported": True}, "effort": {"supported": True, "low": {"supported": True}}}},
            {"reasoning": True, "efforts": ("none", "low")},
        ),
        (
            {"capabilities": {
                "effort": {"supported": True, "high": {"supported": True}, "xhigh": None},
                "thinking": {"supported": True, "types": {"disabled": {"supported": False}, "between_tools": {"supported": True}}},
            }},
            {"reasoning": True, "efforts": ("none", "high")},
        ),
        (
            {"capabilities": {
                "effort": {"supported": True, "high": {"supported": True}},
                "thinking": {"supported": True, "types": {"disabled": {"supported": False}}},
            }},
            {"reasoning": True, "efforts": ("high",)},
        ),
        (
            {"pricing": {"prompt": "0.000002", "completion": "0.00001", "input_cache_read": "0.0000001"}},
            {"input_price": Decimal(2), "output_price": Decimal(10), "cache_read_price": Decimal("0.1")},
        ),
        ({"pricing": {"input": 0.6, "output": 1}}, {"input_price": Decimal("0.6"), "output_price": Decimal(1)}),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, {}),
        ({"pricing": {"prompt": "NaN", "completion": "1e9"}}, {}),
        ({"pricing": {"prompt": "9" * 5_000, "completion": "1"}}, {}),
        ({"pricing": "free"}, {}),
        ({"pricing": {"prompt": "1e999999", "completion": "1"}}, {}),
        ({"pricing": {"prompt": [], "completion": {}}}, {}),
        ({"details": {"family": ["llama"]}}, {}),
        ({"details": {"family": {}}, "endpoints": {}, "supported_parameters": {}}, {}),
    ],
)  # fmt: skip
def test_what_a_listing_says_of_a_model_is_read(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert one(**fields) == ListedModel(name="some-model", **expected)


def read_from_ollama(tags: object, *shown: object) -> list[list[ListedModel]]:
    outcomes = [
        item if isinstance(item, UpstreamError) else [json.dumps(item).encode()] for item in (tags, *shown)
    ]
    transport = FakeTransport(*outcomes)
    found = list(read_ollama(transport, FakeControl(), "http://127.0.0.1:11434"))
    assert transport.calls[0].url == "http://127.0.0.1:11434/api/tags"
    assert all(call.method == "POST" and call.url.endswith("/api/show") for call in transport.calls[1:])
    return found


def test_ollama_is_asked_for_names_and_then_for_each_model() -> None:
    tags = {"models": [{"name": "a:1b"}, {"name": "b:2b"}, {"name": "c:3b"}]}
    shown = {
        "capabilities": ["completion", "vision"],
        "model_info": {"general.architecture": "a", "a.context_length": 8_192},
    }
    first, second = read_from_ollama(
        tags, shown, {"capabilities": ["embedding"]}, UpstreamError("upstream_bad_request", status=404)
    )
    assert [model.name for model in first] == ["a:1b", "b:2b", "c:3b"]
    assert [model.name for model in second] == ["a:1b", "c:3b"]
    assert (second[0].context_window, second[0].supports_images, second[0].reasoning) == (8_192, True, False)
    assert (second[1].context_window, second[1].supports_images, second[1].reasoning) == (None, None, None)


@pytest.mark.parametrize("shown", [[], None, 5, {"capabilities": "all", "model_info": []}, {"parameters": 5}])
def test_an_odd_description_leaves_a_model_as_it_is(shown: object) -> None:
    _, (model,) = read_from_ollama({"models": [{"name": "a"}]}, shown)
    assert (model.name, model.context_window, model.supports_images) == ("a", None, None)


def test_ollama_that_goes_away_keeps_its_names() -> None:
    found = read_from_ollama({"models": [{"name": "a"}]}, UpstreamError("upstream_unreachable"))
    assert [[model.name for model in models] for models in found] == [["a"]]


@pytest.mark.parametrize(
    "end", [Stopped(), UpstreamError("upstream_stalled"), Interrupted("the body is cut")]
)
def test_what_ollama_said_before_it_went_away_is_kept(end: Exception) -> None:
    tags = {"models": [{"name": "vectors"}, {"name": "a"}, {"name": "b"}]}
    transport = FakeTransport(
        *(
            [json.dumps(item).encode()]
            for item in (tags, {"capabilities": []}, {"capabilities": ["completion"]})
        ),
        [end],
    )
    *_, last = read_ollama(transport, FakeControl(), "http://h")
    assert [(model.name, model.supports_images) for model in last] == [("a", False), ("b", None)]
    assert transport.open == 0
