"""Who keeps as much as is allowed is told what to do, loses nothing, and chats on."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.answers import spoken
from tests.browser.chat import NETWORK, Chat
from tests.browser.image_files import pick, png, shown, tray, wait_loaded
from tests.browser.test_importing import bring, messages, said
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import noise


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Limit what a visitor of this file's server may store."""
    return {"FRESHET_OWNER_MAX_BYTES": "200000"}


def test_an_image_beyond_it_is_refused_with_a_way_out(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat.watch.allow(NETWORK)
    chat.ask("Words")
    chat.wait_over()
    first = chat.page.url
    chat.page.get_by_role("button", name="New chat").click()
    pick(chat, png("noise.png", noise(240, 240)))
    wait_loaded(tray(chat).locator("img"), 1)
    chat.ask("One image")
    chat.wait_over()
    pick(chat, png("noise.png", noise(100, 100)), png("other.png", noise(100, 101)))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("Two more")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_have_text("Your storage is full.")
    expect(chat.page.locator(".problem .advice")).to_contain_text("Delete conversations")
    wait_loaded(shown(chat), 3)
    assert len(provider.calls) == 2
    chat.page.goto(first)
    chat.ready().ask("More words")
    chat.wait_over()
    expect(chat.page.locator(".problem:visible")).to_have_count(0)
    assert len(provider.calls) == 3


def test_an_import_beyond_it_is_refused(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    body = messages()
    body["messages"][0]["content"] = [{"type": "text", "text": "x" * 300_000}]
    bring(chat, "long.json", json.dumps(body).encode())
    expect(said(chat)).to_have_text(
        "There is no room for “long.json”. Delete conversations that you do not need first."
    )


def test_words_count_too(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    body = messages()
    body["messages"][0]["content"] = [{"type": "text", "text": "x" * 198_000}]
    bring(chat, "long.json", json.dumps(body).encode())
    expect(chat.page.locator(".question")).to_have_count(1)
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("y" * 3_000)
    expect(chat.page.locator(".problem .title")).to_have_text("Your storage is full.")
    expect(chat.page.locator(".problem .advice")).to_have_text(
        re.compile(r"^Delete conversations .* The limit is 200\skB\.$")
    )
    assert provider.calls == []
