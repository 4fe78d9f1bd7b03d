"""Images as files chosen, pasted or dropped, and as the provider receives them."""

import base64
import re
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.chat import Chat
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import plain

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


def received_images(provider: FakeProvider, call: int = -1) -> list[bytes]:
    """Return the images that the provider received."""
    contents = [message["content"] for message in provider.calls[call].json["messages"]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


def png_size(image: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG."""
    assert image.startswith(b"\x89PNG")
    return int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")


def tray(chat: Chat) -> Locator:
    return chat.page.get_by_role("list", name="Images to send").get_by_role("listitem")


def shown(chat: Chat) -> Locator:
    """Return the images in the log."""
    return chat.page.locator(".turn .gallery img")


def choose_files(chat: Chat, *files: File) -> None:
    """Choose files with the button."""
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach files").click()
    chat_files: Sequence[Any] = [
        {"name": name, "mimeType": type_, "buffer": body} for name, type_, body in files
    ]
    chooser.value.set_files(chat_files)


def transfer_files(chat: Chat, how: str, *files: File, words: str = "") -> None:
    """Paste or drop files, with optional text."""
    encoded = [[name, type_, base64.b64encode(body).decode()] for name, type_, body in files]
    chat.page.evaluate(DISPATCH, [how, encoded, words])


def png_file(name: str = "sea.png", body: bytes | None = None) -> File:
    return name, "image/png", plain() if body is None else body


def wait_loaded(images: Locator, count: int) -> None:
    expect(images).to_have_count(count)
    for at in range(count):
        expect(images.nth(at)).to_have_attribute("src", re.compile("."))
        images.nth(at).evaluate("image => image.decode()")
        assert images.nth(at).evaluate("image => image.naturalWidth") > 0
