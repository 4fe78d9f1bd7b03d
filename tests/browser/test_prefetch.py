"""The conversation that an address names is asked for while the page is still on its way."""

from playwright.sync_api import BrowserContext, Request, Route, expect

from tests.browser.chat import Chat
from tests.shots.seeds import IMPORT, conversation
from tests.support.dialects import openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, paced


def kept(chat: Chat) -> str:
    """Bring a conversation in and give its id."""
    return str(chat.page.evaluate(IMPORT, conversation(2)))


def test_it_is_asked_for_before_the_page_runs_and_only_once(context: BrowserContext, chat: Chat) -> None:
    name = kept(chat)
    page = context.new_page()
    asked: list[Request] = []
    page.on(
        "request",
        lambda request: asked.append(request) if request.url.endswith(f"/conversations/{name}") else None,
    )
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/page.js", hold)
    with page.expect_response(f"**/conversations/{name}"):
        page.goto(f"{chat.url}/?c={name}", wait_until="commit")
    assert len(held) == 1, "nothing of the page has run yet"
    held[0].continue_()
    expect(page.get_by_role("log").locator(".answer")).to_contain_text("Message 1x.")
    assert len(asked) == 1


def test_where_that_fails_the_page_asks_again(context: BrowserContext, chat: Chat) -> None:
    name = kept(chat)
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


def test_what_was_not_needed_then_is_not_shown_later(chat: Chat, provider: FakeProvider) -> None:
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


def test_a_page_without_one_asks_for_none(context: BrowserContext, chat: Chat) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{chat.url}/?c=../../models")
    expect(page.get_by_role("textbox")).to_be_visible()
    page.wait_for_function(
        "() => performance.getEntriesByName(new URL('conversations?', document.baseURI).href).length > 0"
    )
    assert [url for url in asked if "/conversations/" in url] == []
