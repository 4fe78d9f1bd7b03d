"""The conversation endpoints: list, search, change, delete, and access by other owners."""

import time
from typing import Any

import pytest
from flask import Flask

from tests.store.people import Person, new_run, text_of
from tests.support.stopwatch import Stopwatch
from webapp.store import store as store_module


def ids(anna: Person, query: str = "") -> list[str]:
    return [head["id"] for head in anna.get(f"/conversations{query}")["conversations"]]


def test_pages_list_the_last_changed_first(anna: Person) -> None:
    names = [new_run() for _ in range(5)]
    for number, name in enumerate(names):
        anna.ask(name, f"Question {number}?")
    anna.ask(names[0], "More?")
    expected = [names[0], names[4], names[3], names[2], names[1]]
    assert ids(anna) == expected
    found, after = [], ""
    for _ in range(3):
        page = anna.get(f"/conversations?limit=2{after}")
        found += [head["id"] for head in page["conversations"]]
        after = f"&after={page['next']}"
    assert found == expected
    assert page["next"] is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("zebra", True),
        ("ZEBRA", True),
        ("zebra stripes", True),
        ("stripes%20zebra", True),
        ("Zoë", True),
        ("zoe", True),
        ("straße", True),
        ("STRASSE", True),
        ("many words", True),
        ("%25", False),
        ("_ebra", False),
        ("zebra%20lion", False),
        ("\\", False),
    ],
)
def test_search_covers_titles_and_messages(anna: Person, ben: Person, search: str, found: bool) -> None:
    name = new_run()
    anna.ask(
        name,
        "Why has Zoe's zebra stripes in the Strasse?"
        if search in ("Zoë", "straße")
        else "Zoë's zebra, its stripes, the Straße",
    )
    assert (ids(anna, f"?search={search}") == [name]) is found
    assert ids(ben, f"?search={search}") == []


def test_the_title_comes_from_the_first_message_unless_it_was_set(anna: Person) -> None:
    name = new_run()
    anna.ask(name, "  <b>Hello</b>\n\tthere, " + "long words " * 20)
    (title,) = anna.titles()
    assert title.startswith("<b>Hello</b> there, long words")
    assert title.endswith("words long…")
    assert len(title) <= 80
    changed = anna.do("PATCH", f"/conversations/{name}", {"title": " Mine \u202e\x07 "})
    assert changed.json["title"] == "Mine"
    anna.ask(name, "Another", parent=None)
    assert anna.titles() == ["Mine"]


def test_the_system_prompt_can_be_changed_and_removed(anna: Person, provider: Any) -> None:
    name = new_run()
    anna.ask(name, "One?", system="Be brief.")
    assert anna.do("PATCH", f"/conversations/{name}", {"system": "Be long."}).json["system"] == "Be long."
    anna.ask(name, "Two?")
    assert provider.calls[-1].json["messages"][0] == {"role": "system", "content": "Be long."}
    assert anna.do("PATCH", f"/conversations/{name}", {"system": None}).json["system"] is None
    anna.ask(name, "Three?")
    assert provider.calls[-1].json["messages"][0]["role"] == "user"


def test_switching_to_a_sibling_selects_the_leaf_below_it(anna: Person) -> None:
    name = new_run()
    first = anna.ask(name, "One?")
    second = anna.ask(name, "Two?")
    anna.ask(name, "Other?", parent=None)
    root = anna.conversation(name)["messages"][first.id]["parent"]
    assert anna.do("PATCH", f"/conversations/{name}", {"leaf": root}).json["leaf"] == second.id


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "empty", "body")),
        ({"title": " \n "}, (400, "empty", "title")),
        ({"title": "x" * 201}, (400, "invalid_type", "title")),
        ({"title": None}, (400, "invalid_type", "title")),
        ({"title": ["x"]}, (400, "invalid_type", "title")),
        ({"leaf": "nowhere"}, (400, "message_not_found", "leaf")),
        ({"system": 5}, (400, "invalid_type", "system")),
    ],
)
def test_an_invalid_change_is_refused_and_changes_nothing(
    anna: Person, body: object, refusal: object
) -> None:
    name = new_run()
    turn = anna.ask(name, "One?")
    before = anna.conversation(name)
    assert anna.refused("PATCH", f"/conversations/{name}", body) == refusal
    assert anna.conversation(name) == before
    assert before["leaf"] == turn.id


def test_a_deleted_conversation_can_be_restored(anna: Person, provider: Any) -> None:
    name = new_run()
    anna.ask(name, "One?")
    before = anna.conversation(name)
    undo = anna.do("DELETE", f"/conversations/{name}").json["restore"]
    assert anna.titles() == []
    assert anna.refused("GET", f"/conversations/{name}")[0] == 404
    assert anna.refused("DELETE", f"/conversations/{name}")[0] == 404
    assert anna.refused("POST", "/stream", {"conversation": name, "query": "Two?"})[0] == 404
    assert len(provider.calls) == 1
    assert anna.do("POST", undo).json["id"] == name
    assert anna.conversation(name) == before


@pytest.mark.parametrize(("days", "status"), [(29.9, 200), (30.1, 404)])
def test_n31_a_deletion_can_be_undone_for_thirty_days(
    anna: Person, parts: Flask, days: float, status: int
) -> None:
    """It could be undone later, as long as nothing else was deleted."""
    name = new_run()
    anna.ask(name, "One?")
    anna.do("DELETE", f"/conversations/{name}")
    age(parts, name, days)
    assert anna.do("POST", f"/conversations/{name}/restore").status_code == status


