"""Signing in, and what a person sees of their conversations, on whichever device."""

from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.chat import NETWORK, Chat, Watch

PASSWORD = "a long and quiet river"


def sign_in(chat: Chat) -> Chat:
    """Go through the sign-in page that is shown."""
    chat.page.get_by_label("Password").fill(PASSWORD)
    chat.page.get_by_role("button", name="Sign in").click()
    return chat.ready()


def arrive(context: BrowserContext, url: str, watch: Watch) -> Chat:
    """Open the address in a tab of its own, and sign in."""
    watch.allow(NETWORK)  # the first answer is a refusal by design
    chat = Chat(context, url, watch)
    chat.page.goto(url)
    return sign_in(chat)


def rows(chat: Chat) -> Locator:
    """The conversations that are listed."""
    return chat.page.get_by_role("navigation", name="Conversations").locator(".groups a[href*='?c=']")


def open_row(chat: Chat, title: str) -> None:
    """Open a conversation from the list."""
    rows(chat).get_by_text(title, exact=True).click()
    expect(chat.page.locator(".question").first).to_have_text(title)
