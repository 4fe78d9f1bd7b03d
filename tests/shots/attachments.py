"""States with images: in the composer, in the log, seen large, and where the model cannot see."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.answers import PARAGRAPHS, TEXT, stream_then_stall
from tests.browser.chat import Chat
from tests.shots.scenes import (
    QUESTION,
    Stage,
    done,
)
from tests.support.dialects import openai
from tests.support.pixels import hills
from tests.support.script import Answer


def pick(chat: Chat, *images: tuple[str, bytes]) -> None:
    """Choose images and wait until they are seen."""
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(
        [{"name": name, "mimeType": "image/png", "buffer": body} for name, body in images]
    )
    expect(chat.page.locator(".tray img")).to_have_count(len(images))


def composing_images(stage: Stage) -> Chat:
    """Images above the field, one of which could not be read."""
    chat = done(stage)
    pick(chat, *[(f"view-{hue}.png", hills(hue=hue)) for hue in range(3)])
    chat.field.fill("Which of these rivers carries the most water, and how can you tell?")
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files([{"name": "notes.png", "mimeType": "image/png", "buffer": b"words"}])
    expect(chat.notice).to_be_visible()
    return chat


def images(stage: Stage) -> Chat:
    """A question with one image, and one with four."""
    stage.provider.play([Answer(steps=openai([PARAGRAPHS[0]])), Answer(steps=openai([PARAGRAPHS[1]]))])
    chat = stage.open(stage.real)
    pick(chat, ("river.png", hills()))
    chat.ask("Is this river in flood?")
    chat.wait_over()
    pick(chat, *[(f"view-{hue}.png", hills(480, 360 + 60 * hue, hue)) for hue in range(4)])
    chat.ask("And these?")
    chat.wait_over()
    return chat


def image_large(stage: Stage) -> Chat:
    """One image of a question, shown large."""
    chat = images(stage)
    chat.page.locator(".gallery button").first.click()
    expect(chat.page.get_by_role("dialog", name="Image 1")).to_be_visible()
    return chat


def blind(stage: Stage) -> Chat:
    """Images for a model that can't see, and a queue that waits with some."""
    stage.provider.play(stream_then_stall(TEXT[:320]))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(200)
    pick(chat, ("river.png", hills()), ("view.png", hills(hue=1)))
    chat.field.fill("Compare it with these two")
    chat.field.press("Enter")
    pick(chat, ("river.png", hills(hue=2)))
    chat.choose_model("openai o3-mini")
    expect(chat.notice).to_be_visible()
    return chat


PICTURED: dict[str, Callable[[Stage], Chat]] = {
    "images": images,
    "images-composing": composing_images,
    "image-large": image_large,
    "images-unseen": blind,
}
