"""Images in the composer: choosing, pasting, dropping, removing, and models without vision."""

import hashlib

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.answers import stream_text
from tests.browser.chat import Chat
from tests.browser.image_files import (
    choose_files,
    png_file,
    png_size,
    received_images,
    shown,
    transfer_files,
    tray,
    wait_loaded,
)
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import noise, plain


@pytest.mark.parametrize("by_socket", [False, True], ids=["sse", "websocket"])
def test_images_are_sent_and_shown_after_a_reload_and_in_another_tab(
    context: BrowserContext, chat: Chat, provider: FakeProvider, by_socket: bool
) -> None:
    provider.play(stream_text(per_s=2_000))
    if by_socket:
        chat.watch.allow("net::ERR_FAILED")
        chat.page.route("**/stream", lambda route: route.abort())
    choose_files(chat, png_file(), png_file("hills.png", plain(90, 60, (200, 90, 20))))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("What do they show?")
    wait_loaded(shown(chat), 2)
    expect(tray(chat)).to_have_count(0)
    chat.wait_over()
    assert provider.calls[0].json["messages"][0]["content"][0] == {
        "type": "text",
        "text": "What do they show?",
    }
    assert [png_size(image) for image in received_images(provider)] == [(120, 80), (90, 60)]
    chat.reload()
    wait_loaded(shown(chat), 2)
    addresses = [shown(chat).nth(at).get_attribute("src") or "" for at in range(2)]
    for address, image in zip(addresses, received_images(provider), strict=True):
        assert address.endswith(f"/images/{hashlib.sha256(image).hexdigest()}")
    twin = Chat(context, chat.page.url, chat.watch).open()
    wait_loaded(shown(twin), 2)
    assert len(provider.calls) == 1


def test_the_demo_model_accepts_images(chat: Chat, provider: FakeProvider) -> None:
    chat.choose_model("mock-standard")
    choose_files(chat, png_file())
    expect(tray(chat)).to_have_count(1)
    chat.ask("What is it?")
    wait_loaded(shown(chat), 1)
    chat.wait_chars(40)
    chat.stop.click()
    assert chat.wait_over()["text"].startswith("You asked: “What is it?”")
    assert provider.calls == []
    expect(chat.notice).to_be_hidden()


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_images_are_pasted_and_dropped(chat: Chat, provider: FakeProvider, how: str) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.field.fill("Look")
    transfer_files(chat, how, png_file("image.png"))
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.field).to_have_value("Look")
    chat.field.press("Enter")
    chat.wait_over()
    assert len(received_images(provider)) == 1


def test_dragged_files_show_a_drop_target_and_text_is_pasted_as_text(chat: Chat) -> None:
    target = chat.page.get_by_text("Drop files or exported chats here")
    expect(target).to_be_hidden()
    transfer_files(chat, "dragover", png_file())
    expect(target).to_be_visible()
    transfer_files(chat, "drop", png_file())
    expect(target).to_be_hidden()
    expect(tray(chat)).to_have_count(1)
    transfer_files(chat, "paste", png_file("table.png"), words="a\tb")
    transfer_files(chat, "dragover", words="some words")
    expect(target).to_be_hidden()
    expect(tray(chat)).to_have_count(1)


def test_an_image_without_text_can_be_sent(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    expect(chat.send).to_have_attribute("aria-disabled", "true")
    choose_files(chat, png_file())
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.send).to_have_attribute("aria-disabled", "false")
    chat.send.click()
    chat.wait_over()
    assert len(received_images(provider)) == 1
    chat.reload()
    wait_loaded(shown(chat), 1)
    expect(chat.page.get_by_role("navigation").get_by_role("link")).to_have_text("Image")


