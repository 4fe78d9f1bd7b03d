"""What a screen reader is told of an answer: sentence by sentence, as much as was chosen, and nothing of what was stopped."""

import re
from threading import Event

from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import begun, held, spoken
from tests.browser.chat import Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

TELL = """() => {
    const region = document.querySelector('freshet-chat').shadowRoot.querySelector('p.unseen[aria-live]');
    window.told = [];
    const note = () => window.told.push([region.textContent, performance.now()]);
    if (region.textContent) note();
    new MutationObserver(note).observe(region, {childList: true});
}"""
MIXED = """\
# What it is

A **freshet** is a flood of *snow*, see [the gauge](https://example.org). It is fast!

- First the snow, $$x$$ deep.
- Then the rain.

```python
def melt():
    return 1
```

| River | Month |
|-------|-------|
| Ob | May |
| Yukon | June |

$$
Q = \\frac{1}{n}
$$

Done.
"""


def region(chat: Chat) -> Locator:
    return chat.page.locator("p.unseen[aria-live=polite]")


def told(chat: Chat) -> list[str]:
    """All that was said since the watch began."""
    found: list[str] = chat.page.evaluate("() => window.told.map(([text]) => text)")
    return found


def times(chat: Chat) -> list[float]:
    """When each of it was said, in milliseconds."""
    found: list[float] = chat.page.evaluate("() => window.told.map(([, at]) => at)")
    return found


def choose(chat: Chat, mode: str) -> None:
    """Choose how much is told."""
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Screen reader").select_option(mode)
    chat.page.get_by_role("button", name="Save").click()


def test_an_answer_is_read_out_as_it_is_shown(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai([MIXED[at : at + 7] for at in range(0, len(MIXED), 7)])))
    chat.page.evaluate(TELL)
    chat.ask("What is it?")
    expect(region(chat)).to_contain_text("Answer complete", timeout=20_000)
    said = told(chat)
    assert said[:2] == ["Question sent.", "What it is"], "the first sentence comes alone"
    assert " ".join(said[2:]) == (
        "A freshet is a flood of snow, see the gauge. It is fast! First the snow, x deep. Then the rain. "
        "Code, Python, 2 lines. Table, 2 rows, 2 columns. formula Done. Answer complete, 39 words."
    )
    gaps = [after - before for before, after in zip(times(chat)[1:], times(chat)[2:], strict=False)]
    assert all(gap > 4_500 for gap in gaps), "at most one batch every five seconds"
    expect(chat.field).to_be_focused()


def test_a_slow_answer_is_told_while_it_comes(chat: Chat, provider: FakeProvider) -> None:
    provider.play(begun("It rises. It falls. It res", per_s=20))
    chat.page.evaluate(TELL)
    chat.ask("And?")
    expect(region(chat)).to_have_text("It rises.")
    expect(region(chat)).to_have_text("It falls.", timeout=9_000)
    chat.field.press("Escape")
    expect(region(chat)).to_have_text("The answer is stopped.")
    chat.wait_over()
    assert told(chat) == ["Question sent.", "It rises.", "It falls.", "The answer is stopped."]


def test_escape_ends_the_reading_of_an_answer_that_is_over(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [Answer(steps=openai(["One is told. " + "More waits.\n\n" * 60])), Answer(steps=openai(["Two."]))]
    )
    chat.page.evaluate(TELL)
    chat.ask("Long")
    expect(region(chat)).to_have_text("One is told.")
    chat.wait_over()
    chat.field.press("Escape")
    chat.page.evaluate("() => { document.querySelector('freshet-chat').wishes = {}; }")  # it is drawn anew
    chat.page.wait_for_function("() => performance.now() - window.told.at(-1)[1] > 6_000")
    assert told(chat) == ["Question sent.", "One is told."]
    chat.ask("Another")
    expect(region(chat)).to_contain_text("Two.")


def test_a_new_message_takes_back_what_waits(chat: Chat, provider: FakeProvider) -> None:
    long = "One is told. " + "Another sentence waits. " * 40
    provider.play([Answer(steps=openai([long])), Answer(steps=openai(["Yes. No."]))])
    chat.page.evaluate(TELL)
    chat.ask("Long")
    expect(region(chat)).to_have_text("One is told.")
    chat.wait_over()
    chat.ask("Short")
    expect(region(chat)).to_contain_text("Answer complete, 2 words.", timeout=9_000)
    assert told(chat) == [
        "Question sent.",
        "One is told.",
        "Question sent.",
        "Yes.",
        "No. Answer complete, 2 words.",
    ]


