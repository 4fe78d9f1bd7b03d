"""The sources of an answer, from the provider's stream to what is stored, shared, exported, imported and continued."""

import json
from typing import Any

import pytest

from tests.store.people import Person, new_run, share, text_of
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, Answer

ONE, TWO, THREE = ({"n": n, "title": f"T{n}", "source": f"https://{n}.example/?a&b"} for n in (1, 2, 3))


def cited(text: str, *sources: dict[str, Any], finish: str | None = "stop") -> bytes:
    """Return a chunk with lists of sources beside the choices, as Perplexity sends them."""
    chunk = {
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
        "citations": [source["source"] for source in sources],
        "search_results": [{"title": source["title"], "url": source["source"]} for source in sources],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def test_n23_sources_are_framed_stored_and_exported(
    anna: Person, ben: Person, provider: FakeProvider
) -> None:
    name = new_run()
    provider.play([Answer(steps=[cited("Sky [1].", ONE, TWO, finish=None), cited(" And [2].", ONE, TWO)])])
    turn = anna.ask(name, "Why?")
    assert [frame["sources"] for frame in turn.frames if "sources" in frame] == [[ONE, TWO]]
    stored = anna.conversation(name)["messages"]
    assert stored[turn.id]["sources"] == [ONE, TWO]
    assert [("sources" in message) for message in stored.values()] == [False, True]
    exported = anna.get(f"/conversations/{name}/export")
    assert exported["messages"][1]["sources"] == [ONE, TWO]
    head = ben.do("POST", "/conversations/import", exported)
    assert head.status_code == 201, head.text
    imported = ben.conversation(head.json["id"])
    assert imported["messages"][imported["leaf"]]["sources"] == [ONE, TWO]
    markdown = anna.do("GET", f"/conversations/{name}/export?format=markdown").text
    assert "1. [T1](<https://1.example/?a&b>)\n2. [T2](<https://2.example/?a&b>)" in markdown


def test_n23_a_shared_answer_has_its_sources(anna: Person, nobody: Person, provider: FakeProvider) -> None:
    name = new_run()
    provider.play([Answer(steps=[cited("Sky [1].", ONE)])])
    anna.ask(name, "Why?")
    shown = nobody.get(share(anna, name))
    assert [message.get("sources") for message in shown["messages"]] == [None, [ONE]]


def test_a_continued_answer_keeps_its_sources_and_adds_new_ones(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    provider.play(
        [
            Answer(steps=[cited("Sky [1]. ", ONE, TWO, finish=None), CLOSE]),
            Answer(steps=[cited("More.", TWO, THREE)]),
        ]
    )
    cut = anna.ask(name, "Why?")
    assert anna.conversation(name)["messages"][cut.id]["sources"] == [ONE, TWO]
    whole = anna.ask(None, **{"continue": cut.id})
    stored = anna.conversation(name)["messages"][whole.id]
    assert text_of(stored) == "Sky [1]. More."
    assert stored["sources"] == [ONE, TWO, THREE]


@pytest.mark.parametrize(
    ("sources", "field"),
    [
        ([{"n": 0, "title": "T"}], "[0].n"),
        ([ONE, {"n": 10_000}], "[1].n"),
        ([{"n": 1, "source": "javascript:alert(1)"}], "[0].source"),
        ([{"n": 1, "source": "https://a.example/" + "x" * 2_000}], "[0].source"),
        ([{"n": 1, "title": "x" * 2_001}], "[0].title"),
        ([{"n": 1, "snippet": "x" * 2_001}], "[0].snippet"),
        ([{"n": n} for n in range(1, 202)], ""),
        ([{"title": "T"}], "[0]"),
        ([{"n": "1"}], "[0].n"),
        ("x", ""),
    ],
)
def test_an_import_with_unusable_sources_is_refused_by_its_field(
    anna: Person, sources: object, field: str
) -> None:
    message = {"id": "a", "parent": None, "role": "assistant", "content": [], "created_at": 1}
    body = {"freshet": 1, "messages": [message | {"sources": sources}]}
    status, _, named = anna.refused("POST", "/conversations/import", body)
    assert (status, named) == (400, f"messages[0].sources{field}")
    assert anna.titles() == []
