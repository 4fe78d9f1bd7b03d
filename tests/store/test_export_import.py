"""Export as Markdown and JSON, import of that JSON, and refused files."""

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


def export(anna: Person, name: str) -> dict[str, Any]:
    body: dict[str, Any] = anna.get(f"/conversations/{name}/export")
    return body


def shape(body: dict[str, Any]) -> Any:
    """What export and import preserve: everything except ids and times."""
    messages = {message["id"]: message for message in body["messages"]}

    def path(at: str | None) -> list[str]:
        return [] if at is None else [*path(messages[at]["parent"]), text_of(messages[at])]

    normalized = [
        {key: value for key, value in message.items() if key not in ("id", "parent", "created_at")}
        | {"path": path(message["id"])}
        for message in body["messages"]
    ]
    normalized.sort(key=lambda message: message["path"])
    return body["title"], body["system"], path(body["leaf"]), normalized, body["images"]


def test_an_imported_conversation_equals_the_exported_one(anna: Person, ben: Person) -> None:
    name = new_run()
    first = anna.ask(name, "What is this?", system="Be brief.", images=[data_url(png())])
    anna.ask(name, "Other?", parent=None)
    anna.ask(name, "Below?", parent=first.id)
    anna.do("PATCH", f"/conversations/{name}", {"title": "Mine"})
    exported = export(anna, name)
    head = ben.do("POST", "/conversations/import", exported)
    assert head.status_code == 201, head.text
    imported = export(ben, head.json["id"])
    assert shape(imported) == shape(exported)
    ids = {message["id"] for message in exported["messages"]} | {name}
    assert not ids & ({message["id"] for message in imported["messages"]} | {head.json["id"]})
    assert ben.ask(head.json["id"], "And on?").start["conversation"] == head.json["id"]
    again = anna.do("POST", "/conversations/import", exported)
    assert again.json["id"] not in (name, head.json["id"])


def test_documents_are_exported_and_imported_with_their_passages(anna: Person, ben: Person) -> None:
    name = new_run()
    body = "# Rivers\n\n" + "\n\n".join(
        f"River {number} is long, and has {number} weirs." for number in range(900)
    )
    anna.attach(name, "rivers.md", body.encode())
    anna.attach(name, "small.txt", b"The Loire rises in the Ardeche.")
    anna.ask(name, "How many weirs has river 612?")
    exported = export(anna, name)
    assert sorted(one["source"] for one in exported["documents"].values()) == ["rivers.md", "small.txt"]
    cited = {source["document"] for message in exported["messages"] for source in message.get("sources", [])}
    assert cited == set(exported["documents"])
    head = ben.do("POST", "/conversations/import", exported)
    assert head.status_code == 201, head.text
    imported = ben.conversation(head.json["id"])
    assert [(one["source"], one["file_bytes"]) for one in imported["documents"]] == [
        ("rivers.md", len(body)),
        ("small.txt", 31),
    ]
    ids = {one["id"] for one in imported["documents"]}
    assert not ids & set(exported["documents"])
    answer = next(one for one in imported["messages"].values() if one["role"] == "assistant")
    assert {source["document"] for source in answer["sources"]} == ids
    turn = ben.ask(head.json["id"], "How many weirs has river 345?")
    found = next(frame["sources"] for frame in turn.frames if "sources" in frame)
    assert any("River 345" in source.get("snippet", "") for source in found)
    assert "rivers.md" in anna.do("GET", f"/conversations/{name}/export?format=markdown").text


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"source": " "}, "documents.d.source"),
        ({"media_type": "application/zip"}, "documents.d.media_type"),
        ({"text": " \n"}, "documents.d.text"),
        ({"pages": [3, 1]}, "documents.d.pages"),
        ({"pages": [0, 999]}, "documents.d.pages"),
        ({"pages": [-1]}, "documents.d.pages"),
    ],
)
def test_a_bad_document_is_refused_by_its_place(anna: Person, change: dict[str, Any], param: str) -> None:
    good = {"source": "a.txt", "title": "A", "media_type": "text/plain", "text": "The Loire."}
    assert anna.do("POST", "/conversations/import", GOOD | {"documents": {"d": good}}).status_code == 201
    refused = anna.refused("POST", "/conversations/import", GOOD | {"documents": {"d": good | change}})
    assert refused == (400, "bad_import", param)


def test_siblings_keep_their_order(anna: Person) -> None:
    name = new_run()
    for number in range(4):
        anna.ask(name, f"Version {number}", parent=None)
    imported = anna.do("POST", "/conversations/import", export(anna, name)).json["id"]
    roots = [text_of(message) for message in export(anna, imported)["messages"] if message["parent"] is None]
    assert roots == [f"Version {number}" for number in range(4)]


