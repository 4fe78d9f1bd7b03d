"""Clients that chat through an application's endpoints in this process, each with a visitor's cookie."""

import json
import struct
import zlib
from base64 import b64encode
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.promises import Reading, Received, check_promises
from webapp.access import cookies
from webapp.frames import new_run


def cookie_of(app: Flask, name: str) -> str:
    """Return a visitor's signed cookie, as the page sets it."""
    return (
        f"{cookies.VISITOR}={app.extensions['freshet'].name_signer.sign(cookies.VISITOR, visitor_name(name))}"
    )


def visitor_name(name: str) -> str:
    """Pad a name to the length of a random visitor id."""
    return name.ljust(22, "-")


class Person:
    """One owner at the endpoints of an application."""

    def __init__(self, client: FlaskClient, name: str | None) -> None:
        self._client = client
        self._name = name
        self.sign_in()

    def sign_in(self) -> None:
        """Set the visitor's cookie, signed with the application's current secret."""
        self._headers = {"Cookie": cookie_of(self._client.application, self._name)} if self._name else {}

    def do(self, method: str, path: str, body: object = None, **options: Any) -> TestResponse:
        return self._client.open(path, method=method, json=body, headers=self._headers, **options)

    def get(self, path: str, status: int = 200) -> Any:
        """GET a path and return its JSON."""
        response = self.do("GET", path)
        assert response.status_code == status, response.text
        return response.json

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str, str | None]:
        """Send a request that is refused; return the status, the code and the field."""
        response = self.do(method, path, body)
        assert response.status_code >= 400, response.text
        error = response.get_json()["error"]
        assert list(response.get_json()) == ["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return response.status_code, error["code"], error["param"]

    def ask(self, conversation: str | None, query: str | None = None, **more: Any) -> "Turn":
        """Ask a question, and read the answer to its end."""
        body = {"conversation": conversation, "query": query} | more
        body = {name: value for name, value in body.items() if value is not None or name == "parent"}
        response = self.do("POST", "/stream", body)
        assert response.status_code == 200, response.text
        return Turn(response.text)

    def attach(self, conversation: str, name: str, content: bytes) -> dict[str, Any]:
        """Add a document to a conversation, and return it."""
        response = self._client.post(
            "/documents",
            query_string={"conversation": conversation, "name": name},
            data=content,
            headers=self._headers,
        )
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.get_json()
        return found

    def conversation(self, name: str) -> dict[str, Any]:
        """Return a conversation, with its messages by id."""
        body: dict[str, Any] = self.get(f"/conversations/{name}")
        body["messages"] = {message["id"]: message for message in body["messages"]}
        return body

    def titles(self, query: str = "") -> list[str]:
        """Return the titles of the listed conversations."""
        return [head["title"] for head in self.get(f"/conversations{query}")["conversations"]]


class Turn:
    """A received answer."""

    def __init__(self, raw: str) -> None:
        frames = [
            (json.loads(data), fields.get("id"))
            for block in raw.split("\n\n")
            if (fields := dict(line.split(": ", 1) for line in block.splitlines() if ": " in line))
            and (data := fields.get("data"))
        ]
        self.received = [Received(0.0, frame, cursor) for frame, cursor in frames]
        self.frames = [frame for frame, _ in frames]
        reading: Reading = check_promises(self.received)
        self.text, self.last = reading.text, reading.terminal or {}
        self.start = self.frames[0]["start"]
        self.id: str = self.start["message"]

    @property
    def notices(self) -> list[str]:
        return [frame["notice"]["code"] for frame in self.frames if "notice" in frame]


def text_of(message: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in message["content"])


def png(width: int = 2, height: int = 2, *, more: tuple[bytes, ...] = (), pad: int = 0) -> bytes:
    """Return a black PNG. `more` are names of chunks before the picture; `pad` bytes are appended."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    extra = b"".join(chunk(name, b"\0" * 8) for name in more)
    picture = chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * min(height, 10)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + picture + chunk(b"IEND", b"") + b"\0" * pad


def data_url(raw: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{b64encode(raw).decode()}"


__all__ = ["Person", "Turn", "cookie_of", "data_url", "new_run", "png", "text_of", "visitor_name"]


def share(anna: Person, name: str, **body: str) -> str:
    """Share a conversation and return the path of its link."""
    response = anna.do("POST", f"/conversations/{name}/share", body)
    assert response.status_code == 201, response.text
    path: str = response.json["path"]
    assert path.endswith(response.json["token"])
    return path
