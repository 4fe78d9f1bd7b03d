"""Suspended, restored and cached pages resume their answer."""

from collections.abc import Callable
from threading import Event

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import TEXT, hold_halfway
from tests.browser.chat import NETWORK, Chat
from tests.browser.network import Network
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

LONG = "\n\n".join([TEXT] * 2)


def test_a_suspended_page_resumes(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    """A laptop is closed during an answer; its connections are gone when it wakes."""
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        gate = Event()
        provider.play(hold_halfway(gate, LONG))
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        session = context.new_cdp_session(chat.page)
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        network.go_down()
        network.restore()
        gate.set()
        provider.wait_closed(15)
        session.send("Page.setWebLifecycleState", {"state": "active"})
        assert chat.wait_over()["text"] == LONG
        expect(chat.notice).to_be_hidden()
        assert len(provider.calls) == 1


def test_a_page_restored_by_back_resumes(chat: Chat, server: Server, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    chat.page.goto(f"{server.url}/healthz")
    gate.set()
    provider.wait_closed(15)
    chat.page.go_back()
    assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_page_from_the_back_forward_cache_reconnects(chat: Chat, provider: FakeProvider) -> None:
    """Its connections may be dead without an event, so it resumes from its cursor on a new one."""
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    with chat.page.expect_request("**/stream/*") as resumed:
        chat.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert resumed.value.headers["last-event-id"].endswith(tuple("0123456789"))
    gate.set()
    assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1
