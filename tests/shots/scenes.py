"""The states of the page worth a picture, and how each comes about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import (
    PARAGRAPHS,
    TEXT,
    break_off,
    end_with,
    stream_text,
    stream_then_stall,
    stream_thinking,
)
from tests.browser.chat import NETWORK, Chat, Watch
from tests.shots.answers import ARABIC, RICH
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, refusal

QUESTION = "What is a freshet, and what decides how strong it will be?"
FAILURE = b'data: {"error": {"message": "overloaded", "type": "overloaded_error", "code": 529}}\n\n'
THOUGHT = (
    "The person asks for a definition and for causes. A short definition first, then the three causes, "
    "each in a line of its own."
)
QUESTIONS = (
    "Does it happen every year?",
    "Which rivers are known for it? Name a few, with the month in which the water is highest, and say for "
    "each where one can stand to watch it safely.",
    "Thank you!",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a scene plays on: the servers' addresses, the provider behind one of them, and the tab."""

    real: str
    demo: str
    guarded: str
    locked: str
    provider: FakeProvider
    context: BrowserContext
    watch: Watch

    def open(self, url: str) -> Chat:
        """Open the chat of one of the servers."""
        return Chat(self.context, url, self.watch).open()

    def visit(self, url: str) -> Chat:
        """Open a page that is not the chat."""
        self.watch.allow(NETWORK)
        chat = Chat(self.context, url, self.watch)
        chat.page.goto(url)
        return chat


def empty(stage: Stage) -> Chat:
    """Nothing asked yet, and nothing set: demo answers."""
    return stage.open(stage.demo)


def starters(stage: Stage) -> Chat:
    """Nothing asked yet, and the operator's own questions to begin with."""
    return stage.open(stage.real)


def waiting(stage: Stage) -> Chat:
    """Asked, and not a word yet."""
    stage.provider.play(stream_then_stall(""))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    expect(chat.meta.last).to_contain_text("gpt-4.1")
    return chat


def streaming(stage: Stage) -> Chat:
    """In the middle of an answer."""
    stage.provider.play(stream_then_stall(TEXT[:420], per_s=60))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(400)
    expect(chat.meta.last).to_contain_text("tokens/s")
    return chat


def queued(stage: Stage) -> Chat:
    """The next question waits for the answer to end."""
    chat = streaming(stage)
    chat.field.fill("And what does it do to the fish that live there, and to the farms along its banks?")
    chat.field.press("Enter")
    expect(chat.page.get_by_role("button", name="Edit queued message")).to_be_visible()
    return chat


def settings(stage: Stage) -> Chat:
    """The panel with a person's own settings."""
    chat = done(stage)
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Instructions").fill("I teach geography. Answer briefly, with an example.")
    chat.page.get_by_label("Temperature").fill("0.7")
    return chat


def thought(stage: Stage) -> Chat:
    """An answer with its thinking unfolded."""
    stage.provider.play(stream_thinking(THOUGHT, TEXT, per_s=400))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    chat.page.get_by_text("Thinking", exact=True).click()
    return chat


def done(stage: Stage) -> Chat:
    """A whole answer, at its end."""
    stage.provider.play(stream_text(per_s=120))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def stopped(stage: Stage) -> Chat:
    """Stopped by the person who asked."""
    stage.provider.play(stream_then_stall(TEXT[:300], per_s=200))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(250)
    chat.stop.click()
    chat.wait_over()
    return chat


def failed(stage: Stage) -> Chat:
    """Failed in the middle, what came is kept."""
    stage.provider.play(break_off(TEXT[:200], FAILURE))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def refused(stage: Stage) -> Chat:
    """Failed before the first word."""
    stage.provider.play(refusal(401))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def cut_short(stage: Stage) -> Chat:
    """Ended by the length limit."""
    stage.provider.play(end_with("length", TEXT[:330]))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def reloaded(stage: Stage) -> Chat:
    """Loaded again in the middle of an answer, which goes on."""
    stage.provider.play(stream_then_stall(TEXT[:480], per_s=80))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(120)
    chat.reload()
    chat.wait_chars(450)
    return chat


def offline(stage: Stage) -> Chat:
    """The network is gone in the middle of an answer."""
    stage.watch.allow(NETWORK)
    stage.provider.play(stream_then_stall(TEXT[:420], per_s=200))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(380)
    stage.context.set_offline(True)
    expect(chat.notice).to_be_visible()
    return chat


def many_turns(stage: Stage) -> Chat:
    """A long conversation, read from above its end."""
    listing = "\n".join(["def flow(rain, snow):", "    return rain + snow * " + "melt_rate_of_the_day_" * 8])
    table = "| river | month | " + "a very wide column | " * 12
    answers = [
        stream_text(per_s=500),
        Answer(steps=openai([PARAGRAPHS[1]])),
        Answer(steps=openai([table, "\n\n", listing])),
    ]
    stage.provider.play([*answers, Answer(steps=openai(["Rindfleisch" + "etikettierung" * 20]))])
    chat = stage.open(stage.real)
    for question in (QUESTION, *QUESTIONS):
        chat.ask(question)
        chat.wait_over()
    chat.field.fill("A draft of the next question,\nwhich already has\nthree lines")
    chat.log.hover()
    chat.page.mouse.wheel(0, -120)
    expect(chat.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    return chat


def formatted(stage: Stage, text: str, *, part: float = 1.0) -> Chat:
    """An answer with everything in it, or the beginning of one."""
    shown = text[: int(len(text) * part)]
    stage.provider.play(stream_text(shown, per_s=500) if part == 1.0 else stream_then_stall(shown, per_s=500))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    if part == 1.0:
        chat.wait_over()
    else:
        chat.wait_chars(len(shown) * 2 // 3)
    return chat


def signed_out(stage: Stage, *, wrong: bool = False) -> Chat:
    """The sign-in page."""
    chat = stage.visit(stage.guarded)
    expect(chat.page.get_by_label("Password")).to_be_focused()
    if wrong:
        chat.page.get_by_label("Password").fill("not this")
        chat.page.get_by_role("button", name="Sign in").click()
        expect(chat.page.get_by_role("alert")).to_be_visible()
    return chat


def locked(stage: Stage) -> Chat:
    """The page of a server of which nobody said who may come in."""
    chat = stage.visit(stage.locked)
    expect(chat.page.get_by_role("heading", name="isn’t open yet")).to_be_visible()
    return chat


SCENES: dict[str, Callable[[Stage], Chat]] = {
    "empty": empty,
    "starters": starters,
    "waiting": waiting,
    "streaming": streaming,
    "queued": queued,
    "settings": settings,
    "thinking": thought,
    "done": done,
    "formatted": partial(formatted, text=RICH),
    "formatted-half": partial(formatted, text=RICH, part=0.47),
    "formatted-arabic": partial(formatted, text=ARABIC),
    "stopped": stopped,
    "failed": failed,
    "refused": refused,
    "length": cut_short,
    "reloaded": reloaded,
    "offline": offline,
    "long": many_turns,
    "signed-out": signed_out,
    "wrong-password": partial(signed_out, wrong=True),
    "locked": locked,
}
