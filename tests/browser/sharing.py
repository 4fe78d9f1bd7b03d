"""Helpers for the share dialog, on a desktop and on a phone."""

from playwright.sync_api import Locator, expect

from tests.browser.chat import Chat


def share_dialog(chat: Chat) -> Locator:
    """Open the share dialog of the open conversation and wait until it has loaded."""
    page = chat.page
    button = page.locator(".tool.share")
    if button.is_visible():
        button.click()
    else:
        names = page.get_by_role("button", name="Chats")
        if names.get_attribute("aria-expanded") == "false":
            names.click()
        page.locator(".list .line", has=page.locator("[aria-current]")).locator(".more").click()
        page.locator(".list").get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share this conversation")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[aria-disabled=true]")).to_have_count(0)
    return dialog


def create_link(dialog: Locator) -> str:
    """Create a link in the dialog and return it."""
    dialog.get_by_role("button", name="Create link").click()
    field = dialog.get_by_label("Shared link")
    expect(field).to_be_focused()
    return field.input_value()


def share_and_close(chat: Chat) -> str:
    """Share the open conversation, close the dialog and return the link."""
    dialog = share_dialog(chat)
    link = create_link(dialog)
    dialog.get_by_role("button", name="Close").click()
    return link
