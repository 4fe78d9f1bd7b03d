"""Sessions: ownership, the device list, and pages whose session has ended."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Route, expect

from tests.browser.answers import TEXT, hold_halfway, stream_text
from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat, Watch
from tests.browser.people import PASSWORD, open_row, open_signed_in, rows, sign_in
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
ENDED_MS = 3_000  # time until a page with an ended session shows the sign-in page


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Set a password for this file's server."""
    return {"FRESHET_ACCESS_PASSWORD": PASSWORD, "SECRET_KEY": "canary-of-sessions-1234"}


@pytest.fixture
def owner_chat(context: BrowserContext, server: Server, provider: FakeProvider, watch: Watch) -> Chat:
    """The chat on the user's first device; other sessions are ended afterwards."""
    provider.play(stream_text(per_s=2_000))
    chat = open_signed_in(context, server.url, watch)
    chat.page.request.delete(f"{server.url}/sessions")
    return chat


@pytest.fixture
def sign_in_elsewhere(browser: Browser, server: Server, watch: Watch) -> Iterator[Callable[..., Chat]]:
    """Return a function that signs in on another device."""
    contexts: list[BrowserContext] = []

    def sign_in_there(user_agent: str = FIREFOX) -> Chat:
        options: dict[str, Any] = DESK | {"user_agent": user_agent, "service_workers": "block"}
        contexts.append(browser.new_context(**options))
        return open_signed_in(contexts[-1], server.url, watch)

    yield sign_in_there
    for context in contexts:
        # Chromium may hang where a context is closed while its page reloads, which it does when its session has ended.
        for page in context.pages:
            with suppress(Error):  # interrupted by that reload, of which there is only one
                page.goto("about:blank")
            page.goto("about:blank")
        context.close()


def devices(chat: Chat) -> Locator:
    """Open the device list from the settings."""
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_role("dialog", name="Settings").get_by_role("button", name="Devices").click()
    panel = chat.page.get_by_role("dialog", name="Devices")
    expect(panel).to_be_visible()
    return panel


def sign_out_of(panel: Locator, device: str) -> Locator:
    return panel.get_by_role("button", name=f"Sign out of {device}", exact=True)


def known_devices(chat: Chat) -> list[str]:
    """Return the devices that the server lists."""
    return [one["device"] for one in chat.page.request.get(f"{chat.url}/sessions").json()["sessions"]]


def test_signing_in_again_shows_the_same_conversations(owner_chat: Chat) -> None:
    owner_chat.ask("Asked before")
    owner_chat.wait_over()
    owner_chat.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(owner_chat.page.get_by_label("Password")).to_be_visible()
    owner_chat.page.evaluate("sessionStorage.clear()")  # like a new tab
    sign_in(owner_chat)
    open_row(owner_chat, "Asked before")
    expect(owner_chat.answers.last).to_contain_text(TEXT[:60])


def test_a_second_device_shows_the_same_conversations(
    owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat]
) -> None:
    owner_chat.ask("Asked on the first device")
    owner_chat.wait_over()
    other = sign_in_elsewhere()
    open_row(other, "Asked on the first device")
    expect(other.answers.last).to_contain_text(TEXT[:60])
    other.ask("Asked on the second")
    other.wait_over()
    owner_chat.reload()
    expect(owner_chat.page.locator(".question")).to_have_text(
        ["Asked on the first device", "Asked on the second"]
    )


