"""Limits: the page shows the reason and the wait, and retries when the wait is short."""

import re
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import TEXT, hold_halfway, stream_text
from tests.browser.chat import NETWORK, Chat
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

SOON = re.compile(r"You’re sending messages too quickly\. This response starts in (\d+) seconds?\.")


@pytest.fixture
def open_limited(provider: FakeProvider, open_chat: Callable[[str], Chat]) -> Iterator[Callable[..., Chat]]:
    """Return a function that opens the chat of a public server with given limits."""
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    servers: list[Server] = []

    def serve(**limits: str) -> Chat:
        servers.append(Server(env | {"FRESHET_PUBLIC": "true"} | limits))
        servers[-1].start()
        chat = open_chat(servers[-1].url)
        chat.watch.allow(NETWORK)
        return chat

    yield serve
    for server in servers:
        server.__exit__()


def waiting(chat: Chat) -> Locator:
    return chat.page.locator(".waiting-text:visible")


def reject(route: Route, status: int, code: str, wait_s: int) -> None:
    route.fulfill(
        status=status,
        headers={"Content-Type": "application/json"} | ({"Retry-After": str(wait_s)} if wait_s else {}),
        body=f'{{"error": {{"message": "no", "code": "{code}"}}}}',
    )


def test_a_rate_limited_question_shows_its_wait(
    open_limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = open_limited(FRESHET_VISITOR_STARTS="1")
    chat.ask("One")
    chat.wait_over()
    chat.ask("Two")
    expect(waiting(chat)).to_have_text(SOON)
    first = waiting(chat).inner_text()
    found = SOON.fullmatch(first)
    assert found
    assert 30 <= int(found[1]) <= 63
    expect(waiting(chat)).not_to_have_text(first)
    expect(waiting(chat)).to_have_text(SOON)
    expect(chat.notice).to_be_hidden()
    assert findings(chat.page) == []
    chat.page.wait_for_function(
        "() => document.querySelector('freshet-chat').shadowRoot.querySelector('[role=status]').textContent.includes('too quickly')"
    )
    chat.stop.click()
    chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    assert len(provider.calls) == 1


def test_a_delayed_answer_starts_without_a_press(
    open_limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = open_limited()
    refused: list[str] = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            reject(route, 429, "too_many_starts", 2)

    chat.page.route("**/stream", once)
    chat.ask("Hello")
    expect(waiting(chat)).to_have_text(SOON)
    assert chat.wait_over()["text"] == TEXT
    assert refused
    assert len(provider.calls) == 1
    expect(chat.page.locator(".question")).to_have_text(["Hello"])


def test_one_answer_waits_for_another(open_limited: Callable[..., Chat], provider: FakeProvider) -> None:
    gate = Event()
    provider.play([hold_halfway(gate), stream_text(per_s=2_000)])
    chat = open_limited(FRESHET_VISITOR_ANSWERS="1")
    chat.ask("One")
    chat.wait_chars(20)
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("Two")
    expect(waiting(chat)).to_have_text(
        "Too many responses are running. This one starts when another finishes."
    )
    assert len(provider.calls) == 1
    gate.set()
    assert chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 2


def test_a_question_waits_while_the_database_is_down(
    open_limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = open_limited()
    away = True

    def answer(route: Route) -> None:
        if away:
            reject(route, 503, "store_away", 1)
        else:
            route.continue_()

    chat.page.route("**/stream", answer)
    chat.ask("Hello")
    expect(waiting(chat)).to_have_text(
        "Can’t reach the server’s database. This response starts when it’s back."
    )
    away = False
    assert chat.wait_over()["text"] == TEXT


def test_a_long_wait_is_left_to_a_manual_retry(
    open_limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = open_limited()
    waits_s = [7_000, 68]

    def answer(route: Route) -> None:
        if waits_s:
            reject(route, 429, "too_many_bytes", waits_s.pop(0))
        else:
            route.continue_()

    chat.page.route("**/stream", answer)
    advice = chat.page.locator(".problem .advice")
    chat.ask("Hello")
    expect(chat.page.locator(".problem .title")).to_have_text(
        "Your network has reached today’s upload limit."
    )
    expect(advice).to_have_text("Try again in 2 hours.")
    chat.retry.click()
    expect(advice).to_have_text(re.compile(r"Try again in 6\d seconds\."))
    expect(advice).not_to_have_text(advice.inner_text())
    expect(advice).to_have_text(re.compile(r"Try again in 6\d seconds\."))
    chat.retry.click()
    assert chat.wait_over()["text"] == TEXT


def test_a_too_long_question_shows_the_limit(open_limited: Callable[..., Chat]) -> None:
    chat = open_limited(FRESHET_VISITOR_QUESTION_BYTES="2000")
    chat.ask("long " * 500)
    expect(chat.page.locator(".problem .title")).to_have_text("This message is too long.")
    expect(chat.page.locator(".problem .advice")).to_have_text(
        re.compile(r"Shorten it, .*The limit is 2\skB\.")
    )
    assert findings(chat.page) == []


def test_a_model_not_allowed_for_visitors_is_reported(open_limited: Callable[..., Chat]) -> None:
    chat = open_limited()
    chat.page.route("**/stream", lambda route: reject(route, 403, "model_not_allowed", 0))
    chat.ask("Hello")
    expect(chat.page.locator(".problem .title")).to_have_text("This model isn’t available to visitors.")


def test_the_servers_message_is_shown_when_the_texts_fail_to_load(open_limited: Callable[..., Chat]) -> None:
    chat = open_limited(FRESHET_VISITOR_QUESTION_BYTES="2000")
    chat.page.route("**/turn/failure.js", lambda route: route.abort())
    chat.ask("long " * 500)
    expect(chat.page.locator(".ending:visible")).to_contain_text("is too long")
    expect(chat.retry).to_be_visible()
