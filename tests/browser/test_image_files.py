"""Files that are to become images: made small, cleaned, told apart, and said no to."""

import base64

import pytest
from playwright.sync_api import expect

from tests.browser.answers import spoken
from tests.browser.chat import Chat
from tests.browser.image_files import (
    File,
    give,
    images_of,
    pick,
    png,
    size_of,
    tray,
    wait_loaded,
)
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import claiming, gif, noise, plain


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
    chat.page.route("**/chat/attachments.js", lambda route: route.abort())
    chat.reload()
    pick(chat, png())
    expect(chat.notice).to_have_text("That did not work. Try again.")
    chat.page.unroute("**/chat/attachments.js")
    chat.reload()
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
