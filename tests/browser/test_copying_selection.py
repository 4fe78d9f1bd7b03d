"""Copying what a person selects with mouse and keyboard in the page: the chat is a shadow tree, where a script selects otherwise."""

import pytest
from playwright.sync_api import BrowserContext, Locator

from tests.browser.chat import Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

ANSWER = "Before.\n\n- one\n- two\n  - nested\n- [x] done\n- [ ] open\n\n1. first\n2. second\n\nThe end."
AS_READ = "- one\n- two\n   - nested\n- [x] done\n- [ ] open\n\n1. first\n2. second\n\nThe end."


@pytest.fixture
def answered(context: BrowserContext, chat: Chat, provider: FakeProvider) -> Chat:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    provider.play(Answer(steps=openai([ANSWER])))
    for question in ("Which?", "And then?"):
        chat.ask(question)
        chat.wait_over()
        chat.wait_chars(40)
    return chat


def drag(chat: Chat, start: Locator, end: Locator) -> None:
    """Select with the mouse from the start of one element to the end of another's text."""
    start.scroll_into_view_if_needed()
    first, last = start.bounding_box(), end.bounding_box()
    assert first is not None
    assert last is not None
    chat.page.mouse.move(first["x"] + 1, first["y"] + 12)
    chat.page.mouse.down()
    chat.page.mouse.move(last["x"] + last["width"] - 1, last["y"] + last["height"] - 8, steps=5)
    chat.page.mouse.up()


def copied(chat: Chat) -> str:
    chat.page.keyboard.press("ControlOrMeta+c")
    text: str = chat.page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_list_selected_with_the_mouse_keeps_its_marks(answered: Chat) -> None:
    flow = answered.answers.first
    drag(answered, flow.locator("li").first, flow.locator("p").last)
    assert copied(answered) == AS_READ


BOTH = f"Which?\n\nBefore.\n\n{AS_READ}\n\nAnd then?\n\nBefore.\n\n{AS_READ}"


@pytest.mark.parametrize("device", [{"viewport": {"width": 1280, "height": 1600}}], ids=["tall"])
@pytest.mark.parametrize("end", [".answer > .flow > * > * > * > p", ".dock"])
def test_a_selection_over_messages_has_what_is_read_and_no_more(answered: Chat, end: str) -> None:
    """It had the headings for screen readers, the figures below an answer, and no marks of lists."""
    drag(answered, answered.page.get_by_text("Which?", exact=True).last, answered.page.locator(end).last)
    assert copied(answered) == BOTH


def test_a_word_is_copied_by_the_browser(answered: Chat) -> None:
    answered.answers.first.locator("p").first.dblclick(position={"x": 20, "y": 10})
    assert copied(answered).strip(" .") == "Before"
