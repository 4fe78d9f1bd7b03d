"""With nothing but a key or an address, as `make run` starts: the first question is answered, and the picker shows the list."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.support.fake_provider import FakeProvider
from tests.support.listing_providers import LISTED, answer_of, environment, lists_of
from tests.support.server import Server


@pytest.mark.parametrize(
    ("name", "title"), [("openai", "OpenAI"), ("anthropic", "Anthropic"), ("ollama", "Ollama")]
)
def test_the_first_question_is_answered_and_the_picker_shows_the_list(
    open_chat: Callable[[str], Chat], name: str, title: str
) -> None:
    with (
        FakeProvider(answer_of, models=lists_of) as provider,
        Server(environment(name, provider) | {"FRESHET_LOCAL": "true"}, secrets=("sk-canary-1",)) as server,
    ):
        chat = open_chat(server.url)
        chat.ask("Hello")
        answer = chat.wait_over()
        assert (answer["status"], answer["text"]) == ("done", "Hi")
        assert {json.loads(call.body)["model"] for call in provider.calls} == {LISTED[name][0]}
        chat.picker.click()
        shown = chat.models.get_by_role("group", name=title).get_by_role("option")
        expect(shown).to_have_count(len(LISTED[name]))
        for model in LISTED[name]:
            expect(shown.filter(has_text=model)).to_have_count(1)
        chat.page.close()  # before its server ends, which it would complain about
