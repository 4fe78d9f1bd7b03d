"""Import of the exports of ChatGPT, Claude, LibreChat and Open WebUI."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.store.people import Person, data_url, png, text_of
from webapp.api import import_file
from webapp.errors import InvalidRequest, Unavailable
from webapp.store import imports

PNG = data_url(png())


def gpt_message(role: str, *parts: Any, kind: str = "text", **fields: Any) -> dict[str, Any]:
    content = fields.pop("content", None) or {"content_type": kind, "parts": list(parts)}
    return {
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": 1700000000.5,
        "content": content,
        "status": "finished_successfully",
        "weight": 1.0,
        "metadata": {},
        "recipient": "all",
        **fields,
    }


def gpt(*nodes: tuple[str, str | None, dict[str, Any] | None], **fields: Any) -> dict[str, Any]:
    mapping = {
        name: {
            "id": name,
            "parent": parent,
            "children": [child for child, above, _ in nodes if above == name],
            "message": message and {"id": name, **message},
        }
        for name, parent, message in nodes
    }
    return {
        "title": "Soup",
        "create_time": 1700000000.25,
        "update_time": 1700000300.75,
        "mapping": mapping,
        "current_node": nodes[-1][0],
        "conversation_id": "c0",
        "default_model_slug": "gpt-5",
    } | fields


CHATGPT = gpt(
    ("root", None, None),
    ("system", "root", gpt_message("system", "", metadata={"is_visually_hidden_from_conversation": True})),
    (
        "context",
        "system",
        gpt_message("user", content={"content_type": "user_editable_context", "user_profile": "A cook."}),
    ),
    ("q1", "context", gpt_message("user", "Which soup?")),
    ("a1", "q1", gpt_message("assistant", "**Leek**.", metadata={"model_slug": "gpt-4o"})),
    ("a1b", "q1", gpt_message("assistant", "Tomato.", metadata={"model_slug": "o3"})),
    (
        "q2",
        "a1",
        gpt_message(
            "user",
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "width": 4},
            "And with this?",
            kind="multimodal_text",
        ),
    ),
    (
        "t2",
        "q2",
        gpt_message(
            "assistant",
            content={
                "content_type": "thoughts",
                "thoughts": [
                    {"summary": "Looking", "content": "A carrot."},
                    {"summary": "", "content": "Yes."},
                ],
            },
        ),
    ),
    (
        "r2",
        "t2",
        gpt_message(
            "assistant",
            content={"content_type": "reasoning_recap", "content": "Thought for 7s"},
            metadata={"finished_duration_sec": 7},
        ),
    ),
    (
        "c2",
        "r2",
        gpt_message(
            "assistant",
            content={"content_type": "code", "language": "unknown", "text": "search('carrot')"},
            recipient="browser",
        ),
    ),
    (
        "x2",
        "c2",
        gpt_message("tool", content={"content_type": "execution_output", "text": "carrots are roots"}),
    ),
    ("a2", "x2", gpt_message("assistant", "Carrot soup. \ue200cite\ue202turn0search1\ue201", end_turn=True)),
)

OPEN_WEBUI: dict[str, Any] = {
    "id": "w1",
    "user_id": "u",
    "title": "Soup",
    "created_at": 1700000000,
    "updated_at": 1700000300,
    "chat": {
        "title": "Soup",
        "models": ["qwen3:8b"],
        "params": {"system": "Be brief."},
        "history": {
            "messages": {
                "q1": {
                    "id": "q1",
                    "parentId": None,
                    "childrenIds": ["a1", "a1b"],
                    "role": "user",
                    "content": "Which soup?",
                    "timestamp": 1700000000,
                    "files": [
                        {"type": "image", "url": PNG},
                        {"type": "image", "url": "/api/v1/files/7/content"},
                        {"type": "file", "name": "n.txt", "file": {"data": {"content": "leeks ``` 2"}}},
                    ],
                },
                "a1": {
                    "id": "a1",
                    "parentId": "q1",
                    "childrenIds": ["q2"],
                    "role": "assistant",
                    "content": '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds'
                    "</summary>\n&gt; A &amp; B\n&gt; so leek\n</details>\n**Leek**.",
                    "model": "qwen3:8b",
                    "timestamp": 1700000010,
                    "done": True,
                },
                "a1b": {
                    "id": "a1b",
                    "parentId": "q1",
                    "childrenIds": [],
                    "role": "assistant",
                    "content": "<think>hm</think>\n\nTomato.",
                    "model": "llama3",
                    "timestamp": 1700000010,
                    "done": False,
                },
                "q2": {
                    "id": "q2",
                    "parentId": "a1",
                    "childrenIds": [],
                    "role": "user",
                    "content": "And?",
                    "timestamp": 1700000020,
                },
            },
            "currentId": "q2",
        },
        "timestamp": 1700000000000,
    },
}

NO_PARENT = "00000000-0000-0000-0000-000000000000"


def libre_message(name: str, parent: str, user: bool, text: str, **fields: Any) -> dict[str, Any]:
    return {
        "messageId": name,
        "parentMessageId": parent,
        "isCreatedByUser": user,
        "sender": "User" if user else "GPT",
        "text": text,
        "createdAt": f"2024-05-28T18:0{len(name)}:55.014Z",
        "error": False,
        "unfinished": False,
        "model": None if user else "gpt-4o",
    } | fields


LIBRECHAT: dict[str, Any] = {
    "conversationId": "l1",
    "endpoint": "openAI",
    "title": "Soup",
    "exportAt": "08:12:16 GMT",
    "branches": True,
    "recursive": False,
    "options": {"model": "gpt-4o", "promptPrefix": "Be brief."},
    "messages": [
        libre_message(
            "q1", NO_PARENT, True, "Which soup?", files=[{"type": "image/png", "filepath": "/images/u/1.png"}]
        ),
        libre_message(
            "a1",
            "q1",
            False,
            "",
            content=[
                {"type": "think", "think": "Leek it is."},
                {"type": "tool_call", "tool_call": {"name": "x", "output": "y"}},
                {"type": "text", "text": {"value": "**Leek**."}},
            ],
        ),
        libre_message("a1b", "q1", False, ":::thinking\nhm\n:::\nTomato.", unfinished=True),
        libre_message("q2", "a1", True, "And?", content=[{"type": "image_url", "image_url": {"url": PNG}}]),
        libre_message("a222", "q2", False, "Bread.", finish_reason="length"),
    ],
}


def nested(conversation: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a LibreChat export in its recursive form."""
    flat = {message["messageId"]: message | {"children": []} for message in conversation["messages"]}
    roots = []
    for message in flat.values():
        above = flat.get(message["parentMessageId"])
        (roots if above is None else above["children"]).append(message)
    kept = {name: value for name, value in conversation.items() if name != "messages"}
    return kept | {"recursive": True, key: roots}


