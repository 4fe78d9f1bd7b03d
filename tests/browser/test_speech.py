"""Announcements to screen readers, in each mode."""

import re
from threading import Event

from playwright.sync_api import Locator, Route, expect

from tests.browser.answers import hold_halfway, stream_text, stream_then_stall
from tests.browser.chat import Chat
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer

RECORD = """() => {
    const region = document.querySelector('freshet-chat').shadowRoot.querySelector('p.visually-hidden[aria-live]');
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
    return chat.page.locator("p.visually-hidden[aria-live=polite]")


def announcements(chat: Chat) -> list[str]:
    """Return every announcement since `RECORD` ran."""
    found: list[str] = chat.page.evaluate("() => window.told.map(([text]) => text)")
    return found


def announcement_times(chat: Chat) -> list[float]:
    """Return the time of each announcement in milliseconds."""
    found: list[float] = chat.page.evaluate("() => window.told.map(([, at]) => at)")
    return found


def choose_mode(chat: Chat, mode: str) -> None:
    """Choose a screen reader mode."""
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Screen reader").select_option(mode)
    chat.page.get_by_role("button", name="Save").click()


def test_an_answer_is_announced_as_it_is_shown(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai([MIXED[at : at + 7] for at in range(0, len(MIXED), 7)])))
    chat.page.evaluate(RECORD)
    chat.ask("What is it?")
    expect(region(chat)).to_contain_text("Response complete", timeout=20_000)
    said = announcements(chat)
    assert said[:2] == ["Message sent.", "What it is"], "the first sentence is announced alone"
    assert " ".join(said[2:]) == (
        "A freshet is a flood of snow, see the gauge. It is fast! First the snow, x deep. Then the rain. "
        "Code, Python, 2 lines. Table, 2 rows, 2 columns. formula Done. Response complete, 39 words."
    )
    gaps = [
        after - before
        for before, after in zip(announcement_times(chat)[1:], announcement_times(chat)[2:], strict=False)
    ]
    assert all(gap > 4_500 for gap in gaps), "at most one batch every five seconds"
    expect(chat.field).to_be_focused()


def test_a_slow_answer_is_announced_while_it_streams(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall("It rises. It falls. It res", per_s=20))
    chat.page.evaluate(RECORD)
    chat.ask("And?")
    expect(region(chat)).to_have_text("It rises.")
    expect(region(chat)).to_have_text("It falls.", timeout=9_000)
    chat.field.press("Escape")
    expect(region(chat)).to_have_text("Response stopped.")
    chat.wait_over()
    assert announcements(chat) == ["Message sent.", "It rises.", "It falls.", "Response stopped."]


def test_escape_ends_the_announcement_of_a_complete_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(
        [Answer(steps=openai(["One is told. " + "More waits.\n\n" * 60])), Answer(steps=openai(["Two."]))]
    )
    chat.page.evaluate(RECORD)
    chat.ask("Long")
    expect(region(chat)).to_have_text("One is told.")
    chat.wait_over()
    chat.field.press("Escape")
    chat.page.evaluate("() => { document.querySelector('freshet-chat').runOptions = {}; }")  # it is redrawn
    chat.page.wait_for_function("() => performance.now() - window.told.at(-1)[1] > 6_000")
    assert announcements(chat) == ["Message sent.", "One is told."]
    chat.ask("Another")
    expect(region(chat)).to_contain_text("Two.")


def test_a_new_message_clears_pending_announcements(chat: Chat, provider: FakeProvider) -> None:
    long = "One is told. " + "Another sentence waits. " * 40
    provider.play([Answer(steps=openai([long])), Answer(steps=openai(["Yes. No."]))])
    chat.page.evaluate(RECORD)
    chat.ask("Long")
    expect(region(chat)).to_have_text("One is told.")
    chat.wait_over()
    chat.ask("Short")
    expect(region(chat)).to_contain_text("Response complete, 2 words.", timeout=9_000)
    assert announcements(chat) == [
        "Message sent.",
        "One is told.",
        "Message sent.",
        "Yes.",
        "No. Response complete, 2 words.",
    ]


def test_status_mode_announces_only_the_end(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One. ", "Two. ", "Three."])))
    choose_mode(chat, "status")
    chat.reload()
    chat.page.evaluate(RECORD)
    chat.ask("Count")
    expect(region(chat)).to_have_text("Response complete, 3 words.")
    assert announcements(chat) == ["Message sent.", "Response complete, 3 words."]
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_label("Screen reader")).to_have_value("status")


def test_off_mode_announces_nothing(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=400))
    choose_mode(chat, "off")
    chat.page.evaluate(RECORD)
    chat.ask("Quietly")
    chat.wait_over()
    choose_mode(chat, "status")
    chat.ask("Again")
    expect(region(chat)).to_contain_text("Response complete")
    assert announcements(chat)[0] == "Message sent."
    assert len(announcements(chat)) == 2, "the first answer was not announced"


def test_stored_answers_are_not_announced(chat: Chat, provider: FakeProvider) -> None:
    provider.play([Answer(steps=openai(["One."])), Answer(steps=openai(["Two."]))])
    chat.ask("First")
    chat.wait_over()
    chat.reload()
    expect(chat.answers).to_have_text(["One."])
    chat.page.evaluate(RECORD)
    chat.ask("Second")
    expect(region(chat)).to_have_text("Two. Response complete, 1 word.")
    assert announcements(chat) == ["Message sent.", "Two. Response complete, 1 word."]


def test_a_reload_does_not_repeat_announcements(chat: Chat, provider: FakeProvider) -> None:
    gate = Event()
    provider.play(hold_halfway(gate, "It rises. It falls. It stays. " * 4 + "It goes."))
    chat.ask("And?")
    chat.wait_chars(40)
    chat.reload()
    chat.wait_chars(40)
    chat.page.evaluate(RECORD)
    gate.set()
    chat.wait_over()
    expect(region(chat)).to_contain_text("Response complete")
    sentences = [one for one in " ".join(announcements(chat)).split(". ") if one.startswith("It")]
    assert 0 < len(sentences) < 10, "of thirteen"


def test_decorative_content_is_not_announced(chat: Chat, provider: FakeProvider) -> None:
    text = "Seen[^1].\n\n<details><summary>More</summary>\n\nFolded away.\n\n</details>\n\n- [x] Done\n\n[^1]: Noted.\n"
    provider.play(Answer(steps=openai([text])))
    chat.page.evaluate(RECORD)
    chat.ask("All?")
    expect(region(chat)).to_contain_text("Response complete")
    assert " ".join(announcements(chat)[1:]).startswith("Seen. More Done Noted. Response complete")


def test_text_waiting_for_character_names_is_announced(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One. The space &HilbertSpace; is told."])))
    hold_halfway: list[Route] = []

    def hold(route: Route) -> None:
        hold_halfway.append(route)

    chat.page.route("**/entities.js", hold)
    chat.page.evaluate(RECORD)
    chat.ask("All?")
    chat.wait_over()
    expect(region(chat)).to_have_text("One.")
    hold_halfway[0].continue_()
    expect(region(chat)).to_contain_text("Response complete")
    # On a slow machine the wait times out, and the name is announced.
    assert re.fullmatch(
        r"One\. The space (ℋ|&HilbertSpace;) is told\. Response complete, 6 words\.",
        " ".join(announcements(chat)[1:]),
    )


def test_the_end_of_an_answer_drawn_in_slices_is_announced(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["A line of eight words, and then another.\n\n" * 500])))
    choose_mode(chat, "status")
    chat.ask("At length")
    # The words of a long answer are estimated.
    expect(region(chat)).to_have_text(re.compile(r"^Response complete, (3,[89]|4,[01])\d\d words\.$"))


def test_identical_answers_are_both_announced(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["One."])))
    choose_mode(chat, "status")
    chat.ask("First")
    expect(region(chat)).to_contain_text("Response complete")
    chat.page.evaluate(RECORD)
    for _ in range(2):
        chat.page.evaluate("() => document.querySelector('freshet-chat').copyLast()")
    _, first, second = announcements(chat)
    assert first != second, "an unchanged region is not announced"
    assert first.strip() == second.strip()


def test_messages_are_articles_with_headings(chat: Chat, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["# Heading\n\nText."])))
    chat.ask("Hello")
    chat.wait_over()
    articles = chat.page.get_by_role("log").get_by_role("article")
    expect(articles).to_have_count(2)
    expect(articles.nth(0).get_by_role("heading")).to_have_text("Your message")
    expect(articles.nth(1).get_by_role("heading", level=2)).to_have_text("Response")
    assert region(chat).evaluate("region => region.closest('[role=log]') === null")
