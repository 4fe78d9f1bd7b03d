"""What axe-core says of the page's states; `make shots` looks at all of them."""

from playwright.sync_api import expect

from tests.browser.answers import ending, spoken
from tests.browser.chat import Chat
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.script import refusal


def test_axe_finds_what_is_wrong(chat: Chat) -> None:
    """The check itself: it looks into the shadow tree."""
    chat.page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.dock').append(document.createElement('button'))"
    )
    assert any("button-name" in found for found in findings(chat.page))


def test_axe_finds_nothing_in_a_conversation(chat: Chat, provider: FakeProvider) -> None:
    assert findings(chat.page) == []
    provider.play([spoken(per_s=2_000), ending("length"), refusal(401)])
    for question in ("one", "two", "three"):
        chat.ask(question)
        chat.wait_over()
        assert findings(chat.page) == []
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    assert findings(chat.page) == []
