"""The main path in Firefox on an insecure origin, which has no clipboard and no service worker."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.browser.answers import TEXT, stream_text, stream_then_stall
from tests.browser.image_files import png_size, received_images
from tests.browser.network import Network
from tests.support.bidi import Session
from tests.support.fake_provider import FakeProvider
from tests.support.firefox import opened
from tests.support.server import Server

NAME = "chat.test"
FLOW = "[...document.querySelector('freshet-chat').shadowRoot.querySelectorAll('.answer > .flow')].at(-1)"
ANSWER = "document.querySelector('freshet-chat').turns.at(-1)?.answer"
RECORD = f"""() => {{
    window.steps = [];
    new MutationObserver(() => {{
        const length = {FLOW}?.textContent.length ?? 0;
        if (length !== window.steps.at(-1)) window.steps.push(length);
    }}).observe(document.querySelector('freshet-chat').shadowRoot, {{ subtree: true, childList: true, characterData: true }});
}}"""


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Accept visitors under that host name."""
    return {"FRESHET_PUBLIC": "true"}


@pytest.fixture(scope="module")
def firefox() -> Iterator[Session]:
    with opened(NAME) as session:
        session.size(1280, 800)
        yield session


@pytest.fixture
def tab(firefox: Session, server: Server, provider: FakeProvider) -> Iterator[Session]:
    """The page with a new chat; browser errors fail the test."""
    provider.play(())
    firefox.complaints.clear()
    firefox.open(f"http://{NAME}:{server.port}/")
    firefox.wait(
        "() => document.querySelector('freshet-chat')?.shadowRoot?.querySelector('textarea') !== null"
    )
    yield firefox
    firefox.evaluate("() => 1")  # receives pending events
    assert firefox.complaints == []


def ask(tab: Session, question: str) -> None:
    tab.evaluate("() => document.querySelector('freshet-chat').shadowRoot.querySelector('textarea').focus()")
    tab.write(question)
    tab.write("Enter")


def wait_chars(tab: Session, count: int) -> None:
    tab.wait(f"(count) => ({FLOW}?.textContent.length ?? 0) >= count", count)


def test_an_answer_streams(tab: Session, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=80))
    assert tab.evaluate("() => isSecureContext") is False
    tab.evaluate(RECORD)
    ask(tab, "What is a freshet?")
    tab.wait(f"() => {ANSWER}?.status === 'done'")
    assert tab.evaluate(f"() => {ANSWER}.text") == TEXT
    assert tab.evaluate(f"() => {FLOW}.querySelectorAll('li').length") == 3
    steps = tab.evaluate("() => window.steps")
    assert len(steps) > 10
    assert steps == sorted(steps)
    assert len(provider.calls) == 1


def test_a_reload_resumes_the_answer_and_escape_stops_it(tab: Session, provider: FakeProvider) -> None:
    provider.play(stream_then_stall("\n\n".join([TEXT] * 4), per_s=80))
    ask(tab, "Once more, and longer")
    wait_chars(tab, 100)
    tab.reload()
    wait_chars(tab, 300)
    tab.evaluate("() => document.querySelector('freshet-chat').shadowRoot.querySelector('textarea').focus()")
    tab.write("Escape")
    tab.wait(f"() => {ANSWER}?.end?.finish_reason === 'cancelled'")
    assert len(provider.calls) == 1


def test_a_stored_answer_is_highlighted(tab: Session, provider: FakeProvider) -> None:
    provider.play(stream_text("Look:\n\n```python\nanswer = 42  # so\n```\n\nand $$\\frac12$$\n", per_s=400))
    ask(tab, "Show me some code")
    tab.wait(f"() => {ANSWER}?.status === 'done'")
    tab.wait(f"() => {FLOW}.querySelector('math') !== null")
    address = tab.wait("() => location.search.startsWith('?c=') && location.href")
    tab.open(address)
    tab.wait(f"() => {FLOW}?.querySelector('pre')?.textContent.includes('answer = 42')")
    tab.wait("() => CSS.highlights.size > 0")


def test_a_network_that_buffers_event_streams_falls_back_to_websocket(
    tab: Session, server: Server, provider: FakeProvider
) -> None:
    with Network(server.address) as network:
        network.withhold_sse = True
        tab.open(f"http://{NAME}:{network.port}/")
        provider.play(
            stream_then_stall(TEXT, per_s=100)
        )  # it never ends, so a body buffered until the end never arrives
        ask(tab, "What is a freshet?")
        wait_chars(tab, 300)
        tab.write("Escape")
        tab.wait(f"() => {ANSWER}?.end?.finish_reason === 'cancelled'")
        assert len(provider.calls) == 1


def test_an_image_is_downscaled_sent_and_stored(tab: Session, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    tab.evaluate(
        """async () => {
            const canvas = document.createElement('canvas');
            canvas.width = 3000; canvas.height = 1500;
            canvas.getContext('2d').fillRect(0, 0, 3000, 1500);
            const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
            document.querySelector('freshet-chat').addFiles([new File([blob], 'dark.png', { type: 'image/png' })]);
        }"""
    )
    tab.wait("() => document.querySelector('freshet-chat').shadowRoot.querySelector('.tray img') !== null")
    ask(tab, "What is it?")
    tab.wait(f"() => {ANSWER}?.status === 'done'")
    (image,) = received_images(provider)
    assert png_size(image) == (2_048, 1_024)
    address = tab.wait("() => location.search.startsWith('?c=') && location.href")
    tab.evaluate("() => sessionStorage.clear()")
    tab.open(address)
    shown = "document.querySelector('freshet-chat').shadowRoot.querySelector('.gallery img')"
    tab.wait(f"() => {shown}?.complete && {shown}.naturalWidth === 2048")
    assert hashlib.sha256(image).hexdigest() in tab.evaluate(f"() => {shown}.src")
