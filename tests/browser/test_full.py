"""A full storage quota: the page gives advice, loses nothing and keeps working."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.answers import stream_text
from tests.browser.chat import NETWORK, Chat
from tests.browser.image_files import choose_files, png_file, shown, tray, wait_loaded
from tests.browser.test_importing import exported_messages, import_file, import_status
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import noise


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Limit the storage of a visitor."""
    return {"FRESHET_OWNER_MAX_BYTES": "200000"}


def test_an_image_over_the_quota_is_rejected_with_advice(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.watch.allow(NETWORK)
    chat.ask("Words")
    chat.wait_over()
    first = chat.page.url
    chat.page.get_by_role("button", name="New chat").click()
    choose_files(chat, png_file("noise.png", noise(240, 240)))
    wait_loaded(tray(chat).locator("img"), 1)
    chat.ask("One image")
    chat.wait_over()
    choose_files(chat, png_file("noise.png", noise(100, 100)), png_file("other.png", noise(100, 101)))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("Two more")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_have_text("Your storage is full.")
    expect(chat.page.locator(".problem .advice")).to_contain_text("Delete chats")
    wait_loaded(shown(chat), 3)
    assert len(provider.calls) == 2
    chat.page.goto(first)
    chat.wait_ready().ask("More words")
    chat.wait_over()
    expect(chat.page.locator(".problem:visible")).to_have_count(0)
    assert len(provider.calls) == 3


def test_an_import_over_the_quota_is_rejected(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    body = exported_messages()
    body["messages"][0]["content"] = [{"type": "text", "text": "x" * 300_000}]
    import_file(chat, "long.json", json.dumps(body).encode())
    expect(import_status(chat)).to_have_text(
        "Not enough storage for “long.json”. Delete chats you don’t need first."
    )


def test_text_counts_towards_the_quota(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    body = exported_messages()
    body["messages"][0]["content"] = [{"type": "text", "text": "x" * 198_000}]
    import_file(chat, "long.json", json.dumps(body).encode())
    expect(chat.page.locator(".question")).to_have_count(1)
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("y" * 3_000)
    expect(chat.page.locator(".problem .title")).to_have_text("Your storage is full.")
    expect(chat.page.locator(".problem .advice")).to_have_text(
        re.compile(r"^Delete chats .* The limit is 200\skB\.$")
    )
    assert provider.calls == []
