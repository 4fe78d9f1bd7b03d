"""Away as Markdown and JSON, and back from that JSON; and files that are not what they claim."""

import json
import threading
from typing import Any

import pytest

from tests.store.people import Person, data_url, new_run, png, text_of
from webapp.routes import export_import

USER = {
    "id": "a",
    "parent": None,
    "role": "user",
    "content": [{"type": "text", "text": "One?"}],
    "created_at": 1,
}
REPLY = {
    "id": "b",
    "parent": "a",
    "role": "assistant",
    "content": [{"type": "text", "text": "Yes."}],
    "created_at": 2,
}
GOOD: dict[str, Any] = {"freshet": 1, "messages": [USER, REPLY]}


def exported(anna: Person, name: str) -> dict[str, Any]:
    body: dict[str, Any] = anna.get(f"/conversations/{name}/export")
    return body


def shape(body: dict[str, Any]) -> Any:
    """What must be the same after a way there and back: all but the ids."""
    messages = {message["id"]: message for message in body["messages"]}

    def path(at: str | None) -> list[str]:
        return [] if at is None else [*path(messages[at]["parent"]), text_of(messages[at])]

    told = [
        {key: value for key, value in message.items() if key not in ("id", "parent", "created_at")}
        | {"path": path(message["id"])}
        for message in body["messages"]
    ]
    told.sort(key=lambda message: message["path"])
    return body["title"], body["system"], path(body["leaf"]), told, body["images"]


def test_there_and_back_it_is_the_same(anna: Person, ben: Person) -> None:
    name = new_run()
    first = anna.ask(name, "What is this?", system="Be brief.", images=[data_url(png())])
    anna.ask(name, "Other?", parent=None)
    anna.ask(name, "Below?", parent=first.id)
    anna.do("PATCH", f"/conversations/{name}", {"title": "Mine"})
    away = exported(anna, name)
    head = ben.do("POST", "/conversations/import", away)
    assert head.status_code == 201, head.text
    back = exported(ben, head.json["id"])
    assert shape(back) == shape(away)
    ids = {message["id"] for message in away["messages"]} | {name}
    assert not ids & ({message["id"] for message in back["messages"]} | {head.json["id"]})
    assert ben.ask(head.json["id"], "And on?").start["conversation"] == head.json["id"]
    again = anna.do("POST", "/conversations/import", away)
    assert again.json["id"] not in (name, head.json["id"])


def test_the_order_of_siblings_is_kept(anna: Person) -> None:
    name = new_run()
    for number in range(4):
        anna.ask(name, f"Version {number}", parent=None)
    back = anna.do("POST", "/conversations/import", exported(anna, name)).json["id"]
    roots = [text_of(message) for message in exported(anna, back)["messages"] if message["parent"] is None]
    assert roots == [f"Version {number}" for number in range(4)]


def test_markdown_is_the_present_branch_for_people(anna: Person) -> None:
    name = new_run()
    first = anna.ask(name, "One?", system="Be brief.")
    anna.ask(name, "Other?", parent=None)
    anna.do("PATCH", f"/conversations/{name}", {"leaf": first.id, "title": "A *title*"})
    response = anna.do("GET", f"/conversations/{name}/export?format=markdown")
    assert response.mimetype == "text/markdown"
    assert response.text == (
        "# A \\*title\\*\n\n> Be brief.\n\n## You\n\nOne?\n\n## gpt-4.1\n\n" + first.text + "\n"
    )


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Hello, world", 'filename="Hello-world.json"'),
        ("../../etc/passwd", 'filename="etc-passwd.json"'),
        ('a"; filename="evil.exe', 'filename="a-filename-evil.exe.json"'),
        ("naïve café", 'filename="naive-cafe.json"'),
        ("你好", 'filename="conversation.json"'),
        ("...", 'filename="conversation.json"'),
        ("x" * 200, f'filename="{"x" * 60}.json"'),
        ("a\r\nSet-Cookie: x", 'filename="a-Set-Cookie-x.json"'),
    ],
)
def test_a_file_s_name_is_harmless(anna: Person, title: str, plain: str) -> None:
    name = new_run()
    anna.ask(name, "One?")
    anna.do("PATCH", f"/conversations/{name}", {"title": title})
    disposition = anna.do("GET", f"/conversations/{name}/export").headers["Content-Disposition"]
    assert disposition.startswith(f"attachment; {plain}; filename*=UTF-8''")
    assert anna.refused("GET", f"/conversations/{name}/export?format=pdf") == (400, "invalid_type", "format")


def test_a_small_file_is_taken(anna: Person) -> None:
    head = anna.do("POST", "/conversations/import", GOOD)
    assert head.status_code == 201, head.text
    kept = anna.conversation(head.json["id"])
    assert kept["title"] == "One?"
    assert [text_of(message) for message in kept["messages"].values()] == ["One?", "Yes."]
    assert text_of(kept["messages"][kept["leaf"]]) == "Yes."


