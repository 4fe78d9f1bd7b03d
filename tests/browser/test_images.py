"""Images in the composer: chosen, pasted or dropped, made small, taken out again, and said no to where they can't be sent."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.browser.answers import begun, spoken
from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import claiming, gif, noise, plain
from tests.support.script import Answer

File = tuple[str, str, bytes]

DISPATCH = """([how, files, words]) => {
    const data = new DataTransfer();
    for (const [name, type, body] of files) {
        data.items.add(new File([Uint8Array.from(atob(body), (c) => c.charCodeAt(0))], name, { type }));
    }
    if (words) data.setData('text/plain', words);
    const root = document.querySelector('freshet-chat').shadowRoot;
    const common = { bubbles: true, cancelable: true, composed: true };
    if (how === 'paste') root.querySelector('.composer textarea').dispatchEvent(new ClipboardEvent('paste', { ...common, clipboardData: data }));
    else document.body.dispatchEvent(new DragEvent(how, { ...common, dataTransfer: data }));
}"""


def images_of(provider: FakeProvider, call: int = -1) -> list[bytes]:
    """The images that the provider was shown, as bytes."""
    contents = [message["content"] for message in provider.calls[call].json["messages"]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


def size_of(image: bytes) -> tuple[int, int]:
    """The size of a PNG."""
    assert image.startswith(b"\x89PNG")
    return int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")


def tray(chat: Chat) -> Locator:
    return chat.page.get_by_role("list", name="Images to send").get_by_role("listitem")


def shown(chat: Chat) -> Locator:
    """The images in the log."""
    return chat.page.locator(".turn .gallery img")


def pick(chat: Chat, *files: File) -> None:
    """Choose files as a person does, by the button."""
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Add images").click()
    chat_files: Sequence[Any] = [
        {"name": name, "mimeType": type_, "buffer": body} for name, type_, body in files
    ]
    chooser.value.set_files(chat_files)


def give(chat: Chat, how: str, *files: File, words: str = "") -> None:
    """Paste or drop files."""
    encoded = [[name, type_, base64.b64encode(body).decode()] for name, type_, body in files]
    chat.page.evaluate(DISPATCH, [how, encoded, words])


def png(name: str = "sea.png", body: bytes | None = None) -> File:
    return name, "image/png", plain() if body is None else body


def wait_loaded(images: Locator, count: int) -> None:
    expect(images).to_have_count(count)
    for at in range(count):
        images.nth(at).evaluate("image => image.decode()")
        assert images.nth(at).evaluate("image => image.naturalWidth") > 0


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


def test_a_large_picture_is_made_small_in_the_browser(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    pick(chat, png("wide.png", plain(5_000, 100)), png("noise.png", noise(1_400, 1_000)))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("What?")
    chat.wait_over()
    wide, noisy = images_of(provider)
    assert size_of(wide) == (2_048, 41)
    assert noisy.startswith(b"\xff\xd8\xff"), "as a PNG it would be too large"
    assert 100_000 < len(noisy) <= 2_000_000


def test_what_a_camera_wrote_beside_the_picture_stays_behind(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    photo = base64.b64decode(
        chat.page.evaluate(
            """() => {
                const canvas = document.createElement('canvas');
                canvas.width = 300; canvas.height = 200;
                const pen = canvas.getContext('2d');
                pen.fillStyle = 'teal';
                pen.fillRect(0, 0, 300, 200);
                return canvas.toDataURL('image/jpeg').split(',')[1];
            }"""
        )
    )
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0" + b"GPS 52.5200 N"
    turned = photo[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + photo[2:]
    pick(chat, ("holiday.jpg", "image/jpeg", turned))
    wait_loaded(tray(chat).locator("img"), 1)
    image = tray(chat).locator("img")
    assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [200, 300], "it stands upright"
    chat.ask("Where is this?")
    chat.wait_over()
    (sent,) = images_of(provider)
    assert b"GPS" not in sent
    assert sent.startswith(b"\xff\xd8\xff")


def test_of_an_animation_the_first_picture_is_sent(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    pick(chat, ("cat.gif", "image/gif", gif(3)))
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.notice).to_have_text("“cat.gif” moves. Only its first picture is sent.")
    chat.ask("What?")
    chat.wait_over()
    assert size_of(images_of(provider)[0]) == (1, 1)
    expect(chat.notice).to_be_hidden()


UNREADABLE = "can’t be read as an image"


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (("notes.txt", "text/plain", b"just words"), f"“notes.txt” {UNREADABLE}"),
        (("liar.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), f"“liar.png” {UNREADABLE}"),
        (("empty.jpg", "image/jpeg", b""), f"“empty.jpg” {UNREADABLE}"),
        (("cut.png", "image/png", plain()[:40]), f"“cut.png” {UNREADABLE}"),
        (("short.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"), f"“short.jpg” {UNREADABLE}"),
        (("none.gif", "image/gif", gif(0)), f"“none.gif” {UNREADABLE}"),
        (("wide.png", "image/png", claiming(30_000, 2_000)), "“wide.png” has too many pixels"),
        (("bomb.png", "image/png", claiming(16_000, 16_000)), "“bomb.png” has too many pixels"),
        (("\u202egnp.<img src=x>\n.png", "image/png", b"x"), f"“gnp.<img src=x>.png” {UNREADABLE}"),
        (("x" * 500 + ".png", "image/png", b"x"), "x…” can’t be read"),
    ],
    ids=["words", "svg", "empty", "cut", "short", "no-frame", "wide", "bomb", "name", "long-name"],
)
def test_what_cannot_be_sent_is_said_and_nothing_is_lost(
    chat: Chat, provider: FakeProvider, file: File, sentence: str
) -> None:
    provider.play(spoken(per_s=2_000))
    chat.field.fill("A question")
    pick(chat, png("good.png"))
    wait_loaded(tray(chat).locator("img"), 1)
    give(chat, "drop", file)
    expect(chat.notice).to_contain_text(sentence)
    expect(chat.notice).to_be_visible()
    expect(tray(chat)).to_have_count(1)
    expect(chat.field).to_have_value("A question")
    assert provider.calls == []
    assert findings(chat.page) == []
    chat.field.press("Enter")
    expect(chat.notice).to_be_hidden()
    chat.wait_over()
    assert len(images_of(provider)) == 1


def test_a_file_of_100_mb_is_not_even_read(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
            const file = new File([new Uint8Array(100_000_000)], 'film.png', { type: 'image/png' });
            file.arrayBuffer = () => { throw new Error('it was read'); };
            document.querySelector('freshet-chat').take([file]);
        }"""
    )
    expect(chat.notice).to_have_text("“film.png” is too large: an image may have 40 MB.")


