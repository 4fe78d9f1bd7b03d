"""Documents of a conversation on the page: attach, ask, open the cited page, reload, share; and what is refused."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.browser.image_files import File, choose_files, png_file, transfer_files, tray
from tests.browser.sharing import share_and_close
from tests.documents.pdf_files import lines, pdf
from tests.support.axe import findings
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Step

HANDBOOK = pdf(
    [
        *(
            lines(*[f"Line {number} of page {page} says nothing." for number in range(55)])
            for page in range(1, 16)
        ),
        lines(
            "Trips",
            "Trips by train are paid for in second class.",
            *[f"Line {number} of this page says nothing." for number in range(40)],
        ),
        lines("The end."),
    ]
)
NOTE = b"# Rivers\n\nThe Loire rises in the Ardeche.\n"
WAIT_S = 20.0


def pdf_file(name: str = "handbook.pdf") -> File:
    return name, "application/pdf", HANDBOOK


def note_file(name: str = "rivers.md", content: bytes = NOTE) -> File:
    return name, "text/markdown", content


def chips(chat: Chat) -> Locator:
    return chat.page.get_by_role("list", name="Documents in this chat").get_by_role("listitem")


@pytest.fixture
def panel(chat: Chat) -> Locator:
    return chat.page.locator("dialog.passages")


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Somebody else's browser."""
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_attach_ask_open_the_page_reload_and_share(
    chat: Chat, provider: FakeProvider, panel: Locator, stranger: Page, device: dict[str, Any]
) -> None:
    """The whole way: the sources are there each time."""
    go_on = threading.Event()

    def first() -> Iterator[Step]:
        yield openai_delta("Second class [1]")
        assert go_on.wait(WAIT_S)
        yield from (openai_delta(", as ever."), *openai_finish(), DONE)

    provider.play(Answer(steps=first))
    choose_files(chat, pdf_file())
    expect(chips(chat)).to_have_count(1)
    expect(chips(chat)).to_contain_text("17 pages")
    assert findings(chat.page) == []
    chat.ask("Which class is paid for on trips by train?")
    expect(chat.answers.last).to_contain_text("Second class")
    chat.reload()  # in the middle
    expect(chips(chat)).to_contain_text("handbook.pdf")
    go_on.set()
    chat.wait_over()

    def open_and_check() -> None:
        chat.answers.last.get_by_text("1", exact=True).click()
        expect(panel.locator(".place")).to_have_text("Page 16 of 17")
        expect(panel.locator("mark")).to_contain_text("Trips by train are paid for in second class.")
        expect(panel.locator("mark")).to_be_in_viewport()
        assert findings(chat.page) == []
        chat.page.keyboard.press("Escape")
        expect(panel).to_have_count(0)

    open_and_check()
    chat.reload()
    expect(chips(chat)).to_contain_text("handbook.pdf")
    open_and_check()
    stranger.goto(share_and_close(chat))
    expect(stranger.get_by_role("list", name="Documents in this chat")).to_contain_text("handbook.pdf")
    stranger.locator(".flow").get_by_text("1", exact=True).click()
    shared = stranger.locator("dialog.passages")
    expect(shared.locator(".place")).to_have_text("Page 16 of 17")
    expect(shared.locator("mark")).to_contain_text("Trips by train are paid for in second class.")
    assert findings(stranger) == []
    assert not chat.overflows()


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_files_are_dropped_and_pasted_beside_images(chat: Chat, how: str) -> None:
    transfer_files(chat, how, note_file(), png_file(), note_file("other.txt", b"Other."))
    expect(chips(chat)).to_have_count(2)
    expect(chips(chat).first).to_contain_text("rivers.md")
    expect(tray(chat)).to_have_count(1)


def test_a_question_waits_for_its_documents(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["In the Ardeche [1]."])))
    arrived = threading.Event()
    chat.page.route("**/documents?*", lambda route: (arrived.wait(1), route.continue_()))
    choose_files(chat, note_file())
    chat.ask("Where does the Loire rise?")
    assert provider.calls == []
    arrived.set()
    chat.wait_over()
    asked = provider.calls[0].json["messages"][-1]["content"]
    assert "The Loire rises in the Ardeche." in str(asked)


def test_what_cannot_be_read_is_said_in_its_chip_and_the_rest_goes_in(
    chat: Chat, provider: FakeProvider
) -> None:
    chat.watch.allow(r"status of 4\d\d")
    provider.play(Answer(steps=openai(["Yes."])))
    choose_files(
        chat, note_file(), ("broken.pdf", "application/pdf", b"%PDF-1.7 no"), ("empty.txt", "text/plain", b"")
    )
    expect(chat.page.locator(".documents .failed")).to_have_count(2)
    expect(chips(chat).filter(has_text="“broken.pdf” is damaged")).to_be_visible()
    expect(chips(chat).filter(has_text="“empty.txt” contains no text")).to_have_count(1)
    chips(chat).filter(has_text="empty.txt").get_by_role("button").click()
    expect(chips(chat)).to_have_count(2)
    chat.ask("Well?")
    chat.wait_over()
    expect(chips(chat)).to_have_count(1)


