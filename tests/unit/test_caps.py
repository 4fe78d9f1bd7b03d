"""The operator's caps on answer tokens, models, orphan time and question length; no request can exceed them."""

import subprocess
import sys
from base64 import b64encode
from typing import Any

import pytest

from tests.unit.starting import build_spec, image_message, run_starter, user
from webapp.access.principals import Principal
from webapp.api.start_request import derive_run_id
from webapp.errors import Forbidden, InvalidRequest, TooLarge

VISITOR, OWNER, KEY = user("v", "visitor"), user(), user("k", "key")
HI = {"query": "Hi"}
OPENAI: dict[str, str] = {"ANTHROPIC_API_KEY": "k"}


@pytest.mark.parametrize(
    ("caller", "environ", "requested", "expected"),
    [
        (VISITOR, {}, 1_000_000, 4096),
        (VISITOR, {}, 100, 100),
        (VISITOR, {"FRESHET_MAX_TOKENS": "32000"}, None, 4096),
        (VISITOR, {"FRESHET_MAX_TOKENS": "32000"}, 32_000, 4096),
        (VISITOR, {"FRESHET_MAX_TOKENS": "50"}, 4096, 50),
        (OWNER, {}, 1_000_000, 4096),
        (OWNER, {}, None, None),  # the provider's own limit, which the operator has set
        (OWNER, {"FRESHET_MAX_TOKENS": "32000"}, 20_000, 20_000),
        (OWNER, {"FRESHET_USER_MAX_TOKENS": "9"}, None, 9),
        (KEY, {"FRESHET_KEY_MAX_TOKENS": "9"}, 10, 9),
    ],
)
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_answer_tokens_are_capped(
    caller: Principal, environ: dict[str, str], requested: int | None, expected: int | None, field: str
) -> None:
    body = HI if requested is None else HI | {field: requested}
    assert build_spec(body, caller, run_starter(**environ)).request.max_tokens == expected


@pytest.mark.parametrize(
    ("caller", "environ", "requested_s", "expected_s"),
    [
        (VISITOR, {}, None, 60),
        (VISITOR, {}, 86_400, 60),
        (VISITOR, {}, 5, 5),
        (VISITOR, {"FRESHET_ORPHAN_S": "10"}, 60, 10),
        (OWNER, {}, None, 900),
        (OWNER, {}, 86_400, 900),
        (KEY, {}, None, 60),
    ],
)
def test_the_orphan_time_is_capped(
    caller: Principal, environ: dict[str, str], requested_s: float | None, expected_s: float
) -> None:
    body = HI if requested_s is None else HI | {"orphan_s": requested_s}
    assert build_spec(body, caller, run_starter(**environ)).orphan_s == expected_s


