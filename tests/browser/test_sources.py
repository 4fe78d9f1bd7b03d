"""What an answer draws on: numbers in its text that lead there, and numbered notes beneath it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat
from tests.browser.scripted import scripted
from tests.support.axe import findings

SOURCES = [
    {
        "n": 2,
        "title": "flood-plan.pdf",
        "source": "uploads/flood-plan.pdf",
        "snippet": "When the gauge at the old bridge passes four metres, the lower streets are closed. " * 6,
        "score": 0.71,
    },
    {
        "n": 1,
        "title": "Snowmelt and its rivers",
        "source": "https://rivers.example/snowmelt",
        "snippet": "A freshet comes when snow melts.",
        "score": 0.93,
    },
    {"n": 3, "title": "<b>Bold</b>", "source": "javascript:alert(1)", "snippet": "", "score": 0.5},
    {"n": 4, "title": "", "source": "", "snippet": "", "score": 0},
]
TEXT = "Snow melts [1], and streets are closed [2]. Nobody knows why [3]; a footnote [9] is not there."


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_they_are_numbered_notes(chat: Chat, device: dict[str, Any]) -> None:
    chat.page.route("**/stream", scripted({"sources": SOURCES}, {"text": TEXT}))
    chat.ask("Why are the streets closed?")
    chat.wait_over()
    notes = chat.page.locator(".sources")
    expect(notes.get_by_role("heading", name="Sources")).to_be_visible()
    expect(notes.get_by_role("listitem")).to_have_count(4)
    expect(notes.locator(".number")).to_have_text(["1", "2", "3", "4"])
    expect(notes.get_by_role("link")).to_have_count(1)
    link = notes.get_by_role("link", name="Snowmelt and its rivers")
    expect(link).to_have_attribute("href", "https://rivers.example/snowmelt")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(notes.get_by_text("<b>Bold</b>")).to_be_visible()
    expect(notes.get_by_text("Source 4")).to_be_visible()
    expect(chat.answers.locator("a.citation")).to_have_text(["1", "2", "3"])
    expect(chat.answers.get_by_text("a footnote [9] is not there")).to_be_visible()
    assert findings(chat.page) == []
    assert not chat.overflows()


def test_an_answer_without_any_has_no_notes(chat: Chat) -> None:
    chat.page.route("**/stream", scripted({"sources": []}, {"text": "I know it by heart."}))
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.page.locator(".sources")).to_be_hidden()


def test_where_their_module_cannot_be_loaded_the_answer_stands_all_the_same(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    chat.page.route("**/turn/sources.js", lambda route: route.abort())
    chat.page.route("**/stream", scripted({"sources": SOURCES}, {"text": TEXT}))
    chat.reload()
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.answers.locator("a.citation")).to_have_text(["1", "2", "3"])
    expect(chat.page.locator(".sources")).to_be_hidden()
