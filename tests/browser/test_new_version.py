"""A page from before a deploy: it says quietly that there is a newer one, and leaves the rest to its reader."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import begun, ending, spoken
from tests.browser.chat import NETWORK, Chat, Watch
from tests.browser.network import Network
from tests.support.axe import findings
from tests.support.fake_provider import FakeProvider
from tests.support.server import ROOT, Server

LINE = "A newer version is ready."


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Share one data folder and secret between both versions."""
    return {"FRESHET_DATA_DIR": str(tmp_path_factory.mktemp("data")), "SECRET_KEY": "of both versions"}


@pytest.fixture(scope="module")
def newer(
    provider: FakeProvider, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server after a deploy in which one file of the page has changed."""
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
    """What stands before the server; a deploy is that it leads to another."""
    provider.play(())
    with Network(server.address) as between:
        yield between


def line(chat: Chat) -> Locator:
    return chat.page.locator(".notice", has_text=LINE)


def shown_again(chat: Chat) -> None:
    """Do what the browser does when a tab is shown again."""
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def marked(chat: Chat) -> bool:
    """Whether this is still the load of the page that was marked."""
    return bool(chat.page.evaluate("window.marked === true"))


def test_a_page_from_before_says_so_and_a_press_brings_the_new_one(
    open_chat: Callable[[str], Chat],
    network: Network,
    newer: Server,
    provider: FakeProvider,
    watch: Watch,
) -> None:
    watch.allow(NETWORK)
    provider.play(spoken(per_s=2_000))
    chat = open_chat(network.url)
    chat.page.evaluate("window.marked = true")
    chat.ask("What is a freshet?")
    chat.wait_over()
    chat.field.fill("A draft that must survive")
    shown_again(chat)
    expect(line(chat)).to_be_hidden()

    network.turn_to(newer.address)
    shown_again(chat)
    expect(line(chat)).to_be_visible()
    assert findings(chat.page) == []
    assert marked(chat), "nothing reloads by itself"
    expect(chat.field).to_have_value("A draft that must survive")
    chat.page.get_by_role("button", name="Reload", exact=True).click()
    chat.page.wait_for_function("window.marked === undefined")
    chat.ready()
    expect(chat.field).to_have_value("A draft that must survive")
    expect(chat.page.locator(".question")).to_have_text("What is a freshet?")
    shown_again(chat)
    expect(chat.page.locator(".list a[aria-current]")).to_be_visible()
    expect(line(chat)).to_be_hidden()


def test_a_running_answer_is_not_interrupted(chat: Chat, provider: FakeProvider) -> None:
    def other(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers=response.headers | {"freshet-page": "0" * 16})

    chat.page.route("**/conversations?*", other)
    provider.play(begun(per_s=100))
    with chat.page.expect_response("**/conversations?*"):
        chat.ask("What is a freshet?")
        chat.wait_chars(200)
    chat.wait_chars(400)
    expect(line(chat)).to_be_hidden()
    chat.stop.click()
    chat.wait_over()
    expect(line(chat)).to_be_visible()
    chat.page.unroute("**/conversations?*")
    shown_again(chat)
    expect(line(chat)).to_be_hidden()


def test_a_module_that_is_gone_ends_in_the_same_line(
    open_chat: Callable[[str], Chat],
    network: Network,
    newer: Server,
    provider: FakeProvider,
    watch: Watch,
) -> None:
    watch.allow(NETWORK)
    chat = open_chat(network.url)
    for module in ("**/render/index.js", "**/sidebar/list.js"):
        chat.page.route(module, lambda route: route.abort())
    chat.reload()
    network.turn_to(newer.address)
    for module in ("**/render/index.js", "**/sidebar/list.js"):
        chat.page.unroute(module)
    provider.play(ending("stop", "some **bold** words"))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.answers.last).to_have_text("some **bold** words")
    expect(line(chat)).to_be_visible()
    chat.page.get_by_role("button", name="Reload", exact=True).click()
    expect(chat.answers.last.locator("strong")).to_have_text("bold")
    expect(chat.page.locator(".list a[aria-current]")).to_be_visible()
    expect(line(chat)).to_be_hidden()
