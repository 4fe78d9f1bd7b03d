"""Two tabs, and two devices at two servers: what one does, the other shows at once, without disturbing who uses it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect

from tests.browser.answers import TEXT, hold_halfway
from tests.browser.chat import DESK, NETWORK, Chat, Watch
from tests.browser.test_history import ask_in_new_chats, chat_list, press_menu_item, rows, stream_texts
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

SOON_MS = 2_000
PASSWORD = "correct-horse-battery-canary"
TEXTS = "() => document.querySelector('freshet-chat').turns.map((turn) => [turn.question, turn.answer.text])"
VERSIONS = """() => document.querySelector('freshet-chat').turns.map(
    (turn) => [turn.questions.ids.length, turn.answers.ids.length])"""


@pytest.fixture
def pair(context: BrowserContext, chat: Chat, provider: FakeProvider) -> tuple[Chat, Chat]:
    """Two tabs of one conversation with one turn."""
    provider.play(stream_texts("One."))
    chat.ask("First")
    chat.wait_over()
    twin = Chat(context, chat.page.url, chat.watch).open()
    expect(twin.answers).to_have_text(["One."])
    wait_live(chat)
    wait_live(twin)
    return chat, twin


def wait_live(chat: Chat) -> None:
    """Wait until the list is there: the feed of changes begins where it ends."""
    expect(rows(chat).first).to_be_visible()


def wait_turns(chat: Chat, turns: list[list[str]]) -> float:
    """Wait until a tab has these questions and answers; return the seconds it took."""
    began = time.monotonic()
    chat.page.wait_for_function(
        f"turns => JSON.stringify(({TEXTS})()) === JSON.stringify(turns)", arg=turns, timeout=20_000
    )
    return time.monotonic() - began


def set_visible(page: Page, is_visible: bool) -> None:
    """Hide or show a tab, as the browser does when another is chosen."""
    state = "visible" if is_visible else "hidden"
    page.evaluate(
        """state => {
            Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        state,
    )


def test_a_turn_of_another_tab_is_shown_while_it_streams(
    pair: tuple[Chat, Chat], provider: FakeProvider
) -> None:
    chat, twin = pair
    gate = Event()
    provider.play(hold_halfway(gate))
    twin.field.fill("Half a thought")
    chat.ask("Second")
    took_s = time.monotonic()
    expect(twin.page.locator(".question")).to_have_text(["First", "Second"], timeout=3 * SOON_MS)
    print(f"the question of another tab after {time.monotonic() - took_s:.2f} s")
    twin.wait_chars(50)
    expect(twin.stop).to_have_count(1)
    gate.set()
    assert twin.wait_over()["text"] == chat.wait_over()["text"] == TEXT
    expect(twin.field).to_have_value("Half a thought")
    expect(twin.field).to_be_focused()


def test_both_tabs_ask_in_turn_and_neither_forks(pair: tuple[Chat, Chat], provider: FakeProvider) -> None:
    chat, twin = pair
    provider.play(stream_texts("Two.", "Three."))
    chat.ask("Second")
    wait_turns(twin, [["First", "One."], ["Second", "Two."]])
    twin.ask("Third")
    turns = [["First", "One."], ["Second", "Two."], ["Third", "Three."]]
    wait_turns(twin, turns)
    wait_turns(chat, turns)
    for tab in pair:
        assert tab.page.evaluate(VERSIONS) == [[1, 1]] * 3
    assert "Two." in str(provider.calls[-1].json["messages"])


def test_a_reader_who_has_scrolled_up_stays_there(pair: tuple[Chat, Chat], provider: FakeProvider) -> None:
    chat, twin = pair
    provider.play(stream_texts(*["\n\n".join([TEXT] * 4)], "Three."))
    chat.ask("Second")
    wait_turns(twin, [["First", "One."], ["Second", "\n\n".join([TEXT] * 4)]])
    twin.log.hover()
    twin.page.mouse.wheel(0, -300)
    twin.page.wait_for_timeout(300)
    before = twin.log.evaluate("log => log.scrollTop")
    chat.ask("Third")
    expect(twin.page.locator(".question")).to_have_count(3)
    twin.wait_over()
    assert twin.log.evaluate("log => log.scrollTop") == pytest.approx(before, abs=2)