def test_a_lost_cookie_loses_nothing_in_local_mode(
    browser: Browser, context: BrowserContext, provider: FakeProvider, watch: Watch
) -> None:
    provider.play(stream_text(per_s=2_000))
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
    owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat]
) -> None:
    for user_agent in (FIREFOX, SAFARI, "Something/1"):
        sign_in_elsewhere(user_agent)
    panel = devices(owner_chat)
    expect(panel.get_by_role("listitem")).to_have_count(4)
    expect(panel.get_by_role("listitem").first).to_contain_text("This device")
    expect(panel.get_by_role("listitem").first.get_by_role("button")).to_have_count(0)
    for device in ("Firefox, Windows", "Safari, iPhone", "Unknown device"):
        expect(panel.get_by_role("listitem").filter(has_text=device)).to_contain_text("Active now")
    assert findings(owner_chat.page) == []

    sign_out_of(panel, "Safari, iPhone").click()
    expect(panel.get_by_role("listitem")).to_have_count(3)
    expect(panel.get_by_role("status")).to_have_text("Signed out of Safari, iPhone")
    assert "Safari, iPhone" not in known_devices(owner_chat)

    panel.get_by_role("button", name="Sign out of all other devices").click()
    expect(panel.get_by_role("listitem")).to_have_count(1)
    expect(panel.get_by_role("button", name="Sign out of all other devices")).to_be_hidden()
    assert len(known_devices(owner_chat)) == 1


def test_everything_works_by_keyboard(owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat]) -> None:
    sign_in_elsewhere(FIREFOX)
    sign_in_elsewhere(SAFARI)
    panel = devices(owner_chat)
    buttons = panel.get_by_role("listitem").get_by_role("button")
    expect(buttons).to_have_count(2)
    name = buttons.last.get_attribute("aria-label") or ""
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    owner_chat.page.keyboard.press("Tab")
    expect(buttons.first).to_be_focused()
    owner_chat.page.keyboard.press("Enter")
    expect(buttons).to_have_count(1)
    expect(sign_out_of(panel, name.removeprefix("Sign out of "))).to_be_focused()
    expect(panel.get_by_role("button", name="Sign out of all other devices")).to_be_hidden()
    owner_chat.page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    owner_chat.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(owner_chat.page.get_by_role("button", name="Settings")).to_be_focused()


