"""An empty page that can import the modules of `static/`, without a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.support.typescript import STATIC

ORIGIN = "http://bare.test"
TYPES = {".js": "text/javascript", ".css": "text/css"}
# As strict as the page's own policy.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
DOCUMENT = "<!doctype html><html lang='en'><head><link rel='stylesheet' href='/static/styles/tokens.css'></head><body></body></html>"


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    file = STATIC.parent / path.removeprefix("/")
    if path == "/":
        headers = {"Content-Security-Policy": POLICY}
        route.fulfill(body=DOCUMENT, content_type="text/html; charset=utf-8", headers=headers)
    elif path.startswith("/static/") and file.is_file():
        route.fulfill(body=file.read_text(), content_type=f"{TYPES[file.suffix]}; charset=utf-8")
    else:
        route.fulfill(status=404)


@contextmanager
def bare(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open the page; its errors and warnings fail the test."""
    context = browser.new_context(**options)
    complaints: list[str] = []
    try:
        context.route("**/*", _serve)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{ORIGIN}/")
        yield page
        assert complaints == []
    finally:
        context.close()
