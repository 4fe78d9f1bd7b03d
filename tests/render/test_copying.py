"""Copying from an answer: code as it is, formulas as TeX. Also the links between footnotes and their references."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page

SHOW = """async ([text, options]) => {
    const { stream } = await import('/static/render/index.js');
    const { loadFormulas } = await import('/static/render/formulas.js');
    const { sheets } = await import('/static/styles/sheets.js');
    await loadFormulas();
    const root = document.createElement('div');
    root.className = 'flow';
    document.adoptedStyleSheets = sheets();
    document.body.replaceChildren(root);
    const view = stream(root, options);
    view.write(text);
    view.end();
}"""


def show(page: Page, text: str, **options: Any) -> None:
    page.evaluate(SHOW, [text, options])


def selected(page: Page) -> str:
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('.flow'))")
    return str(page.evaluate("() => getSelection().toString()"))


def test_the_button_copies_the_code_and_confirms_it(page: Page) -> None:
    code = "".join(f"line {number}\n" for number in range(500))
    show(page, f"```text\n{code}```\n")
    page.evaluate(
        """() => { window.copied = []; document.addEventListener('copy', () => copied.push(getSelection().toString())); }"""
    )
    page.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })"
    )
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("() => window.copied") == [code.removesuffix("\n")]


def test_listeners_are_added_once_and_keep_those_of_the_page(page: Page) -> None:
    """The root element may belong to a site; a second call of `addListeners` must not copy twice."""
    show(page, "```text\ncode\n```\n")
    page.evaluate(
        """async () => {
            const { addListeners } = await import('/static/render/clicks.js');
            const root = document.querySelector('.flow');
            const count = (name) => () => (window[name] = (window[name] ?? 0) + 1);
            root.onclick = count('clicks');
            addListeners(root);
            document.addEventListener('copy', count('copies'));
            Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });
        }"""
    )
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("() => [window.clicks, window.copies]") == [1, 1]


def test_selected_code_excludes_its_header(page: Page) -> None:
    show(page, "Before.\n\n```text\ncode\n```\n\nAfter.")
    assert selected(page).split() == ["Before.", "code", "After."]


def test_a_formula_is_copied_as_its_tex(page: Page) -> None:
    show(page, "So \\(\\frac{a}{b}\\) holds.")
    assert page.locator("math").count() == 1
    # Browsers add a line ending after block-level boxes, and a fraction is one.
    assert " ".join(selected(page).split()) == "So \\frac{a}{b} holds."


PASTED = """() => new Promise((resolve) => {
    const field = document.createElement('textarea');
    document.body.append(field);
    field.focus();
    field.onpaste = (event) => {
        event.preventDefault();
        resolve(['text/plain', 'text/html'].map((type) => event.clipboardData.getData(type)));
    };
})"""


def test_pasted_formulas_are_visible_tex(page: Page) -> None:
    show(page, "So \\(\\frac{a}{b}\\) holds.\n\n$$\nx^2\n$$\n\nAfter.")
    assert page.locator("math").count() == 2
    shape = page.locator("math").first.bounding_box()
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('.flow'))")
    page.keyboard.press("Control+C")
    page.evaluate(f"() => {{ window.pasted = ({PASTED})(); }}")
    page.keyboard.press("Control+V")
    plain, rich = page.evaluate("() => window.pasted")
    assert [line for line in plain.split("\n") if line] == ["So \\frac{a}{b} holds.", "x^2", "After."]
    assert "\\frac{a}{b}" in rich
    assert not re.search(r"<math|font:[^;]* 0px", rich)
    assert page.locator("math").first.bounding_box() == shape


def test_an_unsupported_formula_is_shown_as_its_source(page: Page) -> None:
    show(page, "So \\(\\nosuchcommand{a}\\) holds.")
    assert page.locator("math").count() == 0
    assert page.locator(".tex").inner_text() == "\\nosuchcommand{a}"


@pytest.mark.parametrize("to", ["note", "back"])
def test_footnotes_and_their_references_link_to_each_other(page: Page, to: str) -> None:
    show(page, "Text[^a].\n\n[^a]: A note.", id="x")
    page.locator(f"a.{to}").click()
    focused = page.evaluate("() => [document.activeElement.id, document.activeElement.className]")
    assert focused == (["x-note-1", "footnote"] if to == "note" else ["", "note"])
