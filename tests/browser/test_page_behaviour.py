"""Keyboard, focus, scrolling, small screens and the content security policy."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import TEXT, stream_text, stream_then_stall
from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server


def test_everything_works_by_keyboard(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
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


def test_an_empty_message_is_not_sent(chat: Chat, provider: FakeProvider) -> None:
    chat.field.fill("   ")
    chat.field.press("Enter")
    chat.send.click(force=True)
    expect(chat.page.locator(".turn")).to_have_count(0)
    assert provider.calls == []


def test_the_send_button_becomes_stop_in_place(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
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
    provider.play(stream_text(per_s=300))
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


def test_the_log_follows_the_end_only_while_the_reader_is_there(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text("\n\n".join([TEXT] * 8), per_s=250))
    to_bottom = chat.page.get_by_role("button", name="Jump to latest")
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
    assert still == top, "the reading position stays"
    to_bottom.click()
    expect(to_bottom).to_be_hidden()
    expect(chat.field).to_be_focused()
    chat.wait_over()
    chat.page.wait_for_function(f"() => ({GAP})() < 2")


def test_a_selection_survives_streaming(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=100))
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
def test_nothing_overflows_horizontally(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    provider.play(Answer(steps=openai(["x" * 3_000, "\n\n", "| " + "column | " * 60])))
    assert not chat.overflows()
    chat.ask("y" * 500)
    chat.wait_over()
    assert not chat.overflows()


@pytest.mark.parametrize("device", [PHONE])
def test_targets_are_large_enough_to_touch(
    chat: Chat, provider: FakeProvider, device: dict[str, Any]
) -> None:
    provider.play([stream_then_stall(), Answer(steps=openai([]), status=401)])
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


def test_the_page_works_without_secure_context_apis(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=300))
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


def test_chatting_works_without_storage(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=300))
    context.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    chat = open_chat(server.url)
    chat.ask("Hi")
    assert chat.wait_over()["text"] == TEXT


def test_the_end_is_announced_once(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Yes, it is."])))
    region = chat.page.locator("p.visually-hidden[aria-live=polite]")
    chat.page.evaluate(
        """() => {
            const region = document.querySelector('freshet-chat').shadowRoot.querySelector('p.visually-hidden[aria-live]');
            window.announced = [];
            new MutationObserver(() => window.announced.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    chat.ask("Is it?")
    expect(region).to_have_text("Yes, it is. Response complete, 3 words.")
    assert chat.page.evaluate("window.announced") == [
        "Message sent.",
        "Yes, it is. Response complete, 3 words.",
    ]


def test_a_complete_long_paragraph_has_no_false_line_breaks(chat: Chat, provider: FakeProvider) -> None:
    lines = "\n".join(f"line {number} of a listing that has no empty lines" for number in range(2_000))
    provider.play(Answer(steps=openai([lines[at : at + 400] for at in range(0, len(lines), 400)])))
    chat.ask("List")
    assert chat.wait_over()["text"] == lines
    # The last slice is drawn after the end.
    expect(chat.answers.last.locator("p")).to_contain_text("line 1999 of")
    # The blocks in which a long paragraph is laid out while it streams would be false line breaks.
    expect(chat.answers.last.locator(".part")).to_have_count(0)
    expect(chat.answers.last.locator("br")).to_have_count(1_999)
    assert chat.answers.last.locator("p").inner_text() == lines
