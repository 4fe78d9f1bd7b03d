"""Stored conversations: addresses, list, search, renaming, deletion and undo."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.browser.answers import TEXT, hold_halfway, stream_then_stall
from tests.browser.chat import DESK, NETWORK, PHONE, Chat, Watch
from tests.faults.test_store_sqlite import locked
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

ADDRESS = re.compile(r"\?c=[A-Za-z0-9_-]{22}$")


def stream_texts(*texts: str) -> list[Answer]:
    return [Answer(steps=openai([text])) for text in texts]


def chat_list(chat: Chat) -> Locator:
    return chat.page.get_by_role("navigation", name="Chats")


def rows(chat: Chat) -> Locator:
    return chat_list(chat).locator(".groups a[href*='?c=']")


def ask_in_new_chats(chat: Chat, *questions: str) -> None:
    """Ask each question in a new conversation."""
    for question in questions:
        if chat.page.locator(".turn").count():
            chat.page.get_by_role("button", name="New chat").click()
        chat.ask(question)
        chat.wait_over()
        expect(rows(chat).first).to_have_text(question)


def press_menu_item(chat: Chat, title: str, name: str) -> None:
    """Press an item in a listed conversation's menu."""
    more = chat_list(chat).get_by_role("button", name=f"Options for “{title}”")
    more.focus()
    more.press("Enter")
    chat_list(chat).get_by_role("button", name=name, exact=True).click()


def test_a_conversation_has_an_address_that_another_tab_can_open(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(stream_texts("One.", "Two."))
    chat.ask("First")
    chat.wait_over()
    expect(chat.page).to_have_url(ADDRESS)
    chat.ask("Second")
    expect(chat.answers.last).to_have_text("Two.")
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.answers).to_have_text(["One.", "Two."])
    expect(twin.page.locator(".question")).to_have_text(["First", "Second"])
    expect(twin.meta.last).to_contain_text("gpt-4.1")
    assert len(provider.calls) == 2


def test_another_tab_joins_a_running_answer(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate))
    chat.ask("At length")
    chat.wait_chars(50)
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.stop).to_be_visible()
    gate.set()
    assert twin.wait_over()["text"] == chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 1


def test_back_forward_and_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two."))
    ask_in_new_chats(chat, "First", "Second")
    second = chat.page.url
    chat.page.go_back()
    expect(chat.page.locator(".turn")).to_have_count(0)
    chat.page.go_back()
    expect(chat.page.locator(".question")).to_have_text(["First"])
    first = chat.page.url
    assert first != second
    chat.reload()
    expect(chat.answers).to_have_text(["One."])
    chat.page.go_forward()
    chat.page.go_forward()
    expect(chat.answers).to_have_text(["Two."])
    assert len(provider.calls) == 2


def test_an_answer_keeps_running_after_leaving_and_the_list_shows_it(
    chat: Chat, provider: FakeProvider
) -> None:
    provider.play([stream_then_stall(), *stream_texts("Two.")])
    chat.ask("First")
    chat.wait_chars(40)
    first = chat.page.url
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.stop).to_have_count(0)
    expect(rows(chat).first.get_by_role("img", name="Generating…")).to_be_visible()
    chat.ask("Second")
    chat.wait_over()
    chat_list(chat).get_by_role("link", name="First").click()
    expect(chat.page).to_have_url(first)
    expect(chat.stop).to_be_visible()
    chat.wait_chars(40)
    chat.stop.click()
    chat.wait_over()
    expect(chat_list(chat).get_by_role("img", name="Generating…")).to_have_count(0)
    assert len(provider.calls) == 2


