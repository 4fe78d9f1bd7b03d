"""Printing: the whole conversation, black on white, and nothing else."""

import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import end_with, stream_thinking
from tests.browser.chat import DARK, DESK, Chat
from tests.browser.sharing import create_link, share_dialog
from tests.shots.answers import RICH
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

PAPER = {"width": 680, "height": 1000}  # A4 within its margins, in CSS pixels
WIDE = "\n".join(
    ["| " + " | ".join(f"column {n}" for n in range(14)) + " |", "|" + "---|" * 14]
    + ["| " + " | ".join(f"some words {n}" for n in range(14)) + " |"] * 50
)
ANSWERS = [
    f"{RICH}\n\n```python\nx = '{'a long line of code ' * 20}'\n```",
    f"A wide table:\n\n{WIDE}",
    "<details>\n<summary>More</summary>\n\nFolded away on the screen.\n\n</details>",
    "\n\n".join(f"Paragraph {number} of many, with enough words in it for a line." for number in range(90)),
    "Donaudampfschifffahrtsgesellschaft" * 12,
]
CLIPPED = """() => {
    const root = document.querySelector('freshet-chat, #turns').shadowRoot;
    const wrong = [];
    for (const element of root.querySelectorAll('.scroller, .column, .turn, .turn *')) {
        const style = getComputedStyle(element);
        if (element.closest('.visually-hidden, math, .math') || style.display === 'inline') continue;
        const hides = !['visible'].includes(style.overflowX) || !['visible'].includes(style.overflowY);
        if (hides && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1))
            wrong.push(element.className);
        if (element.matches('pre, .table') && element.scrollWidth > element.clientWidth + 1) wrong.push(`${element.localName} is too wide`);
        if (element.matches('.flow :is(p, pre, li, td)') && !element.checkVisibility({ contentVisibilityAuto: true })) wrong.push(`${element.localName} is left out`);
        if (element.getBoundingClientRect().right > innerWidth + 1) wrong.push(`${element.localName}.${element.className} sticks out`);
    }
    return wrong;
}"""
OPENED = """() => {
    const more = document.querySelector('freshet-chat').shadowRoot.querySelector('.flow details p');
    return more.checkVisibility({ contentVisibilityAuto: true }) && more.getBoundingClientRect().height > 0;
}"""


@pytest.fixture
def long_chat(chat: Chat, provider: FakeProvider) -> Chat:
    """A conversation of many pages with every kind of block."""
    for number, text in enumerate([*ANSWERS, *(["A short answer."] * 4)]):
        provider.play(end_with("stop", text))
        chat.ask(f"Question number {number}?" + " And more of it." * 12)
        chat.wait_over()
    return chat


def emulate_print(page: Page) -> Page:
    """Emulate print media on A4."""
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)  # type: ignore[arg-type]
    return page


def count_pages(pdf: bytes) -> int:
    """Count the pages of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    inflated = [pdf]
    for stream in streams:
        try:
            inflated.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return sum(len(re.findall(rb"/Type\s*/Page\b", part)) for part in inflated)


@pytest.mark.parametrize("device", [DESK, DARK], ids=["light", "dark"])
def test_the_whole_conversation_and_nothing_else_is_printed(long_chat: Chat) -> None:
    page = long_chat.page
    title = page.locator(".print-title")
    expect(title).to_be_hidden()
    expect(title).to_contain_text("Question number 0?")
    page.emulate_media(media="print")
    for selector in (".bar", "#side", ".list", ".dock", ".composer", ".turn-actions", ".copy", ".to-bottom"):
        assert all(not one.is_visible() for one in page.locator(selector).all()), selector
    emulate_print(page)
    expect(title).to_be_visible()
    expect(page.locator(".turn")).to_have_count(9)
    assert all(one.is_visible() for one in page.locator(".turn .question, .turn .answer > .flow").all())
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(OPENED), "folded blocks are open in print"
    height = page.evaluate("document.scrollingElement.scrollHeight")
    last = page.locator(".turn").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= height + 1
    assert height > 3 * PAPER["height"], "the page is as long as the conversation"


@pytest.mark.parametrize("device", [DESK, DARK], ids=["light", "dark"])
def test_it_is_black_on_white(long_chat: Chat) -> None:
    page = emulate_print(long_chat.page)
    colours = page.evaluate(
        """() => {
            const root = document.querySelector('freshet-chat').shadowRoot;
            return [getComputedStyle(document.body).backgroundColor,
                getComputedStyle(root.querySelector('.question')).color, getComputedStyle(root.querySelector('.flow p')).color];
        }"""
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)", "rgb(0, 0, 0)"]


def test_a_pdf_has_all_pages(long_chat: Chat) -> None:
    count = count_pages(long_chat.page.pdf(format="A4"))
    assert 6 <= count <= 18, count


def test_thinking_is_printed_only_where_unfolded(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_thinking("First this, then that.", "An answer."))
    chat.ask("Why?")
    chat.wait_over()
    chat.page.emulate_media(media="print")
    expect(chat.page.locator(".thinking")).to_be_hidden()
    chat.page.emulate_media(media="screen")
    chat.page.locator(".thinking summary").click()
    chat.page.emulate_media(media="print")
    expect(chat.page.get_by_text("First this, then that.")).to_be_visible()


def test_a_shared_page_prints_the_same_way(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(end_with("stop", f"{RICH}\n\n{WIDE}"))
    chat: Any = open_chat(server.url)
    chat.ask("What is a freshet?")
    chat.wait_over()
    chat.page.goto(create_link(share_dialog(chat)))
    expect(chat.page.locator(".meta")).to_be_visible()
    emulate_print(chat.page)
    expect(chat.page.locator(".bar")).to_be_hidden()
    expect(chat.page.get_by_role("heading", level=1)).to_be_visible()
    assert chat.page.evaluate(CLIPPED) == []
