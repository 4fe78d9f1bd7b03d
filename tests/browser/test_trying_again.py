"""Trying again while the database is away: the question that failed is answered once more and never doubled."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.answers import ending
from tests.browser.chat import NETWORK, Chat, Watch
from tests.support.fake_provider import FakeProvider
from tests.support.script import refusal
from tests.support.server import Server, wait_for

SAVED_S = 20.0  # the longest pause between two tries is fifteen seconds


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    """A server whose log will say that its database was away."""
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env, dirty_log=True) as running:
        yield running


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold the file's one lock for writing, as another process would."""
    connection = sqlite3.connect(server.folder / "data" / "freshet.db", isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def kept(chat: Chat) -> list[dict[str, Any]]:
    """The messages that the server has of what is shown."""
    script = """async (id) => (await (await fetch(`conversations/${id}`)).json()).messages ?? []"""
    found: list[dict[str, Any]] = chat.page.evaluate(script, chat.page.url.partition("c=")[2])
    return found


def texts(chat: Chat, role: str) -> list[str]:
    return [
        "".join(piece.get("text", "") for piece in message["content"])
        for message in kept(chat)
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
        provider.play(ending("stop", "Before."))
        chat.ask(question)
        chat.wait_over()
    with locked(server):
        provider.play(refusal(401))
        chat.ask("Why is the sky blue?")
        assert chat.wait_over()["failure"]
        provider.play(ending("stop", "Because."))
        chat.retry.click()
        expect(chat.answers.last).to_have_text("Because.")
        chat.wait_over()
    told = [message["content"] for message in provider.calls[-1].json["messages"]]
    assert told == [*before, *["Before." for _ in before], "Why is the sky blue?"]
    wait_for(lambda: "Because." in texts(chat, "assistant"), SAVED_S, "the answer, kept")
    assert texts(chat, "user") == [*before, "Why is the sky blue?"]
    assert texts(chat, "assistant")[-2:] == ["", "Because."]
    chat.reload()
    expect(chat.page.get_by_role("group", name="Versions of the answer")).to_contain_text("2/2")
    expect(chat.page.get_by_role("group", name="Versions of the question")).to_have_count(0)


def test_what_the_server_has_lost_is_asked_anew(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider, watch: Watch
) -> None:
    watch.allow(NETWORK)
    provider.play(refusal(401))
    chat = open_chat(server.url)
    chat.ask("Why is the sky blue?")
    chat.wait_over()
    wait_for(lambda: texts(chat, "user") != [], SAVED_S, "the question, kept")
    # The process ended before it could be stored.
    connection = sqlite3.connect(server.folder / "data" / "freshet.db", timeout=10)
    with connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM conversations")
    connection.close()
    provider.play(ending("stop", "Because."))
    chat.retry.click()
    expect(chat.retry).to_be_visible()
    chat.wait_over()
    chat.retry.click()
    expect(chat.answers.last).to_have_text("Because.")
    wait_for(lambda: "Because." in texts(chat, "assistant"), SAVED_S, "the answer, kept")
    assert texts(chat, "user") == ["Why is the sky blue?"]
