"""The model picker and the settings panel."""

from playwright.sync_api import expect

from tests.browser.answers import stream_text, stream_then_stall
from tests.browser.chat import Chat
from tests.support.fake_provider import FakeProvider


def test_settings_reach_the_provider(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.choose_model("openai 4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    panel = chat.page.get_by_role("dialog", name="Settings")
    panel.get_by_label("Instructions").fill("Answer in rhyme.")
    panel.get_by_label("Temperature").fill("0.3")
    panel.get_by_label("Max response length").fill("77")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_be_hidden()
    chat.ask("Hello")
    chat.wait_over()
    request = provider.calls[0].json
    assert (request["model"], request["temperature"]) == ("gpt-4o-mini", 0.3)
    assert 77 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert request["messages"][0] == {"role": "system", "content": "Answer in rhyme."}


def test_settings_are_kept_and_can_be_cleared(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.choose_model("openai 4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Temperature").fill("1.5")
    chat.page.keyboard.press("Enter")
    chat.reload()
    expect(chat.picker).to_have_text("gpt-4o-mini")
    chat.page.get_by_role("button", name="Settings").click()
    expect(chat.page.get_by_label("Temperature")).to_have_value("1.5")
    chat.page.get_by_label("Temperature").fill("")
    chat.page.get_by_role("button", name="Save").click()
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Instructions").fill("Not this.")
    chat.page.keyboard.press("Escape")
    chat.ask("Hello")
    chat.wait_over()
    request = provider.calls[0].json
    assert "temperature" not in request
    assert [message["role"] for message in request["messages"]] == ["user"]


def test_the_effort_reaches_the_provider_and_is_kept(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.page.get_by_role("button", name="Settings").click()
    effort = chat.page.get_by_label("Reasoning effort")
    expect(effort.get_by_role("option")).to_have_text(
        ["Default", "None", "Low", "Medium", "High", "Extra high", "Max"]
    )
    expect(effort).to_have_value("")
    effort.select_option("Low")
    chat.page.get_by_role("button", name="Save").click()
    with chat.page.expect_request("**/stream**") as asked:
        chat.ask("Hello")
    assert asked.value.post_data_json["effort"] == "low"
    chat.wait_over()
    chat.reload()
    chat.page.get_by_role("button", name="Settings").click()
    expect(effort).to_have_value("low")
    effort.select_option("")
    chat.page.get_by_role("button", name="Save").click()
    with chat.page.expect_request("**/stream**") as asked:
        chat.ask("Hello again")
    assert "effort" not in asked.value.post_data_json
    chat.wait_over()


def test_an_invalid_number_is_rejected(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Temperature").fill("3")
    chat.page.get_by_role("button", name="Save").click()
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_visible()
    chat.page.get_by_role("button", name="Cancel").click()
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_hidden()


def test_a_setting_changed_during_an_answer_applies_to_the_next(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_then_stall())
    chat.ask("Hello")
    chat.wait_chars(20)
    chat.choose_model("openai 4o-mini")
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
