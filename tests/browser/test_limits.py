"""Whoever reaches a limit is told so kindly, and when it goes on: by itself where that is soon."""

import re
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import TEXT, held, spoken
from tests.browser.chat import NETWORK, Chat
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

SOON = re.compile(r"You’ve asked a lot in the last minute\. This answer starts in (\d+) seconds?\.")


@pytest.fixture
def limited(provider: FakeProvider, open_chat: Callable[[str], Chat]) -> Iterator[Callable[..., Chat]]:
    """Open the chat of a public server with such limits."""
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


def refuse(route: Route, status: int, code: str, wait_s: int) -> None:
    route.fulfill(
        status=status,
        headers={"Content-Type": "application/json"} | ({"Retry-After": str(wait_s)} if wait_s else {}),
        body=f'{{"error": {{"message": "no", "code": "{code}"}}}}',
    )


def test_who_asks_too_often_sees_how_long_it_takes(
    limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(spoken(per_s=2_000))
    chat = limited(FRESHET_VISITOR_STARTS="1")
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
        "() => document.querySelector('freshet-chat').shadowRoot.querySelector('[role=status]').textContent.includes('asked a lot')"
    )
    chat.stop.click()
    chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    assert len(provider.calls) == 1


def test_it_begins_by_itself_when_it_may(limited: Callable[..., Chat], provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat = limited()
    refused: list[str] = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            refuse(route, 429, "too_many_starts", 2)

    chat.page.route("**/stream", once)
    chat.ask("Hello")
    expect(waiting(chat)).to_have_text(SOON)
    assert chat.wait_over()["text"] == TEXT
    assert refused
    assert len(provider.calls) == 1
    expect(chat.page.locator(".question")).to_have_text(["Hello"])


def test_one_answer_waits_for_another(limited: Callable[..., Chat], provider: FakeProvider) -> None:
    gate = Event()
    provider.play([held(gate), spoken(per_s=2_000)])
    chat = limited(FRESHET_VISITOR_ANSWERS="1")
    chat.ask("One")
    chat.wait_chars(20)
    chat.page.get_by_role("button", name="New chat").click()
    chat.ask("Two")
    expect(waiting(chat)).to_have_text("Too many answers at once. This one starts when another is done.")
    assert len(provider.calls) == 1
    gate.set()
    assert chat.wait_over()["text"] == TEXT
    assert len(provider.calls) == 2


def test_while_the_database_is_away_the_question_waits(
    limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(spoken(per_s=2_000))
    chat = limited()
    away = True

    def answer(route: Route) -> None:
        if away:
            refuse(route, 503, "store_away", 1)
        else:
            route.continue_()

    chat.page.route("**/stream", answer)
    chat.ask("Hello")
    expect(waiting(chat)).to_have_text(
        "The server’s database can’t be reached. This answer starts when it is back."
    )
    away = False
    assert chat.wait_over()["text"] == TEXT


def test_what_takes_long_is_for_a_person_to_try_again(
    limited: Callable[..., Chat], provider: FakeProvider
) -> None:
    provider.play(spoken(per_s=2_000))
    chat = limited()
    waits_s = [7_000, 68]

    def answer(route: Route) -> None:
        if waits_s:
            refuse(route, 429, "too_many_bytes", waits_s.pop(0))
        else:
            route.continue_()

    chat.page.route("**/stream", answer)
    advice = chat.page.locator(".problem .advice")
    chat.ask("Hello")
    expect(chat.page.locator(".problem .title")).to_have_text(
        "Your network has sent as much as it may today."
    )
    expect(advice).to_have_text("Try again in 2 hours.")
    chat.retry.click()
    expect(advice).to_have_text(re.compile(r"Try again in 6\d seconds\."))
    expect(advice).not_to_have_text(advice.inner_text())
    expect(advice).to_have_text(re.compile(r"Try again in 6\d seconds\."))
    chat.retry.click()
    assert chat.wait_over()["text"] == TEXT


def test_a_question_that_is_too_long_learns_the_limit(limited: Callable[..., Chat]) -> None:
    chat = limited(FRESHET_VISITOR_QUESTION_BYTES="2000")
    chat.ask("long " * 500)
    expect(chat.page.locator(".problem .title")).to_have_text("This question is too long.")
    expect(chat.page.locator(".problem .advice")).to_have_text(
        re.compile(r"Shorten it, .*The limit is 2\skB\.")
    )
    assert findings(chat.page) == []


def test_a_model_that_is_not_for_visitors(limited: Callable[..., Chat]) -> None:
    chat = limited()
    chat.page.route("**/stream", lambda route: refuse(route, 403, "model_not_allowed", 0))
    chat.ask("Hello")
    expect(chat.page.locator(".problem .title")).to_have_text("This model isn’t available to visitors.")


def test_without_the_words_the_server_s_own_are_shown(limited: Callable[..., Chat]) -> None:
    chat = limited(FRESHET_VISITOR_QUESTION_BYTES="2000")
    chat.page.route("**/turn/failure.js", lambda route: route.abort())
    chat.ask("long " * 500)
    expect(chat.page.locator(".ending:visible")).to_contain_text("is too long")
    expect(chat.retry).to_be_visible()
