"""What a failed answer says: one cause, the next step, and to whom which names are shown."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.answers import break_off, stream_text
from tests.browser.chat import NETWORK, Chat, Watch
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import Answer, refusal
from tests.support.server import Server

MISSING = {
    "error": {"message": "The model `gpt-4.1` does not exist", "code": "model_not_found", "param": None}
}


def test_a_model_that_does_not_exist_has_one_cause_and_one_next_step(
    chat: Chat, provider: FakeProvider
) -> None:
    provider.play([refusal(404, MISSING), stream_text(per_s=2_000)])
    chat.ask("Hello")
    chat.wait_over()
    problem = chat.page.locator(".problem")
    expect(problem.locator(".title")).to_have_text("The provider has no model called gpt-4.1.")
    expect(problem.locator(".advice")).to_have_text("Choose another.")
    expect(chat.retry).to_be_hidden()
    chat.reload()
    expect(problem.locator(".title")).to_have_text("The provider has no model called gpt-4.1.")
    expect(problem.locator(".advice")).to_have_text("Choose another.")
    problem.get_by_role("button", name="Choose a model").click()
    expect(chat.models).to_be_visible()
    chat.models.get_by_role("combobox").fill("4o-mini")
    chat.models.get_by_role("combobox").press("Enter")
    chat.retry.click()
    assert chat.wait_over()["status"] == "done"
    assert provider.calls[-1].json["model"] == "gpt-4o-mini"


@pytest.mark.parametrize("is_operator", [True, False], ids=["operator", "visitor"])
def test_an_unreachable_provider_is_named(open_chat: Callable[[str], Chat], *, is_operator: bool) -> None:
    port = closed_port()
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://user:pw@127.0.0.1:{port}/v1"}
    mode = {"FRESHET_LOCAL": "true"} if is_operator else {"FRESHET_PUBLIC": "true"}
    with Server(env | mode | {"FRESHET_MODEL": "gpt-4.1"}) as server:
        chat = open_chat(server.url)
        chat.ask("Hello")
        chat.wait_over()
        expect(chat.page.locator(".problem .title")).to_have_text("Can’t reach OpenAI.")
        advice = chat.page.locator(".problem .advice")
        address = f"Address: http://127.0.0.1:{port}."
        if is_operator:
            expect(advice).to_contain_text(address)
        else:
            expect(advice).to_have_text("This is often temporary. Try again in a moment.")
            assert str(port) not in chat.page.content()
        chat.reload()
        expect(chat.page.locator(".problem .title")).to_have_text("Can’t reach OpenAI.")
        assert "pw@" not in chat.page.content()


def test_the_partial_answer_is_saved_where_the_server_has_it(chat: Chat, provider: FakeProvider) -> None:
    provider.play(break_off("Half of", b'data: {"error": {"message": "x"}}\n\n'))
    chat.ask("What is a freshet?")
    chat.wait_over()
    expect(chat.page.get_by_text("The partial answer is saved.")).to_be_visible()
    chat.page.evaluate("sessionStorage.clear()")
    chat.reload()
    expect(chat.page.get_by_text("The partial answer is saved.")).to_be_visible()


def test_nothing_is_said_to_be_saved_that_the_server_has_not_stored(
    context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(break_off("Half of", b'data: {"error": {"message": "x"}}\n\n'))
    # As a caller whose conversations are not stored gets it: no id of the question's message.
    context.add_init_script(
        """const { parse } = JSON;
        JSON.parse = (...args) => { const found = parse(...args); if (found?.start) delete found.start.question; return found; }"""
    )
    chat.reload()
    chat.ask("What is a freshet?")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_be_visible()
    expect(chat.page.get_by_text("The partial answer is saved.")).to_be_hidden()


def test_a_part_that_is_not_stored_yet_is_not_said_to_be_saved(
    open_chat: Callable[[str], Chat], provider: FakeProvider, server: Server, watch: Watch
) -> None:
    watch.allow(NETWORK)
    chat = open_chat(server.url)

    def serve(route: Route) -> None:
        run = route.request.post_data_json["run"]
        frames = (
            f'id: {run}:1:1\ndata: {{"start": {{"run": "{run}", "provider": "openai", "model": "gpt-4.1", "question": "q"}}}}\n\n'
            f'id: {run}:1:2\ndata: {{"text": "Half of"}}\n\n'
            f'id: {run}:1:3\ndata: {{"notice": {{"code": "not_saved"}}}}\n\n'
            f'id: {run}:1:4\ndata: {{"error": "It broke.", "code": "interrupted", "partial": true}}\n\n'
        )
        route.fulfill(content_type="text/event-stream", body=frames)

    chat.page.route("**/stream", serve)
    chat.ask("What is a freshet?")
    chat.wait_over()
    expect(chat.page.locator(".problem .title")).to_be_visible()
    expect(chat.page.get_by_text("The partial answer is saved.")).to_be_hidden()


def test_a_setting_that_the_model_does_not_support_is_named(chat: Chat, provider: FakeProvider) -> None:
    refused = {"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model.", "param": "temperature", "code": "unsupported_parameter"}}  # fmt: skip
    provider.play([refusal(400, refused), Answer(steps=openai(["Fine."]))])
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("Temperature").fill("0.3")
    chat.page.get_by_role("button", name="Save").click()
    chat.ask("Hello")
    chat.wait_over()
    expect(chat.page.locator(".ignored")).to_have_text(
        "gpt-4.1 doesn’t support “Temperature”. This response was generated without it."
    )


def test_an_effort_that_the_model_does_not_have_is_refused_with_the_setting_s_name(
    open_chat: Callable[[str], Chat],
) -> None:
    env = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1"}
    with Server(env | {"FRESHET_LOCAL": "true", "FRESHET_MODEL": "gpt-6.2-sol"}) as server:
        chat = open_chat(server.url)
        chat.page.get_by_role("button", name="Settings").click()
        chat.page.get_by_label("Reasoning effort").select_option("none")
        chat.page.get_by_role("button", name="Save").click()
        chat.watch.allow(NETWORK)  # the refused request
        chat.ask("Hello")
        chat.wait_over()
        problem = chat.page.locator(".problem")
        expect(problem.locator(".title")).to_have_text("This model can’t reason with the chosen effort.")
        expect(problem.locator(".advice")).to_have_text(
            "Change the reasoning effort in Settings, or choose another model."
        )


def test_a_model_that_is_being_loaded_is_said_to_be(chat: Chat) -> None:
    def serve(route: Route) -> None:
        run = route.request.post_data_json["run"]
        frames = (
            f'id: {run}:1:1\ndata: {{"start": {{"run": "{run}", "provider": "ollama", "model": "llama3"}}}}\n\n'
            f'id: {run}:1:2\ndata: {{"notice": {{"code": "loading_model"}}}}\n\n'
        )
        route.fulfill(content_type="text/event-stream", body=frames)

    chat.watch.allow(NETWORK)
    chat.page.route("**/stream", serve)
    chat.ask("Hello")
    expect(chat.page.locator(".waiting-text")).to_have_text("Loading the model. This can take a minute.")