def test_an_edited_question_is_left_alone_until_it_is_sent_or_cancelled(
    pair: tuple[Chat, Chat], provider: FakeProvider
) -> None:
    chat, twin = pair
    provider.play(stream_texts("Two."))
    twin.page.locator(".question-box").hover()
    twin.page.get_by_role("button", name="Edit message", exact=True).click()
    editing = twin.page.locator("form.editing textarea")
    editing.fill("First, but better")
    chat.ask("Second")
    chat.wait_over()
    twin.page.wait_for_timeout(SOON_MS)
    expect(editing).to_have_value("First, but better")
    twin.page.get_by_role("button", name="Cancel").click()
    wait_turns(twin, [["First", "One."], ["Second", "Two."]])


def test_another_branch_is_followed(pair: tuple[Chat, Chat], provider: FakeProvider) -> None:
    chat, twin = pair
    provider.play(stream_texts("One again."))
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Regenerate", exact=True).click()
    wait_turns(twin, [["First", "One again."]])
    assert twin.page.evaluate(VERSIONS) == [[1, 2]]


def test_a_conversation_that_is_deleted_elsewhere_is_gone_and_comes_back(pair: tuple[Chat, Chat]) -> None:
    chat, twin = pair
    press_menu_item(chat, "First", "Delete")
    expect(twin.page.locator(".turn")).to_have_count(0)
    expect(twin.page.locator(".empty h2")).to_be_visible()
    expect(rows(twin)).to_have_count(0)
    chat_list(chat).get_by_role("button", name="Undo").click()
    wait_turns(twin, [["First", "One."]])
    expect(rows(twin)).to_have_text(["First"])


