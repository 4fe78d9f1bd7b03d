"""A conversation that was saved as a file comes back by a button in the list; other files are told apart in words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.chat import NETWORK, PHONE, Chat
from tests.browser.image_files import pick, png, shown, wait_loaded
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

BUTTON = "Import a conversation"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Limit this file's server to small files."""
    return {"FRESHET_IMPORT_MAX_BYTES": "2000000", "FRESHET_MAX_BODY_BYTES": "1000000"}


def rows(chat: Chat) -> Locator:
    return chat.page.locator(".list .groups a[href*='?c=']")


def said(chat: Chat) -> Locator:
    return chat.page.locator(".list .what")


def bring(chat: Chat, name: str, body: bytes) -> None:
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name=BUTTON).click()
    chooser.value.set_files([{"name": name, "mimeType": "application/json", "buffer": body}])


def messages(count: int = 2, **first: Any) -> dict[str, Any]:
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


def test_there_and_back(chat: Chat, provider: FakeProvider, tmp_path: Path) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("One.", "Two.")])
    pick(chat, png())
    chat.ask("What is it?")
    chat.wait_over()
    before = chat.page.url
    more = chat.page.get_by_role("button", name="More about “What is it?”")
    more.focus()
    more.press("Enter")
    with chat.page.expect_download() as download:
        chat.page.get_by_role("link", name="Save as JSON").click()
    download.value.save_as(tmp_path / "saved.json")
    chat.page.get_by_role("searchbox").fill("nothing of that name")
    expect(rows(chat)).to_have_count(0)
    bring(chat, "saved.json", (tmp_path / "saved.json").read_bytes())
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
def test_on_a_phone(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Conversations").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    bring(chat, "tides.json", json.dumps(messages()).encode())
    expect(chat.page.get_by_role("dialog")).to_be_hidden()
    expect(chat.answers).to_have_text(["Words 1"])


CIRCLE = messages(2, parent="1")
FOREIGN = messages(2, parent="of another conversation")
SAVED = "Choose one that was saved with “Save as JSON”."


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("notes.json", b"just words", f"“notes.json” is not a JSON file. {SAVED}"),
        ("half.json", json.dumps(messages()).encode()[:100], f"“half.json” is not a JSON file. {SAVED}"),
        ("other.json", b'{"conversations": []}', "“other.json” is not a conversation saved by this chat."),
        ("list.json", b"[]", "“list.json” is not a conversation saved by this chat."),
        (
            "later.json",
            json.dumps(messages() | {"freshet": 9}).encode(),
            "“later.json” is not a conversation saved by this chat.",
        ),
        (
            "circle.json",
            json.dumps(CIRCLE).encode(),
            "“circle.json” is damaged at messages[0].parent, so nothing of it was imported.",
        ),
        (
            "foreign.json",
            json.dumps(FOREIGN).encode(),
            "“foreign.json” is damaged at messages[0].parent, so nothing of it was imported.",
        ),
        (
            "many.json",
            b'{"freshet":1,"messages":[' + b",".join([b'{"role":"user"}'] * 100_000) + b"]}",
            "“many.json” has more messages than a conversation can have here.",
        ),
        ("large.json", b" " * 2_000_001, "“large.json” is too large: a file may have 2 MB."),
        ("\u202enosj.<b>x</b>.json", b"x", f"“nosj.<b>x</b>.json” is not a JSON file. {SAVED}"),
    ],
    ids=["words", "half", "other", "list", "version", "circle", "foreign", "many", "large", "name"],
)
def test_what_cannot_be_imported_is_said_and_nothing_is_stored(
    chat: Chat, name: str, body: bytes, sentence: str
) -> None:
    chat.watch.allow(NETWORK)
    sent: list[str] = []
    chat.page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    bring(chat, name, body)
    expect(said(chat)).to_contain_text(sentence)
    assert ("import" in sent) == (name != "large.json"), "so much is not sent at all"
    expect(said(chat)).to_be_visible()
    assert said(chat).evaluate("box => box.scrollWidth <= box.clientWidth"), "all of it can be read"
    assert findings(chat.page) == []
    chat.page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    chat.reload()
    expect(chat.page.get_by_text("What you ask will be listed here.")).to_be_visible()


def test_what_only_the_server_finds_too_large_is_said_as_well(chat: Chat) -> None:
    chat.watch.allow(NETWORK)

    def older(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=response.text().replace("2000000", "9000000"))

    chat.page.route(f"{chat.url}/", older)  # a page from before the server was given another limit
    chat.reload()
    bring(chat, "large.json", b" " * 2_000_001)
    expect(said(chat)).to_contain_text("“large.json” is too large")


def test_a_server_that_is_away_is_said_and_the_same_file_may_be_chosen_again(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    chat.page.route("**/conversations/import", lambda route: route.abort())
    bring(chat, "tides.json", json.dumps(messages()).encode())
    expect(said(chat)).to_have_text("“tides.json” could not be imported now. Try again in a moment.")
    chat.page.unroute("**/conversations/import")
    bring(chat, "tides.json", json.dumps(messages()).encode())
    expect(chat.answers).to_have_text(["Words 1"])
    expect(said(chat)).to_be_hidden()


def test_while_it_is_imported_that_is_said(chat: Chat) -> None:
    held: list[Callable[[], None]] = []
    chat.page.route("**/conversations/import", lambda route: held.append(route.continue_))
    bring(chat, "tides.json", json.dumps(messages()).encode())
    expect(said(chat)).to_have_text("Importing “tides.json” …")
    button = chat.page.get_by_role("button", name=BUTTON)
    expect(button).to_have_attribute("aria-disabled", "true")
    assert findings(chat.page) == []
    held[0]()
    expect(chat.answers).to_have_text(["Words 1"])
    expect(button).not_to_have_attribute("aria-disabled", "true")
