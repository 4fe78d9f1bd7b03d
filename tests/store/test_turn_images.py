"""Images of turns at POST /stream: sent to the model, stored, and refused if invalid."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.store.people import Person, data_url, new_run, png, share
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer


def test_images_are_sent_to_the_model_and_stored(
    anna: Person, ben: Person, nobody: Person, provider: FakeProvider
) -> None:
    name, red, blue = new_run(), png(3, 3), png(4, 4)
    turn = anna.ask(name, "What is this?", images=[data_url(red), data_url(blue)])
    content = provider.calls[-1].json["messages"][0]["content"]
    assert [part.get("text") or part["image_url"]["url"] for part in content] == [
        "What is this?",
        data_url(red),
        data_url(blue),
    ]
    stored = anna.conversation(name)["messages"]
    question = stored[stored[turn.id]["parent"]]
    parts = question["content"][1:]
    assert [part["type"] for part in parts] == ["image", "image"]
    for part, raw in zip(parts, (red, blue), strict=True):
        path = f"/conversations/{name}/images/{part['image']}"
        response = anna.do("GET", path)
        assert (response.data, response.mimetype) == (raw, "image/png")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert ben.refused("GET", path)[:2] == (404, "image_not_found")
    anna.ask(name, "And now?")
    assert [part["image_url"]["url"] for part in provider.calls[-1].json["messages"][0]["content"][1:]] == [
        data_url(red),
        data_url(blue),
    ]
    shown = nobody.get(share(anna, name))
    url = shown["messages"][0]["content"][1]["url"]
    assert nobody.do("GET", url).data == red
    anna.do("DELETE", f"/conversations/{name}/share")
    assert nobody.do("GET", url).status_code == 404


def test_an_image_that_is_being_saved_is_waited_for(
    parts: Flask, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start frame names it before, and a page that shows it then had a broken image until its next reload."""
    store, may_save = parts.extensions["freshet"].store, threading.Event()
    write, settle = store.database.write, store.saver.settle

    def write_late(work: Callable[[Any], Any], timeout_s: float = 5.0) -> Any:
        may_save.wait(20)
        return write(work, timeout_s)

    def settle_then(conversation: str, timeout_s: float) -> bool:
        may_save.set()
        return bool(settle(conversation, timeout_s))

    name, image = new_run(), png(3, 3)
    monkeypatch.setattr(store.database, "write", write_late)
    anna.ask(name, "What is this?", images=[data_url(image)])
    monkeypatch.setattr(store.saver, "settle", settle_then)
    response = anna.do("GET", f"/conversations/{name}/images/{hashlib.sha256(image).hexdigest()}")
    may_save.set()
    assert (response.status_code, response.data) == (200, image)


def test_an_image_without_text_is_a_question(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    anna.ask(name, images=[data_url(png())])
    (part,) = provider.calls[-1].json["messages"][0]["content"]
    assert part["image_url"]["url"] == data_url(png())
    assert anna.titles() == ["…"]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (data_url(b"<svg onload=alert(1)>"), "bad_image"),
        (data_url(b"<html>", "image/gif"), "bad_image"),
        (data_url(png(), "image/jpeg"), "bad_image"),
        (data_url(png(), "image/svg+xml"), "bad_image"),
        (data_url(png()[:20]), "bad_image"),
        (data_url(png(9_000, 1)), "image_too_large"),
        (data_url(png(pad=2_000_000)), "image_too_large"),
        (data_url(png(more=(b"acTL",))), "animated_image"),
        ("data:image/png;base64,%%%", "bad_image"),
        ("https://example.org/x.png", "bad_image"),
        ("", "bad_image"),
    ],
)
def test_an_invalid_image_is_refused_by_its_index(
    anna: Person, provider: FakeProvider, image: str, code: str
) -> None:
    body = {"conversation": new_run(), "query": "x", "images": [data_url(png()), image]}
    assert anna.refused("POST", "/stream", body) == (400, code, "images[1]")
    assert provider.calls == []
    assert anna.titles() == []


def test_a_model_without_image_support_refuses_new_images(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    body = {"conversation": name, "query": "x", "images": [data_url(png())], "model": "tiny"}
    assert anna.refused("POST", "/stream", body) == (400, "no_images", "images")
    assert provider.calls == []
    first = anna.ask(name, "What is this?", images=[data_url(png())])
    provider.play(Answer(steps=openai(["blind"])))
    anna.ask(name, "And in words?", model="tiny")
    assert "image_url" not in str(provider.calls[-1].json), "older images become a placeholder text"
    question = anna.conversation(name)["messages"][first.id]["parent"]
    again = {"conversation": name, "parent": question, "model": "tiny"}
    assert anna.refused("POST", "/stream", again) == (400, "no_images", "images")


def test_images_without_a_conversation_are_refused(anna: Person) -> None:
    body = {"query": "x", "images": [data_url(png())]}
    assert anna.refused("POST", "/stream", body) == (400, "no_conversation", "images")