def test_a_fifth_is_left_out_and_said(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    pick(chat, png("1.png"), png("2.png"), png("3.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    pick(chat, png("4.png"), png("5.png"))
    expect(chat.notice).to_have_text("A question takes four images. The others were left out.")
    wait_loaded(tray(chat).locator("img"), 4)
    chat.ask("What?")
    chat.wait_over()
    assert len(images_of(provider)) == 4


def test_without_what_a_secure_page_has_it_works_too(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat.page.add_init_script(
        "delete window.createImageBitmap; delete window.OffscreenCanvas;"
        "Object.defineProperty(crypto, 'subtle', { value: undefined });"
    )
    chat.reload()
    pick(chat, png())
    chat.ask("What?")
    chat.wait_over()
    assert len(images_of(provider)) == 1


def test_its_reader_that_cannot_be_loaded_is_said_and_tried_again(chat: Chat) -> None:
    chat.watch.allow("net::ERR_FAILED", "Failed to fetch dynamically imported module")
    chat.page.route("**/elements/tray.js", lambda route: route.abort())
    chat.reload()
    pick(chat, png())
    expect(chat.notice).to_have_text("That did not work. Try again.")
    chat.page.unroute("**/elements/tray.js")
    chat.reload()
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)


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


def test_what_waits_keeps_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play([spoken(per_s=60), Answer(steps=openai(["Two."]))])
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png("a.png"), png("b.png", plain(30, 30)))
    chat.field.fill("And these?")
    wait_loaded(tray(chat).locator("img"), 2)
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name="Sent when the answer is complete")
    wait_loaded(queued.locator("img"), 2)
    expect(tray(chat)).to_have_count(0)
    pick(chat, png("c.png"), png("d.png"), png("e.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    chat.field.press("Enter")
    expect(chat.notice).to_have_text("A question takes four images. Remove some to send it.")
    expect(chat.page.locator(".turn")).to_have_count(2)
    chat.wait_over()
    assert [size_of(image) for image in images_of(provider)] == [(120, 80), (30, 30)]
    expect(tray(chat)).to_have_count(3)


def test_after_a_stop_what_waited_is_back_with_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.press("Enter")
    expect(tray(chat)).to_have_count(0)
    chat.field.press("Escape")
    chat.wait_over()
    wait_loaded(tray(chat).locator("img"), 1)
    assert len(provider.calls) == 1


def test_after_a_reload_nothing_is_sent_without_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.fill("What is in it?")
    chat.field.press("Enter")
    chat.reload()
    expect(chat.notice).to_have_text("Images are not kept over a reload. Add them again.")
    expect(chat.field).to_have_value("What is in it?")
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1
    chat.reload()
    expect(chat.field).to_have_value("What is in it?")
    expect(chat.notice).to_be_hidden()


FORGET_CURSOR = """() => {
    const kept = JSON.parse(sessionStorage.getItem('freshet.conversation') ?? 'null');
    if (kept === null) return;
    Object.assign(kept.turns.at(-1).answer, { cursor: null, text: '', status: 'waiting' });
    sessionStorage.setItem('freshet.conversation', JSON.stringify(kept));
}"""


@pytest.mark.parametrize("known", [True, False], ids=["a frame came", "none came"])
def test_a_reload_in_the_middle_joins_the_run(chat: Chat, provider: FakeProvider, known: bool) -> None:
    """Who has had no frame yet asks once more, by the images' names: what was sent is not kept."""
    provider.play(spoken(per_s=30))
    if not known:
        chat.page.add_init_script(f"({FORGET_CURSOR})()")
    pick(chat, png())
    chat.ask("What is it?")
    chat.wait_chars(30)
    chat.reload()
    wait_loaded(shown(chat), 1)
    expect(chat.stop).to_be_visible()
    answer = chat.wait_over()
    assert answer["status"] == "done"
    assert len(provider.calls) == 1


@pytest.mark.parametrize("reloaded", [False, True])
def test_images_stay_with_a_question_that_is_changed_or_answered_again(
    chat: Chat, provider: FakeProvider, reloaded: bool
) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("One.", "Two.", "Three.")])
    pick(chat, png(), png("b.png", plain(30, 30)))
    chat.ask("What is it?")
    expect(chat.answers.last).to_have_text("One.")
    chat.wait_over()
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit the question").click()
    edit = chat.page.get_by_role("textbox", name="Edit the question")
    wait_loaded(shown(chat), 2)
    edit.fill("What are they?")
    edit.press("Enter")
    expect(chat.answers.last).to_have_text("Two.")
    chat.wait_over()
    wait_loaded(shown(chat), 2)
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Answer again").click()
    expect(chat.answers.last).to_have_text("Three.")
    sizes = [[size_of(image) for image in images_of(provider, call)] for call in range(3)]
    assert sizes == [[(120, 80), (30, 30)]] * 3
    chat.reload()
    wait_loaded(shown(chat), 2)


def test_an_image_has_its_place_before_it_is_there(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    pick(chat, png("tall.png", plain(300, 400)))
    chat.ask("What is it?")
    chat.wait_over()
    wait_loaded(shown(chat), 1)
    place = "() => document.querySelector('freshet-chat').shadowRoot.querySelector('.turn .answer').getBoundingClientRect().y"
    chat.page.route("**/images/*", lambda route: None)  # it never comes
    chat.page.reload(wait_until="commit")
    chat.ready()
    expect(shown(chat)).to_have_count(1)
    assert shown(chat).evaluate("image => image.naturalWidth") == 0
    before = chat.page.evaluate(place)
    chat.page.unroute("**/images/*")
    chat.reload()
    wait_loaded(shown(chat), 1)
    assert chat.page.evaluate(place) == before
    box = shown(chat).bounding_box()
    assert box is not None
    assert box["height"] / box["width"] == pytest.approx(4 / 3, rel=0.02)


def test_pressed_it_is_shown_large_and_escape_ends_only_that(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    pick(chat, png("sea.png", plain(900, 600)))
    chat.ask("What is it?")
    chat.wait_chars(20)
    image = chat.page.get_by_role("button", name="Image 1")
    image.click()
    viewer = chat.page.get_by_role("dialog", name="Image 1")
    box = viewer.get_by_role("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (900, 600)
    assert findings(chat.page) == []
    chat.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(image).to_be_focused()
    expect(chat.stop).to_be_visible()
    image.press("Enter")
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_have_count(0)
    chat.stop.click()
    chat.wait_over()


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_nothing_stands_in_anyone_s_way(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    for count in (1, 4):
        pick(chat, *[png(f"{at}.png", plain(900, 100 + 400 * at)) for at in range(count)])
        wait_loaded(tray(chat).locator("img"), count)
        assert findings(chat.page) == []
        chat.ask("What?")
        chat.wait_over()
        wait_loaded(shown(chat), count if count == 1 else 5)
        assert findings(chat.page) == []
        assert not chat.overflows()


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
    module = chat.page.evaluate("document.querySelector('script[src]').src.replace('page.js', 'sha256.js')")
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000, 70_000):
        digest = chat.page.evaluate(
            "async ([module, size]) => (await import(module)).sha256(Uint8Array.from({ length: size }, (_, i) => (i * 7) & 255))",
            [module, size],
        )
        assert digest == hashlib.sha256(bytes((i * 7) & 255 for i in range(size))).hexdigest(), size
