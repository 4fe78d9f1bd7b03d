"""One Chromium for all, one server a file, one fresh profile a test; every tab is watched for complaints."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.chat import DESK, WAIT_MS, Chat, Watch
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

KEY = "sk-canary-0123456789"

expect.set_options(timeout=WAIT_MS)  # two tests run at a time, on whatever machine there is


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What no tab may complain of; judged after the test."""
    watching = Watch()
    yield watching
    watching.judge()


@pytest.fixture
def device() -> dict[str, Any]:
    """The screen; a test may ask for another by parametrization."""
    return DESK


@pytest.fixture
def context(browser: Browser, device: dict[str, Any], watch: Watch) -> Iterator[BrowserContext]:
    """A fresh profile."""
    # A worker between the page and the network would hide from a test what the page does.
    opened = browser.new_context(**{"service_workers": "block"} | device)
    yield opened
    opened.close()


@pytest.fixture
def open_chat(context: BrowserContext, watch: Watch) -> Callable[[str], Chat]:
    """Open the chat of an address in a tab of its own."""
    return lambda url: Chat(context, url, watch).open()


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """The provider behind `openai`."""
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings of this file's server; a file overrides this."""
    return {}


@pytest.fixture(scope="module")
def server(provider: FakeProvider, settings: dict[str, str]) -> Iterator[Server]:
    """A server whose model is the scripted provider."""
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | settings, secrets=(KEY,)) as running:
        yield running


@pytest.fixture
def chat(open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider) -> Chat:
    """The chat of this file's server, opened; the provider has forgotten its calls."""
    provider.play(())
    return open_chat(server.url)
