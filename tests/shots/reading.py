"""Scenes of reading: a very long conversation, the list of shortcuts, a focused message, reasoning, sources."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.answers import TEXT
from tests.browser.chat import Chat
from tests.browser.scripted import respond_with_frames
from tests.shots.answers import CITING, SOURCES
from tests.shots.scenes import QUESTION, THOUGHT, Stage, done
from tests.shots.seeds import IMPORT, conversation
from tests.support.dialects import DONE, openai_delta, openai_finish
from tests.support.script import Answer


def hundreds(stage: Stage) -> Chat:
    """A conversation of hundreds of messages, read from above its end."""
    chat = stage.open(stage.real)
    name = chat.page.evaluate(IMPORT, conversation(200))
    chat.page.goto(f"{stage.real}/?c={name}")
    expect(chat.answers.last).to_contain_text("Message 199x.")
    chat.log.hover()
    chat.page.mouse.wheel(0, -600)
    expect(chat.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    return chat


def shortcuts(stage: Stage) -> Chat:
    """The list of shortcuts."""
    chat = done(stage)
    chat.field.press("Control+/")
    expect(chat.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    return chat


def standing(stage: Stage) -> Chat:
    """A message with keyboard focus."""
    chat = done(stage)
    chat.log.focus()
    chat.page.keyboard.press("k")
    return chat


def pondered(stage: Stage) -> Chat:
    """An answer after long reasoning, which is collapsed."""
    thought = [openai_delta(None, reasoning_content=THOUGHT)]
    said = [openai_delta(TEXT), *openai_finish(usage=(1204, 143)), DONE]
    stage.provider.play(Answer(steps=[*thought, 2.2, *said]))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    expect(chat.page.get_by_text("Thought for")).to_be_visible()
    return chat


def sourced(stage: Stage) -> Chat:
    """An answer with its sources."""
    chat = stage.open(stage.real)
    chat.page.route("**/stream", respond_with_frames({"sources": list(SOURCES)}, {"text": CITING}))
    chat.ask(QUESTION)
    chat.wait_over()
    expect(chat.page.get_by_role("heading", name="Sources")).to_be_visible()
    expect(chat.page.locator(".sources li")).to_have_count(len(SOURCES))
    return chat


READING: dict[str, Callable[[Stage], Chat]] = {
    "hundreds": hundreds,
    "shortcuts": shortcuts,
    "standing": standing,
    "pondered": pondered,
    "sourced": sourced,
}