def test_send_waits_for_images_being_read(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.page.evaluate(
        """() => {
            const decode = HTMLImageElement.prototype.decode;
            HTMLImageElement.prototype.decode = function () {
                return new Promise((done) => { window.goOn = done; }).then(() => decode.call(this));
            };
        }"""
    )
    chat.field.fill("What is it?")
    choose_files(chat, png_file())
    chat.page.wait_for_function("() => window.goOn !== undefined")
    chat.field.press("Enter")
    chat.field.press("Enter")
    expect(chat.field).to_have_value("What is it?")
    chat.page.evaluate("window.goOn()")
    chat.wait_over()
    assert len(provider.calls) == len(received_images(provider)) == 1


def test_an_image_is_removed_by_keyboard(chat: Chat, provider: FakeProvider) -> None:
    choose_files(chat, png_file("one.png"), png_file("two.png"), png_file("three.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    names = [f"Remove “{name}.png”" for name in ("one", "two", "three")]
    expect(tray(chat).get_by_role("button")).to_have_count(3)
    for name, button in zip(names, tray(chat).get_by_role("button").all(), strict=True):
        expect(button).to_have_accessible_name(name)
    chat.field.focus()
    for _ in range(3):
        chat.page.keyboard.press("Shift+Tab")
    expect(chat.page.get_by_role("button", name=names[1])).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("button", name=names[2])).to_be_focused()
    chat.page.keyboard.press("Space")
    expect(chat.page.get_by_role("button", name=names[0])).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("button", name="Attach files")).to_be_focused()
    expect(tray(chat)).to_have_count(0)
    assert provider.calls == []


def test_a_model_without_vision_is_reported_before_sending(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    blind = "o3-mini doesn’t support images. Choose another model, or remove the images."
    chat.choose_model("openai o3-mini")
    expect(chat.notice).to_be_hidden()
    choose_files(chat, png_file())
    expect(chat.notice).to_have_text(blind)
    chat.ask("What is it?")
    expect(chat.notice).to_have_text(blind)
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.field).to_have_value("What is it?")
    expect(tray(chat)).to_have_count(1)
    assert provider.calls == []
    chat.choose_model("openai gpt-4.1")
    expect(chat.notice).to_be_hidden()
    chat.field.press("Enter")
    chat.wait_over()
    assert len(received_images(provider)) == 1
    chat.choose_model("openai o3-mini")
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Regenerate").click()
    expect(chat.notice).to_have_text(blind)
    chat.page.get_by_role("button", name="Edit message").click()
    edit = chat.page.get_by_role("textbox", name="Edit message")
    edit.fill("In other words?")
    edit.press("Enter")
    expect(edit).to_have_value("In other words?")
    assert len(provider.calls) == 1
    chat.choose_model("openai gpt-4.1")
    edit.press("Enter")
    chat.wait_over()
    provider.wait_calls(2)
    assert len(received_images(provider)) == 1


@pytest.mark.parametrize("shown_", [True, False], ids=["images", "words"])
def test_a_slow_upload_of_images_is_not_repeated(chat: Chat, provider: FakeProvider, shown_: bool) -> None:
    """A slow upload must not be sent twice or taken for lost."""
    provider.play(stream_text(per_s=2_000))
    chat.watch.allow("WebSocket connection to .* failed")
    pending: list[Route] = []
    sockets: list[str] = []
    chat.page.route("**/stream", lambda route: pending.append(route))  # noqa: PLW0108
    if shown_:
        choose_files(chat, png_file("noise.png", noise(1_400, 1_000)))
        wait_loaded(tray(chat).locator("img"), 1)
    chat.page.clock.install()
    with chat.page.expect_request("**/stream"):
        chat.ask("What?")
    chat.page.on(
        "websocket", lambda socket: sockets.append(socket.url)
    )  # not before: the list's updates use one too
    if shown_:
        chat.page.clock.run_for(20_000)
        assert sockets == []
    else:
        with chat.page.expect_websocket():
            chat.page.clock.run_for(20_000)
    pending[0].continue_()
    chat.page.wait_for_function(
        "() => document.querySelector('freshet-chat').turns.at(-1).answer.status === 'done'"
    )
    assert len(provider.calls) == 1
