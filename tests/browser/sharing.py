"""The way to the dialog in which a conversation is shared, on a desk and on a phone."""

from playwright.sync_api import Locator, expect

from tests.browser.chat import Chat


def share_dialog(chat: Chat) -> Locator:
    """Open the dialog for the conversation that is shown, and wait until it knows how that is shared."""
    page = chat.page
    button = page.locator(".tool.share")
    if button.is_visible():
        button.click()
    else:
        names = page.get_by_role("button", name="Conversations")
        if names.get_attribute("aria-expanded") == "false":
            names.click()
        page.locator(".list .line", has=page.locator("[aria-current]")).locator(".more").click()
        page.locator(".list").get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share this conversation")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[aria-disabled=true]")).to_have_count(0)
    return dialog


def made_link(dialog: Locator) -> str:
    """Make a link in the dialog, and give it."""
    dialog.get_by_role("button", name="Make a link").click()
    field = dialog.get_by_label("Shared link")
    expect(field).to_be_focused()
    return field.input_value()


def make_link(chat: Chat) -> str:
    """Share the conversation that is shown, close the dialog, and give the link."""
    dialog = share_dialog(chat)
    link = made_link(dialog)
    dialog.get_by_role("button", name="Close").click()
    return link
