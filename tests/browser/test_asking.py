"""A person asks, watches the answer grow, stops it, tries again."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.answers import TEXT, begun, ending, spoken, thinking, unfinished
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
    provider.play(spoken(per_s=80))
    chat.page.evaluate(RECORD)
    chat.ask("What is a freshet?")
    answer = chat.wait_over()
    assert answer["text"] == TEXT
    assert chat.shown() == TEXT
    steps = chat.page.evaluate("window.steps")
    assert len(steps) > 10, steps
    assert steps == sorted(steps), "it only ever grows"
    expect(chat.meta.last).to_contain_text("gpt-4.1")
    expect(chat.meta.last).to_contain_text("1,204 in")
    expect(chat.meta.last).to_contain_text("143 out")
    expect(chat.meta.last).to_contain_text("tokens/s")
    expect(chat.meta.last).to_contain_text("$0.0036")
    assert len(provider.calls) == 1


def test_without_its_renderer_the_answer_is_shown_as_it_is(
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


def test_the_pace_is_told_while_it_streams(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("Slowly, please")
    expect(chat.meta.last).to_contain_text("≈")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    chat.wait_over()


def test_what_the_provider_did_not_count_is_estimated(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"], usage=None)))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.meta.last).to_contain_text("estimated")


def test_stop_ends_the_answer_and_keeps_what_came(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun())
    chat.ask("Tell me everything")
    chat.wait_chars(100)
    chat.stop.click()
    answer = chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    assert answer["end"]["finish_reason"] == "cancelled"
    assert answer["end"]["by"] == "user"
    assert answer["end"].get("sha256"), "the server's own end"
    assert TEXT.startswith(answer["text"])
    provider.wait_closed(3)


def test_escape_stops_before_the_first_word(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun(""))
    chat.ask("Tell me")
    provider.wait_calls(1)
    expect(chat.page.locator(".pulse")).to_be_visible()
    chat.page.keyboard.press("Escape")
    chat.wait_over()
    expect(chat.page.get_by_text("Stopped.", exact=True)).to_be_visible()
    provider.wait_closed(3)


def test_an_error_is_said_in_words_and_trying_again_works(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [unfinished("Half of", b'data: {"error": {"message": "secret detail"}}\n\n'), spoken(per_s=300)]
    )
    chat.ask("What is a freshet?")
    chat.wait_over()
    expect(chat.retry).to_be_visible()
    expect(chat.page.locator(".problem .title")).not_to_be_empty()
    expect(chat.page.get_by_text("What came until then is kept.")).to_be_visible()
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
        (refusal(401), "refused this server’s key"),
        (refusal(429, {"error": {"code": "insufficient_quota"}}), "used up"),
        (refusal(429, retry_after="3600"), "more requests than it takes"),
    ],
)
def test_each_failure_has_its_own_words(
    chat: Chat, provider: FakeProvider, answer: Answer, words: str
) -> None:
    provider.play(answer)
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_contain_text(words)
    expect(chat.page.locator(".problem .title")).to_be_visible()
    expect(chat.page.locator(".problem .advice")).not_to_be_empty()


@pytest.mark.parametrize(
    ("reason", "words"), [("length", "longest length"), ("content_filter", "content filter")]
)
def test_an_unusual_end_is_said(chat: Chat, provider: FakeProvider, reason: str, words: str) -> None:
    provider.play(ending(reason))
    chat.ask("Hi")
    chat.wait_over()
    expect(chat.page.locator(".ending")).to_contain_text(words)
    expect(chat.page.locator(".ending")).to_be_visible()


def test_a_refused_question_is_said_in_the_servers_words(chat: Chat, provider: FakeProvider) -> None:
    chat.watch.allow(NETWORK)
    chat.page.evaluate("document.querySelector('freshet-chat').ask('x '.repeat(60_000))")
    answer = chat.wait_over()
    assert answer["status"] == "failed"
    expect(chat.page.locator(".problem .title")).to_contain_text(answer["failure"]["error"])
    assert provider.calls == []


def test_thinking_is_folded_above_the_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(thinking("First I weigh the question.", "Here it is.", per_s=100))
    chat.ask("Think")
    chat.wait_over()
    assert chat.shown() == "Here it is."
    thought = chat.page.get_by_text("First I weigh the question.")
    expect(thought).to_be_hidden()
    chat.page.get_by_text("Thinking", exact=True).click()
    expect(thought).to_be_visible()


def test_a_conversation_goes_on_and_a_new_one_begins(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [Answer(steps=openai(["One."])), Answer(steps=openai(["Two."])), Answer(steps=openai(["Three."]))]
    )
    chat.ask("First")
    chat.wait_over()
    chat.ask("Second")
    expect(chat.answers.last).to_have_text("Two.")
    said = [(message["role"], message["content"]) for message in provider.calls[1].json["messages"]]
    assert said == [("user", "First"), ("assistant", "One."), ("user", "Second")]
    chat.reload()
    expect(chat.page.locator(".turn")).to_have_count(2)
    assert len(provider.calls) == 2, "a finished conversation is only shown again"
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.page.locator(".turn")).to_have_count(0)
    chat.ask("Third")
    expect(chat.answers.last).to_have_text("Three.")
    assert [message["content"] for message in provider.calls[2].json["messages"]] == ["Third"]


def test_words_of_a_model_are_never_markup(chat: Chat, provider: FakeProvider) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>&amp;"
    provider.play(Answer(steps=openai([evil])))
    chat.ask(evil)
    chat.wait_over()
    assert chat.shown() == evil.replace("&amp;", "&")
    assert chat.page.title() == "Freshet"


@pytest.fixture(scope="module")
def demo() -> Iterator[Server]:
    """A server with nothing set: the mock answers."""
    with Server() as running:
        yield running


def test_demo_answers_say_so(open_chat: Callable[[str], Chat], demo: Server) -> None:
    chat = open_chat(demo.url)
    for word in ("Demo answers", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST"):
        expect(chat.page.locator(".foot")).to_contain_text(word)
    chat.page.get_by_role("button", name="Explain tides").click()
    chat.wait_over()
    assert chat.shown() != ""
    expect(chat.meta.last).to_contain_text("mock-standard")


def test_a_real_model_is_no_demo(chat: Chat) -> None:
    expect(chat.page.locator(".foot")).to_be_empty()
