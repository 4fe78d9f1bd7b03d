"""The installed page: manifest, icons, service worker and the offline page."""

import struct
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.answers import stream_text
from tests.browser.chat import DESK, NETWORK, Chat
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server


@pytest.fixture
def device() -> dict[str, Any]:
    return DESK | {"service_workers": "allow"}


def wait_for_worker(chat: Chat) -> None:
    chat.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    chat.page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_the_manifest_names_existing_icons(server: Server) -> None:
    manifest = requests.get(f"{server.url}/manifest.webmanifest", timeout=10)
    assert manifest.headers["Content-Type"].startswith("application/manifest+json")
    about = manifest.json()
    assert (about["start_url"], about["scope"], about["display"]) == ("./", "./", "standalone")
    for icon in about["icons"]:
        served = requests.get(f"{server.url}/{icon['src']}", timeout=10)
        assert (served.status_code, served.headers["Content-Type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", served.content[16:24])
            assert f"{width}x{height}" == icon["sizes"]
    assert {icon["purpose"] for icon in about["icons"]} == {"any", "maskable"}


def test_the_offline_page_reloads_when_the_network_returns(chat: Chat) -> None:
    chat.watch.allow(NETWORK)
    wait_for_worker(chat)
    chat.page.context.set_offline(True)
    chat.page.reload()
    expect(chat.page.get_by_role("heading", name="You’re offline")).to_be_visible()
    expect(chat.page.locator(".brand")).to_have_css("font-weight", "600")  # its style sheet is cached
    chat.page.context.set_offline(False)
    expect(chat.field).to_be_visible()


def test_the_worker_caches_only_the_pages_files(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    wait_for_worker(chat)
    chat.reload()
    chat.ask("Hello")
    chat.wait_over()
    cached = chat.page.evaluate(
        """async () => {
            const urls = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) urls.push(new URL(request.url).pathname);
            return urls;
        }"""
    )
    assert any(path.endswith("/page.js") for path in cached)
    assert [path for path in cached if not path.startswith("/static/") and path != "/offline"] == []


def test_an_older_versions_cache_is_deleted(chat: Chat) -> None:
    chat.page.evaluate("caches.open('freshet / 0123456789abcdef').then(() => caches.open('other'))")
    wait_for_worker(chat)
    chat.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.unregister())")
    chat.reload()
    wait_for_worker(chat)
    chat.page.wait_for_function(
        "caches.keys().then((names) => !names.includes('freshet / 0123456789abcdef'))"
    )
    assert "other" in chat.page.evaluate("caches.keys()")
