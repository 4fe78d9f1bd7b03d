"""Helpers for signing in and for the list of conversations."""

from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.chat import NETWORK, Chat, Watch

PASSWORD = "a long and quiet river"


def sign_in(chat: Chat) -> Chat:
    """Sign in on the sign-in page."""
    chat.page.get_by_label("Password").fill(PASSWORD)
    chat.page.get_by_role("button", name="Sign in").click()
    return chat.wait_ready()


def open_signed_in(context: BrowserContext, url: str, watch: Watch) -> Chat:
    """Open an address in a new tab and sign in."""
    watch.allow(NETWORK)  # the first response is a 401
    chat = Chat(context, url, watch)
    chat.page.goto(url)
    return sign_in(chat)


def rows(chat: Chat) -> Locator:
    """Return the listed conversations."""
    return chat.page.get_by_role("navigation", name="Chats").locator(".groups a[href*='?c=']")


def open_row(chat: Chat, title: str) -> None:
    """Open a conversation from the list."""
    rows(chat).get_by_text(title, exact=True).click()
    expect(chat.page.locator(".question").first).to_have_text(title)
