"""What a reader sees and does in an answer: spacing, tables on narrow screens, focus, headings, copying, memory."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.render.test_copying import PASTED, show

LONG_PARAGRAPH = "Every word of this paragraph is plain and none of them is special. " * 80
ARABIC_TABLE = "| الاسم | Value |\n|---|---|\n| نص | abc |\n| def | غير |\n"


def boxes(page: Page, selector: str) -> list[Any]:
    found: list[Any] = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map((element) => {
            const { left, top, right, bottom } = element.getBoundingClientRect();
            return { left, top, right, bottom };
        })""",
        selector,
    )
    return found


def test_a_long_paragraph_has_no_line_breaks_of_its_own(page: Page) -> None:
    show(page, LONG_PARAGRAPH)
    lines = page.evaluate(
        """() => {
            const range = document.createRange();
            range.selectNodeContents(document.querySelector('.flow p'));
            const tops = new Map();
            for (const { top, right } of range.getClientRects()) tops.set(Math.round(top), Math.max(right, tops.get(Math.round(top)) ?? 0));
            return [...tops.values()];
        }"""
    )
    assert len(lines) > 5
    assert min(lines[:-1]) > max(lines) - 120, "a line ends early"
    assert page.locator(".flow .part").count() == 0


@pytest.mark.parametrize("ending", ["", "\n\nAfter."])
def test_even_a_huge_paragraph_has_none_when_it_is_complete(page: Page, ending: str) -> None:
    show(page, LONG_PARAGRAPH * 6 + ending)
    assert page.locator(".flow p > span").count() > 8
    assert page.locator(".flow .part").count() == 0


def test_a_display_formula_in_a_paragraph_keeps_its_distance(page: Page) -> None:
    show(page, "Before it\n$$x^2$$\nand after it.")
    formula = boxes(page, ".flow p > .display")[0]
    tops = page.evaluate(
        """() => {
            const range = document.createRange();
            range.selectNodeContents(document.querySelector('.flow p').lastChild);
            return range.getBoundingClientRect().top;
        }"""
    )
    assert 8 <= tops - formula["bottom"] <= 24


@pytest.mark.parametrize("word", ["`tsvector_tsquery`", "tsvectortsquery"])
def test_words_in_tables_stay_whole(page: Page, word: str) -> None:
    text = "a few words that go on and on " * 4
    page.set_viewport_size({"width": 360, "height": 700})
    show(page, f"| a | b | c |\n|---|---|---|\n| {word} | {text} | {text} |\n")
    cell = page.evaluate(
        """() => {
            const range = document.createRange();
            range.selectNodeContents(document.querySelector('td'));
            return new Set([...range.getClientRects()].map(({ top }) => Math.round(top / 8))).size;
        }"""
    )
    assert cell == 1
    widths = [box["right"] - box["left"] for box in boxes(page, "td")]
    assert min(widths[1:]) >= 150, "columns of text are not narrow"


def edges(page: Page) -> list[bytes]:
    """Return pictures of the start and the end edge of a table."""
    box = boxes(page, ".table")[0]
    height = box["bottom"] - box["top"]
    return [
        page.screenshot(clip={"x": left, "y": box["top"], "width": 8, "height": height})
        for left in (box["left"], box["right"] - 8)
    ]


@pytest.mark.parametrize(("width", "expected"), [(900, [False, False]), (300, [False, True])])
def test_a_shadow_is_at_the_edge_beyond_which_a_table_goes_on(
    page: Page, width: int, expected: list[bool]
) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    text = "some words " * 6
    show(page, f"| a | b | c |\n|---|---|---|\n| {text} | {text} | {text} |\n")
    found = edges(page)
    page.evaluate("() => { document.querySelector('.table').style.background = 'var(--ground)'; }")
    assert [picture != plain for picture, plain in zip(found, edges(page), strict=True)] == expected


