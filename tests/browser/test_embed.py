"""The chat on another site: another port and host name, cookies blocked, a strict policy with a nonce and Trusted Types."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.access.device import Device
from tests.support.server import Server, free_port, wait_for

OPERATOR = "operator-canary-77"
HOST = "shop.localhost"  # browsers resolve names below localhost to this machine
LOOSE = "* { letter-spacing: 3px !important; } html { font-size: 40px } button, section { background: red !important }"


class Site:
    """A site with one key, whose pages all have the chat."""

    def __init__(self, server: Server, profile: dict[str, Any] | None = None) -> None:
        self.server = server
        self.port = free_port()
        self.origin = f"http://{HOST}:{self.port}"
        self.made = _make_key(server, self.origin, profile or {})
        self.key: str = self.made["values"][0]["key"]
        self.tag = f'<script nonce="n" src="{server.url}/embed.js" data-key="{self.key}" async></script>'
        self.policy = (
            f"default-src 'none'; script-src 'nonce-n'; style-src 'nonce-n'; connect-src {server.url} "
            f"{server.url.replace('http', 'ws')}; require-trusted-types-for 'script'; trusted-types 'none'"
        )
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = (
                    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>'
                    '<meta name="viewport" content="width=device-width, initial-scale=1">'
                    f'<style nonce="n">{LOOSE}</style><h1>Shop</h1><a href="/next">Next</a>{site.tag}'
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _make_key(server: Server, origin: str, profile: dict[str, Any]) -> dict[str, Any]:
    operator = Device(server.address, {"Authorization": f"Bearer {OPERATOR}"})
    body = {"name": "Shop", "origins": [origin], "profile": profile}
    made: dict[str, Any] = operator.json("POST", "/keys", body, status=201)
    return made


@pytest.fixture(scope="module")
def public_server() -> Iterator[Server]:
    env = {"FRESHET_PUBLIC": "true", "FRESHET_OPERATOR_KEY": OPERATOR, "FRESHET_PROVIDER": "mock"}
    with Server(env | {"FRESHET_ADDRESS_VISITORS": "1000", "FRESHET_KEY_STARTS": "1000"}) as running:
        yield running


@pytest.fixture
def site(public_server: Server) -> Iterator[Site]:
    made = Site(public_server, {"greeting": "Ask the shop", "suggestions": ["Where is my parcel?"]})
    yield made
    made.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1000, "height": 760})
    yield context
    context.close()


def problems_of(page: Page) -> list[str]:
    """Return the list that the errors of a page are added to."""
    found: list[str] = []
    page.on(
        "console",
        lambda message: found.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def ask(page: Page, question: str) -> None:
    field = page.locator("freshet-chat textarea")
    field.fill(question)
    field.press("Enter")


def told_names(page: Page) -> list[str]:
    """Return the names of the events so far. The page's policy keeps Playwright from waiting for them in the page."""
    names: list[str] = page.evaluate("told.map(([name]) => name)")
    return names


def test_a_visitor_chats_goes_to_the_next_page_and_the_answer_goes_on(
    site: Site, visitor: BrowserContext
) -> None:
    page = visitor.new_page()
    problems = problems_of(page)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{site.origin}/")
    launcher = page.locator("freshet-chat .launch")
    expect(launcher).to_be_visible()
    assert not [url for url in requested if "widget" in url], (
        "nothing but the loader before somebody points at it"
    )
    launcher.click()
    expect(page.locator("freshet-chat h2", has_text="Ask the shop")).to_be_visible()
    expect(page.locator("freshet-chat textarea")).to_be_focused()
    ask(page, "Hello")
    expect(page.get_by_text("This is a demo answer")).to_be_visible()
    page.goto(f"{site.origin}/next")
    expect(page.get_by_text("This is a demo answer")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=30_000)
    assert problems == []
    assert visitor.cookies() == [], "no cookie is needed"


def test_styles_leak_neither_in_nor_out(site: Site, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    before = page.evaluate("getComputedStyle(document.querySelector('h1')).cssText")
    page.locator("freshet-chat .launch").click()
    heading = page.locator("freshet-chat h2", has_text="Ask the shop")
    expect(heading).to_be_visible()
    found = heading.evaluate("(e) => { const s = getComputedStyle(e); return [s.letterSpacing, s.fontSize] }")
    assert found == ["-0.24px", "24px"]
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).cssText") == before


