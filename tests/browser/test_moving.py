"""Moving a visitor's chats to the user after signing in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import TEXT, stream_text
from tests.browser.chat import DESK, NETWORK, PHONE, Chat, Watch
from tests.browser.people import PASSWORD, open_row, open_signed_in, rows
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path, provider: FakeProvider) -> Serve:
    """Return a function that starts a server on the test's shared data; the browser's cookies are valid for all of them."""
    provider.play(lambda _: stream_text(per_s=2_000))
    env = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "FRESHET_MODEL": "gpt-4.1",
        "FRESHET_DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": "canary-of-visitors-1234",
    }
    return lambda **more: Server(env | more)


@pytest.fixture
def visited(serve: Serve, context: BrowserContext, watch: Watch) -> None:
    """Create two chats as a visitor."""
    with serve(FRESHET_PUBLIC="true") as server:
        page = context.new_page()
        watch.attach(page)
        page.goto(server.url)
        for question in ("Asked as a visitor", "Asked as a visitor too"):
            page.locator("freshet-chat").evaluate("chat => chat.show('')")
            page.locator("freshet-chat textarea").first.fill(question)  # in any language
            page.locator("freshet-chat .submit").click()
            page.wait_for_function(
                "() => document.querySelector('freshet-chat').turns.at(-1)?.answer.status === 'done'"
            )
        page.close()


def offer(chat: Chat) -> Locator:
    return chat.page.locator(".moving")


@pytest.mark.usefixtures("visited")
def test_a_visitors_chats_are_moved_by_a_press(serve: Serve, context: BrowserContext, watch: Watch) -> None:
    with serve(FRESHET_ACCESS_PASSWORD=PASSWORD) as server:
        chat = open_signed_in(context, server.url, watch)
        expect(offer(chat)).to_contain_text("This browser has 2 chats from before you signed in.")
        expect(rows(chat)).to_have_count(0)
        assert findings(chat.page) == []
        move = offer(chat).get_by_role("button", name="Move 2 chats here")

        chat.page.route("**/visitor/move", lambda route: route.abort())
        move.click()
        expect(offer(chat).get_by_role("status")).to_have_text("That didn’t work. Try again.")
        expect(rows(chat)).to_have_count(0)
        chat.page.unroute("**/visitor/move")
        move.press("Enter")
        expect(rows(chat)).to_have_text(["Asked as a visitor too", "Asked as a visitor"])
        expect(offer(chat)).to_have_count(0)
        expect(chat.page.get_by_role("navigation").get_by_text("2 chats moved.")).to_be_visible()
        expect(chat.page.get_by_role("searchbox")).to_be_focused()
        open_row(chat, "Asked as a visitor")
        expect(chat.answers.last).to_contain_text(TEXT[:60])

        chat.page.goto(server.url)
        expect(rows(chat)).to_have_count(2)
        assert chat.page.evaluate("JSON.parse(document.getElementById('boot').textContent).movable") is False


@pytest.mark.usefixtures("visited")
def test_the_move_is_offered_in_local_mode(serve: Serve, context: BrowserContext, watch: Watch) -> None:
    with serve(FRESHET_LOCAL="true") as server:
        chat = Chat(context, server.url, watch).open()
        offer(chat).get_by_role("button", name="Move 2 chats here").click()
        expect(rows(chat)).to_have_text(["Asked as a visitor too", "Asked as a visitor"])


def test_no_offer_without_chats_to_move(serve: Serve, context: BrowserContext, watch: Watch) -> None:
    with serve(FRESHET_PUBLIC="true") as server:
        Chat(context, server.url, watch).open().page.close()  # a visitor without chats
    with serve(FRESHET_LOCAL="true") as server:
        chat = Chat(context, server.url, watch)
        with chat.page.expect_response("**/visitor") as response:
            chat.open()
        assert response.value.json() == {"conversations": 0}
        expect(chat.page.get_by_role("navigation")).to_contain_text("Your chats will appear here.")
        expect(offer(chat)).to_have_count(0)


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("device", [PHONE, DESK | {"locale": "ar"}], ids=["phone", "arabic"])
def test_the_offer_fits_every_screen(
    serve: Serve, context: BrowserContext, watch: Watch, device: dict[str, Any]
) -> None:
    watch.allow(NETWORK)
    with serve(FRESHET_LOCAL="true") as server:
        page = context.new_page()
        watch.attach(page)
        page.goto(server.url)
        if device.get("has_touch"):
            page.locator(".bar > .tool").click()
        button = page.locator(".moving button")
        expect(button).to_be_visible()
        assert findings(page) == []
        box = button.bounding_box()
        assert box is not None
        assert not device.get("has_touch") or box["height"] >= 44
        assert page.locator(".moving").evaluate("one => one.scrollWidth <= one.clientWidth")
        button.click()
        expect(page.locator(".groups a")).to_have_count(2)
