"""Asking, streaming, stopping and retrying."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.answers import TEXT, break_off, end_with, stream_text, stream_then_stall, stream_thinking
from tests.browser.chat import NETWORK, Chat, Watch
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, refusal
from tests.support.server import Server


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Limit this file's server to small requests."""
    return {"FRESHET_MAX_BODY_BYTES": "65536"}


RECORD = """() => {
    const root = document.querySelector('freshet-chat').shadowRoot;
    window.steps = [];
    new MutationObserver(() => {
        const flow = [...root.querySelectorAll('.answer > .flow')].at(-1);
        const length = flow ? flow.textContent.length : 0;
        if (length !== window.steps.at(-1)) window.steps.push(length);
    }).observe(root, { subtree: true, childList: true, characterData: true });
}"""


def test_the_answer_grows_and_ends_clearly(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=30))  # long enough for a rate, however late the first frame is drawn
    chat.page.evaluate(RECORD)
    chat.ask("What is a freshet?")
    answer = chat.wait_over()
    assert answer["text"] == TEXT
    assert chat.shown() == TEXT
    steps = chat.page.evaluate("window.steps")
    assert len(steps) > 10, steps
    assert steps == sorted(steps), "the text never shrinks"
    expect(chat.meta.last).to_contain_text("gpt-4.1")
    expect(chat.meta.last).to_contain_text("1,204 in")
    expect(chat.meta.last).to_contain_text("143 out")
    expect(chat.meta.last).to_contain_text("tokens/s")
    expect(chat.meta.last).to_contain_text("$0.0036")
    assert len(provider.calls) == 1


def test_an_answer_without_its_renderer_is_shown_as_source(
    chat: Chat, provider: FakeProvider, watch: Watch
) -> None:
    watch.allow(NETWORK)
    chat.page.route("**/render/index.js", lambda route: route.abort())
    chat.reload()
    provider.play(Answer(steps=openai(["some **bold** words"])))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.answers.last).to_have_text("some **bold** words")
    chat.page.unroute("**/render/index.js")
    chat.page.evaluate("dispatchEvent(new Event('online'))")
    expect(chat.answers.last.locator("strong")).to_have_text("bold")


def test_a_streaming_answer_shows_its_rate(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("Slowly, please")
    expect(chat.meta.last).to_contain_text("≈")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    chat.wait_over()


def test_missing_usage_is_estimated(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"], usage=None)))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.meta.last).to_contain_text("estimated")


def test_a_stopped_answer_keeps_its_text(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("Tell me everything")
    chat.wait_chars(100)
    chat.stop.click()
    answer = chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    assert answer["end"]["finish_reason"] == "cancelled"
    assert answer["end"]["by"] == "user"
    assert answer["end"].get("sha256"), "the server ended it"
    assert TEXT.startswith(answer["text"])
    provider.wait_closed(3)


def test_escape_stops_before_the_first_word(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall(""))
    chat.ask("Tell me")
    provider.wait_calls(1)
    expect(chat.page.locator(".pulse")).to_be_visible()
    chat.page.keyboard.press("Escape")
    chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    provider.wait_closed(3)


def test_a_failed_answer_shows_an_error_and_can_be_retried(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [break_off("Half of", b'data: {"error": {"message": "secret detail"}}\n\n'), stream_text(per_s=300)]
    )
    chat.ask("What is a freshet?")
    chat.wait_over()
    expect(chat.retry).to_be_visible()
    expect(chat.page.locator(".problem .title")).not_to_be_empty()
    expect(chat.page.get_by_text("The partial answer is saved.")).to_be_visible()
    assert chat.shown() == "Half of"
    assert "secret detail" not in chat.page.locator("freshet-chat").inner_text()
    chat.retry.click()
    chat.page.wait_for_function(
        "() => document.querySelector('freshet-chat').turns.at(-1).answer.status !== 'failed'"
    )
    assert chat.wait_over()["text"] == TEXT
    expect(chat.retry).to_have_count(0)
    assert len(chat.page.locator(".turn").all()) == 1
    assert provider.calls[0].json["messages"] == provider.calls[1].json["messages"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401), "rejected this server’s API key"),
        (refusal(429, {"error": {"code": "insufficient_quota"}}), "out of credit"),
        (refusal(429, retry_after="3600"), "rate-limiting requests"),
    ],
)
def test_each_failure_has_its_own_title(
    chat: Chat, provider: FakeProvider, answer: Answer, words: str
) -> None:
    provider.play(answer)
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_contain_text(words)
    expect(chat.page.locator(".problem .title")).to_be_visible()
    expect(chat.page.locator(".problem .advice")).not_to_be_empty()


