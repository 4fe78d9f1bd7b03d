"""The model picker and the settings panel: what is chosen reaches the provider, and is there the next time."""

from playwright.sync_api import expect

from tests.browser.answers import begun, spoken
from tests.browser.chat import Chat
from tests.support.fake_provider import FakeProvider


def test_what_is_chosen_reaches_the_provider(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat.page.get_by_label("Model", exact=True).select_option("openai/gpt-4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    panel = chat.page.get_by_role("dialog", name="Settings")
    panel.get_by_label("Instructions").fill("Answer in rhyme.")
    panel.get_by_label("Temperature").fill("0.3")
    panel.get_by_label("Longest answer").fill("77")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_be_hidden()
    chat.ask("Hello")
    chat.wait_over()
    asked = provider.calls[0].json
    assert (asked["model"], asked["temperature"]) == ("gpt-4o-mini", 0.3)
    assert 77 in (asked.get("max_tokens"), asked.get("max_completion_tokens"))
    assert asked["messages"][0] == {"role": "system", "content": "Answer in rhyme."}


def test_choices_last_and_can_be_taken_back(chat: Chat, provider: FakeProvider) -> None:
    provider.play(spoken(per_s=2_000))
    chat.page.get_by_label("Model", exact=True).select_option("openai/gpt-4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Temperature").fill("1.5")
    chat.page.keyboard.press("Enter")
    chat.reload()
    expect(chat.page.get_by_label("Model", exact=True)).to_have_value("openai/gpt-4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_label("Temperature")).to_have_value("1.5")
    chat.page.get_by_label("Temperature").fill("")
    chat.page.get_by_role("button", name="Save").click()
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Instructions").fill("Not this.")
    chat.page.keyboard.press("Escape")
    chat.ask("Hello")
    chat.wait_over()
    asked = provider.calls[0].json
    assert "temperature" not in asked
    assert [message["role"] for message in asked["messages"]] == ["user"]


def test_a_number_that_cannot_be_is_not_taken(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Temperature").fill("3")
    chat.page.get_by_role("button", name="Save").click()
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_visible()
    chat.page.get_by_role("button", name="Cancel").click()
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_hidden()


def test_a_change_during_an_answer_holds_for_the_next_and_a_reload_joins_the_run(
    chat: Chat, provider: FakeProvider
) -> None:
    provider.play(begun())
    chat.ask("Hello")
    chat.wait_chars(20)
    chat.page.get_by_label("Model", exact=True).select_option("openai/gpt-4o-mini")
    chat.reload()
    chat.wait_chars(20)
    chat.stop.click()
    chat.wait_over()
    assert len(provider.calls) == 1
    chat.ask("Hello again")
    provider.wait_calls(2)
    assert provider.calls[-1].json["model"] == "gpt-4o-mini"
    chat.stop.click()
    chat.wait_over()
