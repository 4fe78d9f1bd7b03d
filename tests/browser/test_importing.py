"""Importing a conversation from a file, and rejecting other files."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.chat import NETWORK, PHONE, Chat
from tests.browser.image_files import choose_files, png_file, shown, transfer_files, wait_loaded
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import plain
from tests.support.script import Answer

BUTTON = "Import chat"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Limit imports to small files."""
    return {"FRESHET_IMPORT_MAX_BYTES": "2000000", "FRESHET_MAX_BODY_BYTES": "1000000"}


def rows(chat: Chat) -> Locator:
    return chat.page.locator(".list .groups a[href*='?c=']")


def import_status(chat: Chat) -> Locator:
    return chat.page.locator(".list .toast-text")


def import_file(chat: Chat, name: str, body: bytes) -> None:
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name=BUTTON).click()
    chooser.value.set_files([{"name": name, "mimeType": "application/json", "buffer": body}])


def exported_messages(count: int = 2, **first: Any) -> dict[str, Any]:
    found = [
        {
            "id": str(at),
            "parent": str(at - 1) if at else None,
            "role": "assistant" if at % 2 else "user",
            "content": [{"type": "text", "text": f"Words {at}"}],
            "created_at": at,
        }
        for at in range(count)
    ]
    found[0] |= first
    return {"freshet": 1, "title": "Tides", "messages": found}


def test_an_exported_conversation_is_imported(chat: Chat, provider: FakeProvider, tmp_path: Path) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("One.", "Two.")])
    choose_files(chat, png_file())
    chat.ask("What is it?")
    chat.wait_over()
    before = chat.page.url
    more = chat.page.get_by_role("button", name="Options for “What is it?”")
    more.focus()
    more.press("Enter")
    with chat.page.expect_download() as download:
        chat.page.get_by_role("link", name="Save as JSON").click()
    download.value.save_as(tmp_path / "saved.json")
    chat.page.get_by_role("searchbox").fill("nothing of that name")
    expect(rows(chat)).to_have_count(0)
    import_file(chat, "saved.json", (tmp_path / "saved.json").read_bytes())
    expect(rows(chat)).to_have_text(["What is it?", "What is it?"])
    expect(rows(chat).first).to_have_attribute("aria-current", "page")
    expect(chat.page.locator(".question")).to_have_text(["What is it?"])
    wait_loaded(shown(chat), 1)
    expect(chat.answers).to_have_text(["One."])
    assert chat.page.url != before
    chat.ask("And on?")
    chat.wait_over()
    expect(chat.answers.last).to_have_text("Two.")
    assert len(provider.calls) == 2


