"""The field stays usable while an answer is made, and what is written in it is not lost."""

from threading import Event

from playwright.sync_api import expect

from tests.browser.answers import begun, held, spoken
from tests.browser.chat import Chat
from tests.faults.answers import query_of
from tests.support.fake_provider import FakeProvider

WAITS = "Sent when the answer is complete"


def test_enter_queues_one_message_that_is_sent_when_the_answer_is_whole(
    chat: Chat, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play([held(gate), spoken(per_s=2_000)])
    chat.ask("First")
    chat.wait_chars(20)
    for line in ("Second", "and more"):
        chat.field.fill(line)
        chat.field.press("Enter")
        expect(chat.field).to_have_value("")
    queued = chat.page.get_by_role("group", name=WAITS)
    expect(queued).to_contain_text("Second")
    assert len(provider.calls) == 1
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(2)
    expect(queued).to_be_hidden()
    chat.wait_over()
    assert query_of(provider.calls[-1]) == "Second\n\nand more"
    assert len(provider.calls) == 2


def test_what_waits_can_be_edited_and_taken_back(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.page.get_by_role("button", name="Edit the waiting message").click()
    expect(chat.field).to_have_value("Second")
    expect(chat.field).to_be_focused()
    chat.field.press("Enter")
    chat.page.get_by_role("button", name="Take the waiting message back").click()
    expect(chat.page.get_by_role("group", name=WAITS)).to_be_hidden()
    expect(chat.field).to_have_value("")
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1


def test_after_a_stop_what_waited_is_back_in_the_field(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.field.press("Escape")
    chat.wait_over()
    expect(chat.field).to_have_value("Second")
    assert len(provider.calls) == 1


def test_a_draft_and_what_waits_survive_a_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.field.fill("a thought\nin two lines")
    chat.reload()
    expect(chat.field).to_have_value("a thought\nin two lines")
    expect(chat.page.get_by_role("group", name=WAITS)).to_contain_text("Second")
    chat.stop.click()
    chat.wait_over()
    expect(chat.field).to_have_value("Second\n\na thought\nin two lines")
    chat.field.fill("")
    chat.reload()
    expect(chat.field).to_have_value("")
