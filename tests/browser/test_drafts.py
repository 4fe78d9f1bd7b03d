"""Drafts: each conversation has its own, with its images and its queued message."""

import re
from threading import Event

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import hold_halfway, stream_text
from tests.browser.chat import Chat
from tests.browser.image_files import choose_files, png_file, tray
from tests.faults.answers import query_of
from tests.support.fake_provider import FakeProvider


def row(chat: Chat, title: str) -> Locator:
    return chat.page.get_by_role("navigation", name="Chats").get_by_role("link", name=title)


def new_chat(chat: Chat) -> None:
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.page.locator(".turn")).to_have_count(0)


def make_two(chat: Chat, provider: FakeProvider) -> None:
    """Make the conversations A and B, and leave B open."""
    provider.play(stream_text("Fine.", per_s=2_000))
    for title in ("Alpha", "Beta"):
        chat.ask(title)
        chat.wait_over()
        expect(row(chat, title)).to_be_visible()
        if title == "Alpha":
            new_chat(chat)


def test_a_draft_stays_in_its_conversation(chat: Chat, provider: FakeProvider) -> None:
    make_two(chat, provider)
    chat.field.fill("draft for B")
    row(chat, "Alpha").click()
    expect(chat.field).to_have_value("")
    chat.field.fill("draft for A")
    row(chat, "Beta").click()
    expect(chat.field).to_have_value("draft for B")
    new_chat(chat)
    expect(chat.field).to_have_value("")
    chat.field.fill("draft for a new one")
    chat.page.go_back()
    expect(chat.field).to_have_value("draft for B")
    chat.reload()
    expect(chat.field).to_have_value("draft for B")
    row(chat, "Alpha").click()
    expect(chat.field).to_have_value("draft for A")
    chat.field.press("Enter")
    chat.wait_over()
    expect(chat.field).to_have_value("")
    new_chat(chat)
    expect(chat.field).to_have_value("draft for a new one")


def test_the_first_question_takes_the_draft_of_the_new_chat(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text("Fine.", per_s=2_000))
    chat.ask("Gamma")
    chat.field.fill("and then")
    chat.wait_over()
    new_chat(chat)
    expect(chat.field).to_have_value("")
    row(chat, "Gamma").click()
    expect(chat.field).to_have_value("and then")


def test_images_stay_in_their_conversation(chat: Chat, provider: FakeProvider) -> None:
    make_two(chat, provider)
    choose_files(chat, png_file())
    expect(tray(chat)).to_have_count(1)
    row(chat, "Alpha").click()
    expect(tray(chat)).to_have_count(0)
    chat.ask("Without an image")
    chat.wait_over()
    assert isinstance(provider.calls[-1].json["messages"][-1]["content"], str)
    row(chat, "Beta").click()
    expect(tray(chat)).to_have_count(1)
    chat.ask("With an image")
    chat.wait_over()
    kinds = [part["type"] for part in provider.calls[-1].json["messages"][-1]["content"]]
    assert "image_url" in kinds


def test_a_queued_message_waits_in_its_conversation(chat: Chat, provider: FakeProvider) -> None:
    make_two(chat, provider)
    gate = Event()
    provider.play([hold_halfway(gate), stream_text("Fine.", per_s=2_000)])
    chat.ask("Long")
    chat.wait_chars(20)
    chat.field.fill("Next in B")
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name="Queued message")
    expect(queued).to_be_visible()
    row(chat, "Alpha").click()
    expect(chat.page.locator(".turn")).to_have_count(1)
    expect(queued).to_be_hidden()
    expect(chat.field).to_have_value("")
    row(chat, "Beta").click()
    expect(queued).to_contain_text("Next in B")
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(3)
    chat.wait_over()
    assert query_of(provider.calls[-1]) == "Next in B"
    assert len(provider.calls) == 2


def test_a_draft_of_an_older_version_is_kept(chat: Chat) -> None:
    chat.page.evaluate(
        "sessionStorage.setItem('freshet.draft', JSON.stringify({text: 'from before', queued: '', images: 0}))"
    )
    chat.reload()
    expect(chat.field).to_have_value("from before")
    chat.field.fill("")
    chat.reload()
    expect(chat.field).to_have_value("")


