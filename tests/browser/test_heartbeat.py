"""A page that was loaded before the server's heartbeat became slower."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route

from tests.browser.answers import stream_then_stall
from tests.browser.chat import NETWORK, Chat
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_HEARTBEAT_S": "60"}


def test_n31_a_page_of_before_waits_for_the_slower_heartbeat(
    context: BrowserContext, open_chat: Callable[[str], Chat], server: Server, provider: FakeProvider
) -> None:
    """It took 25 seconds of silence for a dead connection, and connected anew for as long as the model was silent."""

    def serve_old(route: Route) -> None:
        response = route.fetch()
        assert '"heartbeat_ms": 60000' in response.text()
        route.fulfill(
            response=response, body=response.text().replace('"heartbeat_ms": 60000', '"heartbeat_ms": 10000')
        )

    context.route(f"{server.url}/", serve_old)
    context.clock.install()
    provider.play(stream_then_stall("A few words and then", per_s=200))
    chat = open_chat(f"{server.url}/")
    chat.watch.allow(NETWORK)  # a page that is served by the test may open no WebSocket
    connections: list[str] = []
    chat.page.on("request", lambda request: "/stream" in request.url and connections.append(request.url))
    chat.ask("Hello")
    chat.wait_chars(10)
    assert len(connections) == 1
    context.clock.fast_forward(50_000)
    chat.page.wait_for_timeout(500)
    assert len(connections) == 1
    for _ in range(20):
        if len(connections) > 1:
            break
        context.clock.fast_forward(20_000)
        chat.page.wait_for_timeout(200)
    assert len(connections) > 1
    chat.stop.click()
