"""The sign-in page and the locked page."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.answers import TEXT, stream_text
from tests.browser.chat import NETWORK, Chat, Watch
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

PASSWORD = "a long and quiet river"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Set a password for this file's server."""
    return {
        "FRESHET_ACCESS_PASSWORD": PASSWORD,
        "FRESHET_HOST": "0.0.0.0",
        "SECRET_KEY": "canary-of-cookies-1234",
    }


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """A tab that expects 401 responses."""
    watch.allow(NETWORK)
    tab = context.new_page()
    watch.attach(tab)
    return tab


def test_signing_in_chatting_and_signing_out(
    context: BrowserContext, page: Page, watch: Watch, server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=300))
    page.goto(server.url)
    password = page.get_by_label("Password")
    expect(password).to_be_focused()
    password.fill("wrong")
    password.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Wrong password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    chat = Chat(context, server.url, watch).open()
    chat.ask("Hi")
    assert chat.wait_over()["text"] == TEXT
    chat.page.get_by_role("button", name="Sign out").click()
    expect(chat.page.get_by_label("Password")).to_be_visible()


def test_a_visitor_with_a_revoked_session_is_sent_to_sign_in(
    context: BrowserContext, page: Page, watch: Watch, server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=300))
    page.goto(server.url)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.wait_for_load_state("networkidle")  # a late response would set the cookie again
    context.clear_cookies()
    page.get_by_role("textbox", name="Message").fill("Hi")
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".answer > .flow")).to_contain_text(TEXT[:60])
    expect(page.locator(".question")).to_have_text("Hi")


@pytest.fixture(scope="module")
def locked(provider: FakeProvider) -> Iterator[Server]:
    """A server with a paid provider, reachable from other hosts, without access settings."""
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_HOST": "0.0.0.0"}
    with Server(env) as running:
        yield running


def test_a_locked_server_names_the_settings(page: Page, locked: Server, provider: FakeProvider) -> None:
    response = page.goto(locked.url)
    assert response
    assert response.status == 503
    expect(page.get_by_role("heading", name="isn’t open yet")).to_be_visible()
    expect(page.get_by_text("FRESHET_ACCESS_PASSWORD")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth")


def test_signing_in_works_without_javascript(open_chat: Callable[[str], Chat], server: Server) -> None:
    status, _, body = server.request("GET", "/")
    assert status == 401
    assert b"<script" not in body
