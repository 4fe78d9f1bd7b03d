"""What a person does to a message: edit and ask again, have it answered again or go on, switch, copy."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import TEXT, begun, ending
from tests.browser.chat import DESK, PHONE, Chat
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer


def saying(*texts: str) -> list[Answer]:
    return [Answer(steps=openai([text])) for text in texts]


def turn(chat: Chat, number: int) -> Locator:
    return chat.page.locator(".turn").nth(number)


def press(chat: Chat, number: int, name: str) -> None:
    """Press one of a turn's small buttons, which show themselves to whoever comes near."""
    turn(chat, number).hover()
    turn(chat, number).get_by_role("button", name=name, exact=True).click()


def questions(chat: Chat) -> Locator:
    return chat.page.locator(".question")


def told(provider: FakeProvider, call: int) -> list[str]:
    """What the provider was told."""
    return [message["content"] for message in provider.calls[call].json["messages"]]


def test_an_edited_question_stands_beside_the_first(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two.", "Other."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    press(chat, 0, "Edit the question")
    field = turn(chat, 0).get_by_role("textbox")
    expect(field).to_be_focused()
    expect(field).to_have_value("First")
    field.fill("Changed")
    field.press("Escape")
    expect(questions(chat)).to_have_text(["First", "Second"])
    expect(turn(chat, 0).get_by_role("button", name="Edit the question")).to_be_focused()
    press(chat, 0, "Edit the question")
    field.fill("Changed")
    field.press("Enter")
    expect(chat.answers).to_have_text(["Other."])
    expect(questions(chat)).to_have_text(["Changed"])
    assert told(provider, 2) == ["Changed"]
    way = turn(chat, 0).get_by_role("group", name="Versions of the question")
    expect(way).to_contain_text("2/2")
    way.get_by_role("button", name="Version before").click()
    expect(questions(chat)).to_have_text(["First", "Second"])
    expect(chat.answers).to_have_text(["One.", "Two."])
    expect(way.first).to_contain_text("1/2")
    expect(way.first.get_by_role("button", name="Version after")).to_be_focused()
    chat.reload()
    expect(chat.answers).to_have_text(["One.", "Two."])
    assert len(provider.calls) == 3


def test_a_question_answered_again_keeps_both_answers(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Another.", "Then."))
    chat.ask("First")
    chat.wait_over()
    press(chat, 0, "Answer again")
    expect(chat.answers).to_have_text(["Another."])
    assert told(provider, 1) == ["First"]
    way = turn(chat, 0).get_by_role("group", name="Versions of the answer")
    expect(way).to_contain_text("2/2")
    way.get_by_role("button", name="Version before").click()
    expect(chat.answers).to_have_text(["One."])
    chat.ask("And?")
    expect(chat.answers).to_have_text(["One.", "Then."])
    assert told(provider, 2) == ["First", "One.", "And?"]
    chat.reload()
    expect(way.first).to_contain_text("1/2")
    expect(turn(chat, 0).get_by_role("group", name="Versions of the question")).to_have_count(0)


def test_an_answer_that_ended_early_goes_on(chat: Chat, provider: FakeProvider) -> None:
    provider.play([ending("length", "So far"), *saying(" and on.")])
    chat.ask("First")
    chat.wait_over()
    chat.page.get_by_role("button", name="Continue").click()
    expect(chat.answers).to_have_text(["So far and on."])
    expect(chat.page.get_by_role("button", name="Continue")).to_have_count(0)
    assert "So far" in told(provider, 1)
    way = turn(chat, 0).get_by_role("group", name="Versions of the answer")
    way.get_by_role("button", name="Version before").click()
    expect(chat.answers).to_have_text(["So far"])
    expect(chat.page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_stopped_answer_goes_on_and_is_joined_after_a_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play([begun(TEXT[:200], per_s=200), begun(TEXT[200:300], per_s=200)])
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


def test_while_an_answer_is_made_its_conversation_stays_as_it_is(chat: Chat, provider: FakeProvider) -> None:
    provider.play([*saying("One."), begun()])
    chat.ask("First")
    chat.wait_over()
    chat.ask("Second")
    chat.wait_chars(20)
    for name in ("Edit the question", "Answer again"):
        expect(turn(chat, 0).get_by_role("button", name=name)).to_have_count(0)
    chat.stop.click()
    chat.wait_over()
    turn(chat, 0).hover()
    expect(turn(chat, 0).get_by_role("button", name="Answer again")).to_be_visible()


@pytest.mark.parametrize("device", [DESK | {"permissions": ["clipboard-read", "clipboard-write"]}])
def test_an_answer_is_copied_as_it_was_written(
    chat: Chat, provider: FakeProvider, device: dict[str, Any]
) -> None:
    text = "**One** and `two`\n\n- three"
    provider.play(saying(text))
    chat.ask("First")
    chat.wait_over()
    press(chat, 0, "Copy as Markdown")
    expect(turn(chat, 0).get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == text


def test_small_buttons_come_with_the_focus(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    button = turn(chat, 0).get_by_role("button", name="Answer again")
    expect(button).to_have_css("opacity", "0")
    button.focus()
    expect(button).to_have_css("opacity", "1")
    before = chat.answers.last.bounding_box()
    turn(chat, 0).hover()
    assert chat.answers.last.bounding_box() == before


@pytest.mark.parametrize("device", [PHONE])
def test_on_touch_they_are_always_there(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    provider.play(saying("One.", "Two.", "Other."))
    for question in ("First", "Second"):
        chat.ask(question)
        chat.wait_over()
    turn(chat, 0).get_by_role("button", name="Answer again").click()
    expect(chat.answers).to_have_text(["Other."])
    for target in chat.page.locator(".turn button:visible").all():
        expect(target).to_have_css("opacity", "1" if target.is_enabled() else "0.4")
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert findings(chat.page) == []
    assert not chat.overflows()


def test_two_tabs_that_ask_at_once_lose_nothing(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(saying("One.", "Two.", "Three."))
    chat.ask("First")
    chat.wait_over()
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.answers).to_have_text(["One."])
    chat.ask("Second")
    expect(chat.answers.last).to_have_text("Two.")
    twin.ask("Third")
    expect(twin.answers.last).to_have_text("Three.")
    assert told(provider, 2) == ["First", "One.", "Third"]
    chat.reload()
    way = turn(chat, 1).get_by_role("group", name="Versions of the question")
    expect(way).to_contain_text("2/2")
    way.get_by_role("button", name="Version before").click()
    expect(chat.answers).to_have_text(["One.", "Two."])
