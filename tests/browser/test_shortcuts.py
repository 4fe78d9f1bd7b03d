"""Keyboard shortcuts and their list."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import stream_then_stall
from tests.browser.chat import Chat
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server


def shortcut_list(chat: Chat) -> Locator:
    return chat.page.get_by_role("dialog", name="Keyboard shortcuts")


def leave_field(chat: Chat) -> None:
    """Move the focus out of the message field."""
    chat.log.focus()


def test_the_list_opens_and_closes_by_keys(chat: Chat) -> None:
    chat.field.press("Control+/")
    expect(shortcut_list(chat)).to_be_visible()
    assert findings(chat.page) == []
    chat.page.keyboard.press("Escape")
    expect(shortcut_list(chat)).to_be_hidden()
    expect(chat.field).to_be_focused()
    leave_field(chat)
    chat.page.keyboard.press("?")
    expect(shortcut_list(chat)).to_be_visible()
    chat.page.keyboard.press("?")
    expect(shortcut_list(chat)).to_be_hidden()


def test_a_button_opens_the_list(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(shortcut_list(chat)).to_be_visible()
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_hidden()
    shortcut_list(chat).get_by_role("button", name="Close").click()
    expect(shortcut_list(chat)).to_be_hidden()


def test_single_keys_do_nothing_while_typing(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    chat.ask("Hello")
    chat.wait_over()
    chat.field.press_sequentially("snmlckj?")
    expect(chat.field).to_have_value("snmlckj?")
    expect(shortcut_list(chat)).to_have_count(0)
    search = chat.page.get_by_role("searchbox")
    search.press_sequentially("n?")
    expect(search).to_have_value("n?")
    expect(chat.answers).to_have_text(["Yes."])


def test_escape_in_the_list_does_not_stop_the_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("Go on")
    chat.wait_chars(20)
    for opener in ("Control+/", "Settings"):
        if opener == "Settings":
            chat.page.get_by_role("button", name="Settings").click()
        else:
            chat.field.press(opener)
        expect(chat.page.get_by_role("dialog")).to_be_visible()
        chat.page.keyboard.press("Escape")
        expect(chat.page.get_by_role("dialog")).to_have_count(0)
    chat.wait_chars(200)
    expect(chat.stop).to_be_visible()
    chat.page.keyboard.press("Escape")
    assert chat.wait_over()["end"]["finish_reason"] == "cancelled"


def test_keys_move_between_messages(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Text.\n\n" * 30])))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    articles = chat.page.get_by_role("log").get_by_role("article")
    leave_field(chat)
    for at in (3, 2, 1, 0, 0):
        chat.page.keyboard.press("k")
        expect(articles.nth(at)).to_be_focused()
        expect(articles.nth(at)).to_be_in_viewport()
    chat.page.keyboard.press("j")
    expect(articles.nth(1)).to_be_focused()
    assert articles.nth(1).evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_single_keys_trigger_their_actions(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    provider.play(Answer(steps=openai(["**Yes.**"])))
    chat.ask("Hello")
    chat.wait_over()
    leave_field(chat)
    chat.page.keyboard.press("c")
    expect(chat.page.locator("p.visually-hidden[aria-live]")).to_have_text("Response copied.")
    assert chat.page.evaluate("() => navigator.clipboard.readText()") == "**Yes.**"
    names = chat.page.get_by_role("button", name="Chats", exact=True)
    chat.page.keyboard.press("l")
    expect(names).to_have_attribute("aria-expanded", "false")
    chat.page.keyboard.press("s")
    expect(chat.page.get_by_role("searchbox")).to_be_focused()
    leave_field(chat)
    chat.page.keyboard.press("m")
    expect(chat.field).to_be_focused()
    leave_field(chat)
    chat.page.keyboard.press("n")
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.field).to_be_focused()


def test_single_keys_can_be_switched_off_and_stay_off(chat: Chat) -> None:
    chat.field.press("Control+/")
    single = shortcut_list(chat).get_by_label("Single-key shortcuts")
    expect(single).to_be_checked()
    single.uncheck()
    chat.page.keyboard.press("Escape")
    for _ in range(2):
        leave_field(chat)
        chat.page.keyboard.press("?")
        chat.page.keyboard.press("m")
        expect(chat.log).to_be_focused()
        expect(chat.page.get_by_role("dialog")).to_have_count(0)
        chat.reload()
    chat.field.press("Control+/")
    expect(shortcut_list(chat).get_by_label("Single-key shortcuts")).not_to_be_checked()


@pytest.mark.parametrize("device", [{"viewport": {"width": 320, "height": 560}}])
def test_the_list_fits_a_small_screen(
    open_chat: Callable[[str], Chat], server: Server, device: dict[str, object]
) -> None:
    chat = open_chat(server.url)
    chat.field.press("Control+/")
    expect(shortcut_list(chat)).to_be_visible()
    assert not shortcut_list(chat).evaluate("dialog => dialog.scrollWidth > dialog.clientWidth")
    assert not chat.overflows()
    assert findings(chat.page) == []
