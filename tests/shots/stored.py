"""States of what is kept: the list of conversations, versions, links that share, and paper."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.answers import PARAGRAPHS, TEXT, end_with, stream_text, stream_then_stall
from tests.browser.chat import NETWORK, Chat
from tests.browser.sharing import share_dialog
from tests.shots.answers import RICH
from tests.shots.scenes import (
    QUESTION,
    QUESTIONS,
    Stage,
    done,
    formatted,
)
from tests.store.people import data_url
from tests.support.dialects import openai
from tests.support.script import Answer

PICTURE = Path(__file__).resolve().parents[2] / "static" / "icons" / "512.png"
_SHARED = """async ([image, ...queries]) => {
    const conversation = "s".repeat(4) + Math.random().toString(36).slice(2).padEnd(18, "x").slice(0, 18);
    const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    for (const [at, query] of queries.entries()) await (await post("stream", { conversation, query, ...(at === 0 && { images: [image] }) })).text();
    return (await (await post(`conversations/${conversation}/share`, {})).json()).path;
}"""


def history(stage: Stage) -> Chat:
    """A few conversations in the list, one of them with an answer that is being made."""
    questions = (
        "Which rivers are known for it?",
        "Plan a quiet weekend by the sea",
        "تهنئة قصيرة لزميلة",
        QUESTION,
    )
    stage.provider.play(
        [*[Answer(steps=openai([PARAGRAPHS[1]])) for _ in questions[:-1]], stream_then_stall(TEXT[:320])]
    )
    chat = stage.open(stage.real)
    for question in questions:
        if question is not questions[0]:
            chat.page.get_by_role("button", name="New chat").click()
        chat.ask(question)
        if question is not QUESTION:
            chat.wait_over()
    chat.wait_chars(300)
    names = chat.page.get_by_role("button", name="Chats")
    if names.get_attribute("aria-expanded") == "false":
        names.click()
    expect(chat.page.locator(".list .dot:visible")).to_have_count(1)
    return chat


def deeds(stage: Stage) -> Chat:
    """What can be done to a listed conversation, and the way back from a deletion."""
    chat = history(stage)
    more = chat.page.locator(".list .more")
    more.nth(3).click()
    chat.page.locator(".list .row-actions .danger").click()
    expect(chat.page.get_by_role("button", name="Undo")).to_be_visible()
    more.nth(1).click()
    return chat


def importing(stage: Stage) -> Chat:
    """A file that could not be imported, and why."""
    stage.watch.allow(NETWORK)
    chat = history(stage)
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Import chat").click()
    file = {"name": "notes-of-march.json", "mimeType": "application/json", "buffer": b"{}"}
    chooser.value.set_files([file])  # type: ignore[list-item]
    expect(chat.page.locator(".list .toast-text")).to_contain_text("can’t be imported")
    return chat


def versions(stage: Stage) -> Chat:
    """A question that was changed, answered twice."""
    answers = [Answer(steps=openai([text])) for text in (PARAGRAPHS[0], PARAGRAPHS[1], TEXT)]
    stage.provider.play(answers)
    chat = stage.open(stage.real)
    chat.ask("What is a freshet?")
    chat.wait_over()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit message").click()
    chat.page.get_by_role("textbox", name="Edit message").fill(QUESTION)
    chat.page.get_by_role("textbox", name="Edit message").press("Enter")
    expect(chat.page.locator(".question")).to_have_text(QUESTION)
    chat.wait_over()
    chat.page.get_by_role("button", name="Regenerate").click()
    expect(chat.page.get_by_role("group", name="Response versions")).to_contain_text("2/2")
    chat.wait_over()
    chat.page.locator(".turn").hover()
    return chat


def editing(stage: Stage) -> Chat:
    """A question while it is changed."""
    chat = done(stage)
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit message").click()
    return chat


def sharing(stage: Stage, *, made: bool = True) -> Chat:
    """The dialog in which a conversation is shared, before and after its link is made."""
    chat = done(stage)
    share_dialog(chat)
    if made:
        chat.page.get_by_role("button", name="Create link").click()
        chat.page.get_by_role("button", name="Copy", exact=True).click()
        expect(chat.page.locator(".sharing .status")).not_to_be_empty()
    return chat


def shared_branch(stage: Stage) -> Chat:
    """What a shared link shows, with an image in the question."""
    stage.provider.play([stream_text(RICH, per_s=2_000), end_with("stop", PARAGRAPHS[1])])
    chat = stage.open(stage.real)
    path = chat.page.evaluate(_SHARED, [data_url(PICTURE.read_bytes()), QUESTION, QUESTIONS[0]])
    chat.page.goto(stage.real + path)
    expect(chat.page.locator(".meta")).to_have_count(2)
    expect(chat.page.locator(".pictures img")).to_be_visible()
    return chat


def unshared(stage: Stage) -> Chat:
    """A link that shows nothing any more."""
    return stage.visit(f"{stage.real}/shared/{'A' * 22}")


def printed(stage: Stage) -> Chat:
    """What a printer gets."""
    chat = formatted(stage, RICH)
    expect(chat.page.locator(".print-title")).not_to_be_empty()
    chat.page.emulate_media(media="print")
    chat.page.set_viewport_size({"width": 680, "height": 1000})
    return chat


def outdated(stage: Stage) -> Chat:
    """The server has a newer version of the page."""
    chat = done(stage)
    chat.page.route(
        "**/conversations?*",
        lambda route: route.fulfill(json={}, headers={"Freshet-Page": "0" * 16}),
    )
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chat.page.get_by_role("button", name="Reload", exact=True)).to_be_visible()
    return chat


def missing(stage: Stage) -> Chat:
    """The address of a conversation that is not there."""
    stage.watch.allow(NETWORK)
    chat = stage.open(f"{stage.real}/?c={'A' * 22}")
    expect(chat.page.get_by_role("heading", name="not found")).to_be_visible()
    return chat


KEPT: dict[str, Callable[[Stage], Chat]] = {
    "history": history,
    "deeds": deeds,
    "importing": importing,
    "versions": versions,
    "editing": editing,
    "sharing": partial(sharing, made=False),
    "sharing-link": sharing,
    "shared": shared_branch,
    "unshared": unshared,
    "printed": printed,
    "outdated": outdated,
    "missing": missing,
}
