"""Bundling: the page loads few files, and no module shadows a browser global."""

from playwright.sync_api import BrowserContext, Request, expect

from tests.browser.chat import Chat
from tests.support.typescript import STATIC
from webapp.assets.bundle import bundle_modules

DECLARED = r"^(?:async )?(?:function\*?|class|const|let) (\w+)"


def test_no_module_shadows_a_browser_global(chat: Chat) -> None:
    """Modules of a bundle share a scope: `const URL` in one would shadow `URL` in all."""
    hidden = chat.page.evaluate(
        """([texts, pattern]) => texts.flatMap((text) => [...text.matchAll(new RegExp(pattern, "gm"))])
            .map((found) => found[1]).filter((name) => name in window)""",
        [list(bundle_modules(STATIC).texts.values()), DECLARED],
    )
    assert hidden == []


def test_the_first_load_needs_few_files(context: BrowserContext, chat: Chat) -> None:
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
