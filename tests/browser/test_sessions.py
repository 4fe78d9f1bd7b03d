"""Whose conversations they are, on which devices one is signed in, and what becomes of a page whose session has ended."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Route, expect

from tests.browser.answers import TEXT, held, spoken
from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat, Watch
from tests.browser.people import PASSWORD, arrive, open_row, rows, sign_in
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
ENDED_MS = 3_000  # a page whose session has ended is at the sign-in page by then


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Set a password for this file's server."""
    return {"FRESHET_ACCESS_PASSWORD": PASSWORD, "SECRET_KEY": "canary-of-sessions-1234"}


@pytest.fixture
def mine(context: BrowserContext, server: Server, provider: FakeProvider, watch: Watch) -> Chat:
    """The page of a user who has signed in on a first device; elsewhere nobody is signed in afterwards."""
    provider.play(spoken(per_s=2_000))
    chat = arrive(context, server.url, watch)
    chat.page.request.delete(f"{server.url}/sessions")
    return chat


@pytest.fixture
def elsewhere(browser: Browser, server: Server, watch: Watch) -> Iterator[Callable[..., Chat]]:
    """Sign in on another device."""
    contexts: list[BrowserContext] = []

    def arrive_there(user_agent: str = FIREFOX) -> Chat:
        options: dict[str, Any] = DESK | {"user_agent": user_agent, "service_workers": "block"}
        contexts.append(browser.new_context(**options))
        return arrive(contexts[-1], server.url, watch)

    yield arrive_there
    for context in contexts:
        context.close()


def devices(chat: Chat) -> Locator:
    """Open the list of devices, from the settings."""
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_role("dialog", name="Settings").get_by_role("button", name="Devices").click()
    shown = chat.page.get_by_role("dialog", name="Devices")
    expect(shown).to_be_visible()
    return shown


def sign_out_of(shown: Locator, device: str) -> Locator:
    return shown.get_by_role("button", name=f"Sign out: {device}", exact=True)


def known_devices(chat: Chat) -> list[str]:
    """The devices on which the server knows the user."""
    return [one["device"] for one in chat.page.request.get(f"{chat.url}/sessions").json()["sessions"]]


def test_signing_out_and_in_again_leads_to_the_same_conversations(mine: Chat) -> None:
    mine.ask("Asked before")
    mine.wait_over()
    mine.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(mine.page.get_by_label("Password")).to_be_visible()
    mine.page.evaluate("sessionStorage.clear()")  # as a tab that was closed
    sign_in(mine)
    open_row(mine, "Asked before")
    expect(mine.answers.last).to_contain_text(TEXT[:60])


def test_a_second_device_has_them_too(mine: Chat, elsewhere: Callable[..., Chat]) -> None:
    mine.ask("Asked on the first device")
    mine.wait_over()
    other = elsewhere()
    open_row(other, "Asked on the first device")
    expect(other.answers.last).to_contain_text(TEXT[:60])
    other.ask("Asked on the second")
    other.wait_over()
    mine.reload()
    expect(mine.page.locator(".question")).to_have_text(["Asked on the first device", "Asked on the second"])


def test_on_one_s_own_computer_a_cookie_that_is_lost_loses_nothing(
    browser: Browser, context: BrowserContext, provider: FakeProvider, watch: Watch
) -> None:
    provider.play(spoken(per_s=2_000))
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | {"FRESHET_LOCAL": "true"}) as server:
        chat = Chat(context, server.url, watch).open()
        chat.ask("Asked here")
        chat.wait_over()
        context.clear_cookies()
        chat.page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
        chat.page.goto(server.url)
        open_row(chat, "Asked here")
        expect(chat.answers.last).to_contain_text(TEXT[:60])
        another = browser.new_context(service_workers="block")
        twin = Chat(another, server.url, watch).open()
        expect(rows(twin)).to_have_text(["Asked here"])
        another.close()


