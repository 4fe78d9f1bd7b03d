"""The page under a sub-path that a real nginx strips: told in X-Forwarded-Prefix, or not told at all."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.answers import stream_text
from tests.browser.chat import DESK, NETWORK, Chat, Watch
from tests.browser.test_sharing import share_and_close
from tests.support.fake_provider import FakeProvider
from tests.support.nginx import Nginx
from tests.support.server import Server

PASSWORD = "open the gates"
UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
)
# The path of the page, and what the proxy sends besides.
WAYS = {
    "told": ("/chat/", "proxy_set_header X-Forwarded-Prefix /chat;"),
    "told-with-slash": ("/a/b/", "proxy_set_header X-Forwarded-Prefix /a/b/;"),
    "not-told": ("/chat/", ""),
    "not-told-deep": ("/some/deep/path/", UPGRADE),
}


@pytest.fixture
def device() -> dict[str, Any]:
    return DESK | {"service_workers": "allow"}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_ACCESS_PASSWORD": PASSWORD, "FRESHET_TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture(scope="module", params=WAYS)
def site(request: pytest.FixtureRequest, server: Server) -> Iterator[str]:
    """The address of the page behind nginx."""
    path, extra = WAYS[request.param]
    location = f"location {path} {{ proxy_pass {server.url}/; proxy_set_header Host $http_host; {extra} }}"
    with Nginx(location) as nginx:
        yield f"http://127.0.0.1:{nginx.port}{path}"


def sign_in(context: BrowserContext, watch: Watch, site: str) -> Chat:
    watch.allow(NETWORK)
    chat = Chat(context, site, watch)
    chat.page.goto(site)
    chat.page.get_by_label("Password").fill(PASSWORD)
    chat.page.keyboard.press("Enter")
    chat.wait_ready()
    return chat


def test_n27_the_page_loads_and_chats_under_a_sub_path(
    context: BrowserContext, watch: Watch, site: str, provider: FakeProvider, browser: Any
) -> None:
    provider.play(stream_text(per_s=2_000))
    chat = sign_in(context, watch, site)
    outside: list[str] = []
    chat.page.on("request", lambda sent: outside.append(sent.url) if not sent.url.startswith(site) else None)
    assert chat.page.url.startswith(site)
    chat.ask("Hello")
    chat.wait_over()
    chat.reload()
    scope = chat.page.evaluate("navigator.serviceWorker.ready.then((worker) => worker.scope)")
    assert scope == site
    link = share_and_close(chat)
    assert link.startswith(f"{site}shared/")
    assert outside == []
    chat.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    stranger: Page = browser.new_context().new_page()
    failed: list[str] = []
    stranger.on("response", lambda reply: failed.append(reply.url) if reply.status >= 400 else None)
    stranger.goto(link)
    expect(stranger.locator("#turns")).to_contain_text("Hello")
    stranger.wait_for_load_state("networkidle")
    assert failed == []
    stranger.context.close()


def test_n27_the_offline_page_has_its_style_wherever_it_is_shown(
    context: BrowserContext, watch: Watch, site: str
) -> None:
    chat = sign_in(context, watch, site)
    chat.page.evaluate(
        """async () => {
            const worker = navigator.serviceWorker;
            if (!worker.controller) await new Promise((done) => worker.addEventListener("controllerchange", done));
        }"""
    )
    context.set_offline(True)
    for path in ("", "shared/x"):
        chat.page.goto(site + path)
        expect(chat.page.get_by_role("heading", name="You’re offline")).to_be_visible()
        expect(chat.page.locator(".brand")).to_have_css("font-weight", "600")
        assert chat.page.locator("a.again").evaluate("(link) => link.href") == site
    context.set_offline(False)


def test_n27_cookies_have_the_path_that_is_told(site: str) -> None:
    signed = requests.post(f"{site}signin", data={"password": PASSWORD}, allow_redirects=False, timeout=10)
    assert urljoin(f"{site}signin", signed.headers["Location"]) == site
    told = "/chat" if "/chat/" in site else "/a/b"
    paths = {cookie.path for cookie in signed.cookies}
    assert paths in ({told}, {"/"})
    assert requests.get(f"{site}conversations", cookies=signed.cookies, timeout=10).status_code == 200


def test_n27_the_manifest_is_about_the_sub_path(site: str) -> None:
    address = f"{site}manifest.webmanifest"
    manifest = json.loads(requests.get(address, timeout=10).content)
    assert urljoin(address, manifest["start_url"]) == urljoin(address, manifest["scope"]) == site
    for icon in manifest["icons"]:
        assert requests.get(urljoin(address, icon["src"]), timeout=10).status_code == 200


def test_a_page_without_its_slash_is_redirected(site: str) -> None:
    moved = requests.get(site.rstrip("/"), allow_redirects=False, timeout=10)
    assert moved.status_code in (301, 308)
    assert urljoin(site, moved.headers["Location"]) == site


@pytest.fixture(scope="module")
def named(provider: FakeProvider) -> Iterator[Server]:
    with Server({"SCRIPT_NAME": "/chat"}) as running:
        yield running


def test_script_name_without_a_slash_is_redirected(named: Server) -> None:
    moved = requests.get(f"{named.url}/chat", allow_redirects=False, timeout=10)
    assert (moved.status_code, urljoin(named.url, moved.headers["Location"])) == (308, f"{named.url}/chat/")


def test_a_prefix_from_anybody_else_is_ignored() -> None:
    with Server({}) as other:
        page = requests.get(other.url, headers={"X-Forwarded-Prefix": "/evil"}, timeout=10)
        assert "/evil" not in page.text
        assert {cookie.path for cookie in page.cookies} <= {"/"}
