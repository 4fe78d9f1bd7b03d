"""The page's main path on the Procfile's own line, with two workers and a Postgres, while its workers are killed."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.chat import NETWORK, Chat
from tests.browser.network import Network
from tests.browser.test_history import rows
from tests.browser.test_two_tabs import TEXTS
from tests.browser.test_versions import press_button, turn
from tests.faults.conversations import Gated, text_of
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.processes import kill_workers, worker_that_calls, worker_that_serves, workers_of
from tests.support.script import Answer, Call
from tests.support.server import Server, wait_for
from tests.survival.test_takeover import stored_text
from tests.survival.workers import migrate
from webapp.journal.database import DatabaseJournal

BEGINNING = "A freshet is the rush of water that comes "
REST = "when snow melts, or after heavy rain."
TEXT = BEGINNING + REST
LEASE_S = 2.0
OVER_MS = 30_000
STORED_S = 10.0


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """A Postgres, migrated as the Procfile's release line does."""
    with Postgres() as postgres:
        url = postgres.new_url()
        migrate(url)
        yield url


@pytest.fixture(scope="module")
def settings(database_url: str) -> dict[str, str]:
    return {"WEB_CONCURRENCY": "2", "DATABASE_URL": database_url, "FRESHET_LEASE_S": f"{LEASE_S:g}"}


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    with Network(server.address) as between:
        yield between


@pytest.fixture
def chat(open_chat: Callable[[str], Chat], network: Network, server: Server, provider: FakeProvider) -> Chat:
    """The open chat of a server with two workers, through a network whose connections are known."""
    wait_for(lambda: len(workers_of(server)) == 2, 10.0, "two workers")
    provider.play(())
    opened = open_chat(network.url)
    opened.watch.allow(NETWORK)
    return opened


@pytest.fixture
def has_stored(database_url: str) -> Iterator[Callable[[str, str], None]]:
    """Return a function that waits until the journal has the text of a run so far."""
    with closing(DatabaseJournal(database_url, "unused", 5.0)) as journal:

        def wait(run: str, text: str) -> None:
            wait_for(lambda: stored_text(journal, run) == text, STORED_S, f"{text!r} in the journal")

        yield wait


def whole(text: str) -> Answer:
    return Answer(steps=openai([text]))


def in_turn(*answers: Answer) -> Callable[[Call], Answer]:
    """Return the answers of the provider's calls; one call more than these fails."""
    return lambda call: answers[call.number]


def ask_halfway(chat: Chat, question: str, gated: Gated, has_stored: Callable[[str, str], None]) -> None:
    """Ask, and wait until the page shows the first half of the answer and the journal has it."""
    chat.ask(question)
    gated.open(1)
    chat.wait_chars(len(BEGINNING.strip()))
    has_stored(chat.answer()["run"], BEGINNING)


def read_elsewhere(chat: Chat, server: Server, provider: FakeProvider, network: Network) -> int:
    """Make the page read its answer through a worker other than its own; return that worker.

    The answer's worker is frozen, for less than its lease, so that it accepts no connection.
    """
    answers = worker_that_calls(server, provider.url)
    for _ in range(5):
        os.kill(answers, signal.SIGSTOP)
        try:
            network.go_down()
            network.restore()
            wait_for(lambda: bool(network.stream_ports), 10.0, "a stream")
        finally:
            os.kill(answers, signal.SIGCONT)
        reads = worker_that_serves(server, network.stream_ports[-1])
        if reads != answers == worker_that_calls(server, provider.url):
            return reads
    raise AssertionError("the page reads through the answer's own worker")


def check_store(chat: Chat) -> None:
    """Check that the page, before and after a reload, shows what is stored, and that nothing is still being answered."""
    shown = chat.page.evaluate(TEXTS)
    wait_for(lambda: branch_of(stored(chat)) == shown, STORED_S, f"{shown} in the store")
    conversation = stored(chat)
    assert conversation["run"] is None
    assert {message.get("state", "done") for message in conversation["messages"]} <= {
        "done",
        "cancelled",
        "interrupted",
    }
    chat.reload()
    chat.page.wait_for_function(
        f"shown => JSON.stringify(({TEXTS})()) === JSON.stringify(shown)", arg=shown, timeout=OVER_MS
    )
    expect(chat.stop).to_have_count(0)


def stored(chat: Chat) -> dict[str, Any]:
    """Return the page's conversation as the server has it."""
    name = chat.page.evaluate("new URL(location.href).searchParams.get('c')")
    response = chat.page.request.get(f"{chat.url}/conversations/{name}")
    assert response.ok, response.text()
    found: dict[str, Any] = json.loads(response.text())
    return found


def branch_of(conversation: dict[str, Any]) -> list[list[str]]:
    """Return the questions and answers of the current branch."""
    messages = {message["id"]: message for message in conversation["messages"]}
    texts, at = [], conversation["leaf"]
    while at is not None:
        texts.append(text_of(messages[at]))
        at = messages[at]["parent"]
    texts.reverse()
    return [[question, answer] for question, answer in zip(texts[::2], texts[1::2], strict=True)]