CLAUDE: dict[str, Any] = {
    "uuid": "k1",
    "name": "Soup",
    "summary": "",
    "model": "claude-sonnet-4",
    "created_at": "2025-01-02T03:04:05.678901Z",
    "updated_at": "2025-01-02T03:05:05.678901+00:00",
    "account": {"uuid": "u"},
    "chat_messages": [
        {
            "uuid": "q1",
            "sender": "human",
            "text": "Which soup?",
            "content": [{"type": "text", "text": "Which soup?", "citations": []}],
            "created_at": "2025-01-02T03:04:05Z",
            "parent_message_uuid": "00000000-0000-4000-8000-000000000000",
            "attachments": [{"file_name": "n.txt", "file_size": 5, "extracted_content": "leeks"}],
            "files": [{"file_name": "pot.png", "file_uuid": "f"}],
        },
        {
            "uuid": "a1",
            "sender": "assistant",
            "text": "**Leek**.",
            "content": [
                {"type": "thinking", "thinking": "Leek it is.", "signature": "s"},
                {"type": "tool_use", "name": "web_search", "input": {"query": "soup"}},
                {"type": "tool_result", "content": [{"type": "text", "text": "found"}]},
                {"type": "text", "text": "**Leek**."},
                {
                    "type": "tool_use",
                    "name": "artifacts",
                    "input": {
                        "title": "Card",
                        "type": "application/vnd.ant.code",
                        "language": "python",
                        "content": "x = 1",
                    },
                },
            ],
            "created_at": "2025-01-02T03:04:15Z",
            "parent_message_uuid": "q1",
            "attachments": [],
            "files": [],
        },
        {
            "uuid": "a1b",
            "sender": "assistant",
            "text": "Tomato.",
            "content": [],
            "created_at": "2025-01-02T03:04:25Z",
            "parent_message_uuid": "q1",
        },
    ],
    "current_leaf_message_uuid": "a1",
}

APPS = {
    "chatgpt": CHATGPT,
    "open_webui": OPEN_WEBUI,
    "librechat": LIBRECHAT,
    "claude": CLAUDE,
}


