"""The page's modules arrive as few files, and none of them hides what is the browser's."""

from playwright.sync_api import BrowserContext, Request, expect

from tests.browser.chat import Chat
from tests.support.typescript import STATIC
from webapp.assets.bundle import join

DECLARED = r"^(?:async )?(?:function\*?|class|const|let) (\w+)"


def test_no_module_hides_from_its_neighbours_what_a_browser_has(chat: Chat) -> None:
    """`const URL` in one module would be the `URL` of all that stand in the same file."""
    hidden = chat.page.evaluate(
        """([texts, pattern]) => texts.flatMap((text) => [...text.matchAll(new RegExp(pattern, "gm"))])
            .map((found) => found[1]).filter((name) => name in window)""",
        [list(join(STATIC).texts.values()), DECLARED],
    )
    assert hidden == []


def test_the_first_picture_needs_few_files(context: BrowserContext, chat: Chat) -> None:
    scripts: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "script":
            scripts.append(request.url)

    page = context.new_page()
    page.on("request", note)
    page.goto(chat.url)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert any(url.endswith("/render/index.js") for url in scripts)
    assert len(scripts) <= 12, scripts
    assert len(set(scripts)) == len(scripts)
