"""Images of sent and queued messages."""

import hashlib
import re
from threading import Event

import pytest
from playwright.sync_api import Route, expect

from tests.browser.answers import hold_halfway, stream_text, stream_then_stall
from tests.browser.chat import DARK, DESK, NETWORK, PHONE, Chat
from tests.browser.image_files import (
    choose_files,
    png_file,
    png_size,
    received_images,
    shown,
    tray,
    wait_loaded,
)
from tests.support.axe import findings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import plain
from tests.support.script import Answer


def test_a_queued_message_keeps_its_images(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play([hold_halfway(gate), Answer(steps=openai(["Two."]))])
    chat.ask("First")
    chat.wait_chars(20)
    choose_files(chat, png_file("a.png"), png_file("b.png", plain(30, 30)))
    chat.field.fill("And these?")
    wait_loaded(tray(chat).locator("img"), 2)
    chat.field.press("Enter")
    queued = chat.page.get_by_role("group", name="Queued message")
    wait_loaded(queued.locator("img"), 2)
    expect(tray(chat)).to_have_count(0)
    choose_files(chat, png_file("c.png"), png_file("d.png"), png_file("e.png"))
    wait_loaded(tray(chat).locator("img"), 3)
    chat.field.press("Enter")
    expect(chat.notice).to_have_text("You can send up to four images at a time. Remove some to send.")
    gate.set()
    expect(chat.page.locator(".turn")).to_have_count(2)
    chat.wait_over()
    assert [png_size(image) for image in received_images(provider)] == [(120, 80), (30, 30)]
    expect(tray(chat)).to_have_count(3)


def test_a_stop_returns_the_queued_message_with_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    choose_files(chat, png_file())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.press("Enter")
    expect(tray(chat)).to_have_count(0)
    chat.field.press("Escape")
    chat.wait_over()
    wait_loaded(tray(chat).locator("img"), 1)
    assert len(provider.calls) == 1


def test_a_reload_sends_nothing_without_its_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("First")
    chat.wait_chars(20)
    choose_files(chat, png_file())
    wait_loaded(tray(chat).locator("img"), 1)
    chat.field.fill("What is in it?")
    chat.field.press("Enter")
    chat.reload()
    expect(chat.notice).to_have_text("Images aren’t kept when the page reloads. Add them again.")
    expect(chat.field).to_have_value("What is in it?")
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1
    chat.reload()
    expect(chat.field).to_have_value("What is in it?")
    expect(chat.notice).to_be_hidden()


FORGET_CURSOR = """() => {
    const saved = JSON.parse(sessionStorage.getItem('freshet.conversation') ?? 'null');
    if (saved === null) return;
    Object.assign(saved.turns.at(-1).answer, { cursor: null, text: '', status: 'waiting' });
    sessionStorage.setItem('freshet.conversation', JSON.stringify(saved));
}"""


# What is saved before the first frame, which has the images' ids.
FORGET_START = """() => {
    const saved = JSON.parse(sessionStorage.getItem('freshet.conversation') ?? 'null');
    if (saved === null) return;
    const turn = saved.turns.at(-1);
    Object.assign(turn.answer, { cursor: null, text: '', status: 'waiting', images: null, question: null });
    turn.images = turn.images.map((image) => ({ ...image, id: '' }));
    Object.assign(turn, { opening: null, asked: null });
    sessionStorage.setItem('freshet.conversation', JSON.stringify(saved));
}"""


def test_the_server_names_the_images(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(hold_halfway(gate))
    choose_files(chat, png_file(), png_file("b.png", plain(30, 30)))
    chat.ask("What is it?")
    chat.wait_chars(30)
    ids = "() => document.querySelector('freshet-chat').turns.at(-1).images.map(({ id }) => id)"
    assert chat.page.evaluate(ids) == [
        hashlib.sha256(image).hexdigest() for image in received_images(provider)
    ]
    gate.set()
    chat.wait_over()


def test_a_reload_before_the_server_has_the_images_says_that_they_are_gone(
    chat: Chat, provider: FakeProvider
) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("Zero.", "One.", "Two.")])
    chat.ask("First?")
    chat.wait_over()
    chat.watch.allow(NETWORK)
    chat.page.route("**/stream", lambda route: None)  # the upload never arrives
    choose_files(chat, png_file())
    with chat.page.expect_request("**/stream"):
        chat.ask("What is it?")
    chat.reload()
    last = chat.page.locator(".turn").last
    expect(last).to_contain_text("There is no such run")
    chat.page.unroute("**/stream")
    last.get_by_role("button", name="Try again").click()
    expect(last).to_contain_text("An image in this message is no longer available.")
    assert len(provider.calls) == 1
    chat.ask("And without?")
    chat.wait_over()
    expect(chat.answers.last).to_have_text("One.")