def imported(anna: Person, body: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report's entry of the only conversation, and the conversation as it is stored."""
    response = post(anna, body)
    assert response.status_code == 201, response.text
    assert response.json["failed"] == []
    [entry] = response.json["imported"]
    return entry, anna.conversation(entry["id"])


def paths(stored: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the messages by their texts from the root on."""
    messages = stored["messages"]

    def path(at: str | None) -> str:
        return "" if at is None else f"{path(messages[at]['parent'])}/{text_of(messages[at])}"

    found = {path(name): message for name, message in messages.items()}
    return dict(sorted(found.items(), key=lambda item: (item[0].count("/"), item[1]["created_at"])))


def post(anna: Person, body: object) -> Any:
    return send(anna, json.dumps(body).encode())  # Flask's client would sort the fields


def send(anna: Person, raw: bytes) -> Any:
    return anna.do("POST", "/conversations/import", data=raw, content_type="application/json")


def count(anna: Person) -> int:
    return len(anna.get("/conversations")["conversations"])


def test_n28_chatgpt(anna: Person) -> None:
    entry, stored = imported(anna, [CHATGPT])
    assert (entry["title"], entry["app"], entry["index"]) == ("Soup", "chatgpt", 0)
    assert (stored["created_at"], stored["updated_at"]) == (1700000000250, 1700000300750)
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]
    found = paths(stored)
    assert list(found) == [
        "/Which soup?",
        "/Which soup?/**Leek**.",
        "/Which soup?/Tomato.",
        "/Which soup?/**Leek**./And with this?",
        "/Which soup?/**Leek**./And with this?/Carrot soup. ",
    ]
    assert [message.get("model") for message in found.values()] == [None, "gpt-4o", "o3", None, "gpt-5"]
    last = found["/Which soup?/**Leek**./And with this?/Carrot soup. "]
    assert (last["reasoning"], last["thought_ms"]) == ("Looking\n\nA carrot.\n\nYes.", 7000)
    assert stored["leaf"] == last["id"]


def test_n28_chatgpt_answers_around_tools_are_one_answer(anna: Person) -> None:
    code = {"content_type": "code", "language": "python", "text": "print('```')"}
    conversation = gpt(
        ("q", None, gpt_message("user", "Count.")),
        ("a", "q", gpt_message("assistant", "First I count.", end_turn=False)),
        ("c", "a", gpt_message("assistant", content=code, recipient="python")),
        ("t", "c", gpt_message("tool", content={"content_type": "execution_output", "text": "3"})),
        ("b", "t", gpt_message("assistant", "It is 3.", end_turn=True)),
        ("d", "b", gpt_message("assistant", "A second answer.", end_turn=True)),
        ("hidden", "d", gpt_message("assistant", "Not shown.", weight=0)),
        ("u", "hidden", gpt_message("user", "Thanks.")),
        (
            "stopped",
            "u",
            gpt_message("assistant", content={"content_type": "thoughts", "thoughts": [{"content": "Hm."}]}),
        ),
        current_node="hidden",
    )
    _, stored = imported(anna, [conversation])
    found = list(paths(stored).values())
    answer = "First I count.\n\n````python\nprint('```')\n````\n\nIt is 3."
    assert [text_of(message) for message in found] == ["Count.", answer, "A second answer.", "Thanks.", ""]
    assert (found[-1]["reasoning"], found[-1]["state"]) == ("Hm.", "cancelled")
    assert stored["leaf"] == found[2]["id"], "the place of a node that is not shown is the message above it"


def test_n28_chatgpt_branches_after_a_tool_stay_apart(anna: Person) -> None:
    tool = gpt_message("tool", content={"content_type": "execution_output", "text": "3"})
    conversation = gpt(
        ("q", None, gpt_message("user", "Count.")),
        ("a", "q", gpt_message("assistant", "I count.")),
        ("t1", "a", tool),
        ("t2", "a", tool),
        ("b1", "t1", gpt_message("assistant", "Three.")),
        ("b2", "t2", gpt_message("assistant", "Four.")),
    )
    conversation["mapping"]["a"]["children"] = ["t2", "t1"]
    _, stored = imported(anna, conversation)
    assert set(paths(stored)) == {
        "/Count.",
        "/Count./I count.",
        "/Count./I count./Three.",
        "/Count./I count./Four.",
    }


def test_n28_a_tree_that_only_children_tell(anna: Person) -> None:
    conversation = copy.deepcopy(CHATGPT)
    for node in conversation["mapping"].values():
        del node["parent"]
    _, stored = imported(anna, conversation)
    assert list(paths(stored)) == list(paths(imported(anna, CHATGPT)[1]))
    conversation["mapping"]["a2"]["children"] = ["root"]
    response = post(anna, conversation)
    assert (response.status_code, response.json["error"]["param"]) == (400, "mapping.root.parent")


def test_n28_open_webui(anna: Person) -> None:
    entry, stored = imported(anna, [OPEN_WEBUI])
    assert (entry["title"], entry["app"], stored["system"]) == ("Soup", "open_webui", "Be brief.")
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]
    found = list(paths(stored).values())
    question = "Which soup?\n\nn.txt\n````\nleeks ``` 2\n````"
    assert [text_of(message) for message in found] == [question, "**Leek**.", "Tomato.", "And?"]
    assert [message.get("reasoning", "") for message in found] == ["", "A & B\nso leek", "hm", ""]
    assert [message.get("state", "done") for message in found] == ["done", "done", "interrupted", "done"]
    assert (found[1]["model"], found[1]["thought_ms"]) == ("qwen3:8b", 3000)
    assert stored["leaf"] == found[3]["id"]
    [picture] = [part for part in found[0]["content"] if part["type"] == "image"]
    assert anna.do("GET", f"/conversations/{stored['id']}/images/{picture['image']}").data == png()


def test_n28_open_webui_old_and_bare_forms(anna: Person) -> None:
    old = {
        "chat": {
            "title": "Old",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "One?"}]},
                {
                    "role": "assistant",
                    "content": "",
                    "output": [
                        {"type": "reasoning", "content": [{"type": "output_text", "text": "Hm."}]},
                        {"type": "message", "content": [{"type": "output_text", "text": "Yes."}]},
                    ],
                },
            ],
        }
    }
    _, stored = imported(anna, [old])
    assert (stored["system"], list(paths(stored))) == ("Be brief.", ["/One?", "/One?/Yes."])
    assert list(paths(stored).values())[1]["reasoning"] == "Hm."
    _, stored = imported(anna, OPEN_WEBUI["chat"])
    assert len(stored["messages"]) == 4


@pytest.mark.parametrize(
    "body",
    [LIBRECHAT, [LIBRECHAT], nested(LIBRECHAT, "messages"), nested(LIBRECHAT, "messagesTree")],
    ids=["flat", "list", "nested", "tree"],
)
def test_n28_librechat(anna: Person, body: object) -> None:
    entry, stored = imported(anna, body)
    assert (entry["title"], entry["app"], stored["system"]) == ("Soup", "librechat", "Be brief.")
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]
    found = list(paths(stored).values())
    assert [text_of(message) for message in found] == [
        "Which soup?",
        "**Leek**.",
        "Tomato.",
        "And?",
        "Bread.",
    ]
    assert [message.get("reasoning", "") for message in found] == ["", "Leek it is.", "hm", "", ""]
    assert [message.get("state", "done") for message in found][2] == "interrupted"
    assert (found[4]["finish_reason"], found[4]["model"]) == ("length", "gpt-4o")
    assert [part["type"] for part in found[3]["content"]] == ["text", "image"]
    assert stored["leaf"] == found[4]["id"]
    assert stored["created_at"] == 1716919375014


@pytest.mark.parametrize("is_tree", [True, False])
def test_n28_claude(anna: Person, is_tree: bool) -> None:
    conversation = copy.deepcopy(CLAUDE)
    if not is_tree:
        for message in conversation["chat_messages"]:
            del message["parent_message_uuid"]
    entry, stored = imported(anna, [conversation])
    assert (entry["title"], entry["app"]) == ("Soup", "claude")
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]
    found = list(paths(stored).values())
    answer = "**Leek**.\n\n**Card**\n\n```python\nx = 1\n```"
    assert [text_of(message) for message in found] == [
        "Which soup?\n\nn.txt\n```\nleeks\n```",
        answer,
        "Tomato.",
    ]
    assert (found[1]["reasoning"], found[1]["model"]) == ("Leek it is.", "claude-sonnet-4")
    assert found[2]["parent"] == found[0 if is_tree else 1]["id"]
    assert stored["leaf"] == found[1]["id"]
    assert stored["created_at"] == 1735787045678


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"], ids=["utf-8", "le", "be"])
@pytest.mark.parametrize("app", ["own", *APPS])
def test_n28_a_byte_order_mark(anna: Person, mark: bytes, app: str) -> None:
    message = {
        "id": "a",
        "parent": None,
        "role": "user",
        "content": [{"type": "text", "text": "é?"}],
        "created_at": 1,
    }
    body = {"freshet": 1, "messages": [message]} if app == "own" else [APPS[app]]
    encoding = {2: "utf-16-le" if mark[0] == 0xFF else "utf-16-be", 3: "utf-8"}[len(mark)]
    raw = mark + json.dumps(body, ensure_ascii=False).encode(encoding)
    response = send(anna, raw)
    assert response.status_code == 201, response.text
    assert ("imported" in response.json) == (app != "own")


def test_n28_many_apps_in_one_file_and_a_report_of_what_failed(anna: Person) -> None:
    circle = copy.deepcopy(CHATGPT) | {"title": "Circle"}
    circle["mapping"]["root"]["parent"] = "q1"
    own = {
        "freshet": 1,
        "title": "Own",
        "messages": [{"id": "a", "role": "user", "content": [], "parent": "z", "created_at": 1}],
    }
    body = [
        CHATGPT,
        circle,
        OPEN_WEBUI,
        {"title": "What?"},
        5,
        LIBRECHAT,
        gpt(("r", None, None), title="Empty"),
        own,
    ]
    response = post(anna, body)
    assert response.status_code == 201
    assert [entry["index"] for entry in response.json["imported"]] == [0, 2, 5]
    assert [
        (each["index"], each["title"], each["code"], each["param"]) for each in response.json["failed"]
    ] == [
        (1, "Circle", "bad_import", "mapping.root.parent"),
        (3, "What?", "unknown_format", "body"),
        (4, "", "unknown_format", "body"),
        (6, "Empty", "no_messages", "mapping"),
        (7, "Own", "bad_import", "messages[0].parent"),
    ]
    assert count(anna) == 3


def test_n28_a_list_within_an_object_is_imported(anna: Person) -> None:
    response = post(anna, {"version": 1, "conversations": [CHATGPT, CLAUDE]})
    assert [entry["app"] for entry in response.json["imported"]] == ["chatgpt", "claude"]
    notes = {key: value for key, value in LIBRECHAT.items() if key != "conversationId"}
    assert imported(anna, notes)[0]["app"] == "librechat"


def test_n28_what_does_not_fit_is_named_and_the_rest_is_imported(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = gpt(("q", None, gpt_message("user", "x" * 60_000)), title="Large")
    real = imports.insert_conversation

    def insert(connection: Any, owner: str, conversation: Any, owner_bytes: int, indexed: Any) -> Any:
        return real(connection, owner, conversation, 50_000, indexed)

    monkeypatch.setattr(imports, "insert_conversation", insert)
    response = post(anna, [CHATGPT, large, CLAUDE])
    assert [entry["index"] for entry in response.json["imported"]] == [0, 2]
    assert [(each["title"], each["code"]) for each in response.json["failed"]] == [("Large", "storage_full")]
    response = post(anna, [large])
    assert (response.status_code, response.json["error"]["code"]) == (413, "storage_full")


def test_n28_a_busy_database_is_not_asked_for_each_conversation(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = imports.insert_conversation

    def insert(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            raise Unavailable("The database is busy.", code="store_busy", retry_after_s=3)
        return real(*arguments)

    monkeypatch.setattr(imports, "insert_conversation", insert)
    response = post(anna, [CHATGPT, CLAUDE, OPEN_WEBUI, LIBRECHAT])
    assert response.status_code == 201
    assert [each["code"] for each in response.json["failed"]] == ["store_busy"] * 3
    assert len(calls) == 2
    response = post(anna, [CLAUDE, OPEN_WEBUI])
    assert (response.status_code, response.headers["Retry-After"]) == (503, "3")
    assert count(anna) == 1


def test_n28_a_text_of_many_escapes_is_cut_in_pieces() -> None:
    text = json.dumps(['"' * 50_000 + "]", 'a"b' * 30_000, {"x": "[" * 100}])
    file = import_file.ImportFile(text.encode())
    assert len(file) == 3
    assert [len(file._bytes(index)) for index in range(3)] == [100_003, 120_003, 110]
    for cut in (5, 60_000, 100_010, 200_000):
        with pytest.raises(InvalidRequest):
            import_file.ImportFile(text.encode()[:cut])


def broken(app: str) -> dict[str, Any]:
    return copy.deepcopy(APPS[app])


def with_circle(app: str) -> tuple[dict[str, Any], str]:
    found = broken(app)
    match app:
        case "chatgpt":
            found["mapping"]["root"]["parent"] = "q2"
            return found, "mapping.root.parent"
        case "open_webui":
            found["chat"]["history"]["messages"]["q1"]["parentId"] = "q2"
            return found, "chat.history.messages.q1.parentId"
        case "librechat":
            found["messages"][0]["parentMessageId"] = "q2"
            return found, "messages[0].parentMessageId"
        case _:
            found["chat_messages"][0]["parent_message_uuid"] = "a1"
            return found, "chat_messages[0].parent_message_uuid"


def with_missing_parent(app: str) -> tuple[dict[str, Any], str]:
    found, path = with_circle(app)
    holder: Any = found
    keys = path.replace("[", ".").replace("]", "").split(".")
    for key in keys[:-1]:
        holder = holder[int(key) if isinstance(holder, list) else key]
    holder[keys[-1]] = "nowhere"
    return found, path


def with_repeated_id(app: str) -> tuple[dict[str, Any], str]:
    found = broken(app)
    match app:
        case "chatgpt":
            found["mapping"]["a1"]["id"] = "q1"
            return found, "mapping.a1.id"
        case "open_webui":
            found["chat"]["history"]["messages"]["a1"]["id"] = "q1"
            return found, "chat.history.messages.a1.id"
        case "librechat":
            found["messages"][2]["messageId"] = "a1"
            return found, "messages[2].messageId"
        case _:
            found["chat_messages"][2]["uuid"] = "a1"
            return found, "chat_messages[2].uuid"


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("change", [with_circle, with_missing_parent, with_repeated_id])
def test_n28_a_broken_tree_is_refused_by_its_place(anna: Person, app: str, change: Any) -> None:
    conversation, path = change(app)
    response = post(anna, [conversation])
    assert (response.status_code, response.json["error"]["param"]) == (400, f"[0].{path}")
    assert [(each["param"], each["title"]) for each in response.json["failed"]] == [(path, "Soup")]
    assert post(anna, conversation).json["error"]["param"] == path
    assert count(anna) == 0


def test_n28_a_leaf_that_is_no_message_is_refused(anna: Person) -> None:
    assert anna.refused("POST", "/conversations/import", CHATGPT | {"current_node": "z"}) == (
        400,
        "bad_import",
        "current_node",
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every field and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


@pytest.mark.parametrize("app", APPS)
def test_n28_a_wrong_type_in_any_field_is_named_or_not_read(anna: Person, app: str) -> None:
    refused = 0
    batch, expected = [], []
    for place in places(APPS[app]):
        for wrong in (5, "?", [5], {"x": 5}, True, -1e300):
            conversation = copy.deepcopy(APPS[app])
            holder: Any = conversation
            for key in place[:-1]:
                holder = holder[key]
            if type(holder[place[-1]]) is not type(wrong):
                holder[place[-1]] = wrong
                batch.append(conversation)
                expected.append(place)
    for start in range(0, len(batch), 200):
        response = post(anna, batch[start : start + 200])
        assert response.status_code in (201, 400), response.text
        for failure in response.json["failed"]:
            refused += 1
            place = expected[start + failure["index"]]
            assert failure["code"] in ("bad_import", "unknown_format", "no_messages"), failure
            named = failure["param"].replace("[", ".").replace("]", "").split(".")
            common = [str(key) for key in place][: len(named)]
            assert (
                failure["code"] != "bad_import"
                or named[: len(common)] == common
                or place[-1]
                in ("id", "parent", "parentId", "messageId", "parentMessageId", "uuid", "parent_message_uuid")
            ), (place, failure)
    assert refused > len(batch) / 5


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"[", "not_json"),
        (b"[]", "no_conversations"),
        (b" [ \n] ", "no_conversations"),
        (b"[[]", "not_json"),
        (b"[{}] x", "not_json"),
        (b"[{},", "not_json"),
        (b'[{"mapping": {}', "not_json"),
        (b'[{"mapping": "]', "not_json"),
        (b"\xff\xfe[", "not_json"),
        (b"[}]", "not_json"),
        (b"[,]", "not_json"),
        (b'[{"mapping": {"a" 1}}]', "not_json"),
        (b'[{"mapping": \xff}]', "not_json"),
        (b"[1]", "unknown_format"),
        (b'[{"messages": []}]', "unknown_format"),
        (b'[{"mapping": null}]', "no_messages"),
    ],
)
def test_n28_what_is_no_export_is_refused(anna: Person, raw: bytes, code: str) -> None:
    response = send(anna, raw)
    assert (response.status_code, response.json["error"]["code"]) == (400, code)
    assert count(anna) == 0


def test_n28_foreign_markup_and_broken_characters_are_text(anna: Person) -> None:
    text = "<script>alert(1)</script> <img src=x onerror=alert(1)> \x00"
    conversation = gpt(("q", None, gpt_message("user", text)), title="<b>\u202eTitle</b>\x07")
    raw = json.dumps([conversation]).replace("onerror", "\\ud83d \\\\ud83d \\ud83d\\ude00 \\udc00").encode()
    response = send(anna, raw)
    assert response.status_code == 201, response.text
    [entry] = response.json["imported"]
    [message] = anna.conversation(entry["id"])["messages"].values()
    assert entry["title"] == "<b>Title</b>"
    assert text_of(message).replace("\x00", "\ufffd") == (
        "<script>alert(1)</script> <img src=x \ufffd \\ud83d 😀 \ufffd=alert(1)> \ufffd"
    )


def test_n28_a_nested_conversation_may_be_as_deep_as_it_is_long(anna: Person) -> None:
    messages = [
        libre_message(
            f"m{number}", f"m{number - 1}" if number else NO_PARENT, number % 2 == 0, f"Text “{number}”"
        )
        for number in range(3_000)
    ]
    raw = json.dumps(libre_message("last", "m2999", True, "End") | {"children": []})
    for message in reversed(messages):
        raw = json.dumps(message)[:-1] + f', "children": [{raw}]}}'
    response = send(anna, f'{{"conversationId": "x", "messagesTree": [{raw}]}}'.encode())
    assert response.status_code == 201, response.text
    assert len(anna.conversation(response.json["imported"][0]["id"])["messages"]) == 3_001
    for cut in (b"]", b"}", b'"', b","):
        bad = b'{"conversationId": "x", "messagesTree": ' + b"[" * 2_000 + cut + b"]" * 2_000 + b"}"
        assert send(anna, bad).json["error"]["code"] == "not_json"


@pytest.mark.parametrize("app", ["chatgpt", "librechat"])
def test_n28_a_million_messages_are_refused(anna: Person, app: str) -> None:
    if app == "chatgpt":
        nodes = ",".join(
            f'"{number}":{{"message":{{"author":{{"role":"user"}}}}}}' for number in range(1_000_000)
        )
        raw = '[{"mapping":{' + nodes + "}}]"
    else:
        raw = '{"conversationId":"x","messages":[' + ",".join(["{}"] * 1_000_000) + "]}"
    response = send(anna, raw.encode())
    assert response.status_code in (400, 413)
    assert response.json["error"]["code"] in ("too_many_messages", "too_many_values")


def test_n28_more_messages_than_a_conversation_may_have(anna: Person) -> None:
    nodes = [(str(number), None, gpt_message("user", "x")) for number in range(10_001)]
    response = post(anna, [gpt(*nodes[:1]), {"mapping": gpt_flat(nodes)}])
    assert [each["code"] for each in response.json["failed"]] == ["too_many_messages"]
    assert count(anna) == 1


def gpt_flat(nodes: list[Any]) -> dict[str, Any]:
    return {name: {"id": name, "parent": parent, "message": message} for name, parent, message in nodes}


def test_n28_images_that_cannot_be_imported_are_named(anna: Person) -> None:
    files = [
        {"type": "image", "url": url}
        for url in [
            "data:image/png;base64,!!!",
            "data:image/svg+xml;base64,AAAA",
            data_url(b"\x89PNG\r\n\x1a\n" + bytes(2_000_001)),
            *[PNG] * 5,
            "https://x.test/a.png",
        ]
    ]
    message = {"id": "a", "role": "user", "content": "", "files": files}
    chat = {"chat": {"history": {"messages": {"a": message}}}}
    entry, stored = imported(anna, [chat])
    assert {each["reason"]: each["count"] for each in entry["left_out"]} == {
        "bad_image": 2,
        "image_too_large": 1,
        "too_many": 1,
        "not_in_file": 1,
    }
    [only] = stored["messages"].values()
    assert [part["type"] for part in only["content"]] == ["image"] * 4
    del message["files"][3:]
    _, stored = imported(anna, [chat])
    assert [text_of(message) for message in stored["messages"].values()] == ["[…]"]


def test_n28_a_chat_with_a_picture_that_chatgpt_kept_elsewhere(anna: Person) -> None:
    pointer = {
        "content_type": "image_asset_pointer",
        "asset_pointer": "file-service://file-abc",
        "width": 10,
        "height": 10,
    }
    shown = {"metadata": {"model_slug": "gpt-4o"}, "create_time": 1760000000.5, "end_turn": True}
    conversation = gpt(
        ("r", None, None),
        ("s", "r", gpt_message("system", "", metadata={"is_visually_hidden_from_conversation": True})),
        ("a", "s", gpt_message("user", "Plan a day in Kyoto", create_time=1760000000.5, end_turn=True)),
        ("b", "a", gpt_message("assistant", "Morning: **Fushimi Inari**.", **shown)),
        (
            "c",
            "b",
            gpt_message("user", pointer, "And this?", kind="multimodal_text", create_time=1760000000.5),
        ),
        ("d", "c", gpt_message("assistant", "A temple.", **shown)),
        title="Trip plan",
        create_time=1760000000.1,
        update_time=1760000100.2,
    )
    entry, stored = imported(anna, [conversation])
    texts = ["Plan a day in Kyoto", "Morning: **Fushimi Inari**.", "And this?", "A temple."]
    assert list(paths(stored)) == ["/" + "/".join(texts[: end + 1]) for end in range(4)]
    assert [message["created_at"] for message in paths(stored).values()] == [
        1760000000500 + at for at in range(4)
    ]
    assert (stored["title"], stored["created_at"], stored["updated_at"]) == (
        "Trip plan",
        1760000000100,
        1760000100200,
    )
    assert text_of(stored["messages"][stored["leaf"]]) == "A temple."
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]
    assert anna.ask(stored["id"], "And then?").start["conversation"] == stored["id"]


def test_n28_the_images_of_chatgpt_that_come_beside_the_tree(anna: Person) -> None:
    def pointers(*names: str) -> list[dict[str, str]]:
        return [{"content_type": "image_asset_pointer", "asset_pointer": name} for name in names]

    mixed = {"kind": "multimodal_text"}
    conversation = gpt(
        ("q", None, gpt_message("user", *pointers("file-service://file-1"), "This?", **mixed)),
        ("t", "q", gpt_message("tool", *pointers("file-service://file-2"), **mixed)),
        ("a", "t", gpt_message("assistant", "A dot.")),
        ("r", "a", gpt_message("user", *pointers("sediment://file_00ff"), **mixed)),
        ("s", "r", gpt_message("user", *pointers("file-service://file-3", "sediment://x", ""), "?", **mixed)),
        image_files={"file-1": PNG, "file-2": PNG, "file_00ff": PNG, "file-3": "data:image/png;base64,AAAA"},
    )
    entry, stored = imported(anna, [conversation])
    kinds = [[part["type"] for part in message["content"]] for message in stored["messages"].values()]
    assert kinds == [["text", "image"], ["text"], ["image"], ["text"]]
    left_out = {each["reason"]: each["count"] for each in entry["left_out"]}
    assert left_out == {"in_answer": 1, "bad_image": 1, "not_in_file": 2}


@pytest.mark.parametrize(
    "time",
    [
        1700000000.25,
        1700000000250,
        "1700000000.25",
        "1700000000250",
        "2023-11-14T22:13:20.250Z",
        1.70000000025e15,
    ],
)
def test_n28_a_time_may_be_a_number_or_a_text(anna: Person, time: object) -> None:
    _, stored = imported(anna, [gpt(("q", None, gpt_message("user", "?", create_time=time)))])
    assert [message["created_at"] for message in stored["messages"].values()] == [1700000000250]


def test_n28_a_part_that_is_null_is_left_out(anna: Person) -> None:
    _, stored = imported(anna, [gpt(("q", None, gpt_message("user", None, "Which?", None)))])
    assert [text_of(message) for message in stored["messages"].values()] == ["Which?"]


@pytest.mark.parametrize(
    "files", [None, [], "x", 5, {"file-1": 5}, {"file-1": None}, {"file-1": "https://x"}]
)
def test_n28_a_field_of_images_of_another_form_costs_no_chat(anna: Person, files: object) -> None:
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1"}
    conversation = gpt(("q", None, gpt_message("user", pointer, "?")), image_files=files)
    entry, _ = imported(anna, [conversation])
    assert entry["left_out"] == [{"kind": "image", "reason": "not_in_file", "count": 1}]


def test_n28_the_smallest_chat_of_open_webui(anna: Person) -> None:
    messages = {
        "a": {
            "id": "a",
            "parentId": None,
            "childrenIds": ["b"],
            "role": "user",
            "content": "Plan a day",
            "timestamp": 1760000000,
        },
        "b": {
            "id": "b",
            "parentId": "a",
            "childrenIds": [],
            "role": "assistant",
            "content": "Morning.",
            "model": "llama3.1:8b",
            "timestamp": 1760000001,
            "done": True,
        },
    }
    chat = {
        "title": "Trip plan",
        "history": {"messages": messages, "currentId": "b"},
        "messages": [],
        "files": [],
        "timestamp": 1760000000000,
    }
    entry, stored = imported(
        anna, [{"title": "Trip plan", "chat": chat, "updated_at": 1760000001, "created_at": 1760000000}]
    )
    assert list(paths(stored)) == ["/Plan a day", "/Plan a day/Morning."]
    assert stored["messages"][stored["leaf"]]["model"] == "llama3.1:8b"
    assert (entry["left_out"], stored["created_at"], stored["updated_at"]) == (
        [],
        1760000000000,
        1760000001000,
    )
