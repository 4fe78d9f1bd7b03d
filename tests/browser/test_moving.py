"""A visitor who becomes the user finds what they asked before, and has it with one press."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import TEXT, spoken
from tests.browser.chat import DESK, NETWORK, PHONE, Chat, Watch
from tests.browser.people import PASSWORD, arrive, open_row, rows
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path, provider: FakeProvider) -> Serve:
    """Make a server that has the same data as the others of this test. A browser has its cookies for each of them."""
    provider.play(lambda _: spoken(per_s=2_000))
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
    """Ask twice as a visitor."""
    with serve(FRESHET_PUBLIC="true") as server:
        page = context.new_page()
        watch.attach(page)
        page.goto(server.url)
        for question in ("Asked as a visitor", "Asked as a visitor too"):
            page.locator("freshet-chat").evaluate("chat => chat.show('')")
            page.locator("freshet-chat textarea").first.fill(question)  # in whichever language
            page.locator("freshet-chat textarea").first.press("Enter")
            page.wait_for_function(
                "() => document.querySelector('freshet-chat').turns.at(-1)?.answer.status === 'done'"
            )
        page.close()


def offer(chat: Chat) -> Locator:
    return chat.page.locator(".moving")


@pytest.mark.usefixtures("visited")
def test_what_was_asked_as_a_visitor_is_moved_by_a_press(
    serve: Serve, context: BrowserContext, watch: Watch
) -> None:
    with serve(FRESHET_ACCESS_PASSWORD=PASSWORD) as server:
        chat = arrive(context, server.url, watch)
        expect(offer(chat)).to_contain_text("This browser has 2 earlier conversations.")
        expect(rows(chat)).to_have_count(0)
        assert findings(chat.page) == []
        move = offer(chat).get_by_role("button", name="Move 2 conversations here")

        chat.page.route("**/visitor/move", lambda route: route.abort())
        move.click()
        expect(offer(chat).get_by_role("status")).to_have_text("That did not work. Try again.")
        expect(rows(chat)).to_have_count(0)
        chat.page.unroute("**/visitor/move")
        move.press("Enter")
        expect(rows(chat)).to_have_text(["Asked as a visitor too", "Asked as a visitor"])
        expect(offer(chat)).to_have_count(0)
        expect(chat.page.get_by_role("navigation").get_by_text("2 conversations moved.")).to_be_visible()
        expect(chat.page.get_by_role("searchbox")).to_be_focused()
        open_row(chat, "Asked as a visitor")
        expect(chat.answers.last).to_contain_text(TEXT[:60])

        chat.page.goto(server.url)
        expect(rows(chat)).to_have_count(2)
        assert chat.page.evaluate("JSON.parse(document.getElementById('boot').textContent).movable") is False


@pytest.mark.usefixtures("visited")
def test_on_one_s_own_computer_it_is_offered_too(serve: Serve, context: BrowserContext, watch: Watch) -> None:
    with serve(FRESHET_LOCAL="true") as server:
        chat = Chat(context, server.url, watch).open()
        offer(chat).get_by_role("button", name="Move 2 conversations here").click()
        expect(rows(chat)).to_have_text(["Asked as a visitor too", "Asked as a visitor"])


def test_where_there_is_nothing_to_move_nothing_is_offered(
    serve: Serve, context: BrowserContext, watch: Watch
) -> None:
    with serve(FRESHET_PUBLIC="true") as server:
        Chat(context, server.url, watch).open().page.close()  # a visitor who asks nothing
    with serve(FRESHET_LOCAL="true") as server:
        chat = Chat(context, server.url, watch)
        with chat.page.expect_response("**/visitor") as asked:
            chat.open()
        assert asked.value.json() == {"conversations": 0}
        expect(chat.page.get_by_role("navigation")).to_contain_text("What you ask will be listed here.")
        expect(offer(chat)).to_have_count(0)


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("device", [PHONE, DESK | {"locale": "ar"}], ids=["phone", "arabic"])
def test_the_offer_is_fine_everywhere(
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
