"""Fixtures: one Chromium, one server per file, one profile per test; browser errors fail the test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.chat import DESK, WAIT_MS, Chat, Watch
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

KEY = "sk-canary-0123456789"

expect.set_options(timeout=WAIT_MS)  # tests run in parallel, also on slow machines


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Record browser errors; fail after the test if there are any."""
    watching = Watch()
    yield watching
    watching.check()


@pytest.fixture
def device() -> dict[str, Any]:
    """The screen; tests override it by parametrization."""
    return DESK


@pytest.fixture
def context(browser: Browser, device: dict[str, Any], watch: Watch) -> Iterator[BrowserContext]:
    """A new browser profile."""
    # A service worker would hide the page's requests from the test.
    opened = browser.new_context(**{"service_workers": "block"} | device)
    yield opened
    opened.close()


@pytest.fixture
def open_chat(context: BrowserContext, watch: Watch) -> Callable[[str], Chat]:
    """Open an address in a new tab."""
    return lambda url: Chat(context, url, watch).open()


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """The fake provider behind `openai`."""
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings of the file's server; files override this."""
    return {}


@pytest.fixture(scope="module")
def server(provider: FakeProvider, settings: dict[str, str]) -> Iterator[Server]:
    """A server that calls the fake provider."""
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | settings, secrets=(KEY,)) as running:
        yield running


@pytest.fixture
def chat(open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider) -> Chat:
    """The open chat of the file's server; the provider's calls are cleared."""
    provider.play(())
    return open_chat(server.url)