def test_the_devices_are_listed_and_each_can_be_signed_out(
    mine: Chat, elsewhere: Callable[..., Chat]
) -> None:
    for user_agent in (FIREFOX, SAFARI, "Something/1"):
        elsewhere(user_agent)
    shown = devices(mine)
    expect(shown.get_by_role("listitem")).to_have_count(4)
    expect(shown.get_by_role("listitem").first).to_contain_text("This device")
    expect(shown.get_by_role("listitem").first.get_by_role("button")).to_have_count(0)
    for device in ("Firefox, Windows", "Safari, iPhone", "Unknown device"):
        expect(shown.get_by_role("listitem").filter(has_text=device)).to_contain_text("Active now")
    assert findings(mine.page) == []

    sign_out_of(shown, "Safari, iPhone").click()
    expect(shown.get_by_role("listitem")).to_have_count(3)
    expect(shown.get_by_role("status")).to_have_text("Signed out: Safari, iPhone")
    assert "Safari, iPhone" not in known_devices(mine)

    shown.get_by_role("button", name="Sign out everywhere else").click()
    expect(shown.get_by_role("listitem")).to_have_count(1)
    expect(shown.get_by_role("button", name="Sign out everywhere else")).to_be_hidden()
    assert len(known_devices(mine)) == 1


def test_the_keyboard_is_enough(mine: Chat, elsewhere: Callable[..., Chat]) -> None:
    elsewhere(FIREFOX)
    elsewhere(SAFARI)
    shown = devices(mine)
    buttons = shown.get_by_role("listitem").get_by_role("button")
    expect(buttons).to_have_count(2)
    name = buttons.last.get_attribute("aria-label") or ""
    expect(shown.get_by_role("button", name="Close")).to_be_focused()
    mine.page.keyboard.press("Tab")
    expect(buttons.first).to_be_focused()
    mine.page.keyboard.press("Enter")
    expect(buttons).to_have_count(1)
    expect(sign_out_of(shown, name.removeprefix("Sign out: "))).to_be_focused()
    expect(shown.get_by_role("button", name="Sign out everywhere else")).to_be_hidden()
    mine.page.keyboard.press("Enter")
    expect(shown.get_by_role("button", name="Close")).to_be_focused()
    mine.page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    expect(mine.page.get_by_role("button", name="Settings")).to_be_focused()