def test_a_failed_action_is_reported(owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat]) -> None:
    sign_in_elsewhere(FIREFOX)
    broken: list[str] = ["GET", "DELETE"]

    def refuse(route: Route) -> None:
        if route.request.method in broken:
            route.abort()
        else:
            route.continue_()

    owner_chat.page.route("**/sessions**", refuse)
    panel = devices(owner_chat)
    expect(panel.get_by_role("status")).to_have_text("Couldn’t load your chats.")
    assert findings(owner_chat.page) == []
    broken.remove("GET")
    panel.get_by_role("button", name="Try again").click()
    sign_out_of(panel, "Firefox, Windows").click()
    expect(panel.get_by_role("status")).to_have_text("That didn’t work. Try again.")
    expect(sign_out_of(panel, "Firefox, Windows")).to_be_focused()
    broken.clear()
    sign_out_of(panel, "Firefox, Windows").click()
    expect(panel.get_by_role("listitem")).to_have_count(1)
    expect(panel.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_slow_list_shows_that_it_loads(owner_chat: Chat) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    owner_chat.page.route("**/sessions", hold)
    panel = devices(owner_chat)
    expect(panel.get_by_role("status")).to_have_text("Loading…")
    for route in waiting:
        route.continue_()
    expect(panel.get_by_role("listitem")).to_have_count(1)
    expect(panel.get_by_role("status")).to_be_empty()


@pytest.mark.parametrize(
    ("device", "button"),
    [(PHONE, "Settings"), (DARK, "Settings"), (PHONE | {"locale": "ar"}, "الإعدادات")],
    ids=["phone", "dark", "arabic"],
)
def test_the_device_list_fits_every_screen(
    context: BrowserContext,
    server: Server,
    watch: Watch,
    sign_in_elsewhere: Callable[..., Chat],
    device: dict[str, Any],
    button: str,
) -> None:
    watch.allow(NETWORK)
    sign_in_elsewhere("Something/1")
    sign_in_elsewhere(SAFARI)
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.locator(".bar").get_by_role("button", name=button).click()
    page.locator(".ways .tool").last.click()
    expect(page.locator(".devices li button").first).to_be_visible()
    assert findings(page) == []
    panel = page.locator(".devices")
    assert panel.evaluate("one => one.scrollWidth <= one.clientWidth")
    for target in panel.locator("button:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert not device.get("has_touch") or min(box["width"], box["height"]) >= 44


def test_no_device_list_without_sign_in(open_chat: Callable[[str], Chat]) -> None:
    with Server() as server:
        chat = open_chat(server.url)
        chat.page.get_by_role("button", name="Settings").click()
        expect(chat.page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
        expect(chat.page.get_by_role("button", name="Devices")).to_be_hidden()


@pytest.mark.parametrize("way", ["events", "socket"])
def test_a_session_ending_during_an_answer_redirects_to_sign_in_and_loses_nothing(
    owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat], provider: FakeProvider, way: str
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate))
    if way == "socket":
        owner_chat.page.route("**/stream**", lambda route: route.abort())
    question = f"At length, by {way}"
    owner_chat.ask(question)
    owner_chat.wait_chars(50)
    loads: list[str] = []
    owner_chat.page.on("request", lambda one: loads.append(one.url) if one.is_navigation_request() else None)
    other = sign_in_elsewhere()
    panel = devices(other)
    sign_out_of(panel, "Chrome, Linux").click()
    expect(owner_chat.page.get_by_label("Password")).to_be_visible(timeout=ENDED_MS)
    assert len(loads) == 1, loads
    sign_in(owner_chat)
    expect(owner_chat.stop).to_be_visible()
    gate.set()
    assert owner_chat.wait_over()["text"] == TEXT
    assert owner_chat.shown() == TEXT
    assert len(provider.calls) == 1
    other.page.keyboard.press("Escape")
    open_row(other, question)
    expect(other.answers.last).to_contain_text(TEXT[-60:])


def test_an_idle_page_redirects_to_sign_in_when_its_session_ends(
    owner_chat: Chat, sign_in_elsewhere: Callable[..., Chat]
) -> None:
    owner_chat.ask("Asked at rest")
    owner_chat.wait_over()
    owner_chat.page.get_by_role("button", name="New chat").click()
    expect(rows(owner_chat).first).to_have_text("Asked at rest")
    sign_in_elsewhere().page.request.delete(f"{owner_chat.url}/sessions")
    expect(owner_chat.page.get_by_label("Password")).to_be_visible(timeout=ENDED_MS)
    sign_in(owner_chat)
    open_row(owner_chat, "Asked at rest")


SAID_401: dict[str, Any] = {
    "status": 401,
    "content_type": "application/json",
    "body": '{"error": {"message": "A password is needed.", "code": "not_signed_in"}}',
}


def test_a_refusal_that_sign_in_cannot_solve_causes_no_reload_loop(
    owner_chat: Chat, provider: FakeProvider
) -> None:
    """A proxy rejects streams but serves the page: reloading would never end."""
    owner_chat.page.evaluate("window.isStillHere = true")
    owner_chat.page.route("**/stream", lambda route: route.fulfill(**SAID_401))
    owner_chat.ask("At length")
    expect(owner_chat.page.locator(".problem .title")).to_have_text("You’re signed out.")
    expect(owner_chat.page.locator(".problem .advice")).to_have_text("Reload the page to sign in again.")
    assert owner_chat.page.evaluate("window.isStillHere")
    owner_chat.page.unroute("**/stream")
    owner_chat.retry.click()
    assert owner_chat.wait_over()["text"] == TEXT


def test_blocked_cookies_are_reported(context: BrowserContext, provider: FakeProvider, watch: Watch) -> None:
    watch.allow(NETWORK)

    def strip(route: Route) -> None:
        status, headers, body = server.request("GET", "/", Accept="text/html")
        others = {name: value for name, value in headers.items() if name.lower() != "set-cookie"}
        route.fulfill(status=status, headers=others, body=body)

    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | {"FRESHET_PUBLIC": "true"}) as server:
        context.route(f"{server.url}/", strip)
        chat = Chat(context, server.url, watch).open()
        chat.page.evaluate("window.isStillHere = true")
        chat.ask("Hello?")
        expect(chat.page.locator(".problem .title")).to_have_text("Cookies are required.")
        expect(chat.page.locator(".problem .advice")).to_contain_text("Allow cookies")
        assert context.cookies() == []
        assert chat.page.evaluate("window.isStillHere")
