"""The page in the visitor's language and writing direction."""

from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import stream_text
from tests.browser.chat import DESK, PHONE, WAIT_MS, Watch
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

PLACEHOLDERS = {
    "ar": "اسأل عن أي شيء",
    "de-AT": "Stellen Sie eine Frage",
    "es-MX": "Pregunte lo que quiera",
    "fr": "Posez une question",
    "zh-CN": "有问题，尽管问",
    "tlh": "Ask anything",
}


PLACES = [(tag, "phone") for tag in PLACEHOLDERS] + [("ar", "desk")]


@pytest.fixture(params=PLACES, ids="-".join)
def place(request: pytest.FixtureRequest) -> str:
    tag: str = request.param[0]
    return tag


@pytest.fixture
def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    tag, screen = request.node.callspec.params["place"]
    return (DESK if screen == "desk" else PHONE) | {"locale": tag}


def test_a_conversation_in_each_language(
    server: Server, provider: FakeProvider, context: BrowserContext, watch: Watch, place: str
) -> None:
    provider.play(stream_text(per_s=2_000))
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    field = page.get_by_placeholder(PLACEHOLDERS[place])
    expect(field).to_be_visible(timeout=WAIT_MS)
    direction = "rtl" if place == "ar" else "ltr"
    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.locator("html")).to_have_attribute("lang", place[:2] if place != "tlh" else "en")
    field.fill("?")
    page.locator(".submit").click()
    expect(page.locator(".turn .meta").last).to_contain_text("204", timeout=WAIT_MS)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    field_box, send_box = field.bounding_box(), page.locator(".submit").bounding_box()
    assert field_box is not None
    assert send_box is not None
    assert (send_box["x"] < field_box["x"]) == (direction == "rtl")
    assert findings(page) == []


def test_server_pages_are_translated(provider: FakeProvider) -> None:
    env = {"FRESHET_HOST": "0.0.0.0", "FRESHET_ACCESS_PASSWORD": "open", "OPENAI_API_KEY": "sk-x"}
    with Server(env) as server:
        page = requests.get(server.url, headers={"Accept-Language": "de-CH, fr;q=0.5"}, timeout=10)
        assert '<html lang="de" dir="ltr">' in page.text
        assert "Dieser Chat ist mit einem Passwort geschützt." in page.text
        assert "Accept-Language" in page.headers["Vary"]
        wrong = requests.post(
            f"{server.url}/signin", data={"password": "no"}, headers={"Accept-Language": "ar"}, timeout=10
        )
        assert 'dir="rtl"' in wrong.text
        assert "كلمة المرور غير صحيحة" in wrong.text


@pytest.mark.parametrize("device", [DESK | {"locale": "ar"}], ids=["ar"])
def test_a_question_and_its_title_stand_on_the_page_s_side(
    context: BrowserContext, server: Server, provider: FakeProvider
) -> None:
    """The corner of the one and the place of the other had the direction of the question's own language."""
    provider.play(stream_text("Fine."))
    page = context.new_page()
    page.goto(server.url)
    page.locator(".composer textarea").fill("In English")
    page.locator(".composer textarea").press("Enter")
    question = page.locator(".question")
    radii = "p => [getComputedStyle(p).borderBottomLeftRadius, getComputedStyle(p).borderBottomRightRadius]"
    assert question.evaluate(radii) == ["6px", "20px"]
    title = page.get_by_role("navigation").get_by_role("link", name="In English").locator(".title")
    assert title.evaluate("title => getComputedStyle(title).textAlign") == "right"  # beside Arabic titles
