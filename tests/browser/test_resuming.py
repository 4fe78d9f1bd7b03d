"""An answer outlives the tab, the network and what lies between, and is paid for once."""

from collections.abc import Callable
from threading import Event

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import TEXT, begun, held, spoken
from tests.browser.chat import NETWORK, Chat
from tests.browser.network import Network
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

LONG = "\n\n".join([TEXT] * 2)


def test_a_reload_goes_on_where_the_answer_was(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    cursors: list[str | None] = []
    chat.page.on(
        "request", lambda one: "/stream/" in one.url and cursors.append(one.headers.get("last-event-id"))
    )
    chat.ask("What is a freshet?")
    chat.wait_chars(200)
    chat.reload()
    expect(chat.page.locator(".question")).to_have_text("What is a freshet?")
    chat.wait_chars(200)
    chat.reload()
    expect(chat.stop).to_be_visible()
    gate.set()
    assert chat.wait_over()["text"] == LONG
    assert len(cursors) == 2
    assert all(cursors), "it asks only for what it lacks"
    assert len(provider.calls) == 1


def test_a_reload_before_the_first_word_buys_nothing_twice(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun(""))
    chat.ask("What is a freshet?")
    provider.wait_calls(1)
    chat.reload()
    expect(chat.stop).to_be_visible()
    expect(chat.page.locator(".pulse")).to_be_visible()
    chat.page.keyboard.press("Escape")
    assert chat.wait_over()["end"]["finish_reason"] == "cancelled"
    assert len(provider.calls) == 1


def test_a_reload_after_the_end_shows_the_end(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=150))
    chat.ask("What is a freshet?")
    chat.wait_chars(50)
    chat.page.goto("about:blank")
    provider.wait_closed(10)
    chat.open()
    assert chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 1


def test_every_connection_cut_after_some_bytes(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(spoken(LONG, per_s=100))
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        network.cut_after_bytes = 1_000
        chat.ask("What is a freshet?")
        answer = chat.wait_over(60_000)
        assert answer["text"] == LONG
        assert network.cuts >= 2
    assert len(provider.calls) == 1
    assert chat.shown() == LONG


def test_offline_and_online_again(
    open_chat: Callable[[str], Chat], context: BrowserContext, server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        expect(chat.notice).to_be_hidden()
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        context.set_offline(True)
        expect(chat.notice).to_contain_text("You are offline")
        gate.set()
        context.set_offline(False)
        expect(chat.notice).to_be_hidden()
        assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_lost_connection_is_told_quietly_and_goes_away(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        network.go_down()
        expect(chat.notice).to_contain_text("Connection lost")
        network.come_back()
        gate.set()
        expect(chat.notice).to_be_hidden()
        assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_where_the_body_is_withheld_the_answer_comes_over_websocket(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    with Network(server.address) as network:
        network.withhold_sse = True
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        sockets: list[str] = []
        chat.page.on("websocket", lambda socket: sockets.append(socket.url))
        chat.ask("What is a freshet?")
        chat.wait_chars(50)
        expect(chat.stop).to_be_visible()
        assert chat.answer()["status"] == "streaming"
        gate.set()
        assert chat.wait_over()["text"] == LONG
    assert len(sockets) == 1
    assert len(provider.calls) == 1


def test_a_websocket_that_is_cut_resumes_too(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(spoken(LONG, per_s=60))
    with Network(server.address) as network:
        network.withhold_sse = True
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        network.cut_after_bytes = 2_000
        chat.ask("What is a freshet?")
        assert chat.wait_over(60_000)["text"] == LONG
        assert network.cuts >= 2
    assert len(provider.calls) == 1


def test_two_tabs_on_one_answer(
    context: BrowserContext, chat: Chat, server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(held(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    kept = chat.page.evaluate(
        "dispatchEvent(new Event('pagehide')), sessionStorage.getItem('freshet.conversation')"
    )
    twin = Chat(context, server.url, chat.watch)
    twin.page.add_init_script(
        f"sessionStorage.setItem('freshet.conversation', {kept!r})" if "'" not in kept else ""
    )
    twin.open()
    gate.set()
    assert twin.wait_over()["text"] == chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_run_the_server_forgot_is_said_in_words(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    provider.play(begun())
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    chat.page.goto("about:blank")
    chat.page.add_init_script(
        """const kept = sessionStorage.getItem('freshet.conversation');
        if (kept) sessionStorage.setItem('freshet.conversation',
            kept.replaceAll(/"run":"[^"]*"/g, '"run":"AAAAAAAAAAAAAAAAAAAAAA"'));"""
    )
    chat.open()
    assert chat.wait_over()["failure"]["code"] == "gone"
    expect(chat.retry).to_be_visible()
