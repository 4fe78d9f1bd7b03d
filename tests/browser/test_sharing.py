"""Sharing: the owner's dialog and the public page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.answers import PARAGRAPHS, end_with, stream_text, stream_then_stall
from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat, Watch
from tests.browser.sharing import create_link, share_and_close, share_dialog
from tests.shots.answers import RICH
from tests.shots.stored import PICTURE
from tests.store.people import data_url
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

ASK_WITH_IMAGE = """async ([conversation, image]) => {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ conversation, query: "What is this?", images: [image] });
    await (await fetch("stream", { method: "POST", headers, body })).text();
}"""


@pytest.fixture
def stranger(browser: Browser, watch: Watch, device: dict[str, Any]) -> Iterator[Page]:
    """A profile that has only a link."""
    context = browser.new_context(**device)
    page = context.new_page()
    watch.attach(page)
    yield page
    context.close()


def drawn(page: Page) -> Page:
    """Wait until every answer of a shared page is drawn."""
    expect(page.locator(".turn .meta").last).to_be_visible()
    return page


def test_a_link_shows_the_branch_to_a_stranger_and_nothing_else(
    chat: Chat, stranger: Page, provider: FakeProvider
) -> None:
    provider.play(
        [end_with("stop", "The first version."), end_with("stop", RICH), end_with("stop", "Too late.")]
    )
    chat.ask("What is a **freshet**?")
    chat.wait_over()
    chat.page.get_by_role("button", name="Regenerate").click()
    expect(chat.page.get_by_role("group", name="Response versions")).to_contain_text("2/2")
    chat.wait_over()
    link = share_and_close(chat)
    chat.ask("Asked later?")
    chat.wait_over()

    response = stranger.goto(link)
    assert response
    assert response.status == 200
    drawn(stranger)
    expect(stranger).to_have_title("What is a **freshet**? · Freshet")
    expect(stranger.get_by_role("heading", level=1)).to_have_text("What is a **freshet**?")
    expect(stranger.locator(".question")).to_have_text(["What is a **freshet**?"])
    expect(stranger.locator(".meta")).to_have_text(["gpt-4.1"])
    expect(stranger.get_by_role("heading", name="Melt and rain")).to_be_visible()
    expect(stranger.get_by_role("table")).to_be_visible()
    assert "The first version" not in stranger.content()
    assert "Asked later" not in stranger.content()
    assert stranger.get_by_role("textbox").count() == 0
    assert stranger.get_by_role("navigation").count() == 0
    assert set(stranger.get_by_role("button").all_inner_texts()) <= {"Copy"}
    assert stranger.context.cookies() == []
    assert stranger.evaluate("localStorage.length + sessionStorage.length") == 0
    assert findings(stranger) == []


def test_images_load_by_the_link_alone_and_stop_with_it(
    chat: Chat, stranger: Page, watch: Watch, provider: FakeProvider
) -> None:
    provider.play(lambda _: end_with("stop", "A logo."))
    chat.ask("Hello")
    chat.wait_over()
    chat.page.evaluate(ASK_WITH_IMAGE, [chat.page.url.partition("c=")[2], data_url(PICTURE.read_bytes())])
    link = share_and_close(chat)
    stranger.goto(link)
    image = drawn(stranger).get_by_role("img", name="Image 1")
    expect(image).to_be_visible()
    stranger.wait_for_function(
        "() => document.querySelector('#turns').shadowRoot.querySelector('img').naturalWidth === 512"
    )
    address = image.evaluate("image => image.src")
    assert address.startswith(f"{link}/images/")
    assert stranger.request.get(address).status == 200

    dialog = share_dialog(chat)
    dialog.get_by_role("button", name="Stop sharing").click()
    expect(dialog.get_by_role("status")).to_have_text("This link no longer works.")
    watch.allow(NETWORK)
    assert stranger.request.get(address).status == 404
    response = stranger.reload()
    assert response
    assert response.status == 404
    expect(stranger.get_by_role("heading", name="This link no longer works")).to_be_visible()
    assert findings(stranger) == []


def test_the_owners_other_device_shows_the_link(
    chat: Chat, browser: Browser, watch: Watch, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.ask("What is a freshet?")
    chat.wait_over()
    link = share_and_close(chat)
    other = browser.new_context(
        **PHONE, storage_state=chat.page.context.storage_state(), service_workers="block"
    )
    there = Chat(other, chat.page.url, watch).open()
    dialog = share_dialog(there)
    expect(dialog.get_by_label("Shared link")).to_have_value(link)
    expect(dialog.get_by_label("Shared link")).to_be_focused()
    expect(dialog).to_contain_text("Shared on")
    dialog.get_by_role("button", name="Stop sharing").click()
    expect(dialog.get_by_role("button", name="Create link")).to_be_focused()
    other.close()
    expect(share_dialog(chat).get_by_role("button", name="Create link")).to_be_focused()


def test_the_list_menu_shares_a_conversation_that_is_not_open(
    chat: Chat, stranger: Page, provider: FakeProvider
) -> None:
    provider.play([end_with("stop", "One."), end_with("stop", "Two.")])
    chat.ask("The first question")
    chat.wait_over()
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("The second question")
    chat.wait_over()
    row = chat.page.locator(".list li", has_text="The first question")
    row.hover()
    row.locator(".more").click()
    row.get_by_role("button", name="Share", exact=True).click()
    dialog = chat.page.get_by_role("dialog", name="Share this conversation")
    expect(dialog).to_contain_text("The first question")
    stranger.goto(create_link(dialog))
    expect(drawn(stranger).locator(".question")).to_have_text(["The first question"])
    chat.page.keyboard.press("Escape")
    expect(row.locator(".more")).to_be_focused()  # its menu has closed


def test_sharing_by_keyboard_during_an_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall(per_s=200))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    button = chat.page.get_by_role("button", name="Share", exact=True)
    button.focus()
    chat.page.keyboard.press("Enter")
    dialog = chat.page.get_by_role("dialog", name="Share this conversation")
    make = dialog.get_by_role("button", name="Create link")
    expect(make).to_be_focused()
    chat.page.keyboard.press("Enter")
    field = dialog.get_by_label("Shared link")
    expect(field).to_be_focused()
    assert chat.page.evaluate("getSelection().toString()").startswith("http")
    assert findings(chat.page) == []
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert chat.answer()["status"] == "streaming", "Escape closed only the dialog"
    chat.stop.click()
    chat.wait_over()


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_copy_writes_the_link_to_the_clipboard(
    context: BrowserContext, chat: Chat, provider: FakeProvider, has_clipboard: bool
) -> None:
    provider.play(stream_text(per_s=2_000))
    if has_clipboard:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        chat.reload()
    chat.ask("What is a freshet?")
    chat.wait_over()
    dialog = share_dialog(chat)
    link = create_link(dialog)
    dialog.get_by_role("button", name="Copy", exact=True).click()
    expect(dialog.get_by_role("status")).to_have_text("Copied")
    expect(dialog.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="Close").click()
    chat.field.press("Control+V")
    expect(chat.field).to_have_value(link)


def test_a_failed_action_is_reported(chat: Chat, watch: Watch, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.ask("What is a freshet?")
    chat.wait_over()
    watch.allow(NETWORK)
    chat.page.route("**/share", lambda route: route.abort())
    dialog = share_dialog(chat)
    expect(dialog.get_by_role("status")).to_have_text("That didn’t work. Try again.")
    chat.page.unroute("**/share")
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_label("Shared link")).to_be_focused()
    expect(dialog.get_by_role("status")).to_be_empty()


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    """A server with a password below a sub-path."""
    env = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_MODEL": "gpt-4.1",
        "FRESHET_ACCESS_PASSWORD": "open the gates",
        "FRESHET_HOST": "0.0.0.0",
        "SCRIPT_NAME": "/chat",
    }
    with Server(env) as running:
        yield running


def test_a_link_works_below_a_sub_path_and_behind_a_password(
    context: BrowserContext, watch: Watch, guarded: Server, stranger: Page, provider: FakeProvider
) -> None:
    provider.play(end_with("stop", RICH))
    watch.allow(NETWORK)
    chat = Chat(context, f"{guarded.url}/chat/", watch)
    chat.page.goto(chat.url)
    chat.page.get_by_label("Password").fill("open the gates")
    chat.page.keyboard.press("Enter")
    chat.wait_ready()
    chat.ask("What is a freshet?")
    chat.wait_over()
    link = share_and_close(chat)
    assert link.startswith(f"{guarded.url}/chat/shared/")
    failed: list[str] = []
    stranger.on("requestfailed", lambda request: failed.append(request.url))
    stranger.goto(link)
    expect(drawn(stranger).get_by_role("heading", name="Melt and rain")).to_be_visible()
    stranger.wait_for_load_state("networkidle")
    assert failed == []
    assert stranger.context.cookies() == []


@pytest.mark.parametrize(
    "device",
    [PHONE | {"locale": "ar"}, DARK | {"locale": "de"}, DESK | {"viewport": {"width": 320, "height": 480}}],
)
def test_the_shared_page_fits_every_screen_and_is_translated(
    chat_in_english: Chat, stranger: Page, provider: FakeProvider, device: dict[str, Any]
) -> None:
    wide = "| river | " + "a very wide column | " * 12
    provider.play(end_with("stop", f"{RICH}\n\n{wide}\n|{'---|' * 13}\n\n" + "Donaudampfschiff" * 20))
    chat_in_english.ask("x" * 300)
    chat_in_english.wait_over()
    stranger.goto(share_and_close(chat_in_english))
    drawn(stranger)
    tag = device.get("locale", "en")
    expect(stranger.locator("html")).to_have_attribute("dir", "rtl" if tag == "ar" else "ltr")
    said = {"ar": "محادثة مشتركة", "de": "Geteilter Chat", "en": "Shared conversation"}[tag]
    expect(stranger.get_by_text(said)).to_be_visible()
    assert stranger.evaluate("document.scrollingElement.scrollWidth") <= device["viewport"]["width"]
    assert findings(stranger) == []


@pytest.fixture
def chat_in_english(browser: Browser, watch: Watch, server: Server, provider: FakeProvider) -> Iterator[Chat]:
    """The owner's chat, in English on a desktop."""
    provider.play(())
    context = browser.new_context(**DESK, service_workers="block")
    yield Chat(context, server.url, watch).open()
    context.close()


def test_a_long_shared_conversation_is_complete(
    open_chat: Callable[[str], Chat], server: Server, stranger: Page, provider: FakeProvider
) -> None:
    provider.play(lambda _: end_with("stop", PARAGRAPHS[1]))
    chat = open_chat(server.url)
    chat.ask("First")
    chat.wait_over()
    script = """async (conversation) => {
        const headers = { "Content-Type": "application/json" };
        for (let n = 0; n < 60; n += 1) {
            const body = JSON.stringify({ conversation, query: `Question ${n}` });
            await (await fetch("stream", { method: "POST", headers, body })).text();
        }
    }"""
    chat.page.evaluate(script, chat.page.url.partition("c=")[2])
    stranger.goto(share_and_close(chat))
    expect(stranger.locator(".turn")).to_have_count(61)
    expect(stranger.locator(".meta")).to_have_count(61)
    expect(stranger.locator(".question").last).to_have_text("Question 59")
    expect(stranger.locator(".question").first).to_be_in_viewport()
