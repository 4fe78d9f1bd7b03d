"""The list of conversations: its menu, its keys, the skip link; a folded question; what floats."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.answers import stream_text
from tests.browser.chat import PHONE, Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer


@pytest.fixture
def rows(chat: Chat, provider: FakeProvider) -> Locator:
    """Three conversations, the last one open."""
    provider.play(stream_text("Fine.", per_s=2_000))
    links = chat.page.locator(".line a")  # a menu has links too
    for number, title in enumerate(("Alpha", "Beta", "Gamma")):
        if number:
            chat.page.get_by_role("button", name="New chat").click()
        chat.ask(title)
        chat.wait_over()
        expect(links).to_have_count(number + 1)
    return links


def top(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["y"]


def test_the_menu_of_a_row_moves_no_other_row(chat: Chat, rows: Locator) -> None:
    before = [top(rows.nth(at)) for at in range(3)]
    rows.nth(1).hover()
    more = chat.page.get_by_role("button", name="Options for “Beta”")
    more.click()
    menu = chat.page.locator(".row-actions:popover-open")
    expect(menu.get_by_role("button", name="Rename")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    assert [top(rows.nth(at)) for at in range(3)] == before
    more.click()
    expect(menu).to_be_hidden()
    expect(more).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("how", ["button", "key", "escape", "elsewhere"])
def test_the_menu_of_a_row_closes(chat: Chat, rows: Locator, how: str) -> None:
    rows.nth(1).hover()
    chat.page.get_by_role("button", name="Options for “Beta”").click()
    menu = chat.page.locator(".row-actions:popover-open")
    expect(menu).to_be_visible()
    match how:
        case "button":
            chat.page.get_by_role("button", name="New chat").click()
        case "key":
            chat.page.evaluate("document.querySelector('freshet-chat').show('')")
        case "escape":
            chat.page.keyboard.press("Escape")
        case _:
            chat.page.mouse.click(640, 300)
    expect(menu).to_be_hidden()


def test_the_list_is_one_tab_stop_with_arrow_keys(chat: Chat, rows: Locator) -> None:
    chat.page.get_by_role("button", name="Import chat").focus()
    chat.page.keyboard.press("Tab")
    expect(rows.nth(0)).to_be_focused()  # the open conversation
    chat.page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    chat.page.keyboard.press("End")
    expect(rows.nth(2)).to_be_focused()
    chat.page.keyboard.press("ArrowRight")
    expect(chat.page.get_by_role("button", name="Options for “Alpha”")).to_be_focused()
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.press("Tab")
    expect(chat.page.get_by_role("button", name="Rename")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("button", name="Options for “Alpha”")).to_be_focused()
    chat.page.keyboard.press("ArrowLeft")
    chat.page.keyboard.press("ArrowUp")
    expect(rows.nth(1)).to_be_focused()
    chat.page.keyboard.press("Shift+Tab")
    chat.page.keyboard.press("Tab")
    expect(rows.nth(1)).to_be_focused()  # where it was left
    chat.page.keyboard.press("Tab")
    assert chat.page.evaluate("document.activeElement.localName") == "freshet-chat"


def test_a_skip_link_leads_to_the_chat(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Chats", exact=True).focus()
    chat.page.keyboard.press("Shift+Tab")  # it is the first
    skip = chat.page.get_by_role("link", name="Skip to chat")
    expect(skip).to_be_focused()
    assert top(skip) >= 0
    chat.page.keyboard.press("Enter")
    expect(chat.field).to_be_focused()
    assert "#" not in chat.page.url


@pytest.mark.parametrize("device", [PHONE], ids=["phone"])
def test_no_hover_sticks_after_a_tap(chat: Chat) -> None:
    """A finger's last tap leaves `:hover` on what it touched, so no rule may apply it there."""
    sticky = chat.page.evaluate(
        """() => {
            const sheets = [...document.styleSheets, ...document.adoptedStyleSheets,
                ...document.querySelector('freshet-chat').shadowRoot.adoptedStyleSheets];
            const found = [];
            const look = (rules, isGuarded) => {
                for (const rule of rules) {
                    if (rule instanceof CSSMediaRule) look(rule.cssRules, isGuarded || rule.conditionText.includes('hover: hover'));
                    else if (rule.selectorText?.includes(':hover') && !isGuarded) found.push(rule.selectorText);
                }
            };
            for (const sheet of sheets) look(sheet.cssRules, false);
            return found;
        }"""
    )
    assert sticky == []


def test_a_long_question_is_folded(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text("Fine.", per_s=2_000))
    chat.page.evaluate(
        "document.querySelector('freshet-chat').ask(Array.from({length: 120}, (_, at) => `line ${at}`).join('\\n'))"
    )
    chat.wait_over()
    question = chat.page.locator(".question")
    box = question.bounding_box()
    assert box is not None
    assert box["height"] < 400
    more = chat.page.get_by_role("button", name="Show more")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    box = question.bounding_box()
    assert box is not None
    assert box["height"] > 1_500
    chat.page.get_by_role("button", name="Show less").click()
    box = question.bounding_box()
    assert box is not None
    assert box["height"] < 400


@pytest.mark.parametrize("device", [PHONE], ids=["phone"])
def test_a_notice_covers_no_action(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    for _ in range(3):
        chat.ask("Tell me")
        chat.wait_over()
    chat.page.locator("freshet-chat input[type=file]").set_input_files(
        [
            {"name": f"{'long-name-' * 9}{at}.txt", "mimeType": "image/png", "buffer": b"no image"}
            for at in range(2)
        ]
    )
    expect(chat.notice).to_be_visible()
    copy = chat.page.get_by_role("button", name="Copy as Markdown").last
    box, notice = copy.bounding_box(), chat.notice.bounding_box()
    assert box is not None
    assert notice is not None
    assert notice["height"] > 60
    assert box["y"] + box["height"] <= notice["y"]


@pytest.mark.parametrize(("text", "levels"), [("## A\n\n### B\n\n## C", [3, 4, 3]), ("# A\n\n## B", [3, 4])])
def test_headings_have_no_gap_below_the_message(
    chat: Chat, provider: FakeProvider, text: str, levels: list[int]
) -> None:
    provider.play(Answer(steps=openai([text])))
    chat.ask("Headings")
    chat.wait_over()
    for name, level in zip("ABC", levels, strict=False):
        expect(chat.log.get_by_role("heading", name=name, exact=True, level=level)).to_be_visible()


def test_the_placeholder_is_where_an_arabic_text_begins(chat: Chat) -> None:
    chat.page.evaluate("document.documentElement.dir = 'rtl'")
    for field in (chat.field, chat.page.get_by_role("searchbox", name=re.compile("Search"))):
        assert field.evaluate("field => getComputedStyle(field).direction") == "rtl"
        field.fill("English")
        assert field.evaluate("field => getComputedStyle(field).direction") == "ltr"
