"""NUL, which Postgres cannot store, in every place that takes a text."""

import pytest

from tests.store.people import Person, new_run, share, text_of

NUL, ENCODED = "a\0b", "a%00b"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/conversations/{ENCODED}"),
        ("GET", f"/conversations?search={ENCODED}"),
        ("GET", f"/conversations?after=1:{ENCODED}"),
        ("GET", f"/conversations?limit={ENCODED}"),
        ("GET", f"/conversations?a{ENCODED}=x"),
        ("PATCH", f"/conversations/{ENCODED}"),
        ("DELETE", f"/conversations/{ENCODED}"),
        ("POST", f"/conversations/{ENCODED}/restore"),
        ("POST", f"/conversations/{ENCODED}/share"),
        ("GET", f"/conversations/{ENCODED}/export"),
        ("GET", f"/conversations/{ENCODED}/images/{'a' * 64}"),
        ("GET", f"/conversations/{'A' * 22}/images/{ENCODED}"),
        ("GET", f"/shared/{ENCODED}"),
        ("GET", f"/shared/{ENCODED}/images/x"),
        ("GET", f"/stream/{ENCODED}"),
        ("GET", f"/stream?query={ENCODED}"),
        ("GET", f"/stream/{'A' * 22}?after={ENCODED}"),
        ("DELETE", f"/sessions/{ENCODED}"),
    ],
)
def test_nul_in_an_address_is_refused(anna: Person, method: str, path: str) -> None:
    response = anna.do(method, path)
    assert response.status_code == 400, response.text
    assert response.get_json()["error"]["code"] == "nul"


@pytest.mark.parametrize(
    "body",
    [
        {"query": "Hi", "conversation": NUL},
        {"query": "Hi", "conversation": "A" * 22, "parent": NUL},
        {"continue": NUL},
        {"continue": NUL, "conversation": "A" * 22},
        {"query": "Hi", "model": NUL},
        {"query": "Hi", "provider": NUL},
        {"query": "Hi", "run": NUL},
        {"query": "Hi", "conversation": "A" * 22, "images": [NUL]},
    ],
)
def test_nul_in_an_id_is_refused(anna: Person, body: dict[str, object]) -> None:
    assert anna.refused("POST", "/stream", body)[0] == 400


def test_nul_in_a_leaf_is_refused(anna: Person) -> None:
    name = new_run()
    anna.ask(name, "Hi")
    assert anna.refused("PATCH", f"/conversations/{name}", {"leaf": NUL})[0] == 400
    assert anna.refused("POST", f"/conversations/{name}/share", {"leaf": NUL})[0] == 400


def test_nul_in_a_text_is_accepted(anna: Person) -> None:
    name = new_run()
    anna.ask(name, f"Why {NUL}?", system=NUL)
    anna.do("PATCH", f"/conversations/{name}", {"title": f"Title {NUL}", "system": NUL})
    stored = anna.conversation(name)
    assert stored["title"] == "Title a b"
    assert any(text_of(message) == f"Why {NUL}?" for message in stored["messages"].values())
    exported = anna.get(f"/conversations/{name}/export")
    exported["title"] = exported["system"] = NUL
    for message in exported["messages"]:
        message["content"] = [{"type": "text", "text": NUL}]
        message["reasoning"] = message["model"] = message["provider"] = NUL
        message["id"] += NUL
        message["parent"] = None if message["parent"] is None else message["parent"] + NUL
    exported["leaf"] += NUL
    assert anna.do("POST", "/conversations/import", exported).status_code in (201, 400)
    assert share(anna, name)


def test_nul_in_an_imported_answer_is_accepted(anna: Person) -> None:
    message = {
        "id": "m",
        "parent": None,
        "role": "assistant",
        "content": [],
        "created_at": 1,
        "state": "failed",
    }
    for field in ("error", "model", "provider", "reasoning"):
        body = {"freshet": 1, "title": NUL, "messages": [message | {field: NUL}]}
        assert anna.do("POST", "/conversations/import", body).status_code == 201, field
