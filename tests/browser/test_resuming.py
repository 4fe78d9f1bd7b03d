"""Resuming: an answer survives reloads and network faults and is paid for once."""

from collections.abc import Callable
from threading import Event

from playwright.sync_api import BrowserContext, WebSocket, expect

from tests.browser.answers import TEXT, hold_halfway, stream_text, stream_then_stall
from tests.browser.chat import NETWORK, Chat
from tests.browser.network import Network
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

LONG = "\n\n".join([TEXT] * 2)


def test_a_reload_resumes_the_answer(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
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
    assert all(cursors), "it requests only missing frames"
    assert len(provider.calls) == 1


def test_a_reload_before_the_first_word_makes_one_call(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall(""))
    chat.ask("What is a freshet?")
    provider.wait_calls(1)
    chat.reload()
    expect(chat.stop).to_be_visible()
    expect(chat.page.locator(".pulse")).to_be_visible()
    chat.page.keyboard.press("Escape")
    assert chat.wait_over()["end"]["finish_reason"] == "cancelled"
    assert len(provider.calls) == 1


def test_a_reload_after_the_end_shows_the_end(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=150))
    chat.ask("What is a freshet?")
    chat.wait_chars(50)
    chat.page.goto("about:blank")
    provider.wait_closed(10)
    chat.open()
    assert chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 1


def test_an_answer_survives_connections_that_are_all_cut(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(LONG, per_s=100))
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


def test_an_answer_resumes_after_going_offline(
    open_chat: Callable[[str], Chat], context: BrowserContext, server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        expect(chat.notice).to_be_hidden()
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        context.set_offline(True)
        expect(chat.notice).to_contain_text("You’re offline")
        gate.set()
        context.set_offline(False)
        expect(chat.notice).to_be_hidden()
        assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_lost_connection_shows_a_notice_until_it_returns(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
    with Network(server.address) as network:
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        chat.ask("What is a freshet?")
        chat.wait_chars(100)
        network.go_down()
        expect(chat.notice).to_contain_text("Connection lost")
        network.restore()
        gate.set()
        expect(chat.notice).to_be_hidden()
        assert chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_withheld_body_falls_back_to_websocket(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, LONG))
    with Network(server.address) as network:
        network.withhold_sse = True
        chat = open_chat(network.url)
        chat.watch.allow(NETWORK)
        reading: set[WebSocket] = set()  # the feed of changes has a WebSocket of its own

        def opened(socket: WebSocket) -> None:
            socket.on("framesent", lambda sent: None if '"changes"' in str(sent) else reading.add(socket))

        chat.page.on("websocket", opened)
        chat.ask("What is a freshet?")
        chat.wait_chars(50)
        expect(chat.stop).to_be_visible()
        assert chat.answer()["status"] == "streaming"
        gate.set()
        assert chat.wait_over()["text"] == LONG
    assert len(reading) == 1
    assert len(provider.calls) == 1


def test_a_cut_websocket_resumes(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(LONG, per_s=60))
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
    provider.play(hold_halfway(gate, LONG))
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    saved = chat.page.evaluate(
        "dispatchEvent(new Event('pagehide')), sessionStorage.getItem('freshet.conversation')"
    )
    twin = Chat(context, server.url, chat.watch)
    twin.page.add_init_script(
        f"sessionStorage.setItem('freshet.conversation', {saved!r})" if "'" not in saved else ""
    )
    twin.open()
    gate.set()
    assert twin.wait_over()["text"] == chat.wait_over()["text"] == LONG
    assert len(provider.calls) == 1


def test_a_run_unknown_to_the_server_is_reported(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    provider.play(stream_then_stall())
    chat.ask("What is a freshet?")
    chat.wait_chars(100)
    chat.page.goto("about:blank")
    chat.page.add_init_script(
        """const saved = sessionStorage.getItem('freshet.conversation');
        if (saved) sessionStorage.setItem('freshet.conversation',
            saved.replaceAll(/"run":"[^"]*"/g, '"run":"AAAAAAAAAAAAAAAAAAAAAA"'));"""
    )
    chat.open()
    assert chat.wait_over()["failure"]["code"] == "gone"
    expect(chat.retry).to_be_visible()
