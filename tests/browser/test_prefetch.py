"""Prefetching: the addressed conversation is fetched while the page loads."""

from playwright.sync_api import BrowserContext, Request, Route, expect

from tests.browser.chat import Chat
from tests.shots.seeds import IMPORT, conversation
from tests.support.dialects import openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, paced


def import_conversation(chat: Chat) -> str:
    """Import a conversation and return its id."""
    return str(chat.page.evaluate(IMPORT, conversation(2)))


def test_the_conversation_is_fetched_once_before_the_page_runs(context: BrowserContext, chat: Chat) -> None:
    name = import_conversation(chat)
    page = context.new_page()
    requests: list[Request] = []
    page.on(
        "request",
        lambda request: requests.append(request) if request.url.endswith(f"/conversations/{name}") else None,
    )
    pending: list[Route] = []

    def hold(route: Route) -> None:
        pending.append(route)

    page.route("**/page.js", hold)
    with page.expect_response(f"**/conversations/{name}"):
        page.goto(f"{chat.url}/?c={name}", wait_until="commit")
    assert len(pending) == 1, "the page has not run yet"
    pending[0].continue_()
    expect(page.get_by_role("log").locator(".answer")).to_contain_text("Message 1x.")
    assert len(requests) == 1


def test_a_failed_prefetch_is_retried_by_the_page(context: BrowserContext, chat: Chat) -> None:
    name = import_conversation(chat)
    page = context.new_page()
    cut: list[Route] = []

    def once(route: Route) -> None:
        if cut:
            route.continue_()
        else:
            cut.append(route)
            route.abort()

    page.route(f"**/conversations/{name}", once)
    page.goto(f"{chat.url}/?c={name}")
    expect(page.get_by_role("log").locator(".answer")).to_contain_text("Message 1x.")
    assert len(cut) == 1


def test_an_unused_prefetch_is_not_shown_later(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=list(paced([openai_delta("Slowly. ")] * 400, 100))))
    chat.ask("At length")
    chat.wait_chars(20)
    name = chat.page.evaluate("() => document.querySelector('freshet-chat').conversation")
    chat.reload()
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    chat.wait_over()
    with chat.page.expect_request(f"**/conversations/{name}"):
        chat.page.evaluate("id => document.querySelector('freshet-chat').show(id)", name)


def test_an_address_without_a_conversation_prefetches_nothing(context: BrowserContext, chat: Chat) -> None:
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{chat.url}/?c=../../models")
    expect(page.get_by_role("textbox")).to_be_visible()
    page.wait_for_function(
        "() => performance.getEntriesByName(new URL('conversations?', document.baseURI).href).length > 0"
    )
    assert [url for url in requests if "/conversations/" in url] == []
