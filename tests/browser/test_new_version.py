"""An outdated page after a deploy: it shows a notice and reloads on a press."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import end_with, stream_text, stream_then_stall
from tests.browser.chat import NETWORK, Chat, Watch
from tests.browser.network import Network
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import ROOT, Server

NOTICE = "A new version is available."


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Share the data folder and the secret between both versions."""
    return {"FRESHET_DATA_DIR": str(tmp_path_factory.mktemp("data")), "SECRET_KEY": "of both versions"}


@pytest.fixture(scope="module")
def updated_server(
    provider: FakeProvider, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server after a deploy that changed one file of the page."""
    root = tmp_path_factory.mktemp("newer")
    for name in ("webapp", "static", "templates"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    renderer = root / "static" / "render/index.js"
    renderer.write_text(renderer.read_text() + "// another version\n")
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"{provider.url}/v1", "FRESHET_MODEL": "gpt-4.1"}
    with Server(env | settings, root=Path(root)) as running:
        yield running


@pytest.fixture
def network(server: Server, provider: FakeProvider) -> Iterator[Network]:
    """The proxy in front of the server; a deploy points it to another server."""
    provider.play(())
    with Network(server.address) as between:
        yield between


def notice(chat: Chat) -> Locator:
    return chat.page.locator(".notice", has_text=NOTICE)


def become_visible(chat: Chat) -> None:
    """Dispatch the event of a tab becoming visible."""
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def is_same_load(chat: Chat) -> bool:
    """Return whether the page has not been reloaded since it was marked."""
    return bool(chat.page.evaluate("window.marked === true"))


def test_an_outdated_page_shows_a_notice_and_a_press_reloads_it(
    open_chat: Callable[[str], Chat],
    network: Network,
    updated_server: Server,
    provider: FakeProvider,
    watch: Watch,
) -> None:
    watch.allow(NETWORK)
    provider.play(stream_text(per_s=2_000))
    chat = open_chat(network.url)
    chat.page.evaluate("window.marked = true")
    chat.ask("What is a freshet?")
    chat.wait_over()
    chat.field.fill("A draft that must survive")
    become_visible(chat)
    expect(notice(chat)).to_be_hidden()

    network.retarget(updated_server.address)
    become_visible(chat)
    expect(notice(chat)).to_be_visible()
    assert findings(chat.page) == []
    assert is_same_load(chat), "the page does not reload without a press"
    expect(chat.field).to_have_value("A draft that must survive")
    chat.page.get_by_role("button", name="Reload", exact=True).click()
    chat.page.wait_for_function("window.marked === undefined")
    chat.wait_ready()
    expect(chat.field).to_have_value("A draft that must survive")
    expect(chat.page.locator(".question")).to_have_text("What is a freshet?")
    become_visible(chat)
    expect(chat.page.locator(".list a[aria-current]")).to_be_visible()
    expect(notice(chat)).to_be_hidden()


def test_the_notice_waits_for_a_running_answer(chat: Chat, provider: FakeProvider) -> None:
    def other(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers=response.headers | {"freshet-page": "0" * 16})

    chat.page.route("**/conversations?*", other)
    provider.play(stream_then_stall(per_s=100))
    with chat.page.expect_response("**/conversations?*"):
        chat.ask("What is a freshet?")
        chat.wait_chars(200)
    chat.wait_chars(400)
    expect(notice(chat)).to_be_hidden()
    chat.stop.click()
    chat.wait_over()
    expect(notice(chat)).to_be_visible()
    chat.page.unroute("**/conversations?*")
    become_visible(chat)
    expect(notice(chat)).to_be_hidden()


def test_a_missing_module_shows_the_same_notice(
    open_chat: Callable[[str], Chat],
    network: Network,
    updated_server: Server,
    provider: FakeProvider,
    watch: Watch,
) -> None:
    watch.allow(NETWORK)
    chat = open_chat(network.url)
    for module in ("**/render/index.js", "**/sidebar/list.js"):
        chat.page.route(module, lambda route: route.abort())
    chat.reload()
    network.retarget(updated_server.address)
    for module in ("**/render/index.js", "**/sidebar/list.js"):
        chat.page.unroute(module)
    provider.play(end_with("stop", "some **bold** words"))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.answers.last).to_have_text("some **bold** words")
    expect(notice(chat)).to_be_visible()
    chat.page.get_by_role("button", name="Reload", exact=True).click()
    expect(chat.answers.last.locator("strong")).to_have_text("bold")
    expect(chat.page.locator(".list a[aria-current]")).to_be_visible()
    expect(notice(chat)).to_be_hidden()
