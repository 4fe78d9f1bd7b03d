"""Keyboard, focus, scrolling, small screens, and the policy the page lives under."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import TEXT, begun, spoken
from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server


def test_the_keyboard_is_enough(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    expect(chat.field).to_be_focused()
    chat.field.press_sequentially("one")
    chat.field.press("Shift+Enter")
    chat.field.press_sequentially("two")
    expect(chat.field).to_have_value("one\ntwo")
    chat.field.press("Enter")
    expect(chat.field).to_have_value("")
    expect(chat.field).to_be_focused()
    chat.wait_chars(20)
    chat.field.press_sequentially("a draft")
    chat.field.press("Enter")
    expect(chat.field).to_have_value("")
    chat.field.press("Escape")
    chat.wait_over()
    expect(chat.field).to_have_value("a draft")
    expect(chat.field).to_be_focused()
    assert provider.calls[0].json["messages"][-1]["content"] == "one\ntwo"
    assert len(provider.calls) == 1


def test_enter_that_ends_a_composition_does_not_send(chat: Chat) -> None:
    chat.field.fill("にほん")
    chat.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    chat.field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    expect(chat.field).to_have_value("にほん")
    expect(chat.page.locator(".turn")).to_have_count(0)


def test_nothing_is_sent_when_nothing_is_written(chat: Chat, provider: FakeProvider) -> None:
    chat.field.fill("   ")
    chat.field.press("Enter")
    chat.send.click(force=True)
    expect(chat.page.locator(".turn")).to_have_count(0)
    assert provider.calls == []


def test_the_button_turns_in_place(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    before = chat.send.bounding_box()
    chat.ask("Hi")
    expect(chat.stop).to_be_visible()
    assert chat.stop.bounding_box() == before
    chat.wait_chars(20)
    chat.stop.click()
    chat.wait_over()
    assert chat.send.bounding_box() == before
    expect(chat.field).to_be_focused()


def test_a_double_click_sends_and_does_not_stop(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=300))
    chat.field.fill("Hi")
    chat.send.dblclick()
    assert chat.wait_over()["end"]["finish_reason"] == "stop"


def test_the_field_grows_and_shrinks(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    small = chat.field.bounding_box()
    chat.field.fill("\n".join("line" for _ in range(5)))
    grown = chat.field.bounding_box()
    chat.field.fill("\n".join("line" for _ in range(80)))
    largest = chat.field.bounding_box()
    assert small
    assert grown
    assert largest
    assert small["height"] + 60 < grown["height"] < largest["height"] <= 260
    chat.field.press("Enter")
    assert chat.field.bounding_box() == small
    chat.wait_over()


GAP = """() => {
    const scroller = document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller');
    return scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
}"""


def test_it_follows_the_end_only_while_the_reader_is_there(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken("\n\n".join([TEXT] * 8), per_s=250))
    to_bottom = chat.page.get_by_role("button", name="To the latest text")
    chat.ask("At length")
    chat.wait_chars(2_500)
    expect(to_bottom).to_be_hidden()
    assert chat.page.evaluate(GAP) < 40
    chat.log.hover()
    chat.page.mouse.wheel(0, -300)
    expect(to_bottom).to_be_visible()
    top = chat.page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller').scrollTop"
    )
    chat.wait_chars(3_500)
    assert chat.page.evaluate(GAP) > 100
    still = chat.page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller').scrollTop"
    )
    assert still == top, "what is being read stays where it is"
    to_bottom.click()
    expect(to_bottom).to_be_hidden()
    expect(chat.field).to_be_focused()
    chat.wait_over()
    chat.page.wait_for_function(f"() => ({GAP})() < 2")


def test_a_selection_survives_streaming(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=100))
    chat.ask("Hi")
    chat.wait_chars(150)
    chat.page.evaluate(
        """() => {
            const root = document.querySelector('freshet-chat').shadowRoot;
            const text = root.querySelector('.answer .blocks p').firstChild;
            window.chosen = document.createRange();
            window.chosen.setStart(text, 2);
            window.chosen.setEnd(text, 9);
        }"""
    )
    chat.wait_over()
    assert chat.page.evaluate("window.chosen.toString()") == "freshet"


@pytest.mark.parametrize("device", [DESK, PHONE, DARK, {"viewport": {"width": 320, "height": 560}}])
def test_nothing_overflows_sideways(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    provider.play(Answer(steps=openai(["x" * 3_000, "\n\n", "| " + "column | " * 60])))
    assert not chat.overflows()
    chat.ask("y" * 500)
    chat.wait_over()
    assert not chat.overflows()


@pytest.mark.parametrize("device", [PHONE])
def test_targets_are_large_enough_to_touch(
    chat: Chat, provider: FakeProvider, device: dict[str, Any]
) -> None:
    provider.play([begun(), Answer(steps=openai([]), status=401)])
    for button in chat.page.get_by_role("button").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44, button.inner_text()
    chat.ask("Hi")
    chat.wait_chars(10)
    box = chat.stop.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    chat.stop.tap()
    chat.wait_over()


@pytest.mark.parametrize("device", [PHONE])
def test_a_tap_opens_no_keyboard_over_the_answer(
    chat: Chat, provider: FakeProvider, device: dict[str, Any]
) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    chat.page.get_by_role("button", name="Explain tides").tap()
    chat.wait_over()
    expect(chat.field).not_to_be_focused()


def test_the_policy_of_the_page(server: Server) -> None:
    _, headers, body = server.request("GET", "/")
    policy = headers["content-security-policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "require-trusted-types-for 'script'",
    ):
        assert rule in policy
    assert b"<style" not in body
    assert b" style=" not in body
    assert b"onclick" not in body


def test_what_plain_http_lacks_is_not_needed(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(spoken(per_s=300))
    context.add_init_script(
        """delete Crypto.prototype.randomUUID;
        delete Crypto.prototype.subtle;
        delete Navigator.prototype.clipboard;
        delete Navigator.prototype.locks;
        delete Navigator.prototype.serviceWorker;"""
    )
    chat = open_chat(server.url)
    assert chat.page.evaluate("typeof crypto.randomUUID") == "undefined"
    chat.ask("Hi")
    assert chat.wait_over()["text"] == TEXT


def test_without_storage_it_still_chats(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(spoken(per_s=300))
    context.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    chat = open_chat(server.url)
    chat.ask("Hi")
    assert chat.wait_over()["text"] == TEXT


def test_a_screen_reader_is_told_the_end_once(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Yes, it is."])))
    region = chat.page.locator("p.unseen[aria-live=polite]")
    chat.page.evaluate(
        """() => {
            const region = document.querySelector('freshet-chat').shadowRoot.querySelector('p.unseen[aria-live]');
            window.told = [];
            new MutationObserver(() => window.told.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    chat.ask("Is it?")
    expect(region).to_have_text("Yes, it is. Answer complete, 3 words.")
    assert chat.page.evaluate("window.told") == ["Question sent.", "Yes, it is. Answer complete, 3 words."]


def test_a_long_answer_is_laid_out_in_small_parts(chat: Chat, provider: FakeProvider) -> None:
    lines = "\n".join(f"line {number} of a listing that has no empty lines" for number in range(2_000))
    provider.play(Answer(steps=openai([lines[at : at + 400] for at in range(0, len(lines), 400)])))
    chat.ask("List")
    assert chat.wait_over()["text"] == lines
    # It is drawn in pieces, the last of them after its end.
    expect(chat.answers.last.locator("p")).to_contain_text("line 1999 of")
    longest = chat.page.evaluate(
        """() => Math.max(...[...document.querySelector('freshet-chat').shadowRoot.querySelectorAll('.flow .part')]
            .map((part) => part.textContent.length))"""
    )
    assert 1_000 < longest < 2_200
    assert chat.answers.last.locator("p").evaluate("paragraph => paragraph.textContent") == lines
