"""The tab's title, an answer's elapsed time and the duration of its thinking."""

import re
from threading import Event

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import hold_halfway, split_words, stream_text, stream_then_stall
from tests.browser.chat import Chat
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import STALL, Answer

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
    provider.play(hold_halfway(gate))
    chat.ask("Tell me")
    chat.wait_chars(20)
    chat.page.evaluate(SHOW, "hidden")
    gate.set()
    expect(chat.page).to_have_title("● Tell me")
    chat.page.evaluate(SHOW, "visible")
    expect(chat.page).to_have_title("Tell me")
    assert chat.wait_over()["end"]["finish_reason"] == "stop"


def test_a_visible_answer_leaves_the_title_unmarked(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=400))
    chat.ask("Tell me")
    chat.wait_over()
    chat.page.evaluate(SHOW, "hidden")
    expect(chat.page).to_have_title("Tell me")


def test_a_queued_message_is_sent_in_a_hidden_tab(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play([hold_halfway(gate), Answer(steps=openai(["Two."]))])
    chat.ask("One?")
    chat.wait_chars(20)
    chat.ask("Two?")
    chat.page.evaluate(SHOW, "hidden")
    gate.set()
    provider.wait_calls(2, 15)
    expect(chat.page.locator(".question")).to_have_text(["One?", "Two?"])
    expect(chat.answers.last).to_have_text("Two.")
    expect(chat.page).to_have_title("● One?")


def test_the_elapsed_time_advances_while_nothing_arrives(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall("A few words and then", per_s=100))
    chat.ask("Hello")
    chat.wait_chars(10)
    expect(chat.meta).to_contain_text("1s")
    expect(chat.meta).to_contain_text("3s")
    assert chat.meta.evaluate("line => getComputedStyle(line).fontVariantNumeric") == "tabular-nums"
    chat.stop.click()
    chat.wait_over()
    expect(chat.meta).not_to_contain_text(re.compile(r"[0-9]s"))


def test_thinking_shows_its_duration(context: BrowserContext, chat: Chat, provider: FakeProvider) -> None:
    thought = [openai_delta(None, reasoning_content=piece) for piece in split_words("First I weigh it, then")]
    said = [openai_delta("Here it is."), *openai_finish(), DONE]
    provider.play(Answer(steps=[*thought, 2.1, *said]))
    chat.ask("Think")
    expect(chat.page.get_by_text("Thinking", exact=True)).to_be_visible()
    chat.wait_over()
    took = re.compile(r"^Thought for [2-9] seconds$")  # wall-clock time; the machine may be slow
    expect(chat.page.get_by_text(took)).to_be_visible()
    said_at_first = chat.page.get_by_text(took).inner_text()
    assert 2_000 <= chat.answer()["thought_ms"] <= chat.answer()["end"]["thought_ms"] + 500
    elsewhere = Chat(context, chat.page.url, chat.watch).open()  # it saw no frames of the answer
    expect(elsewhere.page.get_by_text(said_at_first, exact=True)).to_be_visible()


def test_the_title_is_the_conversations(chat: Chat, provider: FakeProvider) -> None:
    expect(chat.page).to_have_title("Freshet")
    provider.play(stream_text(per_s=2_000))
    chat.ask("How do tides work?\nIn two lines.")
    expect(chat.page).to_have_title(re.compile("^How do tides work?"))
    chat.wait_over()
    chat.page.get_by_role("button", name=re.compile("^Options for")).click()
    chat.page.get_by_role("button", name="Rename").click()
    chat.page.get_by_role("textbox", name="Title").fill("Tides")
    chat.page.keyboard.press("Enter")
    expect(chat.page).to_have_title("Tides")
    chat.page.get_by_role("searchbox", name="Search chats").fill("nothing has these words")
    expect(chat.page.get_by_text("No results")).to_be_visible()
    chat.reload()
    expect(chat.page).to_have_title("Tides")
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.page).to_have_title("Freshet")
    chat.page.go_back()
    expect(chat.page).to_have_title("Tides")


@pytest.mark.parametrize("stops", [False, True], ids=["completes", "stopped"])
def test_short_thinking_has_an_end(chat: Chat, provider: FakeProvider, *, stops: bool) -> None:
    thought = [openai_delta(None, reasoning_content="A moment.")]
    said = [STALL] if stops else [openai_delta("Here it is."), *openai_finish(), DONE]
    provider.play(Answer(steps=[*thought, *said]))
    chat.ask("Think")
    if stops:
        expect(chat.page.get_by_text("Thinking", exact=True)).to_be_visible()
        chat.stop.click()
    chat.wait_over()
    expect(chat.page.get_by_text("Thinking", exact=True)).to_be_hidden()
    expect(chat.page.locator(".thinking summary")).to_have_text(re.compile("^(Thought for|Reasoning)"))
    if not stops:
        expect(chat.page.locator(".thinking summary")).to_have_text("Thought for less than a second")


def test_a_stream_that_is_joined_shows_no_speed_of_what_was_sent_before(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=[openai_delta("word " * 900), STALL]))
    chat.ask("Tell me")
    chat.wait_chars(4_000)
    joined = Chat(context, chat.page.url, chat.watch).open()
    joined.wait_chars(4_000)
    joined.page.wait_for_timeout(1_700)  # the figures are drawn every second
    expect(joined.meta).not_to_contain_text("tokens/s")
    chat.stop.click()
    joined.wait_over()
    expect(joined.meta).not_to_contain_text("tokens/s")