def test_only_the_end_is_told_where_that_was_chosen(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One. ", "Two. ", "Three."])))
    choose(chat, "status")
    chat.reload()
    chat.page.evaluate(TELL)
    chat.ask("Count")
    expect(region(chat)).to_have_text("Answer complete, 3 words.")
    assert told(chat) == ["Question sent.", "Answer complete, 3 words."]
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_label("Screen reader")).to_have_value("status")


def test_nothing_is_told_where_that_was_chosen(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=400))
    choose(chat, "off")
    chat.page.evaluate(TELL)
    chat.ask("Quietly")
    chat.wait_over()
    choose(chat, "status")
    chat.ask("Again")
    expect(region(chat)).to_contain_text("Answer complete")
    assert told(chat)[0] == "Question sent."
    assert len(told(chat)) == 2, "the first answer was not told"


def test_what_was_there_before_is_not_told(chat: Chat, provider: FakeProvider) -> None:
    provider.play([Answer(steps=openai(["One."])), Answer(steps=openai(["Two."]))])
    chat.ask("First")
    chat.wait_over()
    chat.reload()
    expect(chat.answers).to_have_text(["One."])
    chat.page.evaluate(TELL)
    chat.ask("Second")
    expect(region(chat)).to_have_text("Two. Answer complete, 1 word.")
    assert told(chat) == ["Question sent.", "Two. Answer complete, 1 word."]


def test_what_was_told_before_a_reload_is_not_told_again(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(held(gate, "It rises. It falls. It stays. " * 4 + "It goes."))
    chat.ask("And?")
    chat.wait_chars(40)
    chat.reload()
    chat.wait_chars(40)
    chat.page.evaluate(TELL)
    gate.set()
    chat.wait_over()
    expect(region(chat)).to_contain_text("Answer complete")
    sentences = [one for one in " ".join(told(chat)).split(". ") if one.startswith("It")]
    assert 0 < len(sentences) < 10, "of thirteen"


def test_what_is_only_for_the_eye_is_not_told(chat: Chat, provider: FakeProvider) -> None:
    text = "Seen[^1].\n\n<details><summary>More</summary>\n\nFolded away.\n\n</details>\n\n- [x] Done\n\n[^1]: Noted.\n"
    provider.play(Answer(steps=openai([text])))
    chat.page.evaluate(TELL)
    chat.ask("All?")
    expect(region(chat)).to_contain_text("Answer complete")
    assert " ".join(told(chat)[1:]).startswith("Seen. More Done Noted. Answer complete")


def test_what_waits_for_the_names_of_characters_is_told_too(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One. The space &HilbertSpace; is told."])))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    chat.page.route("**/entities.js", hold)
    chat.page.evaluate(TELL)
    chat.ask("All?")
    chat.wait_over()
    expect(region(chat)).to_have_text("One.")
    held[0].continue_()
    expect(region(chat)).to_contain_text("Answer complete")
    # On a slow machine it is not waited for that long, and what is told is the name.
    assert re.fullmatch(
        r"One\. The space (ℋ|&HilbertSpace;) is told\. Answer complete, 6 words\.", " ".join(told(chat)[1:])
    )


def test_the_end_of_what_is_drawn_in_pieces_is_told(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["A line of eight words, and then another.\n\n" * 500])))
    choose(chat, "status")
    chat.ask("At length")
    # Of a long answer they are counted about.
    expect(region(chat)).to_have_text(re.compile(r"^Answer complete, (3,[89]|4,[01])\d\d words\.$"))


def test_the_same_words_are_told_twice(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One."])))
    choose(chat, "status")
    chat.ask("First")
    expect(region(chat)).to_contain_text("Answer complete")
    chat.page.evaluate(TELL)
    for _ in range(2):
        chat.page.evaluate("() => document.querySelector('freshet-chat').copyLast()")
    _, first, second = told(chat)
    assert first != second, "without a change nothing is told"
    assert first.strip() == second.strip()


def test_messages_are_articles_with_headings(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["# Heading\n\nText."])))
    chat.ask("Hello")
    chat.wait_over()
    articles = chat.page.get_by_role("log").get_by_role("article")
    expect(articles).to_have_count(2)
    expect(articles.nth(0).get_by_role("heading")).to_have_text("You asked")
    expect(articles.nth(1).get_by_role("heading", level=2)).to_have_text("Answer")
    assert region(chat).evaluate("region => region.closest('[role=log]') === null")