def test_a_document_is_opened_and_removed(chat: Chat, panel: Locator) -> None:
    choose_files(chat, note_file())
    chips(chat).get_by_role("button", name="rivers.md").and_(chat.page.locator(".open")).click()
    expect(panel.locator(".text")).to_contain_text("The Loire rises")
    chat.page.keyboard.press("Escape")
    chips(chat).get_by_role("button", name="Remove “rivers.md”").click()
    expect(chips(chat)).to_have_count(0)
    chat.reload()
    expect(chat.page.get_by_role("textbox", name="Message")).to_be_visible()
    expect(chips(chat)).to_have_count(0)


def test_documents_stay_with_their_conversation(chat: Chat) -> None:
    choose_files(chat, note_file())
    expect(chips(chat)).to_have_count(1)
    chat.page.get_by_role("button", name="New chat").click()
    expect(chips(chat)).to_have_count(0)
    chat.page.get_by_role("link", name="rivers.md").click()
    expect(chips(chat)).to_have_count(1)


def test_another_tab_shows_a_document_that_was_added_here(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    chat.ask("Well?")
    chat.wait_over()
    other = Chat(chat.page.context, chat.page.url, chat.watch).open()
    expect(other.answers).to_have_count(1)
    choose_files(chat, note_file())
    expect(chips(other)).to_contain_text("rivers.md")
    chips(other).get_by_role("button", name="Remove “rivers.md”").click()
    expect(chips(chat)).to_have_count(0)


def test_more_than_ten_files_are_not_taken(chat: Chat) -> None:
    choose_files(chat, *(note_file(f"{number}.txt", f"Number {number}.".encode()) for number in range(12)))
    expect(chips(chat)).to_have_count(10)
    expect(chat.notice).to_contain_text("up to ten files")


def test_the_focus_stays_while_other_files_arrive(chat: Chat) -> None:
    choose_files(chat, note_file())
    first = chips(chat).get_by_role("button", name="Remove “rivers.md”")
    first.focus()
    transfer_files(chat, "drop", note_file("other.txt", b"Other."))
    expect(chips(chat)).to_have_count(2)
    chat.field.wait_for()
    first.focus()
    chat.page.request.post(
        f"{chat.url}/documents?name=third.txt&conversation={chat.page.url.partition('c=')[2]}",
        data=b"Third.",
        headers={"Content-Type": "application/octet-stream"},
    )
    expect(chips(chat)).to_have_count(3)
    expect(first).to_be_focused()


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_a_collection(chat: Chat, provider: FakeProvider, panel: Locator, device: dict[str, Any]) -> None:
    provider.play(Answer(steps=openai(["In the Ardeche [1]."])))
    page = chat.page
    page.get_by_role("button", name="Documents").click()
    view = page.get_by_role("dialog", name="Documents")
    expect(view).to_contain_text("No collections yet")
    view.get_by_label("New collection").fill("geography")
    page.keyboard.press("Enter")
    with page.expect_file_chooser() as chooser:
        view.get_by_role("button", name="Add files").click()
    chooser.value.set_files([{"name": "rivers.md", "mimeType": "text/markdown", "buffer": NOTE}])
    expect(view).to_contain_text("1 document")
    view.get_by_label("Base answers on it").check()
    assert findings(page) == []
    view.get_by_role("button", name="rivers.md").first.click()
    expect(panel.locator(".text")).to_contain_text("The Loire rises")
    panel.get_by_role("button", name="Close").click()
    view.get_by_role("button", name="Close").click()
    expect(chips(chat)).to_contain_text("geography")
    chat.ask("Where does the Loire rise?")
    chat.wait_over()
    assert "The Loire rises" in str(provider.calls[0].json["messages"][-1]["content"])
    expect(page.locator(".sources")).to_contain_text("Rivers")
    chips(chat).get_by_role("button", name="Don’t base answers on “geography”").click()
    expect(chips(chat)).to_have_count(0)
    page.get_by_role("button", name="Documents").click()
    expect(view.get_by_label("Base answers on it")).not_to_be_checked()
    page.once("dialog", lambda dialog: dialog.accept())
    view.get_by_role("button", name="Delete the collection “geography”").click()
    expect(view).to_contain_text("No collections yet")
    assert not chat.overflows()
