"""What a tab says of itself: the mark of an answer that nobody saw yet, the time an answer takes, and the thinking."""

import re
from threading import Event

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import begun, held, spoken, words
from tests.browser.chat import Chat
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

SHOW = """state => {
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => state === 'hidden'});
    window.frames_ ??= window.requestAnimationFrame;
    // A hidden tab has no pictures.
    window.requestAnimationFrame = state === 'hidden' ? () => 0 : window.frames_;
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_an_answer_in_a_hidden_tab_marks_its_title(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(held(gate))
    chat.ask("Tell me")
    chat.wait_chars(20)
    chat.page.evaluate(SHOW, "hidden")
    gate.set()
    expect(chat.page).to_have_title("● Freshet")
    chat.page.evaluate(SHOW, "visible")
    expect(chat.page).to_have_title("Freshet")
    assert chat.wait_over()["end"]["finish_reason"] == "stop"


def test_an_answer_that_is_seen_marks_nothing(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=400))
    chat.ask("Tell me")
    chat.wait_over()
    chat.page.evaluate(SHOW, "hidden")
    expect(chat.page).to_have_title("Freshet")


def test_what_waits_is_sent_in_a_hidden_tab_too(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play([held(gate), Answer(steps=openai(["Two."]))])
    chat.ask("One?")
    chat.wait_chars(20)
    chat.ask("Two?")
    chat.page.evaluate(SHOW, "hidden")
    gate.set()
    provider.wait_calls(2, 15)
    expect(chat.page.locator(".question")).to_have_text(["One?", "Two?"])
    expect(chat.answers.last).to_have_text("Two.")
    expect(chat.page).to_have_title("● Freshet")


def test_the_time_goes_on_while_nothing_comes(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun("A few words and then", per_s=100))
    chat.ask("Hello")
    chat.wait_chars(10)
    expect(chat.meta).to_contain_text("1s")
    expect(chat.meta).to_contain_text("3s")
    assert chat.meta.evaluate("line => getComputedStyle(line).fontVariantNumeric") == "tabular-nums"
    chat.stop.click()
    chat.wait_over()
    expect(chat.meta).not_to_contain_text(re.compile(r"[0-9]s"))


def test_thinking_says_how_long_it_took(context: BrowserContext, chat: Chat, provider: FakeProvider) -> None:
    thought = [openai_delta(None, reasoning_content=piece) for piece in words("First I weigh it, then")]
    said = [openai_delta("Here it is."), *openai_finish(), DONE]
    provider.play(Answer(steps=[*thought, 2.1, *said]))
    chat.ask("Think")
    expect(chat.page.get_by_text("Thinking", exact=True)).to_be_visible()
    chat.wait_over()
    took = re.compile(r"^Thought for [2-9] seconds$")  # it is a clock's, and the machine may be slow
    expect(chat.page.get_by_text(took)).to_be_visible()
    said_at_first = chat.page.get_by_text(took).inner_text()
    assert 2_000 <= chat.answer()["thought_ms"] <= chat.answer()["end"]["thought_ms"] + 500
    elsewhere = Chat(context, chat.page.url, chat.watch).open()  # it has seen nothing of it
    expect(elsewhere.page.get_by_text(said_at_first, exact=True)).to_be_visible()
