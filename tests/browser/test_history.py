"""Conversations are kept on the server: found again, listed, searched, renamed, deleted and brought back."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.browser.answers import TEXT, begun, held
from tests.browser.chat import DESK, NETWORK, PHONE, Chat, Watch
from tests.faults.test_store_sqlite import locked
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

ADDRESS = re.compile(r"\?c=[A-Za-z0-9_-]{22}$")


def saying(*texts: str) -> list[Answer]:
    return [Answer(steps=openai([text])) for text in texts]


def list_of(chat: Chat) -> Locator:
    return chat.page.get_by_role("navigation", name="Conversations")


def rows(chat: Chat) -> Locator:
    return list_of(chat).locator(".groups a[href*='?c=']")


def begin(chat: Chat, *questions: str) -> None:
    """Ask each in a new conversation."""
    for question in questions:
        if chat.page.locator(".turn").count():
            chat.page.get_by_role("button", name="New chat").click()
        chat.ask(question)
        chat.wait_over()
        expect(rows(chat).first).to_have_text(question)


def deed(chat: Chat, title: str, name: str) -> None:
    """Do something to a listed conversation."""
    more = list_of(chat).get_by_role("button", name=f"More about “{title}”")
    more.focus()
    more.press("Enter")
    list_of(chat).get_by_role("button", name=name, exact=True).click()


def test_a_conversation_has_an_address_that_another_tab_can_open(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(saying("One.", "Two."))
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


def test_another_tab_joins_the_answer_that_is_being_made(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate))
    chat.ask("At length")
    chat.wait_chars(50)
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.stop).to_be_visible()
    gate.set()
    assert twin.wait_over()["text"] == chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 1


def test_back_and_forward_and_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two."))
    begin(chat, "First", "Second")
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


def test_leaving_stops_nothing_and_the_list_shows_what_runs(chat: Chat, provider: FakeProvider) -> None:
    provider.play([begun(), *saying("Two.")])
    chat.ask("First")
    chat.wait_chars(40)
    first = chat.page.url
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.stop).to_have_count(0)
    expect(rows(chat).first.get_by_role("img", name="An answer is being made")).to_be_visible()
    chat.ask("Second")
    chat.wait_over()
    list_of(chat).get_by_role("link", name="First").click()
    expect(chat.page).to_have_url(first)
    expect(chat.stop).to_be_visible()
    chat.wait_chars(40)
    chat.stop.click()
    chat.wait_over()
    expect(list_of(chat).get_by_role("img", name="An answer is being made")).to_have_count(0)
    assert len(provider.calls) == 2


def test_what_is_not_there_is_said(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One."))
    chat.watch.allow(NETWORK)
    chat.page.goto(f"{chat.url}/?c={'A' * 22}")
    expect(chat.page.get_by_role("heading", name="This conversation is not here.")).to_be_visible()
    chat.ask("First")
    expect(chat.answers).to_have_text(["One."])
    assert "A" * 22 not in chat.page.url


def test_without_the_doors_of_conversations_the_chat_goes_on(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    chat.watch.allow(NETWORK)
    provider.play(saying("One.", "Two."))
    context.route(re.compile("/conversations"), lambda route: route.abort())
    chat.ask("First")
    chat.wait_over()
    chat.reload()
    expect(list_of(chat)).to_contain_text("The list can’t be loaded now.")
    expect(chat.answers).to_have_text(["One."])
    chat.ask("Second")
    expect(chat.answers).to_have_text(["One.", "Two."])
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.page.get_by_role("heading", name="can’t be loaded now")).to_be_visible()
    context.unroute_all()
    twin.retry.click()
    expect(twin.answers).to_have_text(["One.", "Two."])


def test_the_page_does_not_wait_for_the_list(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One."))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    chat.page.route(re.compile("/conversations"), hold)
    chat.reload()
    chat.ask("First")
    expect(chat.answers).to_have_text(["One."])
    assert held
    for route in held:
        route.abort()
    chat.watch.allow(NETWORK)


def test_instructions_that_are_taken_back_hold_no_more(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two."))
    for text, question in (("Be brief.", "First"), ("", "Second")):
        chat.page.get_by_role("button", name="Settings").click()
        chat.page.get_by_label("Instructions").fill(text)
        with chat.page.expect_response(re.compile("/conversations/")) if not text else nullcontext():
            chat.page.get_by_role("button", name="Save", exact=True).click()
        chat.ask(question)
        chat.wait_over()
    assert provider.calls[0].json["messages"][0] == {"role": "system", "content": "Be brief."}
    assert provider.calls[1].json["messages"][0]["role"] == "user"


def test_escape_in_the_list_stops_no_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    list_of(chat).get_by_role("searchbox").press("Escape")
    chat.field.press_sequentially("still")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    chat.wait_over()


def test_an_answer_that_is_not_saved_yet_says_so(
    open_chat: Callable[[str], Chat], provider: FakeProvider
) -> None:
    provider.play(saying("One."))
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env, dirty_log=True) as server:
        chat = open_chat(server.url)
        chat.watch.allow(NETWORK)
        with locked(server):
            chat.ask("First")
            assert chat.wait_over(40_000)["text"] == "One."
            expect(chat.notice).to_have_text("This answer is not saved yet.")


def test_the_list_is_in_order_and_leads_to_each(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two.", "More."))
    begin(chat, "First", "Second")
    expect(rows(chat)).to_have_text(["Second", "First"])
    expect(list_of(chat).get_by_role("heading", name="Today")).to_be_visible()
    expect(rows(chat).first).to_have_attribute("aria-current", "page")
    rows(chat).last.click()
    expect(chat.answers).to_have_text(["One."])
    expect(rows(chat).last).to_have_attribute("aria-current", "page")
    expect(rows(chat).first).not_to_have_attribute("aria-current", "page")
    chat.ask("And?")
    expect(rows(chat)).to_have_text(["First", "Second"])


def test_search_finds_words_of_answers(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("Stripes of zebras.", "Nothing."))
    begin(chat, "First", "Second")
    field = list_of(chat).get_by_role("searchbox")
    field.press_sequentially("zebra")
    expect(rows(chat)).to_have_text(["First"])
    field.fill("lions")
    expect(rows(chat)).to_have_count(0)
    expect(list_of(chat).get_by_role("status").first).to_have_text("Nothing found.")
    field.fill("")
    expect(rows(chat)).to_have_count(2)


def test_a_title_can_be_changed_in_its_place(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One."))
    begin(chat, "First")
    deed(chat, "First", "Rename")
    field = list_of(chat).get_by_role("textbox", name="Title")
    expect(field).to_be_focused()
    field.fill("Not this")
    field.press("Escape")
    expect(rows(chat)).to_have_text(["First"])
    deed(chat, "First", "Rename")
    field.fill("<b>Rivers</b>")
    field.press("Enter")
    expect(rows(chat)).to_have_text(["<b>Rivers</b>"])
    expect(rows(chat)).to_be_focused()
    chat.reload()
    expect(rows(chat)).to_have_text(["<b>Rivers</b>"])


def test_a_deletion_can_be_undone(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One.", "Two."))
    begin(chat, "First", "Second")
    deed(chat, "Second", "Delete")
    expect(rows(chat)).to_have_text(["First"])
    expect(chat.page.locator(".turn")).to_have_count(0)
    undo = list_of(chat).get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    undo.press("Enter")
    expect(rows(chat)).to_have_text(["Second", "First"])
    expect(chat.answers).to_have_text(["Two."])
    deed(chat, "First", "Delete")
    expect(rows(chat)).to_have_text(["Second"])
    expect(chat.answers).to_have_text(["Two."])
    chat.reload()
    expect(rows(chat)).to_have_text(["Second"])


def test_more_come_as_one_scrolls(chat: Chat, server: Server) -> None:
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
    asked: list[str] = []
    chat.page.on("request", lambda one: "/conversations?" in one.url and asked.append(one.url))
    chat.reload()
    expect(rows(chat)).to_have_count(50)
    assert len(asked) == 1, "what is far below is not asked for"
    for _ in range(2):
        list_of(chat).locator(".rows").evaluate("rows => rows.scrollTo(0, rows.scrollHeight)")
        expect(rows(chat)).not_to_have_count(50)
    expect(rows(chat)).to_have_count(120)
    titles = rows(chat).all_text_contents()
    assert len(set(titles)) == 120


def test_the_file_of_a_conversation(chat: Chat, provider: FakeProvider) -> None:
    provider.play(saying("One."))
    begin(chat, "First")
    more = list_of(chat).get_by_role("button", name="More about “First”")
    more.focus()
    more.press("Enter")
    with chat.page.expect_download() as saved:
        list_of(chat).get_by_role("link", name="Save as Markdown").click()
    assert saved.value.suggested_filename == "First.md"
    assert "One." in saved.value.path().read_text()
    more.focus()
    chat.page.keyboard.press("Tab")
    chat.page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")


def test_the_list_folds_away_for_good(chat: Chat) -> None:
    button = chat.page.get_by_role("button", name="Conversations")
    expect(list_of(chat)).to_be_visible()
    button.click()
    expect(list_of(chat)).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")
    chat.reload()
    expect(list_of(chat)).to_be_hidden()
    button.click()
    expect(list_of(chat)).to_be_visible()


@pytest.mark.parametrize("device", [PHONE])
def test_on_a_phone_the_list_is_a_drawer(chat: Chat, provider: FakeProvider, device: dict[str, Any]) -> None:
    provider.play(saying("One."))
    chat.ask("First")
    chat.wait_over()
    button = chat.page.get_by_role("button", name="Conversations")
    expect(list_of(chat)).to_be_hidden()
    button.click()
    drawer = chat.page.get_by_role("dialog", name="Conversations")
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
def test_no_fault_is_found_in_the_list(
    context: BrowserContext, server: Server, provider: FakeProvider, watch: Watch, device: dict[str, Any]
) -> None:
    provider.play(saying("One."))
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    page.locator("textarea").last.fill("First")
    page.locator("textarea").last.press("Enter")
    page.locator(".list .more").click()
    expect(page.locator(".list .deeds")).to_be_visible()
    assert findings(page) == []
    page.locator(".list .deeds .danger").click()
    expect(page.locator(".list .undo")).to_be_visible()
    assert findings(page) == []
