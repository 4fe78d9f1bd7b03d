"""The OpenAPI document: valid, complete, and true of the frames that the server sends."""

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from webapp.app import create_app
from webapp.chat import Usage
from webapp.errors import AnswerError
from webapp.frames import (
    Frame,
    Reset,
    RunResult,
    Start,
    done_frame,
    error_frame,
    not_saved_frame,
    reasoning_frame,
    reset_frames,
    start_frame,
    text_frame,
)
from webapp.settings import Settings

RUN = "A" * 22


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(data_dir=str(tmp_path_factory.mktemp("data")), local=True))


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    response = app.test_client().get(
        "/openapi.json", environ_overrides={"SERVER_PORT": "80", "SERVER_NAME": "127.0.0.1"}
    )
    assert response.status_code == 200
    found: dict[str, Any] = response.get_json()
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_describes_the_methods_of_all_routes(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (rule.rule.replace("<path:", "{").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == routes


def test_each_operation_has_a_known_tag_and_its_path_s_parameters(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert set(operation["tags"]) <= tags, (path, method)
            given = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert given == {part[1:-1] for part in path.split("/") if part.startswith("{")}, (path, method)


def test_no_schema_is_unused(document: dict[str, Any]) -> None:
    text = str(document)
    unused = [
        name for name in document["components"]["schemas"] if f"#/components/schemas/{name}'" not in text
    ]
    assert unused == []


def result(**more: Any) -> RunResult:
    fields = {
        "state": "done",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=1, output_tokens=2),
        "cost": Decimal("0.000012"),
        "sha256": "0" * 64,
        "provider": "mock",
        "model": "mock-standard",
    }
    return RunResult(**fields | more)


START = Start(run=RUN, provider="mock", model="mock-standard")
FRAMES = [
    start_frame(START),
    text_frame("Hello"),
    reasoning_frame("Hm"),
    not_saved_frame(),
    *reset_frames(Reset(text="Hello", reasoning="", start=START)),
    done_frame(result()),
    done_frame(
        result(state="cancelled", finish_reason="cancelled", stopped_by="user", thought_ms=5, damaged=1)
    ),
    error_frame(AnswerError("upstream_timeout", retry_after_s=1.5), result(cost=None), partial=True),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.kind)
def test_frames_match_their_schema(document: dict[str, Any], frame: Frame) -> None:
    schema = {"$ref": "#/components/schemas/Frame", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(json.loads(frame.payload))] == []
