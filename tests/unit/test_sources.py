"""Reading the sources that providers cite."""

import json
from typing import Any

import pytest

from webapp.events import MAX_SOURCES, Event, Source, SourcesFound
from webapp.providers.openai.chat_decoder import OpenAIDecoder
from webapp.providers.openai.responses_decoder import ResponsesDecoder
from webapp.providers.sources import SourceCollector

ADDRESS = "https://a.example/1"


def collect(*citations: Any) -> tuple[Source, ...]:
    """Return the sources after citations of the text."""
    events: list[Event] = []
    collector = SourceCollector()
    for citation in citations:
        collector.add_citations(citation, events)
    return last_found(events)


def last_found(events: list[Event]) -> tuple[Source, ...]:
    found = [event.sources for event in events if isinstance(event, SourcesFound)]
    return found[-1] if found else ()


@pytest.mark.parametrize(
    "citation",
    [
        ADDRESS,
        {"url": ADDRESS},
        {"type": "url_citation", "url": ADDRESS, "start_index": 3, "end_index": 9},
        {"type": "url_citation", "url_citation": {"url": ADDRESS}},
        {"type": "web_search_result_location", "url": ADDRESS, "encrypted_index": "x"},
        {"web": {"uri": ADDRESS}},
        {"source": ADDRESS},
        {"document": {"url": ADDRESS}},
        [{"link": ADDRESS}],
    ],
)
def test_n23_a_source_is_read_in_any_form(citation: Any) -> None:
    assert collect(citation) == (Source(n=1, source=ADDRESS),)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.example/",
            "//a.example/",
            "a.example",
            "https://",
        ),
        *(
            "https://a.example/ b",
            "https://a.example/\n",
            'https://a.example/"x',
            "http://[::1",
            "",
            "file:///etc",
        ),
        *("java\nscript:alert(1)", "https://a.example/" + "x" * 3_000),
    ],
)
def test_n23_only_http_addresses_are_links(address: str) -> None:
    assert [source.source for source in collect({"url": address, "title": "T"})] == (
        ["https://a.example/"] if address == "https://a.example/\n" else [""]
    )
    assert collect(address) == ((Source(n=1, source="https://a.example/"),) if address.endswith("\n") else ())


@pytest.mark.parametrize(
    "raw", [None, 7, True, [], {}, [[]], [None], {"url": 7}, {"url": ["x"]}, {"title": " "}]
)
def test_what_is_no_source_is_ignored(raw: Any) -> None:
    assert collect(raw) == ()
    events: list[Event] = []
    SourceCollector().add_lists(raw, raw, events)
    assert events == []


def test_deep_nesting_is_not_followed() -> None:
    raw: dict[str, Any] = {"url": ADDRESS}
    for _ in range(50):
        raw = {"citation": raw}
    assert collect(raw) == ()


def test_a_listed_source_keeps_its_place_as_its_number() -> None:
    events: list[Event] = []
    SourceCollector().add_lists(["not an address", ADDRESS, None, "https://b.example/"], None, events)
    assert [(one.n, one.source) for one in last_found(events)] == [(2, ADDRESS), (4, "https://b.example/")]


def test_search_results_alone_are_the_list() -> None:
    events: list[Event] = []
    SourceCollector().add_lists(None, [{"title": "A", "url": ADDRESS}], events)
    assert last_found(events) == (Source(n=1, title="A", source=ADDRESS),)


def test_a_repeated_list_is_reported_once_and_a_longer_one_again() -> None:
    events: list[Event] = []
    collector = SourceCollector()
    for count in (1, 1, 2, 2):
        collector.add_lists([f"https://a.example/{n}" for n in range(count)], None, events)
    assert [len(event.sources) for event in events if isinstance(event, SourcesFound)] == [1, 2]


def test_cited_sources_follow_the_listed_ones_and_none_comes_twice() -> None:
    events: list[Event] = []
    collector = SourceCollector()
    collector.add_citations({"url": "https://b.example/"}, events)
    collector.add_lists([ADDRESS], None, events)
    collector.add_citations([{"url": ADDRESS}, {"url": "https://b.example/"}], events)
    assert [(one.n, one.source) for one in last_found(events)] == [(1, ADDRESS), (2, "https://b.example/")]


WEB = {"web": {"uri": ADDRESS, "title": "A"}}
LISTED = {"url": ADDRESS, "title": "A"}
# Mistral, Gemini (in two places), LiteLLM (three), Cohere, Zhipu, Moonshot, DashScope, Groq; an object and a single address.
CHUNKS: list[dict[str, Any]] = [
    {
        "choices": [
            {"delta": {"content": [{"type": "text", "text": "Hi"}, {"type": "tool_reference", **LISTED}]}}
        ]
    },
    {
        "choices": [
            {"delta": {"extra_content": {"google": {"grounding_metadata": {"groundingChunks": [WEB]}}}}}
        ]
    },
    {"choices": [{"delta": {}, "grounding_metadata": {"grounding_chunks": [WEB]}}]},
    {"choices": [{"delta": {}}], "vertex_ai_grounding_metadata": [{"groundingChunks": [WEB]}]},
    {"choices": [{"delta": {"provider_specific_fields": {"citations": [[LISTED]]}}}]},
    {"choices": [{"delta": {"provider_specific_fields": {"citation": LISTED}}}]},
    {
        "choices": [
            {"delta": {"citations": [{"text": "Hi", "sources": [{"type": "document", "document": LISTED}]}]}}
        ]
    },
    {"choices": [{"delta": {}}], "web_search": [{"link": ADDRESS, "title": "A"}]},
    {"choices": [{"delta": {}, "search_results": [LISTED]}]},
    {"choices": [{"delta": {}}], "search_info": {"search_results": [LISTED]}},
    {"choices": [{"delta": {"executed_tools": [{"search_results": {"results": [LISTED]}}]}}]},
    {"choices": [{"delta": {}}], "citations": {"1": LISTED}},
    {"choices": [{"delta": {}}], "citations": ADDRESS, "search_results": [LISTED]},
]


@pytest.mark.parametrize("chunk", CHUNKS, ids=range(len(CHUNKS)))
def test_n23_a_source_is_found_wherever_a_server_puts_it(chunk: dict[str, Any]) -> None:
    chunk["choices"][0]["finish_reason"] = "stop"
    events = OpenAIDecoder(1 << 20).decode(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    assert last_found(events) == (Source(n=1, title="A", source=ADDRESS),)


def test_n23_xais_citations_of_a_response_are_found() -> None:
    end = {"type": "response.completed", "response": {"citations": [ADDRESS]}}
    events = ResponsesDecoder(1 << 20).decode(b"data: " + json.dumps(end).encode() + b"\n\n")
    assert last_found(events) == (Source(n=1, source=ADDRESS),)


def test_sources_are_bounded() -> None:
    many = [
        {"url": f"https://a.example/{n}", "title": "t" * 5_000, "snippet": "s" * 50_000} for n in range(5_000)
    ]
    found = collect(many)
    assert len(found) == MAX_SOURCES
    assert max(len(one.title) + len(one.snippet) for one in found) <= 800
    events: list[Event] = []
    SourceCollector().add_lists(many, many, events)
    assert len(last_found(events)) == MAX_SOURCES
