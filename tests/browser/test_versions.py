"""Message actions: edit, regenerate, continue, switch versions, copy."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import TEXT, end_with, stream_then_stall
from tests.browser.chat import DESK, PHONE, Chat
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer


def stream_texts(*texts: str) -> list[Answer]:
    return [Answer(steps=openai([text])) for text in texts]


def turn(chat: Chat, number: int) -> Locator:
    return chat.page.locator(".turn").nth(number)


def press_button(chat: Chat, number: int, name: str) -> None:
    """Press a button of a turn; buttons appear on hover."""
    turn(chat, number).hover()
    turn(chat, number).get_by_role("button", name=name, exact=True).click()


def questions(chat: Chat) -> Locator:
    return chat.page.locator(".question")


def sent_messages(provider: FakeProvider, call: int) -> list[str]:
    """Return the messages of a provider call."""
    return [message["content"] for message in provider.calls[call].json["messages"]]


def test_an_edited_question_becomes_a_sibling(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two.", "Other."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    press_button(chat, 0, "Edit message")
    field = turn(chat, 0).get_by_role("textbox")
    expect(field).to_be_focused()
    expect(field).to_have_value("First")
    field.fill("Changed")
    field.press("Escape")
    expect(questions(chat)).to_have_text(["First", "Second"])
    expect(turn(chat, 0).get_by_role("button", name="Edit message")).to_be_focused()
    press_button(chat, 0, "Edit message")
    field.fill("Changed")
    field.press("Enter")
    expect(chat.answers).to_have_text(["Other."])
    expect(questions(chat)).to_have_text(["Changed"])
    assert sent_messages(provider, 2) == ["Changed"]
    way = turn(chat, 0).get_by_role("group", name="Message versions")
    expect(way).to_contain_text("2/2")
    way.get_by_role("button", name="Previous version").click()
    expect(questions(chat)).to_have_text(["First", "Second"])
    expect(chat.answers).to_have_text(["One.", "Two."])
    expect(way.first).to_contain_text("1/2")
    expect(way.first.get_by_role("button", name="Next version")).to_be_focused()
    chat.reload()
    expect(chat.answers).to_have_text(["One.", "Two."])
    assert len(provider.calls) == 3


def test_regenerating_keeps_both_answers(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Another.", "Then."))
    chat.ask("First")
    chat.wait_over()
    press_button(chat, 0, "Regenerate")
    expect(chat.answers).to_have_text(["Another."])
    assert sent_messages(provider, 1) == ["First"]
    way = turn(chat, 0).get_by_role("group", name="Response versions")
    expect(way).to_contain_text("2/2")
    way.get_by_role("button", name="Previous version").click()
    expect(chat.answers).to_have_text(["One."])
    chat.ask("And?")
    expect(chat.answers).to_have_text(["One.", "Then."])
    assert sent_messages(provider, 2) == ["First", "One.", "And?"]
    chat.reload()
    expect(way.first).to_contain_text("1/2")
    expect(turn(chat, 0).get_by_role("group", name="Message versions")).to_have_count(0)


def test_a_truncated_answer_can_be_continued(chat: Chat, provider: FakeProvider) -> None:
    provider.play([end_with("length", "So far"), *stream_texts(" and on.")])
    chat.ask("First")
    chat.wait_over()
    chat.page.get_by_role("button", name="Continue").click()
    expect(chat.answers).to_have_text(["So far and on."])
    expect(chat.page.get_by_role("button", name="Continue")).to_have_count(0)
    assert "So far" in sent_messages(provider, 1)
    way = turn(chat, 0).get_by_role("group", name="Response versions")
    way.get_by_role("button", name="Previous version").click()
    expect(chat.answers).to_have_text(["So far"])
    expect(chat.page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_stopped_answer_is_continued_and_joined_after_a_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play([stream_then_stall(TEXT[:200], per_s=200), stream_then_stall(TEXT[200:300], per_s=200)])
    chat.ask("First")
    chat.wait_chars(50)
    chat.stop.click()
    kept = chat.wait_over()["text"]
    chat.page.get_by_role("button", name="Continue").click()
    chat.wait_chars(len(kept) + 20)
    assert chat.answer()["text"].startswith(kept)
    chat.reload()
    expect(chat.stop).to_be_visible()
    chat.wait_chars(len(kept) + 20)
    chat.stop.click()
    assert chat.wait_over()["text"].startswith(kept)
    assert len(provider.calls) == 2


def test_a_conversation_cannot_be_edited_during_an_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play([*stream_texts("One."), stream_then_stall()])
    chat.ask("First")
    chat.wait_over()
    chat.ask("Second")
    chat.wait_chars(20)
    for name in ("Edit message", "Regenerate"):
        expect(turn(chat, 0).get_by_role("button", name=name)).to_have_count(0)
    chat.stop.click()
    chat.wait_over()
    turn(chat, 0).hover()
    expect(turn(chat, 0).get_by_role("button", name="Regenerate")).to_be_visible()


@pytest.mark.parametrize("device", [DESK | {"permissions": ["clipboard-read", "clipboard-write"]}])
def test_an_answer_is_copied_as_markdown(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    text = "**One** and `two`\n\n- three"
    provider.play(stream_texts(text))
    chat.ask("First")
    chat.wait_over()
    press_button(chat, 0, "Copy as Markdown")
    expect(turn(chat, 0).get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == text


def test_message_buttons_appear_with_focus(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    button = turn(chat, 0).get_by_role("button", name="Regenerate")
    expect(button).to_have_css("opacity", "0")
    button.focus()
    expect(button).to_have_css("opacity", "1")
    before = chat.answers.last.bounding_box()
    turn(chat, 0).hover()
    assert chat.answers.last.bounding_box() == before


@pytest.mark.parametrize("device", [PHONE])
def test_message_buttons_are_always_visible_on_touch(
    chat: Chat, provider: FakeProvider, device: dict[str, Any]
) -> None:
    provider.play(stream_texts("One.", "Two.", "Other."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    turn(chat, 0).get_by_role("button", name="Regenerate").click()
    expect(chat.answers).to_have_text(["Other."])
    for target in chat.page.locator(".turn button:visible").all():
        expect(target).to_have_css("opacity", "1" if target.is_enabled() else "0.4")
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert findings(chat.page) == []
    assert not chat.overflows()


def test_two_tabs_asking_one_after_the_other_make_no_versions(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(stream_texts("One.", "Two.", "Three."))
    chat.ask("First")
    chat.wait_over()
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.answers).to_have_text(["One."])
    chat.ask("Second")
    expect(chat.answers.last).to_have_text("Two.")
    twin.ask("Third")
    expect(twin.answers.last).to_have_text("Three.")
    assert sent_messages(provider, 2) == ["First", "One.", "Second", "Two.", "Third"]
    for tab in (chat, twin):
        expect(tab.answers).to_have_text(["One.", "Two.", "Three."])
        expect(tab.page.get_by_role("group", name="Message versions")).to_have_count(0)
