"""Images that were sent, or wait to be: with their question whatever happens, and shown in the log."""

from threading import Event

import pytest
from playwright.sync_api import expect

from tests.browser.answers import begun, held, spoken
from tests.browser.chat import DARK, DESK, PHONE, Chat
from tests.browser.image_files import (
    images_of,
    pick,
    png,
    shown,
    size_of,
    tray,
    wait_loaded,
)
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import plain
from tests.support.script import Answer


def test_what_waits_keeps_its_images(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play([held(gate), Answer(steps=openai(["Two."]))])
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png("a.png"), png("b.png", plain(30, 30)))
    chat.field.fill("And these?")
    wait_loaded(tray(chat).locator("img"), 2)
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name="Sent when the answer is complete")
    wait_loaded(queued.locator("img"), 2)
    expect(tray(chat)).to_have_count(0)
    pick(chat, png("c.png"), png("d.png"), png("e.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    chat.field.press("Enter")
    expect(chat.notice).to_have_text("A question takes four images. Remove some to send it.")
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(2)
    chat.wait_over()
    assert [size_of(image) for image in images_of(provider)] == [(120, 80), (30, 30)]
    expect(tray(chat)).to_have_count(3)


def test_after_a_stop_what_waited_is_back_with_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.press("Enter")
    expect(tray(chat)).to_have_count(0)
    chat.field.press("Escape")
    chat.wait_over()
    wait_loaded(tray(chat).locator("img"), 1)
    assert len(provider.calls) == 1


def test_after_a_reload_nothing_is_sent_without_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("First")
    chat.wait_chars(20)
    pick(chat, png())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.fill("What is in it?")
    chat.field.press("Enter")
    chat.reload()
    expect(chat.notice).to_have_text("Images are not kept over a reload. Add them again.")
    expect(chat.field).to_have_value("What is in it?")
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1
    chat.reload()
    expect(chat.field).to_have_value("What is in it?")
    expect(chat.notice).to_be_hidden()


FORGET_CURSOR = """() => {
    const kept = JSON.parse(sessionStorage.getItem('freshet.conversation') ?? 'null');
    if (kept === null) return;
    Object.assign(kept.turns.at(-1).answer, { cursor: null, text: '', status: 'waiting' });
    sessionStorage.setItem('freshet.conversation', JSON.stringify(kept));
}"""


@pytest.mark.parametrize("known", [True, False], ids=["a frame came", "none came"])
def test_a_reload_in_the_middle_joins_the_run(chat: Chat, provider: FakeProvider, known: bool) -> None:
    """Who has had no frame yet asks once more, by the images' names: what was sent is not kept."""
    gate = Event()
    provider.play(held(gate))
    if not known:
        chat.page.add_init_script(f"({FORGET_CURSOR})()")
    pick(chat, png())
    chat.ask("What is it?")
    chat.wait_chars(30)
    chat.reload()
    wait_loaded(shown(chat), 1)
    expect(chat.stop).to_be_visible()
    gate.set()
    answer = chat.wait_over()
    assert answer["status"] == "done"
    assert len(provider.calls) == 1


@pytest.mark.parametrize("reloaded", [False, True])
def test_images_stay_with_a_question_that_is_changed_or_answered_again(
    chat: Chat, provider: FakeProvider, reloaded: bool
) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("One.", "Two.", "Three.")])
    pick(chat, png(), png("b.png", plain(30, 30)))
    chat.ask("What is it?")
    expect(chat.answers.last).to_have_text("One.")
    chat.wait_over()
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit the question").click()
    edit = chat.page.get_by_role("textbox", name="Edit the question")
    wait_loaded(shown(chat), 2)
    edit.fill("What are they?")
    edit.press("Enter")
    expect(chat.answers.last).to_have_text("Two.")
    chat.wait_over()
    wait_loaded(shown(chat), 2)
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Answer again").click()
    expect(chat.answers.last).to_have_text("Three.")
    sizes = [[size_of(image) for image in images_of(provider, call)] for call in range(3)]
    assert sizes == [[(120, 80), (30, 30)]] * 3
    chat.reload()
    wait_loaded(shown(chat), 2)


def test_an_image_has_its_place_before_it_is_there(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    pick(chat, png("tall.png", plain(300, 400)))
    chat.ask("What is it?")
    chat.wait_over()
    wait_loaded(shown(chat), 1)
    place = "() => document.querySelector('freshet-chat').shadowRoot.querySelector('.turn .answer').getBoundingClientRect().y"
    chat.page.route("**/images/*", lambda route: None)  # it never comes
    chat.page.reload(wait_until="commit")
    chat.ready()
    expect(shown(chat)).to_have_count(1)
    assert shown(chat).evaluate("image => image.naturalWidth") == 0
    before = chat.page.evaluate(place)
    chat.page.unroute("**/images/*")
    chat.reload()
    wait_loaded(shown(chat), 1)
    assert chat.page.evaluate(place) == before
    box = shown(chat).bounding_box()
    assert box is not None
    assert box["height"] / box["width"] == pytest.approx(4 / 3, rel=0.02)


def test_pressed_it_is_shown_large_and_escape_ends_only_that(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    pick(chat, png("sea.png", plain(900, 600)))
    chat.ask("What is it?")
    chat.wait_chars(20)
    image = chat.page.get_by_role("button", name="Image 1")
    image.click()
    viewer = chat.page.get_by_role("dialog", name="Image 1")
    box = viewer.get_by_role("img").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (900, 600)
    assert findings(chat.page) == []
    chat.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(image).to_be_focused()
    expect(chat.stop).to_be_visible()
    image.press("Enter")
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_have_count(0)
    chat.stop.click()
    chat.wait_over()


@pytest.mark.parametrize("device", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_nothing_stands_in_anyone_s_way(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    for count in (1, 4):
        pick(chat, *[png(f"{at}.png", plain(900, 100 + 400 * at)) for at in range(count)])
        wait_loaded(tray(chat).locator("img"), count)
        assert findings(chat.page) == []
        chat.ask("What?")
        chat.wait_over()
        wait_loaded(shown(chat), count if count == 1 else 5)
        assert findings(chat.page) == []
        assert not chat.overflows()
