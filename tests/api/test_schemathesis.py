"""Every operation of the OpenAPI document against a real server, with valid and invalid requests.

No request may be answered by a 500, nor by a status, a content type or a body that the document does not describe.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.access.conftest import make_server
from tests.access.device import PASSWORD, SECRET_KEY
from tests.store.people import data_url, png
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server
from webapp.api.openapi.document import build_document
from webapp.frames import new_run

DOCUMENT = build_document("0", "")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SEED = 20_250_601
EXAMPLES = 25
TIMEOUT_S = 30
BEARER = {"Authorization": f"Bearer {PASSWORD}"}
# tests/faults/test_websocket.py tests the WebSocket, which is not a request with a response, tests/deploy/test_doctor.py
# the doctor's stream, which lasts as long as its parameters say, and tests/api/test_changes.py the feed of changes, which lasts
# for ever.
OPERATIONS = [
    (path, method.upper())
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path not in ("/ws", "/doctor/stream", "/changes")
]


def generation_modes(path: str, method: str) -> list[GenerationMode]:
    """Return the kinds of requests to generate: invalid ones only if the operation has parameters or a body."""
    operation = DOCUMENT["paths"][path][method.lower()]
    has_input = operation.get("parameters") or "requestBody" in operation
    return list(GenerationMode) if has_input else [GenerationMode.POSITIVE]


# Without a token: after too many wrong passwords, tokens from the same address are refused unchecked.
WITHOUT_TOKEN = {("/signin", "POST")}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    env = {"FRESHET_USER_STARTS": "100000", "SECRET_KEY": SECRET_KEY, "FRESHET_MODEL": "gpt-4.1"}
    with (
        FakeProvider(Answer(steps=openai(["Hello"]))) as provider,
        make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, **env) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def sign_in_server() -> Iterator[Server]:
    with Server({"FRESHET_ACCESS_PASSWORD": PASSWORD}, secrets=(PASSWORD,)) as running:
        yield running


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    """Ids of things that exist, by the name of the path's parameter."""
    run, conversation = new_run(), new_run()
    question = {"query": "Hi", "run": run, "conversation": conversation, "images": [data_url(png())]}
    answer = requests.post(f"{server.url}/stream", json=question, headers=BEARER, timeout=TIMEOUT_S)
    assert '"done":true' in answer.text
    path = f"{server.url}/conversations/{conversation}"
    link = requests.post(f"{path}/share", headers=BEARER, json={}, timeout=TIMEOUT_S).json()
    messages = requests.get(path, headers=BEARER, timeout=TIMEOUT_S).json()["messages"]
    image = next(piece["image"] for piece in messages[0]["content"] if piece["type"] == "image")
    return {"run": run, "conversation": conversation, "token": link["token"], "image": image}


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [(*operation, mode) for operation in OPERATIONS for mode in generation_modes(*operation)],
    ids=str,
)
def test_responses_are_as_described(
    request: pytest.FixtureRequest, path: str, method: str, mode: GenerationMode
) -> None:
    with_token = (path, method) not in WITHOUT_TOKEN
    server: Server = request.getfixturevalue("server" if with_token else "sign_in_server")
    run(server, path, method, mode, BEARER if with_token else {}, {})


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, method in OPERATIONS if "{" in path and "{session}" not in path],
    ids=lambda part: part,
)
def test_responses_about_what_exists_are_as_described(
    server: Server, ids: dict[str, str], path: str, method: str
) -> None:
    known = {name: id_ for name, id_ in ids.items() if f"{{{name}}}" in path}
    run(server, path, method, GenerationMode.POSITIVE, BEARER, known)
    if method == "DELETE" and path == "/conversations/{conversation}":
        restored = requests.post(
            f"{server.url}/conversations/{ids['conversation']}/restore", headers=BEARER, timeout=TIMEOUT_S
        )
        assert restored.status_code == 200


def run(
    server: Server,
    path: str,
    method: str,
    mode: GenerationMode,
    headers: Mapping[str, str],
    known: dict[str, str],
) -> None:
    """Send generated requests of one operation, and check each response."""
    operation = SCHEMA[path][method]
    print(f"seed {SEED}")

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode, **({"path_parameters": known} if known else {})))
    def check(case: Any) -> None:
        if case.headers:
            case.headers.pop("Authorization", None)
        response = case.call(
            base_url=server.url, headers=dict(headers), timeout=TIMEOUT_S, allow_redirects=False
        )
        case.validate_response(response, checks=CHECKS)

    check()


def test_sharing_reads_a_body_without_a_length(server: Server, ids: dict[str, str]) -> None:
    body = json.dumps({"leaf": "not a message"}).encode()
    response = requests.post(
        f"{server.url}/conversations/{ids['conversation']}/share",
        data=iter([body]),  # sent in chunks
        headers=BEARER | {"Content-Type": "application/json"},
        timeout=TIMEOUT_S,
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "leaf"
