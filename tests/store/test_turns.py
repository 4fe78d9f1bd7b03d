"""Turns at POST /stream are stored as a tree and read back."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, delete

from tests.store.people import Person, Turn, cookie_of, new_run, text_of
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.script import CLOSE, STALL, Answer, refusal
from webapp.store import branches
from webapp.store.schema import conversations, messages


def prompt(provider: FakeProvider) -> list[tuple[str, Any]]:
    """The messages of the last call to the provider."""
    return [(message["role"], message["content"]) for message in provider.calls[-1].json["messages"]]


def test_a_first_question_creates_a_conversation(anna: Person) -> None:
    name = new_run()
    turn = anna.ask(name, "Why is the sky blue?")
    assert turn.start["conversation"] == name
    assert turn.start["message"] == turn.start["run"]
    stored = anna.conversation(name)
    question, answer = stored["messages"].values()
    assert stored["title"] == "Why is the sky blue?"
    assert (stored["leaf"], stored["run"], stored["system"]) == (turn.id, None, None)
    assert turn.start["question"] == question["id"]
    assert (question["parent"], text_of(question)) == (None, "Why is the sky blue?")
    assert (answer["id"], answer["parent"], text_of(answer)) == (turn.id, question["id"], turn.text)
    assert (answer["provider"], answer["model"]) == ("openai", "gpt-4.1")
    assert {name: answer["usage"][name] for name in ("input_tokens", "output_tokens", "estimated")} == {
        "input_tokens": 3,
        "output_tokens": 5,
        "estimated": False,
    }
    assert answer["cost"] == turn.last["cost"] > 0
    assert (answer["finish_reason"], answer.get("state", "done")) == ("stop", "done")
    assert turn.notices == []


def test_the_model_gets_the_branch_and_the_system_prompt(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    anna.ask(name, "One?", system="Be brief.")
    anna.ask(name, "Two?")
    assert prompt(provider) == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "Answer 1 of many words"),
        ("user", "Two?"),
    ]


@pytest.mark.parametrize(("limit", "first"), [(2, 4), (3, 4), (4, 3), (5, 3), (8, 1)])
def test_n30_a_window_of_a_long_branch_begins_with_a_question(
    anna: Person, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, limit: int, first: int
) -> None:
    """A branch is read from its end; where it was cut before an answer, models refused it."""
    monkeypatch.setattr(branches, "MAX_MESSAGES", limit)
    name = new_run()
    for number in range(1, 6):
        anna.ask(name, f"Question {number}")
    assert prompt(provider)[0] == ("user", f"Question {first}")
    assert prompt(provider)[-1] == ("user", "Question 5")


def test_a_regenerated_answer_and_an_edited_question_are_siblings(
    anna: Person, provider: FakeProvider
) -> None:
    name = new_run()
    first = anna.ask(name, "One?")
    question = anna.conversation(name)["messages"][first.id]["parent"]
    again = anna.ask(name, parent=question)
    assert prompt(provider) == [("user", "One?")]
    edited = anna.ask(name, "One, edited?", parent=None)
    assert prompt(provider) == [("user", "One, edited?")]
    below = anna.ask(name, "Two?", parent=first.id)
    assert prompt(provider)[1:] == [("assistant", first.text), ("user", "Two?")]
    stored = anna.conversation(name)
    messages = stored["messages"]
    assert messages[again.id]["parent"] == question
    assert messages[messages[edited.id]["parent"]]["parent"] is None
    assert messages[messages[below.id]["parent"]]["parent"] == first.id
    assert stored["leaf"] == below.id
    assert len(messages) == 7


def test_a_question_without_a_parent_goes_below_the_leaf(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    first = anna.ask(name, "One?")
    anna.ask(name, "Other?", parent=None)
    assert anna.do("PATCH", f"/conversations/{name}", {"leaf": first.id}).status_code == 200
    anna.ask(name, "Two?")
    assert prompt(provider)[:2] == [("user", "One?"), ("assistant", first.text)]


def test_an_interrupted_answer_can_be_continued(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    provider.play(
        [
            Answer(steps=[*openai(["It was a "], finish=None, done=False), CLOSE]),
            Answer(steps=openai(["dark night."])),
        ]
    )
    cut = anna.ask(name, "Tell me.")
    assert (cut.last["code"], cut.last["partial"]) == ("interrupted", True)
    before = anna.conversation(name)["messages"][cut.id]
    assert (before["state"], before["error"], text_of(before)) == ("interrupted", "interrupted", "It was a ")
    whole = anna.ask(None, **{"continue": cut.id})
    assert whole.frames[1] == {"text": "It was a "}
    assert whole.text == "It was a dark night."
    assert prompt(provider)[:2] == [("user", "Tell me."), ("assistant", "It was a ")]
    assert prompt(provider)[2][0] == "user"
    messages = anna.conversation(name)["messages"]
    assert messages[whole.id]["parent"] == messages[cut.id]["parent"]
    assert text_of(messages[whole.id]) == whole.text


def test_n19_what_a_model_repeats_of_a_continued_answer_is_trimmed(
    anna: Person, provider: FakeProvider
) -> None:
    name = new_run()
    provider.play(
        [
            Answer(steps=[*openai(["It was dark. The rain fell in tor"], finish=None, done=False), CLOSE]),
            Answer(steps=openai(["The rain", " fell in", " torrents."])),
        ]
    )
    cut = anna.ask(name, "Tell me.")
    whole = anna.ask(None, **{"continue": cut.id})
    assert whole.text == "It was dark. The rain fell in torrents."
    assert text_of(anna.conversation(name)["messages"][whole.id]) == whole.text
    assert "rain fell in tor" in prompt(provider)[2][1]


def test_the_text_of_a_continued_answer_is_not_counted_twice(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    long = "many words " * 100
    provider.play(
        [
            Answer(steps=[*openai([long], finish=None, done=False), CLOSE]),
            Answer(steps=openai(["x"], usage=None)),
        ]
    )
    cut = anna.ask(name, "Tell me.")
    whole = anna.ask(name, **{"continue": cut.id})
    assert whole.last["usage"]["output_tokens"] < 5
    assert cut.last["usage"]["output_tokens"] > 200


def test_a_failed_answer_is_stored_with_its_code(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    provider.play([refusal(401), Answer(steps=openai(["fine"]))])
    failed = anna.ask(name, "One?")
    stored = anna.conversation(name)["messages"][failed.id]
    assert (stored["state"], stored["error"], stored["content"]) == ("failed", "upstream_auth", [])
    anna.ask(name, "Two?")
    assert prompt(provider) == [("user", "One?\n\nTwo?")]


def test_the_same_run_twice_is_one_turn(anna: Person, provider: FakeProvider) -> None:
    name, run = new_run(), new_run()
    first, second = (anna.ask(name, "One?", run=run) for _ in range(2))
    assert first.received == second.received
    assert len(provider.calls) == 1
    assert len(anna.conversation(name)["messages"]) == 2
    body = {"conversation": name, "query": "Other?", "run": run}
    assert anna.refused("POST", "/stream", body) == (409, "run_conflict", "run")


def forget_messages(connection: Connection, answer: str, conversation: str | None = None) -> None:
    """Delete an answer from the database, and a conversation."""
    connection.execute(delete(messages).where(messages.c.id == answer))
    connection.execute(delete(conversations).where(conversations.c.id == conversation))


def forget_runs(app: Flask) -> None:
    """Make the server and its journal forget all ended runs, as when they have expired."""
    runs = app.extensions["freshet"].runs
    runs._runs.clear()
    while runs.journaling.journal.expire(-60.0):
        pass


def test_a_run_whose_answer_is_stored_is_not_started_again(
    anna: Person, parts: Flask, provider: FakeProvider
) -> None:
    name, run = new_run(), new_run()
    anna.ask(name, "One?", run=run)
    forget_runs(parts)
    body = {"conversation": name, "query": "One?", "run": run}
    assert anna.refused("POST", "/stream", body) == (409, "run_ended", "run")
    assert len(provider.calls) == 1


def test_a_question_below_an_answer_that_is_not_stored_yet_is_to_be_asked_again(
    anna: Person, parts: Flask, provider: FakeProvider
) -> None:
    """Its worker is late. To others the conversation does not exist then, or has no such answer."""
    name, other, first, second = (new_run() for _ in range(4))
    anna.ask(name, "One?", run=first)
    anna.ask(other, "Two?", run=second)
    parts.extensions["freshet"].store.write(lambda c: forget_messages(c, first, name))
    parts.extensions["freshet"].store.write(lambda c: forget_messages(c, second))
    body = {"query": "And?", "parent": first, "conversation": name}
    assert anna.refused("POST", "/stream", body) == (503, "store_slow", None)
    assert anna.refused("POST", "/stream", body | {"parent": new_run()}) == (
        404,
        "conversation_not_found",
        "conversation",
    )
    body = {"query": "And?", "parent": second, "conversation": other}
    assert anna.refused("POST", "/stream", body) == (503, "store_slow", None)
    unknown = body | {"parent": first}
    assert anna.refused("POST", "/stream", unknown) == (400, "message_not_found", "parent"), "of another one"
    forget_runs(parts)
    assert anna.refused("POST", "/stream", body) == (400, "message_not_found", "parent")
    assert len(provider.calls) == 2


def test_a_question_below_an_answer_of_a_deleted_conversation_is_refused(anna: Person) -> None:
    name, run = new_run(), new_run()
    anna.ask(name, "One?", run=run)
    assert anna.do("DELETE", f"/conversations/{name}").status_code == 200
    body = {"query": "And?", "parent": run, "conversation": name}
    assert anna.refused("POST", "/stream", body) == (404, "conversation_not_found", "conversation")


def test_an_answer_whose_process_ended_is_shown_as_interrupted(anna: Person, parts: Flask) -> None:
    name = new_run()
    turn = anna.ask(name, "One?")
    store = parts.extensions["freshet"].store
    store.write(
        lambda c: c.exec_driver_sql("UPDATE messages SET state = 'streaming' WHERE role = 'assistant'")
    )
    assert "state" not in anna.conversation(name)["messages"][turn.id], (
        "its run is still known to have succeeded"
    )
    forget_runs(parts)
    stored = anna.conversation(name)["messages"][turn.id]
    assert (stored["state"], text_of(stored)) == ("interrupted", turn.text)


def test_a_conversation_names_its_running_run(anna: Person, parts: Flask, provider: FakeProvider) -> None:
    name, run = new_run(), new_run()
    provider.play(Answer(steps=[openai_delta("Begun"), STALL]))
    response = parts.test_client(use_cookies=False).post(
        "/stream",
        json={"conversation": name, "query": "One?", "run": run},
        headers={"Cookie": cookie_of(parts, "anna")},
        buffered=False,
    )
    pieces = iter(response.response)
    received = next(pieces)
    while b"Begun" not in received:
        received += next(pieces)
    stored = anna.conversation(name)
    assert stored["run"] == run
    assert stored["messages"][run]["state"] == "streaming"
    assert anna.get("/conversations")["conversations"][0]["run"] == run
    assert anna.refused("POST", "/stream", {"conversation": name, "query": "Two?"}) == (
        409,
        "answer_running",
        "parent",
    )
    assert anna.refused("POST", "/stream", {"continue": run}) == (409, "answer_running", "continue")
    assert anna.do("POST", f"/stream/{run}/stop").json["state"] == "cancelled"
    response.close()
    stored = anna.conversation(name)
    assert stored["run"] is None
    assert (stored["messages"][run]["state"], text_of(stored["messages"][run])) == ("cancelled", "Begun")


def test_long_conversations_are_trimmed_by_whole_turns(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    words = "word " * 4_000  # about 5,000 tokens
    for number in range(3):
        anna.ask(
            name,
            f"{number} {words}",
            model="tiny",
            max_tokens=10,
            system="Be brief." if not number else None,
        )
    roles = [role for role, _ in prompt(provider)]
    assert roles == ["system", "user"], "8,192 tokens fit one of these"
    assert prompt(provider)[1][1].startswith("2 ")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"conversation": "short"}, (400, "bad_conversation", "conversation")),
        ({"conversation": "../../../etc/passwd123"}, (400, "bad_conversation", "conversation")),
        ({"messages": [{"content": "x"}]}, (400, "asked_twice", "messages")),
        ({"query": " "}, (400, "empty", "query")),
        ({}, (400, "nothing_asked", "query")),
        ({"parent": None}, (400, "nothing_asked", "query")),
        ({"query": "x", "parent": "nowhere"}, (404, "conversation_not_found", "conversation")),
        ({"continue": "nowhere"}, (404, "conversation_not_found", "conversation")),
        ({"continue": "x", "query": "x"}, (400, "asked_twice", "continue")),
        ({"query": "x", "run": "short"}, (400, "bad_run", "run")),
        ({"query": "x", "images": ["x"] * 5}, (400, "invalid_type", "images")),
        ({"query": "x", "parent": 5}, (400, "invalid_type", "parent")),
    ],
)
def test_an_invalid_turn_is_refused_and_stores_nothing(
    anna: Person, provider: FakeProvider, body: dict[str, Any], expected: object
) -> None:
    assert anna.refused("POST", "/stream", {"conversation": new_run()} | body) == expected
    assert provider.calls == []
    assert anna.titles() == []


def test_a_turn_that_does_not_fit_the_tree_is_refused(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    turn = anna.ask(name, "One?")
    question = anna.conversation(name)["messages"][turn.id]["parent"]
    for body, expected in (
        ({"parent": turn.id}, (400, "not_a_question", "parent")),
        ({"continue": question}, (400, "not_an_answer", "continue")),
        ({"parent": "nowhere", "query": "x"}, (400, "message_not_found", "parent")),
        ({"continue": "nowhere"}, (400, "message_not_found", "continue")),
    ):
        assert anna.refused("POST", "/stream", {"conversation": name} | body) == expected
    assert anna.refused("POST", "/stream", {"continue": "nowhere"}) == (404, "message_not_found", "continue")
    assert len(provider.calls) == 1


def test_without_an_owner_nothing_is_stored_but_chatting_works(parts: Flask, provider: FakeProvider) -> None:
    nobody = Person(parts.test_client(use_cookies=False), None)
    assert nobody.refused("POST", "/stream", {"conversation": new_run(), "query": "x"}) == (
        401,
        "no_owner",
        None,
    )
    assert nobody.refused("GET", "/conversations") == (401, "no_owner", None)
    assert provider.calls == []
    assert Turn(nobody.do("POST", "/stream", {"query": "x"}).text).text


def test_without_a_conversation_the_database_only_counts_the_start(
    anna: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, counted = parts.extensions["freshet"].store, []
    hit = store.rate_counters.hit
    monkeypatch.setattr(store.rate_counters, "hit", lambda *given: counted.append(given) or hit(*given))
    call, touched = store.database._call, []

    def touch(*arguments: Any, **named: Any) -> Any:
        touched.append("database")
        return call(*arguments, **named)

    monkeypatch.setattr(store.database, "_call", touch)
    monkeypatch.setattr(store.saver, "enqueue", lambda _: touched.append("saver"))
    assert Turn(anna.do("POST", "/stream", {"query": "x"}).text).text
    assert (len(counted), touched) == (1, ["database"])


def test_a_text_that_databases_refuse_is_stored_unchanged(anna: Person) -> None:
    name = new_run()
    turn = anna.ask(name, "nul \x00 and \U0001f469\u200d\U0001f680 and \u2028")
    question = anna.conversation(name)["messages"]
    texts = {text_of(message) for message in question.values()}
    assert texts == {"nul \x00 and \U0001f469\u200d\U0001f680 and \u2028", turn.text}
    assert anna.titles() == ["nul and \U0001f469\u200d\U0001f680 and"]


def test_the_thinking_time_is_stored(anna: Person, provider: FakeProvider) -> None:
    name = new_run()
    provider.play(Answer(steps=[openai_delta(None, reasoning_content="hm"), 0.1, *openai(["Hello"])]))
    turn = anna.ask(name, "Think")
    stored = anna.conversation(name)["messages"][turn.id]
    assert stored["thought_ms"] == turn.last["thought_ms"] >= 95