@pytest.mark.parametrize(
    ("environ", "model"),
    [
        ({}, "gpt-4.1"),
        ({}, "gpt-4.1-2025-04-14"),
        ({}, "openai/gpt-4o-mini"),
        ({}, "ollama/anything"),
        ({}, "mock/anything"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"}, "anything"),
        ({"FRESHET_MODEL": "gpt-99"}, "gpt-99"),
        ({"FRESHET_FALLBACK": "openai/gpt-98"}, "gpt-98"),
        ({"FRESHET_VISITOR_MODELS": "all"}, "gpt-97"),
    ],
)
def test_a_visitor_may_use_priced_and_configured_models(environ: dict[str, str], model: str) -> None:
    build_spec(HI | {"model": model}, VISITOR, run_starter(**environ))


@pytest.mark.parametrize("model", ["gpt-99", "openai/gpt-99", "gpt-4.1-preview"])
def test_a_visitor_may_not_use_a_model_without_a_price(model: str) -> None:
    with pytest.raises(Forbidden) as refused:
        build_spec(HI | {"model": model}, VISITOR, run_starter())
    assert (refused.value.code, refused.value.param) == ("model_not_allowed", "model")
    build_spec(HI | {"model": model}, OWNER, run_starter())


def test_a_visitor_s_fallbacks_are_priced_models() -> None:
    environ = {"FRESHET_VISITOR_MODELS": "priced", "FRESHET_FALLBACK": "ollama"}
    chain = build_spec(HI, VISITOR, run_starter(**environ)).chain
    assert [provider.name for provider in chain] == ["openai", "ollama"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"query": "x" * 5_000}, "query"),
        ({"prompt": "x" * 5_000}, "prompt"),
        ({"query": "x", "system": "y" * 5_000}, "query"),
        ({"query": "\U0001f600" * 1_100}, "query"),  # bytes, not characters
        ({"messages": [{"role": "user", "content": "x" * 1_500} for _ in range(3)]}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 5_000}]}]},
            "messages",
        ),
    ],
)
def test_the_length_of_a_question_is_capped_with_its_history(body: dict[str, Any], param: str) -> None:
    small = run_starter(FRESHET_VISITOR_QUESTION_BYTES="4096")
    with pytest.raises(TooLarge) as refused:
        build_spec(body, VISITOR, small)
    assert (refused.value.code, refused.value.param, refused.value.limit) == (
        "question_too_large",
        param,
        4096,
    )
    build_spec(body, OWNER, small)


def test_images_do_not_count_as_text() -> None:
    body = image_message(type="image", media_type="image/png", data=b64encode(bytes(60_000)).decode())
    build_spec(body, VISITOR, run_starter(FRESHET_VISITOR_QUESTION_BYTES="4096"))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest/meta-data"}},
        {"type": "image", "url": "https://elsewhere.example/a.png"},
    ],
)
def test_an_image_url_is_refused_unless_the_operator_allows_it(part: dict[str, Any]) -> None:
    for caller in (VISITOR, OWNER, KEY):
        with pytest.raises(InvalidRequest) as refused:
            build_spec(image_message(**part), caller, run_starter())
        assert (refused.value.code, refused.value.param) == ("image_url_not_allowed", "messages[0].content")
    build_spec(image_message(**part), VISITOR, run_starter(FRESHET_IMAGE_URLS="true"))


@pytest.mark.parametrize("field", ["provider", "model", "conversation", "parent", "continue"])
def test_a_name_with_nul_is_refused(field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        build_spec(HI | {field: "a\0b"}, OWNER, run_starter())
    assert refused.value.param == field


def test_the_number_of_images_is_capped() -> None:
    """Images do not count as text, so their number has its own limit."""

    def with_images(count: int) -> dict[str, Any]:
        part = {"type": "image", "media_type": "image/png", "data": "iVBORw0KGgo="}
        return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, *[part] * count]}]}

    build_spec(with_images(8), VISITOR, run_starter())
    with pytest.raises(InvalidRequest) as refused:
        build_spec(with_images(9), VISITOR, run_starter())
    assert (refused.value.code, refused.value.param) == ("too_many_images", "messages[0].content")
    build_spec(with_images(100), OWNER, run_starter())
    with pytest.raises(InvalidRequest):
        build_spec(with_images(101), OWNER, run_starter())


def test_the_size_of_an_image_is_capped() -> None:
    large = b64encode(bytes(2_000_001)).decode()
    with pytest.raises(InvalidRequest) as refused:
        build_spec(image_message(type="image", media_type="image/png", data=large), OWNER, run_starter())
    assert refused.value.code == "image_too_large"


def test_the_id_of_an_anonymous_run_cannot_be_guessed() -> None:
    """Anybody who knows the id may read the run; it was once an unsalted digest of the key and the address."""
    script = "from webapp.api.start_request import derive_run_id as r; print(r('1', None, 'a'), r('1', 'user:o', 'a'))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert outputs[0][0] != outputs[1][0]
    assert outputs[0][1] == outputs[1][1]
    assert derive_run_id("1", None, "a") == derive_run_id("1", None, "a")