def test_markdown_contains_the_current_branch(anna: Person) -> None:
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
def test_the_file_name_is_sanitized(anna: Person, title: str, plain: str) -> None:
    name = new_run()
    anna.ask(name, "One?")
    anna.do("PATCH", f"/conversations/{name}", {"title": title})
    disposition = anna.do("GET", f"/conversations/{name}/export").headers["Content-Disposition"]
    assert disposition.startswith(f"attachment; {plain}; filename*=UTF-8''")
    assert anna.refused("GET", f"/conversations/{name}/export?format=pdf") == (400, "invalid_type", "format")


def test_a_minimal_file_is_imported(anna: Person) -> None:
    head = anna.do("POST", "/conversations/import", GOOD)
    assert head.status_code == 201, head.text
    stored = anna.conversation(head.json["id"])
    assert stored["title"] == "One?"
    assert [text_of(message) for message in stored["messages"].values()] == ["One?", "Yes."]
    assert text_of(stored["messages"][stored["leaf"]]) == "Yes."


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
        (changed(1, usage={"cache_read_tokens": 2**40}), "messages[1].usage"),
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
def test_an_invalid_file_is_refused_by_its_field(anna: Person, change: object, param: str) -> None:
    status, _, named = anna.refused("POST", "/conversations/import", {**GOOD, **change})  # type: ignore[dict-item]
    assert (status, named) == (400, param)
    assert anna.titles() == []


def test_a_million_messages_are_refused(anna: Person) -> None:
    many = b",".join([b'{"role":"user"}'] * 1_000_000)
    response = anna._client.post(
        "/conversations/import",
        data=b'{"freshet":1,"messages":[' + many + b"]}",
        content_type="application/json",
        headers=anna._headers,
    )
    assert (response.status_code, response.json["error"]["param"]) == (413, "messages")


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null", b"\xff\xfe", b'{"a":' * 5_000])
def test_invalid_json_is_refused(anna: Person, raw: bytes) -> None:
    response = anna._client.post(
        "/conversations/import", data=raw, content_type="application/json", headers=anna._headers
    )
    assert response.status_code == 400
    assert response.json["error"]["param"] == "body"


def test_a_branch_of_ten_thousand_messages_is_imported(anna: Person) -> None:
    """The longest conversation, as one branch, in reverse order."""
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
    stored = json.loads(anna.do("GET", f"/conversations/{head.json['id']}").text)
    assert len(stored["messages"]) == 10_002
    parents = {message["id"]: message["parent"] for message in stored["messages"]}
    depth, at = 0, answer.id
    while at is not None:
        depth, at = depth + 1, parents[at]
    assert depth == 10_002


def test_a_conversation_with_many_images_is_imported(anna: Person, ben: Person) -> None:
    """Its file is larger than the limit for other requests."""
    name = new_run()
    first = anna.ask(name, "Look", images=[data_url(png(pad=1_900_000 + size)) for size in range(4)])
    for more in range(2):
        images = [data_url(png(pad=1_900_000 + 10 * more + size)) for size in range(4, 8)]
        anna.ask(name, "And these", parent=first.id, images=images)
    exported = export(anna, name)
    size = len(json.dumps(exported))
    assert size > 28_000_000 > 16 * 1024 * 1024
    head = ben.do("POST", "/conversations/import", exported)
    assert head.status_code == 201, head.text
    assert shape(export(ben, head.json["id"])) == shape(exported)


def test_a_file_that_is_too_large_is_refused(anna: Person) -> None:
    body = b"{" + b" " * (64 * 1024 * 1024)
    response = anna._client.post(
        "/conversations/import", data=body, content_type="application/json", headers=anna._headers
    )
    assert (response.status_code, response.json["error"]["param"]) == (413, None)
    assert anna.titles() == []


def test_only_few_large_imports_run_at_once(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_import, "_large_imports", threading.BoundedSemaphore(1))
    large = GOOD | {"system": "x" * 100_000, "ignored": "x" * (17 * 1024 * 1024)}
    with export_import._large_imports:
        response = anna.do("POST", "/conversations/import", large)
        assert (response.status_code, response.json["error"]["code"]) == (429, "busy")
        assert response.headers["Retry-After"] == "10"
        assert anna.do("POST", "/conversations/import", GOOD).status_code == 201
    assert anna.do("POST", "/conversations/import", large).status_code == 201
    assert anna.do("POST", "/conversations/import", large).status_code == 201


@pytest.mark.parametrize("change", [{"language": "e\0n"}, {"digest": "\0"}, {"digest": "abc"}])
def test_what_no_export_says_of_a_document_is_refused(anna: Person, change: dict[str, Any]) -> None:
    """A zero byte cannot be stored in Postgres."""
    document = {"source": "a.txt", "title": "A", "media_type": "text/plain", "text": "The Loire."} | change
    status, _, param = anna.refused("POST", "/conversations/import", GOOD | {"documents": {"d": document}})
    assert (status, str(param).startswith("documents")) == (400, True), param