def test_an_unknown_conversation_is_reported(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One."))
    chat.watch.allow(NETWORK)
    chat.page.goto(f"{chat.url}/?c={'A' * 22}")
    expect(chat.page.get_by_role("heading", name="Conversation not found.")).to_be_visible()
    chat.ask("First")
    expect(chat.answers).to_have_text(["One."])
    assert "A" * 22 not in chat.page.url


def test_chatting_works_without_the_conversation_endpoints(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    chat.watch.allow(NETWORK)
    provider.play(stream_texts("One.", "Two."))
    context.route(re.compile("/conversations"), lambda route: route.abort())
    chat.ask("First")
    chat.wait_over()
    chat.reload()
    expect(chat_list(chat)).to_contain_text("Couldn’t load your chats.")
    expect(chat.answers).to_have_text(["One."])
    chat.ask("Second")
    expect(chat.answers).to_have_text(["One.", "Two."])
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.page.get_by_role("heading", name="Couldn’t load this conversation")).to_be_visible()
    context.unroute_all()
    twin.retry.click()
    expect(twin.answers).to_have_text(["One.", "Two."])


def test_the_page_does_not_wait_for_the_list(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One."))
    hold_halfway: list[Route] = []

    def hold(route: Route) -> None:
        hold_halfway.append(route)

    chat.page.route(re.compile("/conversations"), hold)
    chat.reload()
    chat.ask("First")
    expect(chat.answers).to_have_text(["One."])
    assert hold_halfway
    for route in hold_halfway:
        route.abort()
    chat.watch.allow(NETWORK)


def test_cleared_instructions_no_longer_apply(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two."))
    for text, question in (("Be brief.", "First"), ("", "Second")):
        chat.page.get_by_role("button", name="Settings").click()
        chat.page.get_by_label("Instructions").fill(text)
        with chat.page.expect_response(re.compile("/conversations/")) if not text else nullcontext():
            chat.page.get_by_role("button", name="Save", exact=True).click()
        chat.ask(question)
        chat.wait_over()
    assert provider.calls[0].json["messages"][0] == {"role": "system", "content": "Be brief."}
    assert provider.calls[1].json["messages"][0]["role"] == "user"


def test_escape_in_the_list_does_not_stop_the_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    chat_list(chat).get_by_role("searchbox").press("Escape")
    chat.field.press_sequentially("still")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    chat.wait_over()


def test_an_unsaved_answer_shows_a_notice(open_chat: Callable[[str], Chat], provider: FakeProvider) -> None:
    provider.play(stream_texts("One."))
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env, dirty_log=True) as server:
        chat = open_chat(server.url)
        chat.watch.allow(NETWORK)
        with locked(server):
            chat.ask("First")
            assert chat.wait_over(40_000)["text"] == "One."
            expect(chat.notice).to_have_text("This response isn’t saved yet.")


def test_the_list_is_ordered_and_opens_each_conversation(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two.", "More."))
    ask_in_new_chats(chat, "First", "Second")
    expect(rows(chat)).to_have_text(["Second", "First"])
    expect(chat_list(chat).get_by_role("heading", name="Today")).to_be_visible()
    expect(rows(chat).first).to_have_attribute("aria-current", "page")
    rows(chat).last.click()
    expect(chat.answers).to_have_text(["One."])
    expect(rows(chat).last).to_have_attribute("aria-current", "page")
    expect(rows(chat).first).not_to_have_attribute("aria-current", "page")
    chat.ask("And?")
    expect(rows(chat)).to_have_text(["First", "Second"])


def test_search_finds_text_in_answers(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("Stripes of zebras.", "Nothing."))
    ask_in_new_chats(chat, "First", "Second")
    field = chat_list(chat).get_by_role("searchbox")
    field.press_sequentially("zebra")
    expect(rows(chat)).to_have_text(["FirstStripes of zebras."])  # the title, and where the words are
    field.fill("lions")
    expect(rows(chat)).to_have_count(0)
    expect(chat_list(chat).get_by_role("status").first).to_have_text("No results")
    field.fill("")
    expect(rows(chat)).to_have_count(2)


def test_a_title_is_edited_in_place(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One."))
    ask_in_new_chats(chat, "First")
    press_menu_item(chat, "First", "Rename")
    field = chat_list(chat).get_by_role("textbox", name="Title")
    expect(field).to_be_focused()
    field.fill("Not this")
    field.press("Escape")
    expect(rows(chat)).to_have_text(["First"])
    press_menu_item(chat, "First", "Rename")
    field.fill("<b>Rivers</b>")
    field.press("Enter")
    expect(rows(chat)).to_have_text(["<b>Rivers</b>"])
    expect(rows(chat)).to_be_focused()
    chat.reload()
    expect(rows(chat)).to_have_text(["<b>Rivers</b>"])


def test_a_deletion_can_be_undone(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two."))
    ask_in_new_chats(chat, "First", "Second")
    press_menu_item(chat, "Second", "Delete")
    expect(rows(chat)).to_have_text(["First"])
    expect(chat.page.locator(".turn")).to_have_count(0)
    undo = chat_list(chat).get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    undo.press("Enter")
    expect(rows(chat)).to_have_text(["Second", "First"])
    expect(chat.answers).to_have_text(["Two."])
    press_menu_item(chat, "First", "Delete")
    expect(rows(chat)).to_have_text(["Second"])
    expect(chat.answers).to_have_text(["Two."])
    chat.reload()
    expect(rows(chat)).to_have_text(["Second"])


def test_scrolling_loads_more_conversations(chat: Chat, server: Server) -> None:
    made = chat.page.evaluate(
        """async () => {
            for (let at = 0; at < 120; at++) {
                const message = {id: 'q', parent: null, role: 'user', content: [{type: 'text', text: 'One?'}], created_at: 1};
                const body = JSON.stringify({freshet: 1, title: `Number ${at}`, messages: [message]});
                const made = await fetch('conversations/import', {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
                if (!made.ok) return await made.text();
            }
        }"""
    )
    assert made is None
    urls: list[str] = []
    chat.page.on("request", lambda one: "/conversations?" in one.url and urls.append(one.url))
    chat.reload()
    expect(rows(chat)).to_have_count(50)
    assert len(urls) == 1, "pages far below are not requested"
    for _ in range(2):
        chat_list(chat).locator(".rows").evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
        expect(rows(chat)).not_to_have_count(50)
    expect(rows(chat)).to_have_count(120)
    titles = rows(chat).all_text_contents()
    assert len(set(titles)) == 120


def test_a_conversation_is_saved_as_a_file(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_texts("One."))
    ask_in_new_chats(chat, "First")
    more = chat_list(chat).get_by_role("button", name="Options for “First”")
    more.focus()
    more.press("Enter")
    with chat.page.expect_download() as saved:
        chat_list(chat).get_by_role("link", name="Save as Markdown").click()
    assert saved.value.suggested_filename == "First.md"
    assert "One." in saved.value.path().read_text()
    more.focus()
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")


def test_a_folded_list_stays_folded(chat: Chat) -> None:
    button = chat.page.get_by_role("button", name="Chats")
    expect(chat_list(chat)).to_be_visible()
    button.click()
    expect(chat_list(chat)).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    chat.reload()
    expect(chat_list(chat)).to_be_hidden()
    button.click()
    expect(chat_list(chat)).to_be_visible()


@pytest.mark.parametrize("device", [PHONE])
def test_on_a_phone_the_list_is_a_drawer(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    provider.play(stream_texts("One."))
    chat.ask("First")
    chat.wait_over()
    button = chat.page.get_by_role("button", name="Chats")
    expect(chat_list(chat)).to_be_hidden()
    button.click()
    drawer = chat.page.get_by_role("dialog", name="Chats")
    expect(drawer.get_by_role("button", name="Close", exact=True)).to_be_focused()
    expect(rows(chat)).to_have_text(["First"])
    assert findings(chat.page) == []
    for target in drawer.locator("a:visible, button:visible, input:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    chat.page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(button).to_be_focused()
    chat.page.get_by_role("button", name="New chat").click()
    button.click()
    rows(chat).first.click()
    expect(drawer).to_be_hidden()
    expect(chat.answers).to_have_text(["One."])


@pytest.mark.parametrize("device", [DESK, DESK | {"color_scheme": "dark"}, DESK | {"locale": "ar"}])
def test_axe_finds_nothing_in_the_list(
    context: BrowserContext, server: Server, provider: FakeProvider, watch: Watch, device: dict[str, Any]
) -> None:
    provider.play(stream_texts("One."))
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    page.locator("textarea").last.fill("First")
    page.locator("textarea").last.press("Enter")
    page.locator(".list .more").click()
    expect(page.locator(".list .row-actions")).to_be_visible()
    assert findings(page) == []
    page.locator(".list .row-actions .danger").click()
    expect(page.locator(".list .undo")).to_be_visible()
    assert findings(page) == []
