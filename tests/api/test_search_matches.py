"""The part of a message that a search found, over HTTP."""

import requests

from tests.support.server import Server


def test_a_search_returns_the_message_and_a_snippet() -> None:
    with Server({}) as server:
        caller = requests.Session()
        caller.get(server.url, timeout=10)
        made = caller.post(f"{server.url}/stream", json={"query": "Tell me of the Größe in May", "conversation": "c" * 22, "model": "mock/mock-standard"}, stream=True, timeout=10)  # fmt: skip
        assert made.ok
        made.content  # noqa: B018  (to its end)
        found = caller.get(f"{server.url}/conversations", params={"search": "GROSSE may"}, timeout=10).json()
        match = found["conversations"][0]["match"]
        assert [match["text"][start:end] for start, end in match["marks"]] == ["Größe", "May"]
        stored = caller.get(f"{server.url}/conversations/{'c' * 22}", timeout=10).json()
        assert match["message"] in [message["id"] for message in stored["messages"]]
        listed = caller.get(f"{server.url}/conversations", timeout=10).json()
        assert "match" not in listed["conversations"][0]
