"""Sources: references in the text and numbered notes below it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat
from tests.browser.scripted import respond_with_frames
from tests.browser.sharing import share_and_close
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Step

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
def test_sources_are_numbered_notes(chat: Chat, device: dict[str, Any]) -> None:
    chat.page.route("**/stream", respond_with_frames({"sources": SOURCES}, {"text": TEXT}))
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


def test_an_answer_without_sources_has_no_notes(chat: Chat) -> None:
    chat.page.route("**/stream", respond_with_frames({"sources": []}, {"text": "I know it by heart."}))
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.page.locator(".sources")).to_be_hidden()


def test_an_answer_is_shown_when_the_sources_module_fails_to_load(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    chat.page.route("**/turn/sources.js", lambda route: route.abort())
    chat.page.route("**/stream", respond_with_frames({"sources": SOURCES}, {"text": TEXT}))
    chat.reload()
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.answers.locator("a.citation")).to_have_text(["1", "2", "3"])
    expect(chat.page.locator(".sources")).to_be_hidden()


def cited(text: str, *addresses: str) -> bytes:
    """Return a chunk with a list of addresses beside the choices."""
    chunk = {
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}],
        "citations": list(addresses),
        "search_results": [{"title": f"Page {n}", "url": url} for n, url in enumerate(addresses, 1)],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def test_n23_a_provider_s_citations_lead_to_their_sources_here_after_a_reload_and_in_a_link(
    chat: Chat, provider: FakeProvider
) -> None:
    addresses = ("https://a.example/1", "https://b.example/2?x=1&y=2")
    provider.play([Answer(steps=[cited("Sky is blue [1]. And [2].", *addresses)])])
    page = chat.page

    def check() -> None:
        """Expect both citations and both notes to lead to their sources."""
        citations = page.locator("a.citation")
        expect(citations).to_have_text(["1", "2"])
        for number, address in enumerate(addresses):
            expect(citations.nth(number)).to_have_attribute("href", address)
            link = page.locator(".sources").get_by_role("link", name=f"Page {number + 1}")
            expect(link).to_have_attribute("href", address)

    chat.ask("Why?")
    chat.wait_over()
    check()
    link = share_and_close(chat)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")  # only the server has it now
    chat.reload()
    check()
    page.goto(link)
    check()
    assert findings(page) == []


def test_only_web_addresses_are_links(chat: Chat) -> None:
    sources = [{"n": 1, "title": "Mail", "source": "mailto:a@b.example"}, {"n": 2, "title": "No address"}]
    chat.page.route("**/stream", respond_with_frames({"sources": sources}, {"text": "See [1] and [2]."}))
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.page.locator(".sources li")).to_have_text(["1Mail", "2No address"])
    expect(chat.page.locator(".sources").get_by_role("link")).to_have_count(0)
    assert chat.page.locator("a.citation[href]").count() == 0


@pytest.mark.parametrize(
    "frames",
    [
        [{"text": "Sky [1] and"}, {"sources": SOURCES}, {"text": " sea [2]."}],
        [{"text": "Sky ["}, {"sources": SOURCES}, {"text": "1] and sea [2]."}],
        [{"sources": SOURCES[1:2]}, {"text": "Sky [1] and sea [2]."}, {"sources": SOURCES}],
        [{"sources": SOURCES[1:]}, {"text": "Sky [1]"}, {"sources": SOURCES}, {"text": " and sea [2]."}],
    ],
)
def test_sources_may_come_before_in_and_after_the_text_that_cites_them(
    chat: Chat, frames: list[dict[str, Any]]
) -> None:
    chat.page.route("**/stream", respond_with_frames(*frames))
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.answers.locator("a.citation")).to_have_text(["1", "2"])
    expect(chat.answers).to_contain_text("Sky 1 and sea 2.")


def test_sources_that_the_text_does_not_cite_leave_it_untouched(chat: Chat, provider: FakeProvider) -> None:
    """The elements that are drawn stay: a selection in them survives."""
    release = threading.Event()
    late = {"delta": {"annotations": [{"type": "url_citation", "url": "https://a.example/"}]}}

    def steps() -> Iterator[Step]:
        yield from openai(["First paragraph.\n\nSecond"], finish=None, done=False)
        while not release.is_set():
            yield 0.02
        yield b"data: " + json.dumps({"choices": [late]}).encode() + b"\n\n"
        yield from openai([" paragraph, citing [1]."])

    provider.play([Answer(steps=steps)])
    chat.ask("Why?")
    first = chat.answers.get_by_text("First paragraph.")
    expect(first).to_be_visible()
    first.evaluate("element => (element.dataset.kept = 'yes')")
    release.set()
    chat.wait_over()
    expect(chat.answers.locator("a.citation")).to_have_attribute("href", "https://a.example/")
    expect(first).to_have_attribute("data-kept", "yes")


def test_citations_side_by_side(chat: Chat) -> None:
    text = "Sky [1][2], sea [2][1]. In **bold [1]** and `code [1]`.\n\n| a [1] |\n|---|\n| b [2][1] |\n"
    chat.page.route("**/stream", respond_with_frames({"sources": SOURCES}, {"text": text}))
    chat.ask("Why?")
    chat.wait_over()
    expect(chat.answers.locator("a.citation")).to_have_text(["1", "2", "2", "1", "1", "1", "2", "1"])
    expect(chat.answers.locator("code")).to_have_text("code [1]")
