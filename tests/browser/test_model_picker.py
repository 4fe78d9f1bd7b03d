"""The model picker: the provider's own list, searched and grouped, by pointer, keyboard and touch."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.answers import stream_text
from tests.browser.chat import PHONE, Chat
from tests.support.fake_provider import FakeProvider

Group = dict[str, Any]


def model(
    name: str, window: int | None = None, prices: tuple[float, float] | None = None, **fields: object
) -> Group:
    """A row of the listing."""
    priced = None if prices is None else {"input": prices[0], "output": prices[1], "tiers": []}
    return {"name": name, "context_window": window, "prices": priced, **fields}


GROUPS: list[Group] = [
    {
        "provider": "openai",
        "state": "listed",
        "models": [
            model("gpt-4.1", 1_047_576, (2, 8), images=True),
            model("gpt-6.2-sol", 1_050_000, (2, 10), images=True, reasoning=True, title="GPT-6.2 Everyday"),
            model("gpt-4o-mini", 128_000, (0.15, 0.6), images=True),
        ],
    },
    {
        "provider": "ollama",
        "state": "listed",
        "models": [
            model("llama3.3:70b", 131_072),
            model("qwen3:8b"),
            model("qwen3:8b"),
            {"title": "nameless"},
        ],
    },
]


@pytest.fixture(autouse=True)
def listing(context: BrowserContext) -> list[Group]:
    """The groups that the server lists; tests change them."""
    groups = [*GROUPS]
    context.route(re.compile(r"/models$"), lambda route: route.fulfill(json={"groups": groups}))
    return groups


@pytest.fixture
def options(chat: Chat) -> Locator:
    return chat.models.get_by_role("option")


def test_the_models_of_the_listing_are_grouped_by_provider(chat: Chat, options: Locator) -> None:
    chat.picker.click()
    expect(chat.models.get_by_role("group", name="OpenAI").get_by_role("option")).to_have_count(3)
    expect(chat.models.get_by_role("group", name="Ollama").get_by_role("option")).to_have_count(2)
    expect(options).to_contain_text(["gpt-4.1", "gpt-6.2-sol", "gpt-4o-mini", "llama3.3:70b", "qwen3:8b"])
    expect(options.nth(1)).to_contain_text("1.1M context")
    expect(options.nth(1)).to_contain_text("$2 in, $10 out")
    expect(options.nth(1).get_by_role("img", name="Accepts images")).to_be_visible()
    expect(options.nth(1).get_by_role("img", name="Thinks before it responds")).to_be_visible()
    expect(options.nth(2)).to_contain_text("128K context")
    expect(chat.models.get_by_role("option", selected=True)).to_contain_text("gpt-4.1")
    expect(chat.models.get_by_role("option", selected=True)).to_contain_text("Default")
    expect(options.filter(has_text="llama3.3:70b")).to_contain_text("128K context")
    expect(chat.models.get_by_text("Prices per million tokens")).to_be_visible()


def test_a_model_that_only_the_provider_knows_is_asked(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=2_000))
    chat.choose_model("6.2 sol")
    expect(chat.picker).to_have_text("gpt-6.2-sol")
    chat.ask("Hello")
    chat.wait_over()
    assert provider.calls[0].json["model"] == "gpt-6.2-sol"
    chat.reload()
    expect(chat.picker).to_have_text("gpt-6.2-sol")


def test_the_models_used_last_come_first(chat: Chat, options: Locator) -> None:
    chat.choose_model("mini")
    chat.picker.click()
    recent = chat.models.get_by_role("group", name="Recent").get_by_role("option")
    expect(recent).to_have_count(2)
    expect(recent.nth(0)).to_contain_text("gpt-4o-mini")
    expect(options.nth(0)).to_contain_text("gpt-4o-mini")
    expect(options.filter(has_text="gpt-4o-mini")).to_have_count(1)  # not again among its provider's
    chat.reload()
    chat.picker.click()
    expect(options.nth(0)).to_contain_text("gpt-4o-mini")


def test_the_keyboard_alone_searches_and_chooses(chat: Chat, options: Locator) -> None:
    chat.picker.focus()
    chat.page.keyboard.press("Enter")
    search = chat.models.get_by_role("combobox", name="Search models")
    expect(search).to_be_focused()
    expect(options).to_have_count(5)
    highlighted = lambda: chat.page.locator(f"#{search.get_attribute('aria-activedescendant')}")  # noqa: E731
    expect(highlighted()).to_contain_text("gpt-4.1")
    chat.page.keyboard.press("ArrowDown")
    expect(highlighted()).to_contain_text("gpt-6.2-sol")
    chat.page.keyboard.press("End")
    expect(highlighted()).to_contain_text("qwen3:8b")
    chat.page.keyboard.press("ArrowDown")
    expect(highlighted()).to_contain_text("gpt-4.1")
    chat.page.keyboard.type("everyday")
    expect(options).to_contain_text(["gpt-6.2-sol"])
    chat.page.keyboard.press("ControlOrMeta+a")
    chat.page.keyboard.type("QWEN")
    expect(options).to_have_count(1)
    chat.page.keyboard.press("Escape")
    expect(options).to_have_count(5)
    chat.page.keyboard.type("nothing like it")
    expect(chat.models.get_by_text("No models found")).to_be_visible()
    chat.page.keyboard.press("Enter")
    expect(chat.models).to_be_visible()
    chat.page.keyboard.press("Escape")
    chat.page.keyboard.press("Escape")
    expect(chat.models).to_be_hidden()
    expect(chat.picker).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(search).to_be_focused()
    chat.page.keyboard.type("llama")
    expect(highlighted()).to_contain_text("llama3.3:70b")
    chat.page.keyboard.press("Enter")
    expect(chat.picker).to_be_focused()
    expect(chat.picker).to_have_text("llama3.3:70b")


def test_the_button_and_a_press_elsewhere_close_it(chat: Chat) -> None:
    for close in (chat.picker.click, lambda: chat.page.mouse.click(40, 700)):
        chat.picker.click()
        expect(chat.models).to_be_visible()
        expect(chat.picker).to_have_attribute("aria-expanded", "true")
        close()
        expect(chat.models).to_be_hidden()
        expect(chat.picker).to_have_attribute("aria-expanded", "false")


def test_escape_in_the_list_does_not_stop_an_answer(chat: Chat, provider: FakeProvider) -> None:
    provider.play(stream_text(per_s=20))
    chat.ask("Hello")
    chat.wait_chars(5)
    chat.picker.click()
    expect(chat.models).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.models).to_be_hidden()
    assert chat.answer()["status"] == "streaming"
    chat.stop.click()


@pytest.mark.parametrize("device", [PHONE], ids=["phone"])
def test_on_a_phone_it_is_a_sheet_at_the_foot(chat: Chat, options: Locator) -> None:
    chat.picker.tap()
    expect(options).to_have_count(5)
    expect(chat.models.get_by_role("combobox")).not_to_be_focused()  # the keyboard would cover the list
    box = chat.models.bounding_box()
    assert box is not None
    assert (round(box["x"]), round(box["width"]), round(box["y"] + box["height"])) == (0, 390, 844)
    assert min(option.bounding_box()["height"] for option in options.all()) >= 44  # type: ignore[index]
    chat.models.get_by_role("button", name="Close").tap()
    expect(chat.models).to_be_hidden()
    chat.picker.tap()
    options.filter(has_text="qwen3").tap()
    expect(chat.picker).to_have_text("qwen3:8b")


def test_a_huge_listing_is_bounded_and_searched_whole(
    chat: Chat, listing: list[Group], options: Locator
) -> None:
    listing.append(
        {"provider": "hub", "models": [model(f"vendor/model-{number}") for number in range(3_000)]}
    )
    chat.picker.click()
    expect(options).to_have_count(200)
    expect(chat.models.get_by_text(re.compile(r"more\. Search"))).to_have_text(re.compile("2,805"))
    chat.models.get_by_role("combobox").fill("hub 2999")
    expect(options).to_have_count(1)


def test_without_a_listing_the_known_models_are_there(
    chat: Chat, context: BrowserContext, options: Locator
) -> None:
    chat.watch.allow("Failed to load resource")
    context.route(re.compile(r"/models$"), lambda route: route.fulfill(status=503, body="<html>"))
    chat.picker.click()
    expect(options.filter(has_text="gpt-4.1").first).to_be_visible()
    chat.page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "groups", [None, {}, "x", [None, 5, {"models": []}, {"provider": "x", "models": [{"name": 7}, None]}]]
)
def test_a_malformed_listing_is_ignored(
    chat: Chat, context: BrowserContext, options: Locator, groups: object
) -> None:
    context.route(re.compile(r"/models$"), lambda route: route.fulfill(json={"groups": groups}))
    chat.picker.click()
    expect(options.filter(has_text="gpt-4.1").first).to_be_visible()


def test_a_pending_listing_is_read_again(chat: Chat, context: BrowserContext, options: Locator) -> None:
    pending = {"provider": "openai", "state": "pending", "models": [model("gpt-4.1")]}
    answers = [[pending], [pending], GROUPS]
    context.route(
        re.compile(r"/models$"),
        lambda route: route.fulfill(json={"groups": answers.pop(0) if len(answers) > 1 else answers[0]}),
    )
    chat.picker.click()
    expect(chat.models.get_by_text("Loading models…")).to_be_visible()
    expect(options).to_have_count(5)
    expect(chat.models.get_by_text("Loading models…")).to_be_hidden()


def test_the_servers_own_listing_is_understood(chat: Chat, context: BrowserContext, options: Locator) -> None:
    context.unroute_all()
    chat.picker.click()
    expect(chat.models.get_by_text("Prices per million tokens")).to_be_visible()
    expect(options.filter(has_text="gpt-4.1-mini")).to_contain_text("$0.40 in, $1.60 out")