@pytest.mark.parametrize("device", [PHONE], ids=["phone"])
def test_import_on_a_phone(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Chats").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(chat.page.get_by_role("dialog")).to_be_hidden()
    expect(chat.answers).to_have_text(["Words 1"])


CIRCLE = exported_messages(2, parent="1")
FOREIGN = exported_messages(2, parent="of another conversation")
SAVED = "Choose a file that was exported by this app, ChatGPT, Claude, LibreChat or Open WebUI."


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("notes.json", b"just words", f"“notes.json” isn’t a JSON file. {SAVED}"),
        (
            "half.json",
            json.dumps(exported_messages()).encode()[:100],
            f"“half.json” isn’t a JSON file. {SAVED}",
        ),
        ("other.json", b'{"conversations": []}', "“other.json” can’t be imported."),
        ("list.json", b"[]", "“list.json” can’t be imported."),
        (
            "later.json",
            json.dumps(exported_messages() | {"freshet": 9}).encode(),
            "“later.json” can’t be imported.",
        ),
        (
            "circle.json",
            json.dumps(CIRCLE).encode(),
            "“circle.json” is damaged at messages[0].parent. Nothing was imported.",
        ),
        (
            "foreign.json",
            json.dumps(FOREIGN).encode(),
            "“foreign.json” is damaged at messages[0].parent. Nothing was imported.",
        ),
        (
            "many.json",
            b'{"freshet":1,"messages":[' + b",".join([b'{"role":"user"}'] * 100_000) + b"]}",
            "“many.json” has too many messages to import.",
        ),
        ("large.json", b" " * 2_000_001, "“large.json” is too large. The limit is 2 MB."),
        ("\u202enosj.<b>x</b>.json", b"x", f"“nosj.<b>x</b>.json” isn’t a JSON file. {SAVED}"),
    ],
    ids=["words", "half", "other", "list", "version", "circle", "foreign", "many", "large", "name"],
)
def test_an_invalid_file_is_reported_and_nothing_is_stored(
    chat: Chat, name: str, body: bytes, sentence: str
) -> None:
    chat.watch.allow(NETWORK)
    sent: list[str] = []
    chat.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    import_file(chat, name, body)
    expect(import_status(chat)).to_contain_text(sentence)
    is_kept = name in ("large.json", "list.json")
    assert ("import" in sent) != is_kept, "a file over the limit is not sent, nor an empty list"
    expect(import_status(chat)).to_be_visible()
    assert import_status(chat).evaluate("box => box.scrollWidth <= box.clientWidth"), (
        "the whole text is visible"
    )
    assert findings(chat.page) == []
    chat.page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    chat.reload()
    expect(chat.page.get_by_text("Your chats will appear here.")).to_be_visible()


def test_a_file_that_only_the_server_rejects_as_too_large_is_reported(chat: Chat) -> None:
    chat.watch.allow(NETWORK)

    def serve_old_limit(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace("2000000", "9000000"))

    chat.page.route(f"{chat.url}/", serve_old_limit)  # a page loaded before the limit was lowered
    chat.reload()
    import_file(chat, "large.json", b" " * 2_000_001)
    expect(import_status(chat)).to_contain_text("“large.json” is too large")


def test_an_unreachable_server_is_reported_and_the_file_can_be_chosen_again(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    chat.page.route("**/conversations/import", lambda route: route.abort())
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(import_status(chat)).to_have_text("Couldn’t import “tides.json”. Try again in a moment.")
    chat.page.unroute("**/conversations/import")
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(chat.answers).to_have_text(["Words 1"])
    expect(import_status(chat)).to_be_hidden()


def chatgpt(number: int, **fields: Any) -> dict[str, Any]:
    """One of ChatGPT's conversations: a question with two answers, and a picture that is not in the file."""
    texts = {
        "q": ("user", f"Question {number}"),
        "a": ("assistant", "**Leek**"),
        "b": ("assistant", "Tomato"),
    }
    mapping: dict[str, Any] = {
        name: {
            "id": name,
            "parent": "q" if name != "q" else None,
            "message": {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}},
        }
        for name, (role, text) in texts.items()
    }
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    content = {
        "content_type": "multimodal_text",
        "parts": [pointer, f"And {number}? <img src=x onerror=alert(1)>"],
    }
    mapping["c"] = {"id": "c", "parent": "a", "message": {"author": {"role": "user"}, "content": content}}
    return {
        "title": f"Soup {number}",
        "create_time": 1700000000,
        "mapping": mapping,
        "current_node": "c",
    } | fields


def test_n28_another_apps_conversation_is_imported_with_its_branches(chat: Chat) -> None:
    body = json.dumps([chatgpt(1, current_node="a")]).encode()
    import_file(chat, "conversations.json", b"\xef\xbb\xbf" + body)
    expect(chat.answers).to_have_text(["Leek"])
    expect(chat.answers.locator("strong")).to_have_text(["Leek"])
    expect(rows(chat)).to_have_text(["Soup 1"])
    dialog = chat.page.get_by_role("dialog", name="Import result")
    expect(dialog).to_contain_text("1 image is missing")
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    chat.page.locator(".turn").get_by_role("button", name="Next version").last.click()
    expect(chat.answers).to_have_text(["Tomato"])


