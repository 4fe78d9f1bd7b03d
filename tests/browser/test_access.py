"""axe-core on the page's main states; `make shots` covers all of them."""

from playwright.sync_api import expect

from tests.browser.answers import end_with, stream_text
from tests.browser.chat import Chat
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.script import refusal


def test_axe_looks_into_the_shadow_tree(chat: Chat) -> None:
    chat.page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.dock').append(document.createElement('button'))"
    )
    assert any("button-name" in found for found in findings(chat.page))


def test_axe_finds_nothing_in_a_conversation(chat: Chat, provider: FakeProvider) -> None:
    assert findings(chat.page) == []
    provider.play([stream_text(per_s=2_000), end_with("length"), refusal(401)])
    for question in ("one", "two", "three"):
        chat.ask(question)
        chat.wait_over()
        assert findings(chat.page) == []
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    assert findings(chat.page) == []
