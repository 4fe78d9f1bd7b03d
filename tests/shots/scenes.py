"""The states of the page worth a picture, and how each comes about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.answers import PARAGRAPHS, TEXT, begun, ending, spoken, thinking, unfinished
from tests.browser.chat import NETWORK, Chat, Watch
from tests.browser.sharing import share_dialog
from tests.shots.answers import ARABIC, RICH
from tests.store.people import data_url
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.pixels import hills
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
PICTURE = Path(__file__).resolve().parents[2] / "static" / "icons" / "512.png"
_SHARED = """async ([image, ...queries]) => {
    const conversation = "s".repeat(4) + Math.random().toString(36).slice(2).padEnd(18, "x").slice(0, 18);
    const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    for (const [at, query] of queries.entries()) await (await post("stream", { conversation, query, ...(at === 0 && { images: [image] }) })).text();
    return (await (await post(`conversations/${conversation}/share`, {})).json()).path;
}"""


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
    stage.provider.play(begun(""))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    expect(chat.meta.last).to_contain_text("gpt-4.1")
    return chat


def streaming(stage: Stage) -> Chat:
    """In the middle of an answer."""
    stage.provider.play(begun(TEXT[:420], per_s=60))
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
    expect(chat.page.get_by_role("button", name="Edit the waiting message")).to_be_visible()
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
    stage.provider.play(thinking(THOUGHT, TEXT, per_s=400))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    chat.page.get_by_text("Thinking", exact=True).click()
    return chat


def done(stage: Stage) -> Chat:
    """A whole answer, at its end."""
    stage.provider.play(spoken(per_s=120))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def stopped(stage: Stage) -> Chat:
    """Stopped by the person who asked."""
    stage.provider.play(begun(TEXT[:300], per_s=200))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(250)
    chat.stop.click()
    chat.wait_over()
    return chat


def failed(stage: Stage) -> Chat:
    """Failed in the middle, what came is kept."""
    stage.provider.play(unfinished(TEXT[:200], FAILURE))
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
    stage.provider.play(ending("length", TEXT[:330]))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_over()
    return chat


def reloaded(stage: Stage) -> Chat:
    """Loaded again in the middle of an answer, which goes on."""
    stage.provider.play(begun(TEXT[:480], per_s=80))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(120)
    chat.reload()
    chat.wait_chars(450)
    return chat


def offline(stage: Stage) -> Chat:
    """The network is gone in the middle of an answer."""
    stage.watch.allow(NETWORK)
    stage.provider.play(begun(TEXT[:420], per_s=200))
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
        spoken(per_s=500),
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
    expect(chat.page.get_by_role("button", name="To the latest text")).to_be_visible()
    return chat


def formatted(stage: Stage, text: str, *, part: float = 1.0) -> Chat:
    """An answer with everything in it, or the beginning of one."""
    shown = text[: int(len(text) * part)]
    stage.provider.play(spoken(shown, per_s=500) if part == 1.0 else begun(shown, per_s=500))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    if part == 1.0:
        chat.wait_over()
    else:
        chat.wait_chars(len(shown) * 2 // 3)
    return chat


def history(stage: Stage) -> Chat:
    """A few conversations in the list, one of them with an answer that is being made."""
    questions = (
        "Which rivers are known for it?",
        "Plan a quiet weekend by the sea",
        "تهنئة قصيرة لزميلة",
        QUESTION,
    )
    stage.provider.play([*[Answer(steps=openai([PARAGRAPHS[1]])) for _ in questions[:-1]], begun(TEXT[:320])])
    chat = stage.open(stage.real)
    for question in questions:
        if question is not questions[0]:
            chat.page.get_by_role("button", name="New chat").click()
        chat.ask(question)
        if question is not QUESTION:
            chat.wait_over()
    chat.wait_chars(300)
    names = chat.page.get_by_role("button", name="Conversations")
    if names.get_attribute("aria-expanded") == "false":
        names.click()
    expect(chat.page.locator(".list .dot:visible")).to_have_count(1)
    return chat


def deeds(stage: Stage) -> Chat:
    """What can be done to a listed conversation, and the way back from a deletion."""
    chat = history(stage)
    more = chat.page.locator(".list .more")
    more.nth(3).click()
    chat.page.locator(".list .deeds .danger").click()
    expect(chat.page.get_by_role("button", name="Undo")).to_be_visible()
    more.nth(1).click()
    return chat


def importing(stage: Stage) -> Chat:
    """A file that could not be imported, and why."""
    stage.watch.allow(NETWORK)
    chat = history(stage)
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Import a conversation").click()
    file = {"name": "notes-of-march.json", "mimeType": "application/json", "buffer": b"{}"}
    chooser.value.set_files([file])  # type: ignore[list-item]
    expect(chat.page.locator(".list .what")).to_contain_text("not a conversation")
    return chat


def versions(stage: Stage) -> Chat:
    """A question that was changed, answered twice."""
    answers = [Answer(steps=openai([text])) for text in (PARAGRAPHS[0], PARAGRAPHS[1], TEXT)]
    stage.provider.play(answers)
    chat = stage.open(stage.real)
    chat.ask("What is a freshet?")
    chat.wait_over()
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit the question").click()
    chat.page.get_by_role("textbox", name="Edit the question").fill(QUESTION)
    chat.page.get_by_role("textbox", name="Edit the question").press("Enter")
    expect(chat.page.locator(".question")).to_have_text(QUESTION)
    chat.wait_over()
    chat.page.get_by_role("button", name="Answer again").click()
    expect(chat.page.get_by_role("group", name="Versions of the answer")).to_contain_text("2/2")
    chat.wait_over()
    chat.page.locator(".turn").hover()
    return chat


def editing(stage: Stage) -> Chat:
    """A question while it is changed."""
    chat = done(stage)
    chat.page.locator(".turn").hover()
    chat.page.get_by_role("button", name="Edit the question").click()
    return chat


def sharing(stage: Stage, *, made: bool = True) -> Chat:
    """The dialog in which a conversation is shared, before and after its link is made."""
    chat = done(stage)
    share_dialog(chat)
    if made:
        chat.page.get_by_role("button", name="Make a link").click()
        chat.page.get_by_role("button", name="Copy", exact=True).click()
        expect(chat.page.locator(".sharing .said")).not_to_be_empty()
    return chat


def exhibit(stage: Stage) -> Chat:
    """What a shared link shows, with an image in the question."""
    stage.provider.play([spoken(RICH, per_s=2_000), ending("stop", PARAGRAPHS[1])])
    chat = stage.open(stage.real)
    path = chat.page.evaluate(_SHARED, [data_url(PICTURE.read_bytes()), QUESTION, QUESTIONS[0]])
    chat.page.goto(stage.real + path)
    expect(chat.page.locator(".meta")).to_have_count(2)
    expect(chat.page.locator(".pictures img")).to_be_visible()
    return chat


def unshared(stage: Stage) -> Chat:
    """A link that shows nothing any more."""
    return stage.visit(f"{stage.real}/shared/{'A' * 22}")


def printed(stage: Stage) -> Chat:
    """What a printer gets."""
    chat = formatted(stage, RICH)
    expect(chat.page.locator(".printed")).not_to_be_empty()
    chat.page.emulate_media(media="print")
    chat.page.set_viewport_size({"width": 680, "height": 1000})
    return chat


def outdated(stage: Stage) -> Chat:
    """The server has a newer version of the page."""
    chat = done(stage)
    chat.page.route(
        "**/conversations?*",
        lambda route: route.fulfill(json={}, headers={"Freshet-Page": "0" * 16}),
    )
    chat.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chat.page.get_by_role("button", name="Reload", exact=True)).to_be_visible()
    return chat


def missing(stage: Stage) -> Chat:
    """The address of a conversation that is not there."""
    stage.watch.allow(NETWORK)
    chat = stage.open(f"{stage.real}/?c={'A' * 22}")
    expect(chat.page.get_by_role("heading", name="is not here")).to_be_visible()
    return chat


def pick(chat: Chat, *images: tuple[str, bytes]) -> None:
    """Choose images and wait until they are seen."""
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Add images").click()
    chooser.value.set_files(
        [{"name": name, "mimeType": "image/png", "buffer": body} for name, body in images]
    )
    expect(chat.page.locator(".tray img")).to_have_count(len(images))


def composing_images(stage: Stage) -> Chat:
    """Images above the field, one of which could not be read."""
    chat = done(stage)
    pick(chat, *[(f"view-{hue}.png", hills(hue=hue)) for hue in range(3)])
    chat.field.fill("Which of these rivers carries the most water, and how can you tell?")
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Add images").click()
    chooser.value.set_files([{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"}])
    expect(chat.notice).to_be_visible()
    return chat


def images(stage: Stage) -> Chat:
    """A question with one image, and one with four."""
    stage.provider.play([Answer(steps=openai([PARAGRAPHS[0]])), Answer(steps=openai([PARAGRAPHS[1]]))])
    chat = stage.open(stage.real)
    pick(chat, ("river.png", hills()))
    chat.ask("Is this river in flood?")
    chat.wait_over()
    pick(chat, *[(f"view-{hue}.png", hills(480, 360 + 60 * hue, hue)) for hue in range(4)])
    chat.ask("And these?")
    chat.wait_over()
    return chat


def image_large(stage: Stage) -> Chat:
    """One image of a question, shown large."""
    chat = images(stage)
    chat.page.locator(".gallery button").first.click()
    expect(chat.page.get_by_role("dialog", name="Image 1")).to_be_visible()
    return chat


def blind(stage: Stage) -> Chat:
    """Images for a model that can't see, and a queue that waits with some."""
    stage.provider.play(begun(TEXT[:320]))
    chat = stage.open(stage.real)
    chat.ask(QUESTION)
    chat.wait_chars(200)
    pick(chat, ("river.png", hills()), ("view.png", hills(hue=1)))
    chat.field.fill("Compare it with these two")
    chat.field.press("Enter")
    pick(chat, ("river.png", hills(hue=2)))
    chat.page.get_by_label("Model", exact=True).select_option("openai/o3-mini")
    expect(chat.notice).to_be_visible()
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
    expect(chat.page.get_by_role("heading", name="not open yet")).to_be_visible()
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
    "history": history,
    "deeds": deeds,
    "importing": importing,
    "versions": versions,
    "editing": editing,
    "sharing": partial(sharing, made=False),
    "sharing-link": sharing,
    "shared": exhibit,
    "unshared": unshared,
    "printed": printed,
    "outdated": outdated,
    "missing": missing,
    "images": images,
    "images-composing": composing_images,
    "image-large": image_large,
    "images-unseen": blind,
    "signed-out": signed_out,
    "wrong-password": partial(signed_out, wrong=True),
    "locked": locked,
}