@pytest.mark.parametrize(
    ("reason", "words"), [("length", "length limit"), ("content_filter", "content filter")]
)
def test_an_unusual_finish_reason_is_shown(
    chat: Chat, provider: FakeProvider, reason: str, words: str
) -> None:
    provider.play(end_with(reason))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.page.locator(".ending")).to_contain_text(words)
    expect(chat.page.locator(".ending")).to_be_visible()


def test_a_rejected_question_shows_the_servers_message(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    chat.page.evaluate("document.querySelector('freshet-chat').ask('x '.repeat(60_000))")
    answer = chat.wait_over()
    assert answer["status"] == "failed"
    expect(chat.page.locator(".problem .title")).to_contain_text(answer["failure"]["error"])
    assert provider.calls == []


def test_thinking_is_folded_above_the_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_thinking("First I weigh the question.", "Here it is.", per_s=100))
    chat.ask("Think")
    chat.wait_over()
    assert chat.shown() == "Here it is."
    thought = chat.page.get_by_text("First I weigh the question.")
    expect(thought).to_be_hidden()
    chat.page.get_by_text("Thought for less than a second").click()
    expect(thought).to_be_visible()


def test_a_conversation_continues_and_a_new_one_starts_empty(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [Answer(steps=openai(["One."])), Answer(steps=openai(["Two."])), Answer(steps=openai(["Three."]))]
    )
    chat.ask("First")
    chat.wait_over()
    chat.ask("Second")
    expect(chat.answers.last).to_have_text("Two.")
    messages = [(message["role"], message["content"]) for message in provider.calls[1].json["messages"]]
    assert messages == [("user", "First"), ("assistant", "One."), ("user", "Second")]
    chat.reload()
    expect(chat.page.locator(".turn")).to_have_count(2)
    assert len(provider.calls) == 2, "a finished conversation needs no call"
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.page.locator(".turn")).to_have_count(0)
    chat.ask("Third")
    expect(chat.answers.last).to_have_text("Three.")
    assert [message["content"] for message in provider.calls[2].json["messages"]] == ["Third"]


def test_model_output_is_never_markup(chat: Chat, provider: FakeProvider) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>&amp;"
    provider.play(Answer(steps=openai([evil])))
    chat.ask(evil)
    chat.wait_over()
    assert chat.shown() == evil.replace("&amp;", "&")
    assert chat.page.title().startswith("<img src=x")  # the text itself, the question's first line


@pytest.fixture(scope="module")
def demo() -> Iterator[Server]:
    """A server without settings, where `mock` answers."""
    with Server() as running:
        yield running


def test_demo_mode_is_announced(open_chat: Callable[[str], Chat], demo: Server) -> None:
    chat = open_chat(demo.url)
    for word in ("Demo mode", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST"):
        expect(chat.page.locator(".foot")).to_contain_text(word)
    chat.page.get_by_role("button", name="Explain tides").click()
    chat.wait_over()
    assert chat.shown() != ""
    expect(chat.meta.last).to_contain_text("mock-standard")


def test_a_real_model_shows_no_demo_notice(chat: Chat) -> None:
    expect(chat.page.locator(".foot")).to_be_empty()