def test_what_does_not_work_is_said(mine: Chat, elsewhere: Callable[..., Chat]) -> None:
    elsewhere(FIREFOX)
    broken: list[str] = ["GET", "DELETE"]

    def refuse(route: Route) -> None:
        if route.request.method in broken:
            route.abort()
        else:
            route.continue_()

    mine.page.route("**/sessions**", refuse)
    shown = devices(mine)
    expect(shown.get_by_role("status")).to_have_text("The list can’t be loaded now.")
    assert findings(mine.page) == []
    broken.remove("GET")
    shown.get_by_role("button", name="Try again").click()
    sign_out_of(shown, "Firefox, Windows").click()
    expect(shown.get_by_role("status")).to_have_text("That did not work. Try again.")
    expect(sign_out_of(shown, "Firefox, Windows")).to_be_focused()
    broken.clear()
    sign_out_of(shown, "Firefox, Windows").click()
    expect(shown.get_by_role("listitem")).to_have_count(1)
    expect(shown.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_list_that_takes_long_says_so(mine: Chat) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    mine.page.route("**/sessions", hold)
    shown = devices(mine)
    expect(shown.get_by_role("status")).to_have_text("Loading…")
    for route in waiting:
        route.continue_()
    expect(shown.get_by_role("listitem")).to_have_count(1)
    expect(shown.get_by_role("status")).to_be_empty()


@pytest.mark.parametrize("device", [PHONE, DARK, PHONE | {"locale": "ar"}], ids=["phone", "dark", "arabic"])
def test_the_devices_are_fine_everywhere(
    context: BrowserContext,
    server: Server,
    watch: Watch,
    elsewhere: Callable[..., Chat],
    device: dict[str, Any],
) -> None:
    watch.allow(NETWORK)
    elsewhere("Something/1")
    elsewhere(SAFARI)
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.locator(".bar .tool:not(.share)[aria-haspopup='dialog']").click()
    page.locator(".ways .tool").last.click()
    expect(page.locator(".devices li button").first).to_be_visible()
    assert findings(page) == []
    shown = page.locator(".devices")
    assert shown.evaluate("one => one.scrollWidth <= one.clientWidth")
    for target in shown.locator("button:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert not device.get("has_touch") or min(box["width"], box["height"]) >= 44


def test_where_nobody_signs_in_there_are_no_devices(open_chat: Callable[[str], Chat]) -> None:
    with Server() as server:
        chat = open_chat(server.url)
        chat.page.get_by_role("button", name="Settings").click()
        expect(chat.page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
        expect(chat.page.get_by_role("button", name="Devices")).to_be_hidden()


@pytest.mark.parametrize("way", ["events", "socket"])
def test_a_session_that_ends_during_an_answer_leads_to_the_sign_in_page_and_loses_nothing(
    mine: Chat, elsewhere: Callable[..., Chat], provider: FakeProvider, way: str
) -> None:
    gate = Event()
    provider.play(held(gate))
    if way == "socket":
        mine.page.route("**/stream**", lambda route: route.abort())
    question = f"At length, by {way}"
    mine.ask(question)
    mine.wait_chars(50)
    loads: list[str] = []
    mine.page.on("request", lambda one: loads.append(one.url) if one.is_navigation_request() else None)
    other = elsewhere()
    shown = devices(other)
    sign_out_of(shown, "Chrome, Linux").click()
    expect(mine.page.get_by_label("Password")).to_be_visible(timeout=ENDED_MS)
    assert len(loads) == 1, loads
    sign_in(mine)
    expect(mine.stop).to_be_visible()
    gate.set()
    assert mine.wait_over()["text"] == TEXT
    assert mine.shown() == TEXT
    assert len(provider.calls) == 1
    other.page.keyboard.press("Escape")
    open_row(other, question)
    expect(other.answers.last).to_contain_text(TEXT[-60:])


def test_a_page_at_rest_is_led_there_by_what_is_done_next(mine: Chat, elsewhere: Callable[..., Chat]) -> None:
    mine.ask("Asked at rest")
    mine.wait_over()
    mine.page.get_by_role("button", name="New chat").click()
    expect(rows(mine).first).to_have_text("Asked at rest")
    elsewhere().page.request.delete(f"{mine.url}/sessions")
    rows(mine).first.click()
    expect(mine.page.get_by_label("Password")).to_be_visible(timeout=ENDED_MS)
    sign_in(mine)
    open_row(mine, "Asked at rest")


SAID_401: dict[str, Any] = {
    "status": 401,
    "content_type": "application/json",
    "body": '{"error": {"message": "A password is needed.", "code": "not_signed_in"}}',
}


def test_where_signing_in_is_no_way_on_nothing_is_loaded_over_and_over(
    mine: Chat, provider: FakeProvider
) -> None:
    """Something in front of the server refuses answers, and has the page: loading it again would never end."""
    mine.page.evaluate("window.isStillHere = true")
    mine.page.route("**/stream", lambda route: route.fulfill(**SAID_401))
    mine.ask("At length")
    expect(mine.page.locator(".problem .title")).to_have_text("You’re signed out.")
    expect(mine.page.locator(".problem .advice")).to_have_text("Reload the page to sign in again.")
    assert mine.page.evaluate("window.isStillHere")
    mine.page.unroute("**/stream")
    mine.retry.click()
    assert mine.wait_over()["text"] == TEXT


def test_who_refuses_cookies_is_told_that_they_are_needed(
    context: BrowserContext, provider: FakeProvider, watch: Watch
) -> None:
    watch.allow(NETWORK)

    def strip(route: Route) -> None:
        status, headers, body = server.request("GET", "/", Accept="text/html")
        kept = {name: value for name, value in headers.items() if name.lower() != "set-cookie"}
        route.fulfill(status=status, headers=kept, body=body)

    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | {"FRESHET_PUBLIC": "true"}) as server:
        context.route(f"{server.url}/", strip)
        chat = Chat(context, server.url, watch).open()
        chat.page.evaluate("window.isStillHere = true")
        chat.ask("Hello?")
        expect(chat.page.locator(".problem .title")).to_have_text("This chat needs cookies.")
        expect(chat.page.locator(".problem .advice")).to_contain_text("Allow cookies")
        assert context.cookies() == []
        assert chat.page.evaluate("window.isStillHere")