def changed(index: int, **fields: Any) -> dict[str, Any]:
    messages = [dict(USER), dict(REPLY)]
    messages[index] |= fields
    return {"messages": messages}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"freshet": 2}, "freshet"),
        ({"freshet": "1"}, "freshet"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"title": "x" * 201}, "title"),
        ({"title": 5}, "title"),
        ({"leaf": "nowhere"}, "leaf"),
        ({"system": ["x"]}, "system"),
        (changed(1, id="a"), "messages[1].id"),
        (changed(0, id=""), "messages[0].id"),
        (changed(0, id=5), "messages[0].id"),
        (changed(1, parent="foreign"), "messages[1].parent"),
        (changed(0, parent="b"), "messages[0].parent"),
        (changed(0, parent="a"), "messages[0].parent"),
        (changed(0, role="system"), "messages[0].role"),
        (changed(0, content="text"), "messages[0].content"),
        (changed(0, content=[{"type": "html", "text": "x"}]), "messages[0].content[0].type"),
        (
            changed(0, content=[{"type": "image", "image": "x", "media_type": "image/png"}]),
            "messages[0].content",
        ),
        (changed(0, created_at=-1), "messages[0].created_at"),
        (changed(0, created_at="now"), "messages[0].created_at"),
        (changed(1, state="running"), "messages[1].state"),
        (changed(1, usage={"input_tokens": -1}), "messages[1].usage"),
        (changed(1, cost="NaN"), "messages[1].cost"),
        (changed(1, cost=-1), "messages[1].cost"),
        (changed(1, cost="1e999999"), "messages[1].cost"),
        (changed(1, thought_ms=-1), "messages[1].thought_ms"),
        (changed(1, thought_ms=2**31), "messages[1].thought_ms"),
        (changed(1, model="x" * 201), "messages[1].model"),
        (changed(1, finish_reason="bored"), "messages[1].finish_reason"),
        ({"images": {"x": {"media_type": "image/png", "data": "%%%"}}}, "images.x"),
        ({"images": {"x": {"media_type": "image/png", "data": "PHN2Zz4="}}}, "images.x"),
        ({"images": {"x": {"media_type": "image/png"}}}, "images[...]"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_and_nothing_is_stored(
    anna: Person, change: object, param: str
) -> None:
    status, _, named = anna.refused("POST", "/conversations/import", {**GOOD, **change})  # type: ignore[dict-item]
    assert (status, named) == (400, param)
    assert anna.heads() == []


def test_a_million_messages_are_refused_at_once(anna: Person) -> None:
    many = b",".join([b'{"role":"user"}'] * 1_000_000)
    response = anna._client.post(
        "/conversations/import",
        data=b'{"freshet":1,"messages":[' + many + b"]}",
        content_type="application/json",
        headers=anna._headers,
    )
    assert (response.status_code, response.json["error"]["param"]) == (413, "messages")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null", b"\xff\xfe", b'{"a":' * 5_000])
def test_what_is_no_json(anna: Person, raw: bytes) -> None:
    response = anna._client.post(
        "/conversations/import", data=raw, content_type="application/json", headers=anna._headers
    )
    assert response.status_code == 400
    assert response.json["error"]["param"] == "body"


def test_ten_thousand_messages_deep(anna: Person) -> None:
    """As long as one may be, each below the other, the last first."""
    messages = [
        {
            "id": str(number),
            "parent": str(number - 1) if number else None,
            "role": "assistant" if number % 2 else "user",
            "content": [{"type": "text", "text": f"message {number}"}],
            "created_at": number,
        }
        for number in range(10_000)
    ]
    head = anna.do(
        "POST", "/conversations/import", {"freshet": 1, "messages": messages[::-1], "leaf": "9999"}
    )
    assert head.status_code == 201, head.text
    answer = anna.ask(head.json["id"], "And on?", model="tiny")
    kept = json.loads(anna.do("GET", f"/conversations/{head.json['id']}").text)
    assert len(kept["messages"]) == 10_002
    parents = {message["id"]: message["parent"] for message in kept["messages"]}
    depth, at = 0, answer.id
    while at is not None:
        depth, at = depth + 1, parents[at]
    assert depth == 10_002


def test_a_conversation_with_many_images_comes_back(anna: Person, ben: Person) -> None:
    """Its file is larger than any other request may be."""
    name = new_run()
    first = anna.ask(name, "Look", images=[data_url(png(pad=1_900_000 + size)) for size in range(4)])
    for more in range(2):
        images = [data_url(png(pad=1_900_000 + 10 * more + size)) for size in range(4, 8)]
        anna.ask(name, "And these", parent=first.id, images=images)
    away = exported(anna, name)
    size = len(json.dumps(away))
    assert size > 28_000_000 > 16 * 1024 * 1024
    head = ben.do("POST", "/conversations/import", away)
    assert head.status_code == 201, head.text
    assert shape(exported(ben, head.json["id"])) == shape(away)


def test_a_file_that_is_too_large_is_refused(anna: Person) -> None:
    body = b"{" + b" " * (64 * 1024 * 1024)
    response = anna._client.post(
        "/conversations/import", data=body, content_type="application/json", headers=anna._headers
    )
    assert (response.status_code, response.json["error"]["param"]) == (413, None)
    assert anna.heads() == []


def test_few_large_ones_at_a_time(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_import, "_large", threading.BoundedSemaphore(1))
    large = GOOD | {"system": "x" * 100_000, "ignored": "x" * (17 * 1024 * 1024)}
    with export_import._large:
        response = anna.do("POST", "/conversations/import", large)
        assert (response.status_code, response.json["error"]["code"]) == (429, "busy")
        assert response.headers["Retry-After"] == "10"
        assert anna.do("POST", "/conversations/import", GOOD).status_code == 201
    assert anna.do("POST", "/conversations/import", large).status_code == 201
    assert anna.do("POST", "/conversations/import", large).status_code == 201
