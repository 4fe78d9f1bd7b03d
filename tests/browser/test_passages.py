"""A passage of a document that an answer cites: it opens beside the chat, at its page and marked, also after a reload."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.documents.pdf_files import lines, pdf
from tests.faults.answers import new_run
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

PAGES = pdf(
    [
        lines(*[f"Line {number} of the preface, which says nothing." for number in range(40)]),
        lines("Trips", "Trips by train are paid for in second class.", "Flights need an approval."),
        lines("The end."),
    ]
)
LONG = "".join(f"Line {number} of a long text that says nothing in particular.\n" for number in range(2_000))


def attach(chat: Chat, name: str, data: bytes | str) -> str:
    """Store a file in a new conversation, and show that."""
    conversation = new_run()
    url = f"{chat.url}/documents?name={name}&conversation={conversation}"
    response = chat.page.request.post(url, data=data, headers={"Content-Type": "application/octet-stream"})
    assert response.status == 201, response.text()
    chat.page.goto(f"{chat.url}/?c={conversation}")
    chat.wait_ready()
    return conversation


@pytest.fixture
def panel(chat: Chat) -> Locator:
    return chat.page.locator("dialog.passages")


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_a_citation_opens_its_page(
    chat: Chat, provider: FakeProvider, panel: Locator, device: dict[str, Any]
) -> None:
    attach(chat, "note.md", LONG + "Trips by train are paid for in second class.\n" + LONG)
    provider.play(Answer(steps=openai(["Second class [1], as ever."])))
    chat.ask("Which class is paid for on trips by train?")
    chat.wait_over()
    chat.answers.last.get_by_text("1", exact=True).click()
    expect(panel.locator("mark")).to_contain_text("Trips by train are paid for in second class.")
    expect(panel.locator("mark")).to_be_in_viewport()
    expect(panel.get_by_role("heading")).to_have_text("note")
    assert findings(chat.page) == []
    chat.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    chat.reload()
    chat.page.locator(".sources").get_by_role("button").first.click()
    expect(panel.locator("mark")).to_contain_text("Trips by train")


def test_the_pages_of_a_document(chat: Chat, provider: FakeProvider, panel: Locator) -> None:
    attach(chat, "handbook.pdf", PAGES)
    provider.play(Answer(steps=openai(["Second class [1]."])))
    chat.ask("Which class?")
    chat.wait_over()
    chat.page.locator(".sources").get_by_role("button").click()
    expect(panel.locator(".place")).to_have_text("Page 1 of 3")
    expect(panel.get_by_role("button", name="Previous page")).to_be_disabled()
    panel.get_by_role("button", name="Next page").click()
    expect(panel.locator(".text")).to_contain_text("second class")
    expect(panel.locator(".place")).to_have_text("Page 2 of 3")
    panel.get_by_role("button", name="Next page").click()
    expect(panel.get_by_role("button", name="Next page")).to_be_disabled()
    panel.get_by_role("button", name="Previous page").click()
    expect(panel.locator(".place")).to_have_text("Page 2 of 3")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)


def test_a_document_that_is_gone(chat: Chat, provider: FakeProvider, panel: Locator) -> None:
    conversation = attach(chat, "note.md", "Trips by train are paid for in second class.")
    provider.play(Answer(steps=openai(["Second class [1]."])))
    chat.ask("Which class?")
    chat.wait_over()
    listed = chat.page.request.get(f"{chat.url}/documents?conversation={conversation}").json()
    (document,) = listed["documents"]
    assert chat.page.request.delete(f"{chat.url}/documents/{document['id']}").ok
    chat.watch.allow("404")
    chat.page.locator(".sources").get_by_role("button").click()
    expect(panel.get_by_role("status")).to_have_text("This document isn’t available any more.")
