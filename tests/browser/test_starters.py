"""Starters on an empty page: the operator's, or the page's own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import stream_text
from tests.browser.chat import NETWORK, WAIT_MS, Chat, Watch
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

HOSTILE = "</script><img src=x onerror=alert(1)> {{ 7 * 7 }} \" ' &amp;"
LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 2
STARTERS = ["What may I ask here?", HOSTILE, "كيف أبدأ؟", LONG[:120]]


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Set starters."""
    return {"FRESHET_STARTERS": "|".join(STARTERS)}


def test_the_operator_s_questions_are_offered_as_text(chat: Chat) -> None:
    offered = chat.page.locator(".empty li")
    expect(offered).to_have_text(STARTERS)
    assert chat.page.locator("img[src=x]").count() == 0
    assert not chat.overflows()
    assert findings(chat.page) == []


@pytest.mark.parametrize("question", STARTERS[:3])
def test_a_press_sends_the_starter(chat: Chat, provider: FakeProvider, question: str) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.field.fill("A draft that stays")
    chat.page.get_by_role("button", name=question, exact=True).click()
    expect(chat.page.locator(".question")).to_have_text(question)
    chat.wait_over()
    assert [message["content"] for message in provider.calls[0].json["messages"]] == [question]
    expect(chat.field).to_have_value("A draft that stays")
    expect(chat.field).to_be_focused()


@pytest.mark.parametrize("device", [{"locale": "en"}, {"locale": "de"}], ids=["en", "de"])
def test_without_the_setting_the_page_has_three_of_its_own(
    context: BrowserContext, watch: Watch, request: pytest.FixtureRequest
) -> None:
    first = {"en": "Explain tides", "de": "Erkläre einem zehnjährigen"}
    watch.allow(NETWORK)  # the server stops before the tab closes
    with Server() as plain:
        chat = Chat(context, plain.url, watch)
        chat.page.goto(plain.url)
        offered = chat.page.locator(".empty li")
        expect(offered).to_have_count(3, timeout=WAIT_MS)
        expect(offered.first).to_contain_text(first[request.node.callspec.params["device"]["locale"]])


def test_a_new_chat_offers_the_starters_again(
    open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = open_chat(server.url)
    chat.ask("Something else")
    chat.wait_over()
    expect(chat.page.locator(".empty")).to_have_count(0)
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.page.locator(".empty li")).to_have_text(STARTERS)
