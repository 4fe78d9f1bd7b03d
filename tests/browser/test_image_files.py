"""Image files: downscaling, metadata, detection and rejection."""

import base64

import pytest
from playwright.sync_api import expect

from tests.browser.answers import stream_text
from tests.browser.chat import Chat
from tests.browser.image_files import (
    File,
    choose_files,
    png_file,
    png_size,
    received_images,
    transfer_files,
    tray,
    wait_loaded,
)
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import claiming, gif, noise, plain


def test_a_large_image_is_downscaled_in_the_browser(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    choose_files(chat, png_file("wide.png", plain(5_000, 100)), png_file("noise.png", noise(1_400, 1_000)))
    wait_loaded(tray(chat).locator("img"), 2)
    chat.ask("What?")
    chat.wait_over()
    wide, noisy = received_images(provider)
    assert png_size(wide) == (2_048, 41)
    assert noisy.startswith(b"\xff\xd8\xff"), "as a PNG it would be too large"
    assert 100_000 < len(noisy) <= 2_000_000


def test_image_metadata_is_removed(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
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
    choose_files(chat, ("holiday.jpg", "image/jpeg", turned))
    wait_loaded(tray(chat).locator("img"), 1)
    image = tray(chat).locator("img")
    assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [200, 300], "it is rotated upright"
    chat.ask("Where is this?")
    chat.wait_over()
    (sent,) = received_images(provider)
    assert b"GPS" not in sent
    assert sent.startswith(b"\xff\xd8\xff")


def test_an_animation_is_sent_as_its_first_frame(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    choose_files(chat, ("cat.gif", "image/gif", gif(3)))
    wait_loaded(tray(chat).locator("img"), 1)
    expect(chat.notice).to_have_text("“cat.gif” is animated. Only its first frame will be sent.")
    chat.ask("What?")
    chat.wait_over()
    assert png_size(received_images(provider)[0]) == (1, 1)
    expect(chat.notice).to_be_hidden()


UNREADABLE = "isn’t a supported image"


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (("notes.png", "image/png", b"just words"), f"“notes.png” {UNREADABLE}"),
        (("liar.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), f"“liar.png” {UNREADABLE}"),
        (("empty.jpg", "image/jpeg", b""), f"“empty.jpg” {UNREADABLE}"),
        (("cut.png", "image/png", plain()[:40]), f"“cut.png” {UNREADABLE}"),
        (("short.jpg", "image/jpeg", b"\xff\xd8\xff\xe0"), f"“short.jpg” {UNREADABLE}"),
        (("none.gif", "image/gif", gif(0)), f"“none.gif” {UNREADABLE}"),
        (("wide.png", "image/png", claiming(30_000, 2_000)), "“wide.png” has too many pixels"),
        (("bomb.png", "image/png", claiming(16_000, 16_000)), "“bomb.png” has too many pixels"),
        (("\u202egnp.<img src=x>\n.png", "image/png", b"x"), f"“gnp.<img src=x>.png” {UNREADABLE}"),
        (("x" * 500 + ".png", "image/png", b"x"), "x…” isn’t a supported image"),
    ],
    ids=["words", "svg", "empty", "cut", "short", "no-frame", "wide", "bomb", "name", "long-name"],
)
def test_an_unusable_file_is_reported_and_nothing_is_lost(
    chat: Chat, provider: FakeProvider, file: File, sentence: str
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.field.fill("A question")
    choose_files(chat, png_file("good.png"))
    wait_loaded(tray(chat).locator("img"), 1)
    transfer_files(chat, "drop", file)
    expect(chat.notice).to_contain_text(sentence)
    expect(chat.notice).to_be_visible()
    expect(tray(chat)).to_have_count(1)
    expect(chat.field).to_have_value("A question")
    assert provider.calls == []
    assert findings(chat.page) == []
    chat.field.press("Enter")
    expect(chat.notice).to_be_hidden()
    chat.wait_over()
    assert len(received_images(provider)) == 1


def test_a_file_of_100_mb_is_not_read(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
            const file = new File([new Uint8Array(100_000_000)], 'film.png', { type: 'image/png' });
            file.arrayBuffer = () => { throw new Error('it was read'); };
            document.querySelector('freshet-chat').addFiles([file]);
        }"""
    )
    expect(chat.notice).to_have_text("“film.png” is too large. The limit is 40 MB.")


def test_a_fifth_image_is_left_out_and_reported(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    choose_files(chat, png_file("1.png"), png_file("2.png"), png_file("3.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    choose_files(chat, png_file("4.png"), png_file("5.png"))
    expect(chat.notice).to_have_text("You can send up to four images at a time. The rest were left out.")
    wait_loaded(tray(chat).locator("img"), 4)
    chat.ask("What?")
    chat.wait_over()
    assert len(received_images(provider)) == 4


def test_images_work_without_a_secure_context(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.page.add_init_script(
        "delete window.createImageBitmap; delete window.OffscreenCanvas;"
        "Object.defineProperty(crypto, 'subtle', { value: undefined });"
    )
    chat.reload()
    choose_files(chat, png_file())
    chat.ask("What?")
    chat.wait_over()
    assert len(received_images(provider)) == 1


def test_an_image_module_that_fails_to_load_is_reported_and_retried(chat: Chat) -> None:
    chat.watch.allow("net::ERR_FAILED", "Failed to fetch dynamically imported module")
    chat.page.route("**/chat/attachments.js", lambda route: route.abort())
    chat.reload()
    choose_files(chat, png_file())
    expect(chat.notice).to_have_text("That didn’t work. Try again.")
    chat.page.unroute("**/chat/attachments.js")
    chat.reload()
    choose_files(chat, png_file())
    wait_loaded(tray(chat).locator("img"), 1)
