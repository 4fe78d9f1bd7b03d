"""Reopening a conversation with a long answer: its end is there at once, and nothing moves while the rest is drawn."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat import DESK, PHONE, Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

PART = (
    "## Part {n}\n\nA paragraph with *marks*, `code` and [a link](https://example.org), as answers have them, {n}.\n\n"
    "- one\n- two\n\n```python\ndef part_{n}():\n    return {n}\n\n    # after an empty line\n```\n\n"
    "| a | b |\n| - | - |\n| {n} | 2 |\n\n"
)
LONG = "".join(PART.format(n=n) for n in range(450)) + "The very end."
# Of every frame in which the answer has text: where its end is on the screen.
RECORD = """() => {
    const frames = window.frames_ = [];
    window.shift_ = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift_ += entry.value; })
        .observe({ type: 'layout-shift', buffered: true });
    const look = () => {
        const root = document.querySelector('freshet-chat')?.shadowRoot;
        const flow = root && [...root.querySelectorAll('.answer > .flow')].at(-1);
        if (flow?.textContent) {
            const last = [...flow.querySelectorAll('p')].findLast((p) => p.textContent.includes('The very end.'));
            const box = last?.getBoundingClientRect();
            frames.push({ bottom: box ? Math.round(box.bottom) : null, chars: flow.textContent.length, height: innerHeight });
        }
        requestAnimationFrame(painted);
    };
    // A new observer is called after the page's own, which scroll, and before the frame is painted.
    const painted = () => {
        const observer = new ResizeObserver(() => { observer.disconnect(); look(); });
        observer.observe(document.documentElement);
    };
    requestAnimationFrame(painted);
}"""


@pytest.fixture
def long_chat(chat: Chat, provider: FakeProvider) -> Chat:
    provider.play(Answer(steps=openai([LONG])))
    chat.ask("Everything")
    chat.wait_over()
    chat.wait_chars(60_000)
    return chat


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("is_stored_here", [True, False], ids=["reload", "from the server"])
def test_the_end_is_drawn_at_once_and_stays(long_chat: Chat, *, is_stored_here: bool) -> None:
    page = long_chat.page
    if not is_stored_here:
        page.evaluate("sessionStorage.clear()")
    page.add_init_script(f"({RECORD})()")
    page.reload()
    long_chat.wait_chars(60_000)
    page.wait_for_timeout(500)
    frames: list[dict[str, Any]] = page.evaluate("window.frames_")
    assert frames[0]["bottom"] is not None, "the first frame shows another part"
    assert 0 < frames[0]["bottom"] <= frames[0]["height"]
    assert {frame["bottom"] for frame in frames} == {frames[0]["bottom"]}
    assert page.evaluate("window.shift_") < 0.1
    # As if it had been rendered in place.
    expect(page.locator(".flow :is(h3, h4)")).to_have_count(450)
    assert page.locator(".flow pre").count() == 450


def test_who_scrolls_up_in_the_end_stays_there(long_chat: Chat) -> None:
    page = long_chat.page
    cdp = page.context.new_cdp_session(page)
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.reload()
    long_chat.wait_chars(1_000)
    where = """() => {
        const root = document.querySelector('freshet-chat').shadowRoot;
        const head = [...root.querySelectorAll('.flow :is(h3, h4)')].find((one) => one.textContent === 'Part 440');
        return head ? Math.round(head.getBoundingClientRect().top) : null;
    }"""
    page.evaluate(
        "document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller').scrollTop -= 1500"
    )
    page.wait_for_timeout(100)
    before, chars = page.evaluate(where), long_chat.answers.last.evaluate("flow => flow.textContent.length")
    long_chat.wait_chars(60_000)
    page.wait_for_timeout(300)
    if chars < 20_000:  # else the machine was too fast to be looked at in between
        assert abs(page.evaluate(where) - before) <= 2


ROW_WORDS = "A paragraph with *marks* and `code` that is long enough to be wrapped on every screen that people use.\n\n"
KINDS = {
    "a long table": ROW_WORDS * 40
    + "| River | Month | Peak |\n|---|---|---|\n"
    + "".join(f"| River {n} | June | {n} |\n" for n in range(900))
    + "\nThe very end.",
    "nested lists": "".join(
        f"- Item {n}\n\n    - nested {n}\n\n        deeper text {n}\n\n" for n in range(600)
    )
    + "The very end.",
    "links with targets at the start": "[g]: https://example.org/guide\n\n"
    + "".join(f"See [the guide {n}][g] for it.\n\n" for n in range(800))
    + "The very end.",
    "a quote": "".join(f"> quoted {n} with some words\n>\n" for n in range(1_200)) + "\nThe very end.",
}
# The text of what is on the screen, and where. Hidden text has no height.
ON_SCREEN = """() => {
    const root = document.querySelector('freshet-chat')?.shadowRoot;
    const flow = root && [...root.querySelectorAll('.answer > .flow')].at(-1);
    return [...flow?.querySelectorAll('p, td, summary') ?? []].flatMap((block) => {
        const { top, bottom, left, height } = block.getBoundingClientRect();
        return height && bottom > 60 && top < innerHeight ? [[block.textContent, left, top]] : [];
    });
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_on_the_screen_is_the_same_before_and_after_the_rest_is_drawn(
    chat: Chat, provider: FakeProvider, kind: str
) -> None:
    """The end was cut where it is drawn in another way alone: inside a table, a list or a quote."""
    provider.play(Answer(steps=openai([KINDS[kind]])))
    chat.ask("Everything")
    chat.wait_over()
    chat.page.wait_for_timeout(500)
    record = RECORD.replace("chars: flow", f"screen: ({ON_SCREEN})(), chars: flow")
    chat.page.add_init_script(f"({record})()")
    chat.reload()
    chat.page.wait_for_timeout(1_500)
    frames: list[dict[str, Any]] = chat.page.evaluate("window.frames_")
    first, last = frames[0]["screen"], frames[-1]["screen"]
    assert len(first) > 2
    assert [text for text, _, _ in first] == [text for text, _, _ in last]
    for (text, *before), (_, *after) in zip(first, last, strict=True):
        assert before == pytest.approx(after, abs=1.01), text  # rounded to pixels
