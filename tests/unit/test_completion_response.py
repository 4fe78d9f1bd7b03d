"""The responses of the OpenAI-compatible endpoints name what was left out of the call."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.events import Event, Finished, ParameterIgnored, TextDelta
from webapp.providers.mock import MockProvider
from webapp.routes import completions
from webapp.settings import Settings

LOCAL = {"SERVER_PORT": "80", "SERVER_NAME": "127.0.0.1"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(data_dir=str(tmp_path_factory.mktemp("data")), local=True))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def play(monkeypatch: pytest.MonkeyPatch, *steps: tuple[float, Event]) -> None:
    def answer(_self: MockProvider, _request: object) -> Iterator[tuple[float, Event]]:
        yield from steps
        yield 0, Finished("stop")

    monkeypatch.setattr(MockProvider, "_answer", answer)


def ask(client: FlaskClient, **body: Any) -> Any:
    message = {"role": "user", "content": "Hi"}
    return client.post(
        "/v1/chat/completions", json={"messages": [message]} | body, environ_overrides=LOCAL, buffered=True
    )


@pytest.mark.parametrize("stream", [True, False])
def test_ignored_parameters_are_in_a_header(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    play(
        monkeypatch,
        *((0.0, ParameterIgnored(name)) for name in ("temperature", "top_p", "top_p")),
        (0.0, TextDelta("x")),
    )
    response = ask(client, stream=stream)
    assert response.status_code == 200
    assert response.headers["Freshet-Ignored"] == "temperature, top_p"


def test_a_parameter_that_is_ignored_late_is_in_a_chunk(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "_FIRST_EVENT_S", 0.0)
    play(monkeypatch, (0.3, ParameterIgnored("top_p")), (0.0, TextDelta("x")))
    response = ask(client, stream=True)
    assert "Freshet-Ignored" not in response.headers
    chunks = [json.loads(line[6:]) for line in response.text.split("\n\n") if line.startswith("data: {")]
    assert [chunk["freshet_ignored"] for chunk in chunks if "freshet_ignored" in chunk] == [["top_p"]]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "x"


def test_an_ignored_parameter_is_in_a_late_completion(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "_COMPLETE_S", 0.0)
    play(monkeypatch, (0.3, ParameterIgnored("top_p")), (0.0, TextDelta("x")))
    body = json.loads(ask(client).text)
    assert (body["freshet_ignored"], body["choices"][0]["message"]["content"]) == (["top_p"], "x")


def test_nothing_is_named_where_nothing_was_left_out(client: FlaskClient) -> None:
    for stream in (True, False):
        response = ask(client, stream=stream, max_tokens=3)
        assert "Freshet-Ignored" not in response.headers
        assert "freshet_ignored" not in response.text


def test_the_detail_of_an_image_is_named(client: FlaskClient) -> None:
    url = {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}
    content = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": url}]
    response = ask(client, messages=[{"role": "user", "content": content}], max_tokens=3)
    assert response.headers["Freshet-Ignored"] == "detail"