def test_keys_stop_at_the_element_and_escape_closes_it(site: Site, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    page.evaluate("window.pressed = []; addEventListener('keydown', (event) => pressed.push(event.key))")
    page.locator("freshet-chat .launch").click()
    field = page.locator("freshet-chat textarea")
    field.press("a")
    assert page.evaluate("pressed") == []
    field.press("Escape")
    expect(field).to_be_hidden()
    expect(page.locator("freshet-chat .launch")).to_be_focused()


def test_the_host_asks_listens_and_removes_it(site: Site, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    expect(page.locator("freshet-chat .launch")).to_be_visible()
    page.evaluate(
        "window.told = []; for (const name of ['open', 'message', 'answer', 'close'])"
        " document.addEventListener(`freshet:${name}`, (event) => told.push([name, event.detail.text ?? null]))"
    )
    page.evaluate("document.querySelector('freshet-chat').ask('Hi')")
    wait_for(lambda: "answer" in told_names(page), 30.0, "the answer's event")
    page.evaluate("document.querySelector('freshet-chat').close()")
    wait_for(lambda: "close" in told_names(page), 5.0, "the close event")
    told = page.evaluate("told")
    assert [name for name, _ in told] == ["open", "message", "answer", "close"]
    assert told[1][1] == "Hi"
    assert "demo answer" in told[2][1]
    page.evaluate("document.querySelector('freshet-chat').remove()")
    assert page.evaluate("document.querySelectorAll('freshet-chat, style:not([nonce])').length") == 0


def test_the_host_signs_a_visitor_in_and_out_again(site: Site, visitor: BrowserContext) -> None:
    def token_of(user: str) -> str:
        now = int(time.time())
        claims = {"aud": "freshet", "origin": site.origin, "sub": user, "iat": now, "exp": now + 600}
        key = OctKey.import_key(site.made["secret"])
        return jwt.encode({"alg": "HS256", "kid": site.key}, claims, key, algorithms=["HS256"])

    def stored(user: str) -> set[str]:
        headers = {"Origin": site.origin, "Authorization": f"Bearer {token_of(user)}"}
        return Device(site.server.address, headers).conversation_ids()

    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    page.locator("freshet-chat .launch").click()
    ask(page, "Nobody asks")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=30_000)
    page.evaluate("(token) => document.querySelector('freshet-chat').identify(token)", token_of("ada"))
    expect(page.locator("freshet-chat h2", has_text="Ask the shop")).to_be_visible()
    expect(page.get_by_text("Nobody asks")).to_have_count(0)
    assert stored("ada") == set(), "nothing was moved"
    ask(page, "Ada asks")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=30_000)
    assert len(stored("ada")) == 1
    assert stored("bob") == set()
    page.evaluate("() => document.querySelector('freshet-chat').identify(null)")
    expect(page.get_by_text("Ada asks")).to_have_count(0)


def test_a_phone_gets_the_whole_screen(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 760}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site.origin}/")
    page.locator("freshet-chat .launch").tap()
    frame = page.locator("freshet-chat .frame")
    expect(frame).to_be_visible()
    assert frame.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 760}
    context.close()


def test_a_site_that_the_key_does_not_list_says_so(site: Site, visitor: BrowserContext) -> None:
    site.tag = site.tag.replace(site.key, "fpk_" + "x" * 22)
    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    page.locator("freshet-chat .launch").click()
    expect(page.get_by_text("isn’t available here")).to_be_visible()


def test_a_frame_hears_and_tells_its_site_alone(site: Site, visitor: BrowserContext) -> None:
    frame = f'<iframe src="{site.server.url}/embed?key={site.key}" width="400" height="600"></iframe>'
    site.tag = frame
    site.policy = "script-src 'unsafe-inline'"
    page = visitor.new_page()
    page.goto(f"{site.origin}/")
    page.evaluate(
        "window.told = []; addEventListener('message', ({ origin, data }) => told.push([origin, data]))"
    )
    inside = page.frame_locator("iframe")
    expect(inside.locator("h2", has_text="Ask the shop")).to_be_visible()
    ask_it = (
        "document.querySelector('iframe').contentWindow.postMessage({ type: 'freshet:ask', text: 'Hi' }, '*')"
    )
    page.evaluate(ask_it)
    wait_for(lambda: "freshet:answer" in str(page.evaluate("told")), 30.0, "the answer's message")
    told = page.evaluate("told")
    assert {origin for origin, _ in told} == {site.server.url}
    assert "demo answer" in next(data["text"] for _, data in told if data["type"] == "freshet:answer")
    other = Site(site.server)
    other.tag, other.policy = frame, site.policy
    page.goto(f"{other.origin}/")
    expect(inside.locator("freshet-chat")).to_have_count(0)
    other.close()


def test_the_client_module_needs_no_page(site: Site, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    site.policy = f"script-src 'unsafe-inline' {site.server.url}; connect-src {site.server.url}"
    page.goto(f"{site.origin}/")
    frames = page.evaluate(
        """async ([url, key]) => {
          const { ask } = await import(`${url}/client.js`);
          const frames = [];
          for await (const frame of ask({ url, key, query: "Hi" })) frames.push(frame);
          return frames;
        }""",
        [site.server.url, site.key],
    )
    assert "start" in frames[0]
    assert frames[-1]["done"] is True
    assert "demo answer" in "".join(frame.get("text", "") for frame in frames)
    refused = page.evaluate(
        """async ([url, key]) => {
          const { ask } = await import(`${url}/client.js`);
          try { for await (const frame of ask({ url, key, query: "Hi", body: { system: "x" } })) frame; }
          catch (error) { return [error.name, error.code]; }
        }""",
        [site.server.url, site.key],
    )
    assert refused == ["AskError", "key_decides"]
    assert json.dumps(frames).count('"done"') == 1
