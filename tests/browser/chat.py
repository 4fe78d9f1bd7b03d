"""A tab with the chat, and a recorder of browser errors."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DARK = DESK | {"color_scheme": "dark"}
NETWORK = "Failed to load resource|WebSocket connection to .* failed|net::ERR_"

WAIT_MS = 20_000

# Content clipped by a group of blocks (`.settled`) is lost; content of a scrollable box is not.
OVERFLOWS = """() => {
    const root = document.querySelector('freshet-chat')?.shadowRoot;
    const isWide = (element) => element && element.scrollWidth > element.clientWidth;
    if ([document.scrollingElement, root?.querySelector('.scroller')].some(isWide)) return true;
    return [...root?.querySelectorAll('.flow') ?? []].some((flow) => {
        const { left, right } = flow.getBoundingClientRect();
        const isHeld = (element) =>
            element !== flow && (getComputedStyle(element).overflowX !== 'visible' || isHeld(element.parentElement));
        return [...flow.querySelectorAll('*')].some((element) => {
            const box = element.getBoundingClientRect();
            return box.width > 0 && (box.left < left - 5 || box.right > right + 5) && !isHeld(element.parentElement);
        });
    });
}"""


@dataclass
class Watch:
    """Console errors, warnings and page errors; `allowed` are the patterns that a test provokes."""

    # The second is the feed of changes, which reconnects while a test has stopped the server. The third is a stop that
    # has overtaken the question that starts its run; the page tries it again.
    allowed: list[str] = field(
        default_factory=lambda: [
            "Service Worker registration blocked",
            "WebSocket connection to .*/ws' failed",
            "status of 404 .*/stop\\)",
        ]
    )
    complaints: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Record the errors of a page from now on."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))

    def allow(self, *patterns: str) -> None:
        """Allow errors that match these patterns."""
        self.allowed += patterns

    def check(self) -> None:
        """Fail if another error was recorded."""
        wrong = [text for text in self.complaints if not any(re.search(one, text) for one in self.allowed)]
        assert wrong == [], "\n".join(wrong)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


class Chat:
    """A tab with the chat."""

    def __init__(self, context: BrowserContext, url: str, watch: Watch) -> None:
        self.url = url
        self.watch = watch
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        watch.attach(self.page)
        self.field = self.page.get_by_role("textbox", name="Message")
        self.send = self.page.locator(".composer").get_by_role("button", name="Send", exact=True)
        self.stop = self.page.get_by_role("button", name="Stop", exact=True)
        self.retry = self.page.get_by_role("button", name="Try again", exact=True)
        self.log = self.page.get_by_role("log")
        self.answers = self.page.locator(".turn .answer > .flow")
        self.meta = self.page.locator(".turn .meta")
        self.notice = self.page.locator(".notice")
        self.picker = self.page.locator(".picker")
        self.models = self.page.get_by_role("dialog", name="Model", exact=True)

    def open(self) -> "Chat":
        """Load the page and wait until it is usable."""
        self.page.goto(self.url)
        return self.wait_ready()

    def reload(self) -> "Chat":
        """Reload the page."""
        self.page.reload()
        return self.wait_ready()

    def wait_ready(self) -> "Chat":
        """Wait until the message field is visible."""
        expect(self.field).to_be_visible(timeout=WAIT_MS)
        return self

    def ask(self, question: str) -> None:
        """Type a question and send it."""
        self.field.fill(question)
        if self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            self.page.locator(".composer .submit").click()  # Enter is a new line
        else:
            self.field.press("Enter")

    def choose_model(self, search: str) -> None:
        """Choose the first model that a search finds."""
        self.picker.click()
        self.models.get_by_role("combobox").fill(search)
        self.models.get_by_role("combobox").press("Enter")
        expect(self.models).to_be_hidden()

    def answer(self) -> dict[str, Any]:
        """Return the state of the last answer."""
        found: dict[str, Any] = self.page.evaluate(
            "() => document.querySelector('freshet-chat').turns.at(-1).answer"
        )
        return found

    def wait_chars(self, count: int) -> None:
        """Wait until the last answer shows at least `count` characters."""
        self.page.wait_for_function(
            """count => {
                const flows = document.querySelector('freshet-chat').shadowRoot.querySelectorAll('.answer > .flow');
                return flows.length > 0 && flows[flows.length - 1].textContent.length >= count;
            }""",
            arg=count,
            timeout=WAIT_MS,
        )

    def wait_over(self, timeout_ms: int = WAIT_MS) -> dict[str, Any]:
        """Wait until the last answer has ended and is drawn; return its state."""
        self.page.wait_for_function(
            """() => {
                const answer = document.querySelector('freshet-chat')?.turns.at(-1)?.answer;
                return answer?.status === 'done' || answer?.status === 'failed';
            }""",
            timeout=timeout_ms,
        )
        expect(self.send).to_be_visible()
        return self.answer()

    def shown(self) -> str:
        """Read the last answer from the page, as the Markdown of its paragraphs and plain lists."""
        blocks: Iterable[str] = self.answers.last.evaluate(
            """flow => [...flow.querySelectorAll('.blocks > :not(.blocks)')].map((block) => block.localName === 'ul'
                ? [...block.children].map((item) => `- ${item.innerText}`).join('\\n')
                : block.innerText)"""
        )
        return "\n\n".join(blocks)

    def overflows(self) -> bool:
        """Return whether the page scrolls horizontally, or parts of an answer are out of reach beyond its column."""
        return bool(self.page.evaluate(OVERFLOWS))
