"""What nobody may beat: the operator's longest answer, models, orphan time, and the length of a question."""

import subprocess
import sys
from base64 import b64encode
from typing import Any

import pytest

from tests.unit.starting import image, ordered, parts, user
from webapp.access.principals import Principal
from webapp.api.start_request import run_for_key
from webapp.errors import Forbidden, InvalidRequest, TooLarge

VISITOR, OWNER, KEY = user("v", "visitor"), user(), user("k", "key")
HI = {"query": "Hi"}
OPENAI: dict[str, str] = {"ANTHROPIC_API_KEY": "k"}


@pytest.mark.parametrize(
    ("caller", "environ", "asked", "sent"),
    [
        (VISITOR, {}, 1_000_000, 4096),
        (VISITOR, {}, 100, 100),
        (VISITOR, {"FRESHET_MAX_TOKENS": "32000"}, None, 4096),
        (VISITOR, {"FRESHET_MAX_TOKENS": "32000"}, 32_000, 4096),
        (VISITOR, {"FRESHET_MAX_TOKENS": "50"}, 4096, 50),
        (OWNER, {}, 1_000_000, 4096),
        (OWNER, {}, None, None),  # the provider's own setting, which is the operator's
        (OWNER, {"FRESHET_MAX_TOKENS": "32000"}, 20_000, 20_000),
        (OWNER, {"FRESHET_USER_MAX_TOKENS": "9"}, None, 9),
        (KEY, {"FRESHET_KEY_MAX_TOKENS": "9"}, 10, 9),
    ],
)
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_longest_answer(
    caller: Principal, environ: dict[str, str], asked: int | None, sent: int | None, field: str
) -> None:
    body = HI if asked is None else HI | {field: asked}
    assert ordered(body, caller, parts(**environ)).request.max_tokens == sent


@pytest.mark.parametrize(
    ("caller", "environ", "asked", "kept_s"),
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
def test_the_orphan_time(
    caller: Principal, environ: dict[str, str], asked: float | None, kept_s: float
) -> None:
    body = HI if asked is None else HI | {"orphan_s": asked}
    assert ordered(body, caller, parts(**environ)).orphan_s == kept_s


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
def test_the_models_of_a_visitor(environ: dict[str, str], model: str) -> None:
    ordered(HI | {"model": model}, VISITOR, parts(**environ))


@pytest.mark.parametrize("model", ["gpt-99", "openai/gpt-99", "gpt-4.1-preview"])
def test_a_model_without_a_price_is_not_for_visitors(model: str) -> None:
    with pytest.raises(Forbidden) as refused:
        ordered(HI | {"model": model}, VISITOR, parts())
    assert (refused.value.code, refused.value.param) == ("model_not_allowed", "model")
    ordered(HI | {"model": model}, OWNER, parts())


def test_a_visitor_s_question_falls_back_to_priced_models_only() -> None:
    environ = {"FRESHET_VISITOR_MODELS": "priced", "FRESHET_FALLBACK": "ollama"}
    chain = ordered(HI, VISITOR, parts(**environ)).chain
    assert [link.name for link in chain] == ["openai", "ollama"]


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
def test_the_length_of_a_question_with_its_history(body: dict[str, Any], param: str) -> None:
    small = parts(FRESHET_VISITOR_QUESTION_BYTES="4096")
    with pytest.raises(TooLarge) as refused:
        ordered(body, VISITOR, small)
    assert (refused.value.code, refused.value.param, refused.value.limit) == (
        "question_too_large",
        param,
        4096,
    )
    ordered(body, OWNER, small)


def test_images_do_not_count_as_text() -> None:
    shown = image(type="image", media_type="image/png", data=b64encode(bytes(60_000)).decode())
    ordered(shown, VISITOR, parts(FRESHET_VISITOR_QUESTION_BYTES="4096"))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest/meta-data"}},
        {"type": "image", "url": "https://elsewhere.example/a.png"},
    ],
)
def test_an_image_s_address_is_not_passed_on_unless_the_operator_allows_it(part: dict[str, Any]) -> None:
    for caller in (VISITOR, OWNER, KEY):
        with pytest.raises(InvalidRequest) as refused:
            ordered(image(**part), caller, parts())
        assert (refused.value.code, refused.value.param) == ("image_url_not_allowed", "messages[0].content")
    ordered(image(**part), VISITOR, parts(FRESHET_IMAGE_URLS="true"))


@pytest.mark.parametrize("field", ["provider", "model", "conversation", "parent", "continue"])
def test_a_name_holds_no_nul(field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ordered(HI | {field: "a\0b"}, OWNER, parts())
    assert refused.value.param == field


def test_so_many_images_and_no_more() -> None:
    """They count apart from the text, so they have a limit of their own."""

    def with_images(count: int) -> dict[str, Any]:
        part = {"type": "image", "media_type": "image/png", "data": "iVBORw0KGgo="}
        return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, *[part] * count]}]}

    ordered(with_images(8), VISITOR, parts())
    with pytest.raises(InvalidRequest) as refused:
        ordered(with_images(9), VISITOR, parts())
    assert (refused.value.code, refused.value.param) == ("too_many_images", "messages[0].content")
    ordered(with_images(100), OWNER, parts())
    with pytest.raises(InvalidRequest):
        ordered(with_images(101), OWNER, parts())


def test_an_image_has_its_size() -> None:
    large = b64encode(bytes(2_000_001)).decode()
    with pytest.raises(InvalidRequest) as refused:
        ordered(image(type="image", media_type="image/png", data=large), OWNER, parts())
    assert refused.value.code == "image_too_large"


def test_nobody_works_out_an_anonymous_run() -> None:
    """Whoever knows its name may read it; the name was a plain digest of the key and the address."""
    script = "from webapp.api.start_request import run_for_key as r; print(r('1', None, 'a'), r('1', 'user:o', 'a'))"
    found = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]
    assert run_for_key("1", None, "a") == run_for_key("1", None, "a")
