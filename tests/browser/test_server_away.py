"""A page that is put to sleep, or left and come back to, goes on where it was."""

from collections.abc import Callable
from threading import Event

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import TEXT, held
from tests.browser.chat import NETWORK, Chat
from tests.browser.network import Network
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

LONG = "\n\n".join([TEXT] * 2)


def test_a_page_that_slept_goes_on(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    """As a laptop does: it is shut in the middle of an answer, and its connections are gone when it is opened."""
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        gate = Event()
        provider.play(held(gate, LONG))
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        session = context.new_cdp_session(chat.page)
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        network.go_down()
        network.come_back()
        gate.set()
        provider.wait_closed(15)
        session.send("Page.setWebLifecycleState", {"state": "active"})
        assert chat.wait_over()["text"] == LONG
        expect(chat.notice).to_be_hidden()
        assert len(provider.calls) == 1


def test_a_page_that_was_left_goes_on_when_one_comes_back(
    chat: Chat, server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    chat.page.goto(f"{server.url}/healthz")
    gate.set()
    provider.wait_closed(15)
    chat.page.go_back()
    assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_page_that_the_browser_kept_trusts_no_connection(chat: Chat, provider: FakeProvider) -> None:
    """What it had open when it was left may be dead without a sign: it goes on from its cursor, on another."""
    gate = Event()
    provider.play(held(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    with chat.page.expect_request("**/stream/*") as resumed:
        chat.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert resumed.value.headers["last-event-id"].endswith(tuple("0123456789"))
    gate.set()
    assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1
