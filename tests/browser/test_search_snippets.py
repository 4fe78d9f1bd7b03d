"""Search: snippets with the words marked, that open the conversation at the message."""

from playwright.sync_api import expect

from tests.browser.answers import stream_text
from tests.browser.chat import Chat
from tests.support.fake_provider import FakeProvider

FILLER = "Other words stand here. " * 60


def test_a_snippet_marks_the_words_and_opens_at_the_message(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [
            stream_text(
                f"{FILLER}\n\nThe Crème of the river is a <b>freshet</b> 😀 in spring. {FILLER}", per_s=9_000
            ),
            *[stream_text(FILLER, per_s=9_000) for _ in range(3)],
        ]
    )
    for question in ("Tell me", "And more", "And more", "And more"):
        chat.ask(question)
        chat.wait_over()
    chat.page.get_by_role("button", name="New chat").click()
    chat.page.get_by_role("searchbox", name="Search chats").fill("SPRING creme")
    snippet = chat.page.locator(".snippet")
    expect(snippet).to_contain_text("Crème of the river is a <b>freshet</b> 😀 in spring")
    expect(snippet.locator("mark")).to_have_text(["Crème", "spring"])
    chat.page.locator(".line a").click()
    expect(chat.page.locator(".turn")).to_have_count(4)
    message = chat.page.locator(".turn").first.locator(".message").nth(1)
    expect(message).to_be_in_viewport()
    top = chat.page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.turn .message:nth-child(2)').getBoundingClientRect().top"
    )
    assert abs(top - 56) < 60
    chat.page.wait_for_timeout(300)
    expect(message).to_be_in_viewport()
    chat.page.get_by_role("searchbox", name="Search chats").fill("")
    expect(snippet).to_be_hidden()


def test_a_match_in_another_branch_is_shown(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [stream_text("The word is heron.", per_s=9_000), stream_text("Nothing of it.", per_s=9_000)]
    )
    chat.ask("Tell me")
    chat.wait_over()
    chat.page.get_by_role("button", name="Regenerate").click()
    expect(chat.answers.last).to_contain_text("Nothing of it.")
    chat.wait_over()
    chat.page.get_by_role("searchbox", name="Search chats").fill("heron")
    expect(chat.page.locator(".snippet mark")).to_have_text("heron")
    chat.page.locator(".line a").click()
    expect(chat.answers.last).to_contain_text("The word is heron.")
