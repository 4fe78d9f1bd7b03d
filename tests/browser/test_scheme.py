"""Light and dark: system or chosen, before the first paint, on every page, never in print."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.answers import stream_text
from tests.browser.chat import DARK, DESK, NETWORK, Chat
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

LIGHT_GROUND, DARK_GROUND = "rgb(252, 252, 251)", "rgb(21, 24, 26)"
GROUND = "() => getComputedStyle(document.body).backgroundColor"
# The `theme-color` that applies.
AROUND = """() => [...document.querySelectorAll('meta[name="theme-color"]')]
    .find(({ media }) => matchMedia(media || 'all').matches).content"""


def choose(page: Page, scheme: str) -> None:
    """Choose a scheme in the settings."""
    page.get_by_role("button", name="Settings").click()
    panel = page.get_by_role("dialog", name="Settings")
    panel.get_by_label("Appearance").select_option(label=scheme)
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_be_hidden()


@pytest.mark.parametrize(
    ("device", "name", "ground", "around"),
    [(DESK, "Dark", DARK_GROUND, "#15181a"), (DARK, "Light", LIGHT_GROUND, "#fcfcfb")],
    ids=["dark on light", "light on dark"],
)
def test_a_chosen_scheme_applies_at_once_and_before_the_first_paint(
    context: BrowserContext, chat: Chat, name: str, ground: str, around: str
) -> None:
    own = chat.page.evaluate(GROUND)
    assert own != ground
    choose(chat.page, name)
    assert (chat.page.evaluate(GROUND), chat.page.evaluate(AROUND)) == (ground, around)
    # It needs no script, so other colours never flash.
    chat.watch.allow(NETWORK)
    page = context.new_page()
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    page.goto(chat.url)
    assert (page.evaluate(GROUND), page.evaluate(AROUND)) == (ground, around)
    page.close()
    chat.reload()
    choose(chat.page, "System")
    assert chat.page.evaluate(GROUND) == own
    chat.reload()
    assert chat.page.evaluate(GROUND) == own
    assert chat.page.evaluate(AROUND) != around


@pytest.mark.parametrize("device", [DESK, DARK], ids=["light", "dark"])
def test_every_element_follows_the_scheme(
    chat: Chat, provider: FakeProvider, device: dict[str, object]
) -> None:
    chat.page.emulate_media(reduced_motion="reduce")  # no colour transitions
    other = "Dark" if device is DESK else "Light"
    provider.play(stream_text("Look:\n\n```python\nx = 1  # so\n```\n", per_s=400))
    chat.ask("Code?")
    chat.wait_over()
    # The sample that warms the renderer up leaves the page.
    expect(chat.page.locator("[inert]")).to_have_count(0)
    colours = """() => [...document.querySelector('freshet-chat').shadowRoot.querySelectorAll('*')].flatMap((element) => {
        const { color, backgroundColor } = getComputedStyle(element);
        return [color, backgroundColor, getComputedStyle(element, '::highlight(freshet-comment)').color];
    })"""
    choose(chat.page, other)
    chosen = chat.page.evaluate(colours)
    choose(chat.page, "System")
    chat.page.emulate_media(color_scheme="dark" if device is DESK else "light")
    assert chat.page.evaluate(colours) == chosen
    chat.page.emulate_media(color_scheme=device.get("color_scheme", "light"))  # type: ignore[arg-type]
    assert chat.page.evaluate(colours) != chosen


def test_server_pages_follow_the_scheme_and_print_does_not(chat: Chat, server: Server) -> None:
    choose(chat.page, "Dark")
    chat.watch.allow(NETWORK)
    chat.page.goto(f"{server.url}/shared/{'A' * 43}")
    assert chat.page.evaluate(GROUND) == DARK_GROUND
    chat.page.emulate_media(media="print")
    assert chat.page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "light"


@pytest.mark.parametrize("value", ["system", '"><script>', "DARK", "a" * 3_000])
def test_an_unknown_scheme_cookie_is_ignored(context: BrowserContext, chat: Chat, value: str) -> None:
    context.add_cookies([{"name": "freshet-scheme", "value": value, "url": chat.url}])
    chat.reload()
    assert chat.page.evaluate("() => 'scheme' in document.documentElement.dataset") is False
    assert chat.page.evaluate(GROUND) == LIGHT_GROUND
