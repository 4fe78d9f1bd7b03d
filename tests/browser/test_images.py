"""Images in the composer: chosen, pasted or dropped, taken out again, and said no to where they can't be sent."""

import hashlib

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.answers import spoken
from tests.browser.chat import Chat
from tests.browser.image_files import (
    give,
    images_of,
    pick,
    png,
    shown,
    size_of,
    tray,
    wait_loaded,
)
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import noise, plain


@pytest.mark.parametrize("by_socket", [False, True], ids=["sse", "websocket"])
def test_images_go_with_the_question_and_are_there_after_a_reload_and_in_another_tab(
    context: BrowserContext, chat: Chat, provider: FakeProvider, by_socket: bool
) -> None:
    provider.play(spoken(per_s=2_000))
    if by_socket:
        chat.watch.allow("net::ERR_FAILED")
        chat.page.route("**/stream", lambda route: route.abort())
    pick(chat, png(), png("hills.png", plain(90, 60, (200, 90, 20))))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("What do they show?")
    wait_loaded(shown(chat), 2)
    expect(tray(chat)).to_have_count(0)
    chat.wait_over()
    assert provider.calls[0].json["messages"][0]["content"][0] == {
        "type": "text",
        "text": "What do they show?",
    }
    assert [size_of(image) for image in images_of(provider)] == [(120, 80), (90, 60)]
    chat.reload()
    wait_loaded(shown(chat), 2)
    addresses = [shown(chat).nth(at).get_attribute("src") or "" for at in range(2)]
    for address, image in zip(addresses, images_of(provider), strict=True):
        assert address.endswith(f"/images/{hashlib.sha256(image).hexdigest()}")
    twin = Chat(context, chat.page.url, chat.watch).open()
    wait_loaded(shown(twin), 2)
    assert len(provider.calls) == 1


def test_demo_answers_take_them_too(chat: Chat, provider: FakeProvider) -> None:
    chat.page.get_by_label("Model", exact=True).select_option("mock/mock-standard")
    pick(chat, png())
    expect(tray(chat)).to_have_count(1)
    chat.ask("What is it?")
    wait_loaded(shown(chat), 1)
    chat.wait_chars(40)
    chat.stop.click()
    assert chat.wait_over()["text"].startswith("You asked: “What is it?”")
    assert provider.calls == []
    expect(chat.notice).to_be_hidden()


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_pasted_and_dropped(chat: Chat, provider: FakeProvider, how: str) -> None:
    provider.play(spoken(per_s=2_000))
    chat.field.fill("Look")
    give(chat, how, png("image.png"))
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.field).to_have_value("Look")
    chat.field.press("Enter")
    chat.wait_over()
    assert len(images_of(provider)) == 1


def test_files_above_the_page_are_invited_and_words_stay_words(chat: Chat) -> None:
    target = chat.page.get_by_text("Drop images here")
    expect(target).to_be_hidden()
    give(chat, "dragover", png())
    expect(target).to_be_visible()
    give(chat, "drop", png())
    expect(target).to_be_hidden()
    expect(tray(chat)).to_have_count(1)
    give(chat, "paste", png("table.png"), words="a\tb")
    give(chat, "dragover", words="some words")
    expect(target).to_be_hidden()
    expect(tray(chat)).to_have_count(1)


def test_an_image_without_words_is_a_question(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    expect(chat.send).to_have_attribute("aria-disabled", "true")
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.send).to_have_attribute("aria-disabled", "false")
    chat.send.click()
    chat.wait_over()
    assert len(images_of(provider)) == 1
    chat.reload()
    wait_loaded(shown(chat), 1)
    expect(chat.page.get_by_role("navigation").get_by_role("link")).to_have_text("An image")