def test_n28_a_report_names_what_was_not_imported(chat: Chat) -> None:
    circle = chatgpt(7, title="<b>Circle</b>")
    circle["mapping"]["q"]["parent"] = "a"
    body = [*(chatgpt(number) for number in range(60)), circle, {"title": "Odd"}, 5]
    import_file(chat, "conversations.json", json.dumps(body).encode())
    dialog = chat.page.get_by_role("dialog", name="Import result")
    expect(dialog.locator("p")).to_have_text(
        [
            "conversations.json",
            "60 chats were imported.",
            "60 images are missing: the file doesn’t contain them, or they can’t be shown.",
            "3 chats could not be imported:",
        ]
    )
    expect(dialog.locator("li")).to_have_text(
        [
            "<b>Circle</b>damaged at mapping.q.parent",
            "Oddin a format that can’t be imported",
            "Chat 63in a format that can’t be imported",
        ]
    )
    assert findings(chat.page) == []
    dialog.get_by_role("button", name="Close").click()
    expect(import_status(chat)).to_be_hidden()
    expect(rows(chat).first).to_contain_text("Soup")
    rows(chat).first.click()
    expect(chat.page.locator(".question").last).to_contain_text("? <img src=x onerror=alert(1)>")


def test_n28_exports_are_dropped_beside_images(chat: Chat) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("export/conversations.json", json.dumps([chatgpt(1), chatgpt(2)]))
        written.writestr("export/user.json", "{}")
    transfer_files(
        chat,
        "drop",
        ("export.zip", "application/zip", archive.getvalue()),
        png_file("dot.png"),
    )
    expect(chat.page.get_by_role("dialog", name="Import result")).to_contain_text("2 chats were imported.")
    chat.page.keyboard.press("Escape")
    expect(rows(chat)).to_have_count(2)
    expect(chat.page.get_by_role("button", name="Remove “dot.png”")).to_be_visible()
    transfer_files(chat, "drop", ("own.json", "", json.dumps(exported_messages()).encode()))
    expect(chat.answers).to_have_text(["Words 1"])
    expect(rows(chat)).to_have_count(3)