def test_n31_what_was_deleted_long_ago_is_erased_in_the_background(
    anna: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_PURGE_COUNT", 2)
    monkeypatch.setattr(store_module, "_PURGE_PAUSE_S", 0.0)
    names = [new_run() for _ in range(6)]
    for name in names:
        anna.ask(name, "One?")
    for name in names[:-1]:
        anna.do("DELETE", f"/conversations/{name}")
    for name in names[:3]:
        age(parts, name, 31)
    store = parts.extensions["freshet"].store
    assert store.purge() == 3
    assert store.purge() == 0
    kept = store.read(lambda c: c.exec_driver_sql("SELECT DISTINCT conversation FROM messages").all())
    assert {row[0] for row in kept} == set(names[3:])
    assert anna.do("POST", f"/conversations/{names[3]}/restore").status_code == 200


def age(parts: Flask, conversation: str, days: float) -> None:
    """Make a deletion older."""
    deleted_at = int((time.time() - days * 24 * 3600) * 1000)
    parts.extensions["freshet"].store.write(
        lambda c: c.exec_driver_sql(
            f"UPDATE conversations SET deleted_at = {deleted_at} WHERE id = '{conversation}'"
        )
    )


def test_a_deletion_erases_what_was_deleted_long_ago(anna: Person, parts: Flask) -> None:
    old, new = new_run(), new_run()
    for name in (old, new):
        anna.ask(name, "One?")
    anna.do("DELETE", f"/conversations/{old}")
    store = parts.extensions["freshet"].store
    store.write(lambda c: c.exec_driver_sql("UPDATE conversations SET deleted_at = 1 WHERE deleted_at > 0"))
    anna.do("DELETE", f"/conversations/{new}")
    assert anna.refused("POST", f"/conversations/{old}/restore")[0] == 404
    rows = store.read(lambda c: c.exec_driver_sql("SELECT DISTINCT conversation FROM messages").all())
    assert [row[0] for row in rows] == [new]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("limit=0", (400, "invalid_type", "limit")),
        ("limit=101", (400, "invalid_type", "limit")),
        ("limit=1e3", (400, "invalid_type", "limit")),
        ("limit=" + "9" * 500, (400, "invalid_type", "limit")),
        ("after=x", (400, "bad_cursor", "after")),
        ("after=1", (400, "bad_cursor", "after")),
        ("after=" + "1" * 400 + ":x", (400, "bad_cursor", "after")),
        ("search=" + "x" * 201, (400, "too_long", "search")),
    ],
)
def test_an_invalid_list_request_is_refused(anna: Person, query: str, refusal: object) -> None:
    assert anna.refused("GET", f"/conversations?{query}") == refusal


def test_other_owners_get_not_found_at_every_endpoint(anna: Person, ben: Person, provider: Any) -> None:
    name = new_run()
    turn = anna.ask(name, "My secret?")
    question = anna.conversation(name)["messages"][turn.id]["parent"]
    before = anna.conversation(name)
    here = f"/conversations/{name}"
    for method, path, body in (
        ("GET", here, None),
        ("PATCH", here, {"title": "stolen"}),
        ("DELETE", here, None),
        ("POST", f"{here}/restore", None),
        ("POST", f"{here}/share", {}),
        ("DELETE", f"{here}/share", None),
        ("GET", f"{here}/export", None),
        ("GET", f"{here}/export?format=markdown", None),
        ("GET", f"{here}/images/{'0' * 64}", None),
        ("GET", f"/stream/{turn.id}", None),
        ("POST", f"/stream/{turn.id}/stop", None),
        ("POST", "/stream", {"conversation": name, "query": "What was said?"}),
        ("POST", "/stream", {"conversation": name, "query": "What?", "parent": turn.id}),
        ("POST", "/stream", {"conversation": name, "parent": question}),
        ("POST", "/stream", {"conversation": name, "continue": turn.id}),
        ("POST", "/stream", {"continue": turn.id}),
    ):
        status, code, _ = ben.refused(method, path, body)
        assert (status, code.endswith("not_found")) == (404, True), (method, path)
    unknown = ben.refused("POST", "/stream", {"continue": new_run()})
    assert ben.refused("POST", "/stream", {"continue": turn.id}) == unknown, (
        "the error does not reveal that it exists"
    )
    assert ben.titles() == []
    assert len(provider.calls) == 1
    assert anna.conversation(name) == before
    assert text_of(before["messages"][question]) == "My secret?"


def test_readyz_reports_the_store_s_state(anna: Person) -> None:
    anna.ask(new_run(), "One?")
    status = anna.get("/readyz")
    assert status["status"] == "ready"
    assert status["store"]["state"] == "ready"
    assert status["store"]["kind"] in ("sqlite", "postgres")


def test_a_slow_search_is_stopped_and_blocks_nobody(anna: Person, ben: Person) -> None:
    """A long word in long texts is slow to find, and SQLite has one thread for all."""
    message = {"parent": None, "role": "user", "created_at": 1, "state": "done"}
    text = [{"type": "text", "text": "a" * 99_000}]
    messages = [message | {"id": str(number), "content": text} for number in range(120)]
    assert anna.do("POST", "/conversations/import", {"freshet": 1, "messages": messages}).status_code == 201
    watch = Stopwatch()
    response = anna.do("GET", f"/conversations?search={'a' * 199}b")
    assert watch.busy_s < 6
    if response.status_code != 200:
        assert (response.status_code, response.get_json()["error"]["code"]) == (503, "store_slow")
    watch = Stopwatch()
    assert ben.titles() == []
    assert watch.busy_s < 2