def test_the_list_follows_without_losing_focus_menu_or_search(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(stream_texts("1", "2", "3", "4"))
    ask_in_new_chats(chat, "Apples", "Pears")
    twin = Chat(context, chat.url, chat.watch).open()
    expect(rows(twin)).to_have_text(["Pears", "Apples"])
    # An open menu stays where it is; the list changes when it is closed.
    chat_list(twin).get_by_role("button", name="Options for “Apples”").click()
    menu = chat_list(twin).locator(".row-actions:popover-open")
    expect(menu).to_be_visible()
    ask_in_new_chats(chat, "Plums")
    twin.page.wait_for_timeout(SOON_MS)
    expect(menu).to_be_visible()
    expect(rows(twin)).to_have_text(["Pears", "Apples"])
    twin.page.keyboard.press("Escape")
    expect(rows(twin)).to_have_text(["Plums", "Pears", "Apples"])
    # The focus stays on its row, which has moved.
    rows(twin).nth(2).focus()
    chat_list(chat).get_by_role("link", name="Apples").click()
    chat.ask("More apples")
    expect(rows(twin)).to_have_text(["Apples", "Plums", "Pears"])
    expect(rows(twin).first).to_be_focused()
    # A search keeps its result, in which titles change.
    twin.page.get_by_role("searchbox").fill("pears")
    titles = rows(twin).locator(".title")
    expect(titles).to_have_text(["Pears"])
    press_menu_item(chat, "Pears", "Rename")
    chat.page.keyboard.type("Ripe pears")
    chat.page.keyboard.press("Enter")
    expect(titles).to_have_text(["Ripe pears"])
    expect(twin.page.get_by_role("searchbox")).to_be_focused()


def test_the_place_in_a_long_list_is_kept(
    context: BrowserContext, chat: Chat, provider: FakeProvider, server: Server
) -> None:
    provider.play(lambda _: stream_texts("Fine.")[0])
    chat.ask("Start")
    chat.wait_over()
    ids = chat.page.evaluate(
        """async () => {
            const file = await (await fetch(`conversations/${new URL(location.href).searchParams.get('c')}/export?format=json`)).text();
            for (let at = 0; at < 40; at++) await fetch('conversations/import', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: file });
        }"""
    )
    assert ids is None
    twin = Chat(context, chat.url, chat.watch).open()
    expect(rows(twin)).to_have_count(41)
    scroller = chat_list(twin).locator(".rows")
    scroller.evaluate("rows => rows.scrollTop = 400")
    before = rows(twin).nth(20).evaluate("row => row.getBoundingClientRect().top")
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("On top")
    expect(rows(twin)).to_have_count(42)
    after = rows(twin).nth(21).evaluate("row => row.getBoundingClientRect().top")
    assert after == pytest.approx(before, abs=2)


def test_only_a_visible_tab_holds_a_feed_and_it_catches_up(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(stream_texts("One.", "Two."))
    chat.ask("First")
    chat.wait_over()
    twin = Chat(context, chat.page.url, chat.watch)
    sockets: list[WebSocket] = []

    def opened(socket: WebSocket) -> None:  # a method of a list cannot be a handler
        sockets.append(socket)

    twin.page.on("websocket", opened)
    twin.open()
    wait_live(twin)

    def open_sockets() -> int:
        return sum(not socket.is_closed() for socket in sockets)

    twin.page.wait_for_timeout(500)
    assert open_sockets() == 1
    set_visible(twin.page, is_visible=False)
    twin.page.wait_for_timeout(500)
    assert open_sockets() == 0
    chat.ask("Second")
    chat.wait_over()
    assert len(twin.page.evaluate(TEXTS)) == 1
    set_visible(twin.page, is_visible=True)
    wait_turns(twin, [["First", "One."], ["Second", "Two."]])
    assert open_sockets() == 1


def test_where_websockets_are_dropped_a_stale_tab_does_not_fork_and_focus_catches_up(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    chat.watch.allow(NETWORK, "WebSocket")
    provider.play(stream_texts("One.", "Two.", "Three.", "Four."))
    chat.ask("First")
    chat.wait_over()
    twin = Chat(context, chat.page.url, chat.watch)
    twin.page.route_web_socket("**/ws", lambda route: route.close(code=1011))
    twin.open()
    wait_live(twin)
    chat.ask("Second")
    chat.wait_over()
    twin.page.wait_for_timeout(SOON_MS)
    assert len(twin.page.evaluate(TEXTS)) == 1  # it cannot know
    twin.ask("Third")
    turns = [["First", "One."], ["Second", "Two."], ["Third", "Three."]]
    wait_turns(twin, turns)
    assert twin.page.evaluate(VERSIONS) == [[1, 1]] * 3
    chat.ask("Fourth")
    chat.wait_over()
    set_visible(twin.page, is_visible=False)
    set_visible(twin.page, is_visible=True)
    wait_turns(twin, [*turns, ["Fourth", "Four."]])


@pytest.fixture
def two_servers(provider: FakeProvider) -> Iterator[tuple[Server, Server]]:
    """Two servers on one data folder, with one user."""
    env = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    env |= {"FRESHET_ACCESS_PASSWORD": PASSWORD, "SECRET_KEY": "cookie-canary-1234567890"}
    with ExitStack() as stack:
        first = stack.enter_context(Server(env))
        second = stack.enter_context(Server(env | {"FRESHET_DATA_DIR": str(first.folder / "data")}))
        yield first, second


@pytest.fixture
def devices(
    browser: Browser, two_servers: tuple[Server, Server], watch: Watch
) -> Iterator[tuple[Chat, Chat]]:
    """The user's two devices, each at one of the servers."""
    watch.allow("401")
    chats = []
    with ExitStack() as stack:
        for server in two_servers:
            context = browser.new_context(**{"service_workers": "block"} | DESK)
            stack.callback(context.close)
            chat = Chat(context, server.url, watch)
            chat.page.goto(server.url)
            chat.page.get_by_label("Password").fill(PASSWORD)
            chat.page.keyboard.press("Enter")
            chats.append(chat.wait_ready())
        yield chats[0], chats[1]


def test_two_devices_at_two_servers(devices: tuple[Chat, Chat], provider: FakeProvider) -> None:
    provider.play(stream_texts("One.", "Two.", "Three."))
    desk, phone = devices
    desk.ask("First")
    desk.wait_over()
    expect(rows(phone)).to_have_text(["First"])
    rows(phone).first.click()
    wait_turns(phone, [["First", "One."]])
    phone.ask("Second")
    turns = [["First", "One."], ["Second", "Two."]]
    wait_turns(phone, turns)
    print(f"shown at the other server after {wait_turns(desk, turns):.2f} s")
    desk.ask("Third")
    turns.append(["Third", "Three."])
    wait_turns(desk, turns)
    wait_turns(phone, turns)
    assert phone.page.evaluate(VERSIONS) == [[1, 1]] * 3


def test_an_answer_of_one_server_streams_at_the_other(
    devices: tuple[Chat, Chat], provider: FakeProvider
) -> None:
    gate = Event()
    provider.play([*stream_texts("One."), hold_halfway(gate)])
    desk, phone = devices
    desk.ask("First")
    desk.wait_over()
    rows(phone).first.click()
    wait_turns(phone, [["First", "One."]])
    desk.ask("Second")
    expect(phone.page.locator(".question")).to_have_text(["First", "Second"])
    phone.wait_chars(50)
    expect(phone.stop).to_be_visible()
    gate.set()
    assert phone.wait_over()["text"] == desk.wait_over()["text"] == TEXT
    assert len(provider.calls) == 2
