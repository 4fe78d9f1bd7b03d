"""Images of a question: sent to the model, stored with their sizes, and reused by id."""

import hashlib
from typing import Any

import pytest
from flask import Flask

from tests.store.people import Person, data_url, new_run, png
from tests.support.fake_provider import FakeProvider
from webapp.store.conversation_cache import ConversationCache

RED, WIDE = png(2, 2), png(30, 20)


def image_id(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def sent_images(provider: FakeProvider) -> list[str]:
    """The URLs of the images in the last call to the provider."""
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


def empty_cache(parts: Flask) -> None:
    """Empty the cache, as after a restart."""
    store = parts.extensions["freshet"].store
    assert store.saver.flush(5.0)
    store.cache = store._turns._cache = ConversationCache()


def test_images_are_sent_stored_and_served_with_their_sizes(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    turn = anna.ask(name, "What is this?", images=[data_url(RED), data_url(WIDE)])
    assert sent_images(provider) == [data_url(RED), data_url(WIDE)]
    assert turn.start["images"] == [image_id(RED), image_id(WIDE)]
    assert "images" not in anna.ask(name, "And without?").start
    stored = question(anna, name, turn.id)
    assert [part.get("type") for part in stored["content"]] == ["text", "image", "image"]
    assert stored["content"][2] == {
        "type": "image",
        "image": image_id(WIDE),
        "media_type": "image/png",
        "width": 30,
        "height": 20,
    }
    response = anna.do("GET", f"/conversations/{name}/images/{image_id(WIDE)}")
    assert (response.mimetype, response.data) == ("image/png", WIDE)


@pytest.mark.parametrize("is_cache_empty", [False, True])
def test_an_edited_question_reuses_images_by_id(
    anna: Person, parts: Flask, provider: FakeProvider, is_cache_empty: bool
) -> None:
    name = new_run()
    anna.ask(name, "What is this?", images=[data_url(RED), data_url(WIDE)])
    if is_cache_empty:
        empty_cache(parts)
    again = anna.ask(name, "And this?", parent=None, images=[image_id(WIDE), data_url(RED)])
    assert sent_images(provider) == [data_url(WIDE), data_url(RED)]
    sizes = [(part["width"], part["height"]) for part in question(anna, name, again.id)["content"][1:]]
    assert sizes == [(30, 20), (2, 2)]


def test_a_repeated_run_with_image_ids_joins_the_first(anna: Person, provider: FakeProvider) -> None:
    name, run = new_run(), new_run()
    whole = {"conversation": name, "query": "What?", "run": run}
    first = anna.do("POST", "/stream", whole | {"images": [data_url(RED)]})
    joined = anna.do("POST", "/stream", whole | {"images": [image_id(RED)]})
    assert joined.text.split("\n\n")[1:] == first.text.split("\n\n")[1:]
    assert len(provider.calls) == 1
    other = whole | {"images": [image_id(WIDE)]}
    assert anna.refused("POST", "/stream", other) == (409, "run_conflict", "run")


def test_an_image_without_text_can_be_answered_again(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    turn = anna.ask(name, images=[data_url(RED)])
    assert sent_images(provider) == [data_url(RED)]
    anna.ask(name, parent=question(anna, name, turn.id)["id"])
    assert sent_images(provider) == [data_url(RED)], "answered again"


@pytest.mark.parametrize("is_cache_empty", [False, True])
def test_only_images_of_the_conversation_can_be_reused(
    anna: Person, ben: Person, parts: Flask, provider: FakeProvider, is_cache_empty: bool
) -> None:
    mine, other = new_run(), new_run()
    anna.ask(mine, "What?", images=[data_url(RED)])
    anna.ask(other, "What?", images=[data_url(WIDE)])
    if is_cache_empty:
        empty_cache(parts)
    calls = len(provider.calls)
    missing = (400, "image_not_found", "images[1]")
    body = {"query": "x", "images": [data_url(RED), image_id(WIDE)]}
    for conversation in (mine, new_run()):
        assert anna.refused("POST", "/stream", {"conversation": conversation} | body) == missing
    assert ben.refused("POST", "/stream", {"conversation": other, "parent": None} | body) == missing
    assert len(provider.calls) == calls
    assert ben.titles() == []


def test_a_model_without_image_support_is_refused_before_anything_is_stored(
    anna: Person, provider: FakeProvider
) -> None:
    body = {"conversation": new_run(), "query": "What?", "images": [data_url(RED)], "model": "tiny"}
    assert anna.refused("POST", "/stream", body) == (400, "no_images", "images")
    assert provider.calls == []
    assert anna.titles() == []


def test_models_without_image_support_are_listed(parts: Flask) -> None:
    providers = parts.extensions["freshet"].providers
    assert "openai/tiny" in providers.list_text_only_models()
    assert "openai/o3-mini" in providers.list_text_only_models()
    assert "openai/gpt-4.1" not in providers.list_text_only_models()
    assert "mock/mock-standard" not in providers.list_text_only_models()
    assert set(providers.list_text_only_models()) <= set(providers.list_models())