def test_n28_the_images_of_a_zip_file_are_imported(chat: Chat) -> None:
    names = ["file-AbC1", "file_00ff", "file-none", "file-text"]
    pointers = [
        {"content_type": "image_asset_pointer", "asset_pointer": f"file-service://{name}"} for name in names
    ]
    content = {"content_type": "multimodal_text", "parts": [*pointers, "Which dot?"]}
    mapping = {
        "q": {"message": {"author": {"role": "user"}, "content": content}},
        "a": {
            "parent": "q",
            "message": {
                "author": {"role": "assistant"},
                "content": {"content_type": "text", "parts": ["Both."]},
            },
        },
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("conversations.json", json.dumps([chatgpt(1, mapping=mapping, current_node="a")]))
        written.writestr("file-AbC1-a photo.png", png_file()[2])
        written.writestr("user-1/file_00ff.dat", plain(3_000, 20, (9, 9, 9)))  # it is scaled down
        written.writestr("file-text.png", "no image")
    import_file(chat, "export.zip", archive.getvalue())
    expect(chat.page.get_by_role("dialog", name="Import result")).to_contain_text("2 images are missing")
    chat.page.keyboard.press("Escape")
    expect(chat.answers).to_have_text(["Both."])
    wait_loaded(shown(chat), 2)


def test_an_import_of_many_can_be_cancelled(chat: Chat) -> None:
    pending: list[Callable[[], None]] = []
    chat.page.route("**/conversations/import", lambda route: pending.append(route.continue_))
    import_file(chat, "conversations.json", json.dumps([chatgpt(n) for n in range(120)]).encode())
    expect(import_status(chat)).to_have_text("Importing “conversations.json”…")
    assert findings(chat.page) == []
    box = chat.page.locator(".list .toast")
    expect(box.get_by_role("button")).to_have_text(["Cancel"])
    box.get_by_role("button", name="Cancel").click()
    expect(box).to_be_hidden()
    button = chat.page.get_by_role("button", name=BUTTON)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-disabled", "true")  # the request in progress ends first
    pending[0]()
    dialog = chat.page.get_by_role("dialog", name="Import result")
    expect(dialog).to_contain_text("50 chats were imported.")
    expect(dialog).to_contain_text("You cancelled the import. The rest of the file was not imported.")
    chat.page.keyboard.press("Escape")
    assert len(pending) == 1
    expect(rows(chat).first).to_contain_text("Soup")
    expect(button).not_to_have_attribute("aria-disabled", "true")


def test_an_import_of_one_can_be_cancelled(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    chat.page.route("**/conversations/import", lambda _route: None)
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(import_status(chat)).to_have_text("Importing “tides.json”…")
    chat.page.locator(".list .toast").get_by_role("button", name="Cancel").click()
    expect(chat.page.locator(".list .toast")).to_be_hidden()
    expect(chat.page.get_by_role("button", name=BUTTON)).not_to_have_attribute("aria-disabled", "true")
    expect(chat.page.get_by_role("dialog")).to_have_count(0)
    chat.page.unroute("**/conversations/import")
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(chat.answers).to_have_text(["Words 1"])


def test_n28_a_zip_file_without_conversations_is_named(chat: Chat) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("notes.txt", "x")
    import_file(chat, "notes.zip", archive.getvalue())
    expect(import_status(chat)).to_have_text(
        "“notes.zip” contains no chats. Choose a zip file that contains conversations.json."
    )
    import_file(chat, "half.zip", archive.getvalue()[:40])
    expect(import_status(chat)).to_contain_text("“half.zip” can’t be unzipped here.")


def test_n28_a_file_over_the_limit_of_a_request_is_imported_in_parts_with_its_progress(chat: Chat) -> None:
    pending: list[Callable[[], None]] = []
    seen: list[str] = []
    chat.page.route("**/conversations/import", lambda route: pending.append(route.continue_))
    filler = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["x" * 400_000]}}
    body = [chatgpt(number, mapping={"q": {"message": filler}}, current_node=None) for number in range(9)]
    raw = json.dumps([*body, chatgpt(10, mapping={"q": {"message": filler, "x": "y" * 2_000_000}})]).encode()
    assert len(raw) > 2 * 2_000_000
    import_file(chat, "conversations.json", raw)
    status = re.compile("^Importing “conversations.json”… [1-9][0-9]?%$")
    expect(import_status(chat)).to_have_text("Importing “conversations.json”…")
    while not import_status(chat).is_hidden():
        chat.page.wait_for_function("performance.now()")  # lets the routes run
        if pending:
            pending.pop()()
            seen.append(import_status(chat).text_content() or "")
    assert any(status.match(sentence) for sentence in seen), seen
    dialog = chat.page.get_by_role("dialog", name="Import result")
    expect(dialog.locator("p").nth(1)).to_have_text("9 chats were imported.")
    expect(dialog.locator("li")).to_have_text(["Chat 10too large"])


def test_a_running_import_is_shown(chat: Chat) -> None:
    pending: list[Callable[[], None]] = []
    chat.page.route("**/conversations/import", lambda route: pending.append(route.continue_))
    import_file(chat, "tides.json", json.dumps(exported_messages()).encode())
    expect(import_status(chat)).to_have_text("Importing “tides.json”…")
    button = chat.page.get_by_role("button", name=BUTTON)
    expect(button).to_have_attribute("aria-disabled", "true")
    assert findings(chat.page) == []
    pending[0]()
    expect(chat.answers).to_have_text(["Words 1"])
    expect(button).not_to_have_attribute("aria-disabled", "true")
