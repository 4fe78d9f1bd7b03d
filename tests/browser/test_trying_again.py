"""Retrying while the database is down: the question is answered once and never duplicated."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.answers import end_with
from tests.browser.chat import NETWORK, Chat, Watch
from tests.support.fake_provider import FakeProvider
from tests.support.script import refusal
from tests.support.server import Server, wait_for

SAVED_S = 20.0  # the longest pause between two retries is 15 s


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    """A server whose log reports that its database was down."""
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env, dirty_log=True) as running:
        yield running


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the database's write lock, as another process would."""
    connection = sqlite3.connect(server.folder / "data" / "freshet.db", isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def stored_messages(chat: Chat) -> list[dict[str, Any]]:
    """Return the open conversation's stored messages."""
    script = """async (id) => (await (await fetch(`conversations/${id}`)).json()).messages ?? []"""
    found: list[dict[str, Any]] = chat.page.evaluate(script, chat.page.url.partition("c=")[2])
    return found


def stored_texts(chat: Chat, role: str) -> list[str]:
    return [
        "".join(piece.get("text", "") for piece in message["content"])
        for message in stored_messages(chat)
        if message["role"] == role
    ]


@pytest.mark.parametrize("before", [(), ("Something before",)], ids=["first", "later"])
def test_a_failed_question_is_not_asked_twice(
    open_chat: Callable[[str], Chat],
    server: Server,
    provider: FakeProvider,
    watch: Watch,
    before: tuple[str, ...],
) -> None:
    watch.allow(NETWORK)
    chat = open_chat(server.url)
    for question in before:
        provider.play(end_with("stop", "Before."))
        chat.ask(question)
        chat.wait_over()
    with locked(server):
        provider.play(refusal(401))
        chat.ask("Why is the sky blue?")
        assert chat.wait_over()["failure"]
        provider.play(end_with("stop", "Because."))
        chat.retry.click()
        expect(chat.answers.last).to_have_text("Because.")
        chat.wait_over()
    told = [message["content"] for message in provider.calls[-1].json["messages"]]
    assert told == [*before, *["Before." for _ in before], "Why is the sky blue?"]
    wait_for(lambda: "Because." in stored_texts(chat, "assistant"), SAVED_S, "the answer, kept")
    assert stored_texts(chat, "user") == [*before, "Why is the sky blue?"]
    assert stored_texts(chat, "assistant")[-2:] == ["", "Because."]
    chat.reload()
    expect(chat.page.get_by_role("group", name="Response versions")).to_contain_text("2/2")
    expect(chat.page.get_by_role("group", name="Message versions")).to_have_count(0)


def test_a_question_lost_by_the_server_is_sent_anew(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider, watch: Watch
) -> None:
    watch.allow(NETWORK)
    provider.play(refusal(401))
    chat = open_chat(server.url)
    chat.ask("Why is the sky blue?")
    chat.wait_over()
    wait_for(lambda: stored_texts(chat, "user") != [], SAVED_S, "the question, kept")
    # The process ended before the answer was stored.
    connection = sqlite3.connect(server.folder / "data" / "freshet.db", timeout=10)
    with connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM conversations")
    connection.close()
    provider.play(end_with("stop", "Because."))
    chat.retry.click()
    expect(chat.retry).to_be_visible()
    chat.wait_over()
    chat.retry.click()
    expect(chat.answers.last).to_have_text("Because.")
    wait_for(lambda: "Because." in stored_texts(chat, "assistant"), SAVED_S, "the answer, kept")
    assert stored_texts(chat, "user") == ["Why is the sky blue?"]
