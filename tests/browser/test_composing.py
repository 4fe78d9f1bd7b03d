"""The composer during an answer: the queue and the draft."""

from threading import Event

import pytest
from playwright.sync_api import expect

from tests.browser.answers import hold_halfway, stream_text, stream_then_stall
from tests.browser.chat import DESK, PHONE, Chat
from tests.faults.answers import query_of
from tests.support.fake_provider import FakeProvider

QUEUED = "Queued message"


def test_enter_queues_one_message_until_the_answer_is_complete(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play([hold_halfway(gate), stream_text(per_s=2_000)])
    chat.ask("First")
    chat.wait_chars(20)
    for line in ("Second", "and more"):
        chat.field.fill(line)
        chat.field.press("Enter")
        expect(chat.field).to_have_value("")
    queued = chat.page.get_by_role("group", name=QUEUED)
    expect(queued).to_contain_text("Second")
    assert len(provider.calls) == 1
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(2)
    expect(queued).to_be_hidden()
    chat.wait_over()
    assert query_of(provider.calls[-1]) == "Second\n\nand more"
    assert len(provider.calls) == 2


def test_a_queued_message_can_be_edited_and_removed(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.page.get_by_role("button", name="Edit queued message").click()
    expect(chat.field).to_have_value("Second")
    expect(chat.field).to_be_focused()
    chat.field.press("Enter")
    chat.page.get_by_role("button", name="Remove from queue").click()
    expect(chat.page.get_by_role("group", name=QUEUED)).to_be_hidden()
    expect(chat.field).to_have_value("")
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1


def test_a_stop_returns_the_queued_message_to_the_field(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.field.press("Escape")
    chat.wait_over()
    expect(chat.field).to_have_value("Second")
    assert len(provider.calls) == 1


def test_a_draft_and_a_queued_message_survive_a_reload(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second")
    chat.field.press("Enter")
    chat.field.fill("a thought\nin two lines")
    chat.reload()
    expect(chat.field).to_have_value("a thought\nin two lines")
    expect(chat.page.get_by_role("group", name=QUEUED)).to_contain_text("Second")
    chat.stop.click()
    chat.wait_over()
    expect(chat.field).to_have_value("Second\n\na thought\nin two lines")
    chat.field.fill("")
    chat.reload()
    expect(chat.field).to_have_value("")


@pytest.mark.parametrize("device", [PHONE], ids=["phone"])
def test_on_a_phone_enter_is_a_new_line_and_the_button_sends(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.field.tap()
    chat.page.keyboard.type("line one")
    chat.page.keyboard.press("Enter")
    chat.page.keyboard.type("line two")
    expect(chat.field).to_have_value("line one\nline two")
    expect(chat.field).to_have_attribute("enterkeyhint", "enter")
    assert provider.calls == []
    chat.send.tap()
    chat.wait_over()
    assert query_of(provider.calls[0]) == "line one\nline two"
    chat.page.get_by_role("button", name="Edit message").tap()
    edit = chat.page.get_by_role("textbox", name="Edit message")
    edit.fill("changed")
    edit.press("Enter")
    expect(edit).to_have_value("changed\n")
    assert len(provider.calls) == 1


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_the_button_queues_what_is_typed_and_stops_when_nothing_is(
    chat: Chat, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play([hold_halfway(gate), stream_then_stall()])
    chat.field.fill("First")
    chat.send.click()
    chat.wait_chars(20)
    expect(chat.stop).to_be_visible()
    chat.field.fill("Second")
    expect(chat.send).to_be_visible()
    chat.send.click()
    expect(chat.page.get_by_role("group", name=QUEUED)).to_contain_text("Second")
    assert chat.answer()["status"] == "streaming"
    expect(chat.stop).to_be_visible()
    gate.set()
    provider.wait_calls(2)
    chat.wait_chars(20)
    chat.stop.click()
    chat.wait_over()
    assert [query_of(call) for call in provider.calls] == ["First", "Second"]


def test_a_queued_message_has_a_label_and_keeps_clear_of_the_border(
    chat: Chat, provider: FakeProvider
) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    chat.field.fill("Second, which is longer than the line and is therefore cut off somewhere " * 4)
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name=QUEUED)
    expect(queued.get_by_text("Queued", exact=True)).to_be_visible()
    outer = chat.page.locator(".composer").bounding_box()
    assert outer is not None
    for name in ("Edit queued message", "Remove from queue"):
        box = queued.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["y"] - outer["y"] >= 6
        assert outer["x"] + outer["width"] - box["x"] - box["width"] >= 12
    chat.stop.click()