@pytest.mark.parametrize(
    "forget",
    [
        pytest.param("", id="frames"),
        pytest.param(FORGET_CURSOR, id="a start"),
        pytest.param(FORGET_START, id="no frame"),
    ],
)
def test_a_reload_during_an_answer_joins_the_run(chat: Chat, provider: FakeProvider, forget: str) -> None:
    """Without a received frame the page repeats the request with the images' ids, or joins the run where it has none."""
    gate = Event()
    provider.play(hold_halfway(gate))
    if forget:
        chat.page.add_init_script(f"({forget})()")
    choose_files(chat, png_file())
    chat.ask("What is it?")
    chat.wait_chars(30)
    chat.reload()
    wait_loaded(shown(chat), 1)
    expect(chat.stop).to_be_visible()
    gate.set()
    answer = chat.wait_over()
    assert answer["status"] == "done"
    assert len(provider.calls) == 1


def test_a_reload_shows_the_place_of_an_image_until_the_first_frame_names_it(
    chat: Chat, provider: FakeProvider
) -> None:
    gate = Event()
    provider.play(hold_halfway(gate))
    chat.page.add_init_script(f"({FORGET_START})()")
    choose_files(chat, png_file())
    chat.ask("What is it?")
    chat.wait_chars(30)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    chat.page.route("**/stream/*", hold)
    with chat.page.expect_request("**/stream/*"):
        chat.page.reload(wait_until="commit")
    chat.wait_ready()
    expect(shown(chat)).to_have_count(1)
    expect(shown(chat)).not_to_have_attribute("src", re.compile(".*"))
    box = shown(chat).bounding_box()
    for route in held:
        route.continue_()
    chat.page.unroute("**/stream/*")
    wait_loaded(shown(chat), 1)
    assert shown(chat).bounding_box() == box
    gate.set()
    assert chat.wait_over()["status"] == "done"
    assert len(provider.calls) == 1


@pytest.mark.parametrize("reloaded", [False, True])
def test_images_stay_with_an_edited_or_regenerated_message(
    chat: Chat, provider: FakeProvider, reloaded: bool
) -> None:
    provider.play([Answer(steps=openai([text])) for text in ("One.", "Two.", "Three.")])
    choose_files(chat, png_file(), png_file("b.png", plain(30, 30)))
    chat.ask("What is it?")
    expect(chat.answers.last).to_have_text("One.")
    chat.wait_over()
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit message").click()
    edit = chat.page.get_by_role("textbox", name="Edit message")
    wait_loaded(shown(chat), 2)
    edit.fill("What are they?")
    edit.press("Enter")
    expect(chat.answers.last).to_have_text("Two.")
    chat.wait_over()
    wait_loaded(shown(chat), 2)
    if reloaded:
        chat.reload()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Regenerate").click()
    expect(chat.answers.last).to_have_text("Three.")
    sizes = [[png_size(image) for image in received_images(provider, call)] for call in range(3)]
    assert sizes == [[(120, 80), (30, 30)]] * 3
    chat.reload()
    wait_loaded(shown(chat), 2)


def test_space_is_reserved_for_an_image_before_it_loads(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    choose_files(chat, png_file("tall.png", plain(300, 400)))
    chat.ask("What is it?")
    chat.wait_over()
    wait_loaded(shown(chat), 1)
    place = "() => document.querySelector('freshet-chat').shadowRoot.querySelector('.turn .answer').getBoundingClientRect().y"
    chat.page.route("**/images/*", lambda route: None)  # it never responds
    chat.page.reload(wait_until="commit")
    chat.wait_ready()
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


def test_a_pressed_image_opens_large_and_escape_only_closes_it(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    choose_files(chat, png_file("sea.png", plain(900, 600)))
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
def test_axe_finds_nothing_with_images(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    for count in (1, 4):
        choose_files(chat, *[png_file(f"{at}.png", plain(900, 100 + 400 * at)) for at in range(count)])
        wait_loaded(tray(chat).locator("img"), count)
        assert findings(chat.page) == []
        chat.ask("What?")
        chat.wait_over()
        wait_loaded(shown(chat), count if count == 1 else 5)
        assert findings(chat.page) == []
        assert not chat.overflows()
