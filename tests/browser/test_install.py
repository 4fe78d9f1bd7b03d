"""The page as an installed application: its manifest, its icons, and what it shows without a network."""

import struct
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.answers import spoken
from tests.browser.chat import DESK, NETWORK, Chat
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server


@pytest.fixture
def device() -> dict[str, Any]:
    return DESK | {"service_workers": "allow"}


def wait_for_worker(chat: Chat) -> None:
    chat.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    chat.page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_the_manifest_names_icons_that_are_there(server: Server) -> None:
    manifest = requests.get(f"{server.url}/manifest.webmanifest", timeout=10)
    assert manifest.headers["Content-Type"].startswith("application/manifest+json")
    about = manifest.json()
    assert (about["start_url"], about["scope"], about["display"]) == ("/", "/", "standalone")
    for icon in about["icons"]:
        served = requests.get(server.url + icon["src"], timeout=10)
        assert (served.status_code, served.headers["Content-Type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", served.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
    assert {icon["purpose"] for icon in about["icons"]} == {"any", "maskable"}


def test_without_a_network_a_page_says_so_and_comes_back_by_itself(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    wait_for_worker(chat)
    chat.page.context.set_offline(True)
    chat.page.reload()
    expect(chat.page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(chat.page.locator(".brand")).to_have_css("font-weight", "600")  # its style is there
    chat.page.context.set_offline(False)
    expect(chat.field).to_be_visible()


def test_only_the_page_s_own_files_are_kept(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    wait_for_worker(chat)
    chat.reload()
    chat.ask("Hello")
    chat.wait_over()
    kept = chat.page.evaluate(
        """async () => {
            const urls = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) urls.push(new URL(request.url).pathname);
            return urls;
        }"""
    )
    assert any(path.endswith("/page.js") for path in kept)
    assert [path for path in kept if not path.startswith("/static/") and path != "/offline"] == []


def test_what_an_older_version_kept_is_let_go(chat: Chat) -> None:
    chat.page.evaluate("caches.open('freshet / 0123456789abcdef').then(() => caches.open('other'))")
    wait_for_worker(chat)
    chat.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.unregister())")
    chat.reload()
    wait_for_worker(chat)
    chat.page.wait_for_function(
        "caches.keys().then((names) => !names.includes('freshet / 0123456789abcdef'))"
    )
    assert "other" in chat.page.evaluate("caches.keys()")
