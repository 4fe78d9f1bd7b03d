"""Screens from 320 pixels to 4K, zoom, forced colors and reduced motion."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import DESK, Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import STALL, Answer

# 1280 by 1024 at 400 % is required by WCAG 2.2, 1.4.10; 1280 by 800 at 200 % is common.
SCREENS = {
    "320 px": {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True},
    "400 %": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
    "200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "on its side": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
    "tablet": {"viewport": {"width": 768, "height": 1024}, "has_touch": True, "is_mobile": True},
    "2K": {"viewport": {"width": 2560, "height": 1440}},
    "4K": {"viewport": {"width": 3840, "height": 2160}},
}
FORCED = DESK | {"forced_colors": "active"}
STILL = DESK | {"reduced_motion": "reduce"}
RICH = (
    "# A heading that is long enough to need a second line on the smallest of all screens\n\n",
    "Text with a [link](https://example.com/" + "path/" * 40 + ") and " + "x" * 300 + ".\n\n",
    "| " + "column | " * 12 + "\n|" + "-|" * 12 + "\n| " + "cell | " * 12 + "\n\n",
    "```python\n" + "value = " + "1 + " * 100 + "1\n```\n\n",
    "$$\\sum_{i=1}^{n} " + "a_i + " * 60 + "b$$\n\n",
    "> " * 8 + "deep\n\n- one\n  - two\n    - three\n      - four " + "y" * 80,
)
LONGEST_LINE = 80  # in widths of the digit 0: 65 to 75 characters of text


@pytest.fixture
def rich_chat(chat: Chat, provider: FakeProvider) -> Chat:
    """The chat with every block that may be too wide."""
    provider.play(Answer(steps=openai(RICH)))
    chat.ask("z" * 200)
    chat.wait_over()
    expect(chat.page.locator("math").first).to_be_attached()
    return chat


def out_of_bounds(chat: Chat, thing: Locator) -> list[str]:
    """Return the visible controls of an element that cross an edge of the screen, and the element if it does."""
    size = chat.page.viewport_size
    assert size
    found = []
    for control in [thing, *thing.locator("button, select, input, textarea").all()]:
        box = control.bounding_box()
        if box and not (box["x"] >= -0.5 and box["x"] + box["width"] <= size["width"] + 0.5):
            found.append(f"{control.evaluate('one => one.outerHTML.slice(0, 80)')} at {box}")
    return found


@pytest.mark.parametrize("device", SCREENS.values(), ids=SCREENS)
def test_an_empty_page_starts_at_its_top(chat: Chat, device: dict[str, Any]) -> None:
    """The top is visible even when the content does not fit."""
    expect(chat.page.get_by_role("heading", name="What would you like")).to_be_in_viewport()
    assert chat.log.evaluate("log => log.scrollTop") == 0
    assert not chat.overflows()


@pytest.mark.parametrize("device", SCREENS.values(), ids=SCREENS)
def test_a_conversation_fits(rich_chat: Chat, device: dict[str, Any]) -> None:
    page, size = rich_chat.page, device["viewport"]
    assert not rich_chat.overflows()
    assert out_of_bounds(rich_chat, page.locator("freshet-chat")) == []
    for part in (rich_chat.field, page.get_by_role("banner")):
        box = part.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size["height"]
    column = rich_chat.answers.last.evaluate(
        """flow => {
            const digit = document.createElement("span");
            digit.style.cssText = "position: absolute; inline-size: 1ch";
            flow.append(digit);
            const characters = flow.clientWidth / digit.getBoundingClientRect().width;
            digit.remove();
            return characters;
        }"""
    )
    assert column <= LONGEST_LINE


@pytest.mark.parametrize("device", SCREENS.values(), ids=SCREENS)
def test_dialogs_and_drawers_fit(rich_chat: Chat, device: dict[str, Any]) -> None:
    """List, settings and shortcuts fit or scroll."""
    page = rich_chat.page
    page.get_by_role("button", name="Settings").click()
    shown = page.get_by_role("dialog")
    expect(shown).to_be_visible()
    assert out_of_bounds(rich_chat, shown) == []
    for button in shown.get_by_role("button").all():
        button.click(trial=True)
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    opener = page.get_by_role("button", name="Chats")
    if opener.get_attribute("aria-expanded") != "true":
        opener.click()
    shown = page.get_by_role("navigation")
    expect(shown.get_by_role("link").first).to_be_visible()
    assert out_of_bounds(rich_chat, shown) == []
    shown.get_by_role("link").first.click(trial=True)
    assert not rich_chat.overflows()


@pytest.mark.parametrize("device", [FORCED])
def test_controls_are_distinguishable_in_forced_colors(rich_chat: Chat, device: dict[str, Any]) -> None:
    """Forced colors remove backgrounds, so states need a border."""
    page = rich_chat.page
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    page.get_by_role("button", name="Settings").click()
    for boxed in (page.locator(".question").first, page.locator(".composer"), page.get_by_role("dialog")):
        assert has_border_or_background(boxed), boxed
    page.keyboard.press("Escape")
    here = page.get_by_role("navigation").locator("[aria-current]").first
    assert has_border_or_background(here)
    for icon in page.locator("button:visible svg").all():
        stroke, canvas = icon.evaluate(
            """icon => [getComputedStyle(icon).stroke, getComputedStyle(document.body).backgroundColor]"""
        )
        assert stroke not in (canvas, "none"), icon.evaluate("icon => icon.outerHTML")


@pytest.mark.parametrize("device", [FORCED, DESK])
def test_focus_is_visible(rich_chat: Chat, device: dict[str, Any]) -> None:
    seen = set()
    for _ in range(60):
        rich_chat.page.keyboard.press("Tab")
        name, outline = rich_chat.page.evaluate(
            """() => {
                let focused = document.activeElement;
                while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
                const ring = focused.matches("textarea") ? focused.closest(".composer") : focused;
                const { outlineStyle, outlineWidth, outlineColor, borderColor, borderWidth } = getComputedStyle(ring);
                const line = outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
                const inner = borderColor === outlineColor ? parseFloat(borderWidth) : 0;  // a field's own line joins in
                return [focused.outerHTML.slice(0, 120), line + inner];
            }"""
        )
        if not name.startswith("<body"):
            seen.add(name)
            assert outline >= 2, name
    assert len(seen) >= 12


def animations(chat: Chat) -> list[str]:
    """Return what is animated now."""
    found: list[str] = chat.page.evaluate(
        """() => {
            const roots = [document, ...[...document.querySelectorAll("*")].flatMap((one) => one.shadowRoot ?? [])];
            return roots.flatMap((root) => root.getAnimations()).map((one) => one.effect.target.className);
        }"""
    )
    return found


@pytest.mark.parametrize(("device", "is_still"), [(STILL, True), (DESK, False)])
def test_nothing_is_animated_with_reduced_motion(
    chat: Chat, provider: FakeProvider, device: dict[str, Any], is_still: bool
) -> None:
    provider.play(Answer(steps=[STALL]))
    chat.ask("Hi")
    expect(chat.page.locator(".pulse")).to_be_visible()
    assert ("pulse" in animations(chat)) is not is_still
    chat.page.mouse.move(100, 100)
    chat.page.get_by_role("button", name="Chats").click()
    assert not is_still or animations(chat) == []
    chat.stop.click()
    chat.wait_over()


def has_border_or_background(thing: Locator) -> bool:
    """Return whether an element has a border or a background of its own."""
    return bool(
        thing.evaluate(
            """one => {
                const { borderStyle, borderWidth, backgroundColor } = getComputedStyle(one);
                const hasLine = borderStyle !== "none" && parseFloat(borderWidth) > 0;
                const none = ["rgba(0, 0, 0, 0)", getComputedStyle(document.body).backgroundColor];
                return hasLine || !none.includes(backgroundColor);
            }"""
        )
    )
