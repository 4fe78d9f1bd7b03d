"""Images of a question: shown to the model, kept with their sizes, and shown again by their names alone."""

import hashlib
from typing import Any

import pytest
from flask import Flask

from tests.store.people import Person, data_url, new_run, png
from tests.support.fake_provider import FakeProvider
from webapp.store.conversation_cache import ConversationCache

RED, WIDE = png(2, 2), png(30, 20)


def name_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def seen(provider: FakeProvider) -> list[str]:
    """The addresses of the images that the provider was shown last."""
    parts = [
        part
        for message in provider.calls[-1].json["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def question(anna: Person, conversation: str, answer: str) -> dict[str, Any]:
    messages = anna.conversation(conversation)["messages"]
    found: dict[str, Any] = messages[messages[answer]["parent"]]
    return found


def forget(parts: Flask) -> None:
    """Empty the caches, as after a restart."""
    store = parts.extensions["freshet"].store
    assert store.saver.flush(5.0)
    store.recall = store._turns._recall = ConversationCache()


def test_images_are_told_kept_and_given_with_their_sizes(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    turn = anna.ask(name, "What is this?", images=[data_url(RED), data_url(WIDE)])
    assert seen(provider) == [data_url(RED), data_url(WIDE)]
    asked = question(anna, name, turn.id)
    assert [piece.get("type") for piece in asked["content"]] == ["text", "image", "image"]
    assert asked["content"][2] == {
        "type": "image",
        "image": name_of(WIDE),
        "media_type": "image/png",
        "width": 30,
        "height": 20,
    }
    response = anna.do("GET", f"/conversations/{name}/images/{name_of(WIDE)}")
    assert (response.mimetype, response.data) == ("image/png", WIDE)


@pytest.mark.parametrize("forgotten", [False, True])
def test_an_edited_question_shows_its_images_again_by_their_names(
    anna: Person, parts: Flask, provider: FakeProvider, forgotten: bool
) -> None:
    name = new_run()
    anna.ask(name, "What is this?", images=[data_url(RED), data_url(WIDE)])
    if forgotten:
        forget(parts)
    again = anna.ask(name, "And this?", parent=None, images=[name_of(WIDE), data_url(RED)])
    assert seen(provider) == [data_url(WIDE), data_url(RED)]
    sizes = [(piece["width"], piece["height"]) for piece in question(anna, name, again.id)["content"][1:]]
    assert sizes == [(30, 20), (2, 2)]


def test_the_same_run_by_names_joins_the_run_by_data(anna: Person, provider: FakeProvider) -> None:
    name, run = new_run(), new_run()
    whole = {"conversation": name, "query": "What?", "run": run}
    first = anna.do("POST", "/stream", whole | {"images": [data_url(RED)]})
    joined = anna.do("POST", "/stream", whole | {"images": [name_of(RED)]})
    assert joined.text.split("\n\n")[1:] == first.text.split("\n\n")[1:]
    assert len(provider.calls) == 1
    other = whole | {"images": [name_of(WIDE)]}
    assert anna.refused("POST", "/stream", other) == (409, "run_conflict", "run")


def test_an_image_without_words_is_a_question(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    turn = anna.ask(name, images=[data_url(RED)])
    assert seen(provider) == [data_url(RED)]
    anna.ask(name, parent=question(anna, name, turn.id)["id"])
    assert seen(provider) == [data_url(RED)], "answered again"


@pytest.mark.parametrize("forgotten", [False, True])
def test_only_images_of_this_conversation_have_names(
    anna: Person, ben: Person, parts: Flask, provider: FakeProvider, forgotten: bool
) -> None:
    mine, other = new_run(), new_run()
    anna.ask(mine, "What?", images=[data_url(RED)])
    anna.ask(other, "What?", images=[data_url(WIDE)])
    if forgotten:
        forget(parts)
    calls = len(provider.calls)
    missing = (400, "image_not_found", "images[1]")
    body = {"query": "x", "images": [data_url(RED), name_of(WIDE)]}
    for conversation in (mine, new_run()):
        assert anna.refused("POST", "/stream", {"conversation": conversation} | body) == missing
    assert ben.refused("POST", "/stream", {"conversation": other, "parent": None} | body) == missing
    assert len(provider.calls) == calls
    assert ben.heads() == []


def test_who_cannot_see_is_told_before_anything_is_kept(anna: Person, provider: FakeProvider) -> None:
    body = {"conversation": new_run(), "query": "What?", "images": [data_url(RED)], "model": "tiny"}
    assert anna.refused("POST", "/stream", body) == (400, "no_images", "images")
    assert provider.calls == []
    assert anna.heads() == []


def test_the_page_knows_who_cannot_see(parts: Flask) -> None:
    catalog = parts.extensions["freshet"].providers
    assert "openai/tiny" in catalog.blind()
    assert "openai/o3-mini" in catalog.blind()
    assert "openai/gpt-4.1" not in catalog.blind()
    assert "mock/mock-standard" not in catalog.blind()
    assert set(catalog.blind()) <= set(catalog.listed())