def test_a_long_table_keeps_words_whole_too(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    row = f"| tsvectortsquery | {'some words ' * 5} | {'more words ' * 5} |\n"
    show(page, "| a | b | c |\n|---|---|---|\n" + row * 60)
    heights = page.evaluate(
        """() => [...document.querySelectorAll('td:first-child')].map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return range.getClientRects().length;
        })"""
    )
    assert set(heights) == {1}


def test_heads_and_cells_of_an_arabic_table_are_aligned(page: Page) -> None:
    show(page, ARABIC_TABLE)
    aligned = page.evaluate(
        "() => [...document.querySelectorAll('th, td')].map((cell) => getComputedStyle(cell).textAlign)"
    )
    assert set(aligned) == {"right"}
    show(page, ARABIC_TABLE.replace("الاسم", "Name"))
    aligned = page.evaluate(
        "() => [...document.querySelectorAll('th, td')].map((cell) => getComputedStyle(cell).textAlign)"
    )
    assert set(aligned) == {"left"}


def test_only_what_scrolls_takes_focus(page: Page) -> None:
    wide = "word" * 80
    page.set_viewport_size({"width": 700, "height": 700})
    show(
        page,
        f"```\nshort\n```\n\n```\n{wide}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| a |\n|---|\n| `{'x' * 30}` |\n\n$$\nx\n$$\n",
    )
    focusable = "() => [...document.querySelectorAll('.flow pre, .flow .table, .flow div.math')].map((box) => box.tabIndex)"
    page.wait_for_function("() => document.querySelectorAll('.flow [tabindex]').length > 0")
    assert page.evaluate(focusable) == [-1, 0, -1, -1, -1]
    page.set_viewport_size({"width": 200, "height": 700})
    page.wait_for_function("() => document.querySelectorAll('.flow [tabindex]').length > 1")
    assert page.evaluate(focusable)[3] == 0
    page.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A\n\n### B\n\n## C", ["H3", "H4", "H3"]),
        ("# A\n\n## B\n\n#### C\n\n# D", ["H3", "H4", "H5", "H3"]),
        ("#### A\n\n## B\n\n#### C", ["H3", "H3", "H4"]),
        ("A\n---\n\n> ### B", ["H3", "H4"]),
    ],
)
def test_no_level_of_headings_is_left_out(page: Page, text: str, expected: list[str]) -> None:
    show(page, text)
    tags = page.evaluate(
        "() => [...document.querySelectorAll('.flow :is(h1, h2, h3, h4, h5, h6)')].map(({ tagName }) => tagName)"
    )
    assert tags == expected


def test_images_have_a_border(page: Page) -> None:
    show(page, "a")
    border = page.evaluate(
        """() => {
            const image = document.createElement('img');
            document.querySelector('.flow').append(image);
            return getComputedStyle(image).borderTopWidth;
        }"""
    )
    assert border == "1px"


COPIED = [
    ("1. First **step**\n2. Second", "1. First step\n2. Second"),
    ("Before.\n\n3. a\n   - b\n   - c\n4. d\n\nAfter.", "Before.\n\n3. a\n   - b\n   - c\n4. d\n\nAfter."),
    ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
    ("- a\n\n  b\n- c", "- a\n   b\n\n- c"),
    ("- `x`\n  ```\n  one\n    two\n  ```", "- x\n\n   one\n     two"),
    ("- so \\(x^2\\) is\n\n| a | b |\n|---|---|\n| 1 | 2 |", "- so x^2 is\n\na\tb\n1\t2"),
]


@pytest.mark.parametrize(("text", "expected"), COPIED)
def test_a_copied_selection_keeps_the_marks_of_lists(page: Page, text: str, expected: str) -> None:
    show(page, text)
    # The answer has asked for this module before, and so it is there for the answer when it is there for this.
    page.evaluate("() => import('/static/render/clicks.js')")
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('.flow'))")
    page.keyboard.press("Control+C")
    page.evaluate(f"() => {{ window.pasted = ({PASTED})(); }}")
    page.keyboard.press("Control+V")
    plain, rich = page.evaluate("() => window.pasted")
    assert plain == expected
    assert "<li" in rich


def test_the_memory_of_an_answer_is_freed_when_it_is_complete(page: Page) -> None:
    """The parser's tree and the views of a long answer are needed only while it grows."""
    session = page.context.new_cdp_session(page)

    def heap_mb() -> float:
        session.send("HeapProfiler.enable")
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    page.evaluate("() => document.body.replaceChildren()")
    text = (
        "Some *words* and `code` in a paragraph, with **more** of them.\n\n- an item\n- another *one*\n\n"
        * 1100
    )
    show(page, "warm *up*\n\n- a\n")
    before = heap_mb()
    page.evaluate(
        """async (text) => {
            const { stream } = await import('/static/render/index.js');
            const root = document.createElement('div');
            root.className = 'flow';
            document.body.replaceChildren(root);
            window.kept = stream(root, {});
            for (let at = 0; at < text.length; at += 600) kept.write(text.slice(at, at + 600));
        }""",
        text,
    )
    growing = heap_mb()
    page.evaluate("() => kept.end()")
    rest = heap_mb()
    assert growing - before > 4, "there is something to free"
    assert rest - before < 3