def test_send_waits_for_what_is_being_read(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat.page.evaluate(
        """() => {
            const decode = HTMLImageElement.prototype.decode;
            HTMLImageElement.prototype.decode = function () {
                return new Promise((done) => { window.goOn = done; }).then(() => decode.call(this));
            };
        }"""
    )
    chat.field.fill("What is it?")
    pick(chat, png())
    chat.page.wait_for_function("() => window.goOn !== undefined")
    chat.field.press("Enter")
    chat.field.press("Enter")
    expect(chat.field).to_have_value("What is it?")
    chat.page.evaluate("window.goOn()")
    chat.wait_over()
    assert len(provider.calls) == len(images_of(provider)) == 1


def test_by_keyboard_an_image_is_taken_out(chat: Chat, provider: FakeProvider) -> None:
    pick(chat, png("one.png"), png("two.png"), png("three.png"))
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
    expect(chat.page.get_by_role("button", name="Add images")).to_be_focused()
    expect(tray(chat)).to_have_count(0)
    assert provider.calls == []


def test_a_model_that_cannot_see_is_told_before_anything_is_sent(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    blind = "o3-mini can’t see images. Choose another model, or remove the images."
    model = chat.page.get_by_label("Model", exact=True)
    model.select_option("openai/o3-mini")
    expect(chat.notice).to_be_hidden()
    pick(chat, png())
    expect(chat.notice).to_have_text(blind)
    chat.ask("What is it?")
    expect(chat.notice).to_have_text(blind)
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.field).to_have_value("What is it?")
    expect(tray(chat)).to_have_count(1)
    assert provider.calls == []
    model.select_option("openai/gpt-4.1")
    expect(chat.notice).to_be_hidden()
    chat.field.press("Enter")
    chat.wait_over()
    assert len(images_of(provider)) == 1
    model.select_option("openai/o3-mini")
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Answer again").click()
    expect(chat.notice).to_have_text(blind)
    chat.page.get_by_role("button", name="Edit the question").click()
    edit = chat.page.get_by_role("textbox", name="Edit the question")
    edit.fill("In other words?")
    edit.press("Enter")
    expect(edit).to_have_value("In other words?")
    assert len(provider.calls) == 1
    model.select_option("openai/gpt-4.1")
    edit.press("Enter")
    chat.wait_over()
    provider.wait_calls(2)
    assert len(images_of(provider)) == 1


@pytest.mark.parametrize("shown_", [True, False], ids=["images", "words"])
def test_a_slow_line_has_time_to_send_images(chat: Chat, provider: FakeProvider, shown_: bool) -> None:
    """What takes long to send must not be sent a second time beside it, nor taken for lost."""
    provider.play(spoken(per_s=2_000))
    chat.watch.allow("WebSocket connection to .* failed")
    held: list[Route] = []
    sockets: list[str] = []
    chat.page.route("**/stream", lambda route: held.append(route))  # noqa: PLW0108
    chat.page.on("websocket", lambda socket: sockets.append(socket.url))
    if shown_:
        pick(chat, png("noise.png", noise(1_400, 1_000)))
        wait_loaded(tray(chat).locator("img"), 1)
    chat.page.clock.install()
    with chat.page.expect_request("**/stream"):
        chat.ask("What?")
    if shown_:
        chat.page.clock.run_for(20_000)
        assert sockets == []
    else:
        with chat.page.expect_websocket():
            chat.page.clock.run_for(20_000)
    held[0].continue_()
    chat.page.wait_for_function(
        "() => document.querySelector('freshet-chat').turns.at(-1).answer.status === 'done'"
    )
    assert len(provider.calls) == 1


def test_digests_are_what_the_world_takes_them_for(chat: Chat) -> None:
    """The page computes them itself: over plain http a browser has none."""
    page = chat.page.evaluate("document.querySelector('script[src$=\"/page.js\"]').src")
    module = page.replace("/page.js", "/images/sha256.js")
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 70_000):
        digest = chat.page.evaluate(
            "async ([module, size]) => (await import(module)).sha256(Uint8Array.from({ length: size }, (_, i) => (i * 7) & 255))",
            [module, size],
        )
        assert digest == hashlib.sha256(bytes((i * 7) & 255 for i in range(size))).hexdigest(), size