def test_the_answers_worker_is_killed(
    chat: Chat, server: Server, provider: FakeProvider, has_stored: Callable[[str, str], None]
) -> None:
    with Gated(BEGINNING, "lost") as gated:
        provider.play(in_turn(gated.answer, whole(REST), whole("It rains.")))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        kill_workers(server, worker_that_calls(server, provider.url))
        assert chat.wait_over(OVER_MS)["text"] == TEXT
    expect(chat.notice).to_be_hidden()
    expect(rows(chat).first).to_have_text("What is a freshet?")
    chat.ask("And then?")
    assert chat.wait_over()["text"] == "It rains."
    assert [message["content"] for message in provider.calls[2].json["messages"]] == [
        "What is a freshet?",
        TEXT,
        "And then?",
    ]
    check_store(chat)


def test_the_pages_worker_is_killed(
    chat: Chat,
    server: Server,
    provider: FakeProvider,
    network: Network,
    has_stored: Callable[[str, str], None],
) -> None:
    with Gated(BEGINNING, REST) as gated:
        provider.play(in_turn(gated.answer))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        kill_workers(server, read_elsewhere(chat, server, provider, network))
        gated.open()
        answer = chat.wait_over(OVER_MS)
    assert answer["text"] == TEXT
    expect(chat.notice).to_be_hidden()
    assert len(provider.calls) == 1
    check_store(chat)


def test_all_workers_are_killed_and_the_page_is_reloaded_meanwhile(
    chat: Chat, server: Server, provider: FakeProvider, has_stored: Callable[[str, str], None]
) -> None:
    with Gated(BEGINNING, "lost") as gated:
        provider.play(in_turn(gated.answer, whole(REST)))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        kill_workers(server, *workers_of(server))
        chat.reload()
        assert chat.wait_over(OVER_MS)["text"] == TEXT
    assert len(provider.calls) == 2
    check_store(chat)


def test_an_answer_is_stopped_while_it_has_no_worker(
    chat: Chat, server: Server, provider: FakeProvider, has_stored: Callable[[str, str], None]
) -> None:
    with Gated(BEGINNING, "lost") as gated:
        provider.play(in_turn(gated.answer))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        kill_workers(server, worker_that_calls(server, provider.url))
        chat.stop.click()
        answer = chat.wait_over(OVER_MS)
    assert (answer["text"], answer["end"]["finish_reason"]) == (BEGINNING, "cancelled")
    assert len(provider.calls) == 1
    check_store(chat)


def test_an_answer_whose_workers_are_killed_twice_ends_and_can_be_asked_for_again(
    chat: Chat, server: Server, provider: FakeProvider, has_stored: Callable[[str, str], None]
) -> None:
    with Gated(BEGINNING, "lost") as gated, Gated("when ", "lost") as second:
        provider.play(in_turn(gated.answer, second.answer, whole("Other.")))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        kill_workers(server, worker_that_calls(server, provider.url))
        second.open(1)
        chat.wait_chars(len(f"{BEGINNING}when"))
        has_stored(chat.answer()["run"], f"{BEGINNING}when ")
        kill_workers(server, worker_that_calls(server, provider.url))
        answer = chat.wait_over(OVER_MS)
    assert (answer["text"], answer["failure"]["code"]) == (f"{BEGINNING}when ", "interrupted")
    chat.retry.click()
    expect(chat.answers).to_have_text(["Other."])
    chat.wait_over()
    assert len(provider.calls) == 3
    check_store(chat)


def test_an_edited_question_is_answered_although_its_worker_is_killed(
    chat: Chat, server: Server, provider: FakeProvider, has_stored: Callable[[str, str], None]
) -> None:
    with Gated(BEGINNING, "lost") as gated:
        provider.play(in_turn(whole("One."), gated.answer, whole(REST)))
        chat.ask("What is a thaw?")
        chat.wait_over()
        press_button(chat, 0, "Edit message")
        field = turn(chat, 0).get_by_role("textbox")
        field.fill("What is a freshet?")
        field.press("Enter")
        gated.open(1)
        chat.wait_chars(len(BEGINNING.strip()))
        has_stored(chat.answer()["run"], BEGINNING)
        kill_workers(server, worker_that_calls(server, provider.url))
        assert chat.wait_over(OVER_MS)["text"] == TEXT
    way = turn(chat, 0).get_by_role("group", name="Message versions")
    expect(way).to_contain_text("2/2")
    check_store(chat)
    way.get_by_role("button", name="Previous version").click()
    expect(chat.answers).to_have_text(["One."])
    assert len(stored(chat)["messages"]) == 4


def test_a_second_tab_reads_on(
    context: BrowserContext,
    chat: Chat,
    server: Server,
    provider: FakeProvider,
    has_stored: Callable[[str, str], None],
) -> None:
    with Gated(BEGINNING, "lost") as gated:
        provider.play(in_turn(gated.answer, whole(REST), whole("It rains.")))
        ask_halfway(chat, "What is a freshet?", gated, has_stored)
        twin = Chat(context, chat.page.url, chat.watch).open()
        twin.wait_chars(len(BEGINNING.strip()))
        kill_workers(server, worker_that_calls(server, provider.url))
        for tab in (chat, twin):
            assert tab.wait_over(OVER_MS)["text"] == TEXT
    twin.ask("And then?")
    expect(chat.answers).to_have_text([TEXT, "It rains."])
    for tab in (chat, twin):
        expect(rows(tab).first).to_have_text("What is a freshet?")
    assert len(provider.calls) == 3
    chat.wait_over()
    check_store(chat)