def test_drafts_are_bounded(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
            const drafts = Array.from({ length: 120 }, (_, at) => [`c${at}`, { text: 'x'.repeat(9_000), queued: '', images: 0 }]);
            sessionStorage.setItem('freshet.drafts', JSON.stringify({ drafts }));
        }"""
    )
    chat.field.fill("newest")
    drafts = chat.page.evaluate("JSON.parse(sessionStorage.getItem('freshet.drafts')).drafts")
    assert len(drafts) == 50
    assert drafts[-1] == ["", {"text": "newest", "queued": "", "images": 0}]
    assert drafts[-2][0] == "c119"


@pytest.mark.parametrize("damaged", ["{", "[]", '{"drafts": [null, 5, ["", null], [""], [7, {}]]}'])
def test_damaged_drafts_are_dropped(chat: Chat, damaged: str) -> None:
    chat.page.evaluate("(text) => sessionStorage.setItem('freshet.drafts', text)", damaged)
    chat.reload()
    expect(chat.field).to_have_value("")


@pytest.mark.parametrize("how", ["New chat", "search"])
def test_a_conversation_that_is_shown_again_keeps_its_images(
    chat: Chat, provider: FakeProvider, how: str
) -> None:
    """The images were dropped, and the notice said that the page had been reloaded."""
    provider.play(stream_text("Fine.", per_s=2_000))
    if how == "search":
        chat.ask("Alpha")
        chat.wait_over()
        expect(row(chat, "Alpha")).to_be_visible()
    choose_files(chat, png_file())
    expect(tray(chat)).to_have_count(1)
    chat.field.fill("Look at this")
    if how == "search":
        chat.page.get_by_role("searchbox", name="Search chats").fill("Alpha")
        expect(chat.page.locator(".snippet mark").first).to_be_visible()
        with chat.page.expect_response("**/conversations/*"):
            chat.page.locator(".line a").click()
    else:
        chat.page.locator(".brand").click()
        chat.page.keyboard.press("n")
    expect(chat.field).to_have_value("Look at this")
    expect(tray(chat)).to_have_count(1)
    expect(chat.notice).to_be_hidden()


def test_a_queued_message_with_an_image_stays_queued(chat: Chat, provider: FakeProvider) -> None:
    """Its text came back as the draft, and its image alone stayed queued."""
    make_two(chat, provider)
    gate = Event()
    provider.play([hold_halfway(gate), stream_text("Fine.", per_s=2_000)])
    chat.ask("Long")
    chat.wait_chars(20)
    choose_files(chat, png_file())
    expect(tray(chat)).to_have_count(1)
    chat.field.fill("What is this?")
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name="Queued message")
    expect(queued).to_contain_text("What is this?")
    row(chat, "Alpha").click()
    expect(queued).to_be_hidden()
    row(chat, "Beta").click()
    expect(queued).to_contain_text("What is this?")
    expect(queued.locator("img")).to_have_count(1)
    expect(chat.field).to_have_value("")
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(3)
    chat.wait_over()
    kinds = [part["type"] for part in provider.calls[-1].json["messages"][-1]["content"]]
    assert kinds == ["text", "image_url"]


def test_a_draft_that_is_too_long_to_be_stored_stays_and_leaves_the_others(
    chat: Chat, provider: FakeProvider
) -> None:
    make_two(chat, provider)
    new_chat(chat)
    chat.field.fill("a short one")
    row(chat, "Alpha").click()
    expect(chat.page.locator(".turn")).to_have_count(1)
    chat.field.fill("x" * 600_000)
    row(chat, "Beta").click()
    expect(chat.field).to_have_value("")
    row(chat, "Alpha").click()
    assert chat.field.evaluate("field => field.value.length") == 600_000
    new_chat(chat)
    expect(chat.field).to_have_value("a short one")


def test_an_image_is_not_added_to_a_conversation_that_is_opened_meanwhile(
    chat: Chat, provider: FakeProvider
) -> None:
    """The module that reads images is loaded with the first one, which takes time on a slow network."""
    make_two(chat, provider)
    held: list[Route] = []
    chat.page.route(re.compile("attachments"), lambda route: held.append(route))  # noqa: PLW0108
    chat.reload()
    choose_files(chat, png_file())
    row(chat, "Alpha").click()
    expect(chat.page.locator(".question")).to_have_text("Alpha")
    for route in held:
        route.continue_()
    expect(chat.notice).to_be_visible()
    expect(tray(chat)).to_have_count(0)
