"""The page speaks the visitor's language, and is laid out in its direction."""

from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import spoken
from tests.browser.chat import DESK, PHONE, WAIT_MS, Watch
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

PLACEHOLDERS = {
    "ar": "اسأل عمّا تشاء",
    "de-AT": "Fragen Sie, was Sie möchten",
    "es-MX": "Pregunte lo que quiera",
    "fr": "Demandez ce que vous voulez",
    "zh-CN": "想问什么都可以",
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
    provider.play(spoken(per_s=2_000))
    page = context.new_page()
    watch.attach(page)
    page.goto(server.url)
    field = page.get_by_placeholder(PLACEHOLDERS[place])
    expect(field).to_be_visible(timeout=WAIT_MS)
    direction = "rtl" if place == "ar" else "ltr"
    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.locator("html")).to_have_attribute("lang", place[:2] if place != "tlh" else "en")
    field.fill("?")
    field.press("Enter")
    expect(page.locator(".turn .meta").last).to_contain_text("204", timeout=WAIT_MS)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    field_box, send_box = field.bounding_box(), page.locator(".go").bounding_box()
    assert field_box is not None
    assert send_box is not None
    assert (send_box["x"] < field_box["x"]) == (direction == "rtl")
    assert findings(page) == []


def test_the_server_s_own_pages_speak_too(provider: FakeProvider) -> None:
    env = {"FRESHET_HOST": "0.0.0.0", "FRESHET_ACCESS_PASSWORD": "open", "OPENAI_API_KEY": "sk-x"}
    with Server(env) as server:
        page = requests.get(server.url, headers={"Accept-Language": "de-CH, fr;q=0.5"}, timeout=10)
        assert '<html lang="de" dir="ltr">' in page.text
        assert "Dieser Chat fragt nach einem Passwort." in page.text
        assert "Accept-Language" in page.headers["Vary"]
        wrong = requests.post(
            f"{server.url}/signin", data={"password": "no"}, headers={"Accept-Language": "ar"}, timeout=10
        )
        assert 'dir="rtl"' in wrong.text
        assert "ليست هذه كلمة المرور" in wrong.text
