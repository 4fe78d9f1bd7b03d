"""The main path in Firefox, on a name that is not localhost, where a page has less: no clipboard, no worker."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.browser.answers import TEXT, begun, spoken
from tests.browser.image_files import images_of, size_of
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
    """The page in a new chat; it must not complain."""
    provider.play(())
    firefox.complaints.clear()
    firefox.open(f"http://{NAME}:{server.port}/")
    firefox.wait(
        "() => document.querySelector('freshet-chat')?.shadowRoot?.querySelector('textarea') !== null"
    )
    yield firefox
    firefox.evaluate("() => 1")  # hears what came last
    assert firefox.complaints == []


def ask(tab: Session, question: str) -> None:
    tab.evaluate("() => document.querySelector('freshet-chat').shadowRoot.querySelector('textarea').focus()")
    tab.write(question)
    tab.write("Enter")


def wait_chars(tab: Session, count: int) -> None:
    tab.wait(f"(count) => ({FLOW}?.textContent.length ?? 0) >= count", count)


def test_an_answer_comes_as_it_is_made(tab: Session, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=80))
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


def test_a_reload_goes_on_where_it_was_and_escape_stops_it(tab: Session, provider: FakeProvider) -> None:
    provider.play(begun("\n\n".join([TEXT] * 4), per_s=80))
    ask(tab, "Once more, and longer")
    wait_chars(tab, 100)
    tab.reload()
    wait_chars(tab, 300)
    tab.evaluate("() => document.querySelector('freshet-chat').shadowRoot.querySelector('textarea').focus()")
    tab.write("Escape")
    tab.wait(f"() => {ANSWER}?.end?.finish_reason === 'cancelled'")
    assert len(provider.calls) == 1


def test_what_was_said_is_kept_and_coloured(tab: Session, provider: FakeProvider) -> None:
    provider.play(spoken("Look:\n\n```python\nanswer = 42  # so\n```\n\nand $$\\frac12$$\n", per_s=400))
    ask(tab, "Show me some code")
    tab.wait(f"() => {ANSWER}?.status === 'done'")
    tab.wait(f"() => {FLOW}.querySelector('math') !== null")
    address = tab.wait("() => location.search.startsWith('?c=') && location.href")
    tab.open(address)
    tab.wait(f"() => {FLOW}?.querySelector('pre')?.textContent.includes('answer = 42')")
    tab.wait("() => CSS.highlights.size > 0")


def test_a_network_that_holds_back_event_streams_is_left_for_a_websocket(
    tab: Session, server: Server, provider: FakeProvider
) -> None:
    with Network(server.address) as network:
        network.withhold_sse = True
        tab.open(f"http://{NAME}:{network.port}/")
        provider.play(begun(TEXT, per_s=100))  # it never ends: what is held back until the end never comes
        ask(tab, "What is a freshet?")
        wait_chars(tab, 300)
        tab.write("Escape")
        tab.wait(f"() => {ANSWER}?.end?.finish_reason === 'cancelled'")
        assert len(provider.calls) == 1


def test_an_image_is_made_small_sent_and_kept(tab: Session, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    tab.evaluate(
        """async () => {
            const canvas = document.createElement('canvas');
            canvas.width = 3000; canvas.height = 1500;
            canvas.getContext('2d').fillRect(0, 0, 3000, 1500);
            const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
            document.querySelector('freshet-chat').take([new File([blob], 'dark.png', { type: 'image/png' })]);
        }"""
    )
    tab.wait("() => document.querySelector('freshet-chat').shadowRoot.querySelector('.tray img') !== null")
    ask(tab, "What is it?")
    tab.wait(f"() => {ANSWER}?.status === 'done'")
    (image,) = images_of(provider)
    assert size_of(image) == (2_048, 1_024)
    address = tab.wait("() => location.search.startsWith('?c=') && location.href")
    tab.evaluate("() => sessionStorage.clear()")
    tab.open(address)
    shown = "document.querySelector('freshet-chat').shadowRoot.querySelector('.gallery img')"
    tab.wait(f"() => {shown}?.complete && {shown}.naturalWidth === 2048")
    assert hashlib.sha256(image).hexdigest() in tab.evaluate(f"() => {shown}.src")
