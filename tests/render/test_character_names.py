"""Names of rare characters: their table comes when one of them does, and nothing of the answer is lost meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.render.conftest import serve
from tests.support.bare import bare

TABLE = "**/markdown/entities.js"


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """A page that has loaded nothing yet."""
    with bare(browser) as opened:
        opened.route("**/tests/**", serve)
        yield opened


def shown(page: Page, size: int, **how: bool) -> dict[str, Any]:
    """Show the text in pieces of this size."""
    told: dict[str, Any] = page.evaluate(
        "async ([size, how]) => (await import('/tests/render/character-names.mjs')).shown(size, how)",
        [size, how],
    )
    return told


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_answer_waits_for_the_table_and_goes_on(fresh: Page, size: int) -> None:
    asked: list[str] = []
    fresh.on("request", lambda request: asked.append(request.url) if "entities" in request.url else None)
    told = shown(fresh, size)
    assert told["first"] == "First & then ", "up to where it must be decided"
    assert told["text"].split() == ["First", "&", "then", "ℋ", "&nope;", "a", "and", "last", "ö", "**open"]
    assert 'title="≧̸"' in told["html"]
    assert len(asked) == 1
    again = shown(fresh, size)
    assert again["first"] == again["text"] == told["text"], "from now on nothing waits"
    assert len(asked) == 1


def test_in_every_piece_the_same_comes_out(fresh: Page, browser: Browser) -> None:
    one = shown(fresh, 1)["html"]
    with bare(browser) as other:
        other.route("**/tests/**", serve)
        assert shown(other, 1_000)["html"] == one


def test_without_the_table_the_names_stay_as_they_are(fresh: Page) -> None:
    fresh.route(
        TABLE, lambda route: route.fulfill(body="export const broken;", content_type="text/javascript")
    )
    told = shown(fresh, 5)
    assert told["text"].split() == [
        "First",
        "&",
        "then",
        "&HilbertSpace;",
        "&nope;",
        "a",
        "and",
        "last",
        "&ouml;",
        "**open",
    ]


def test_a_table_that_does_not_come_holds_nothing_back(fresh: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    fresh.route(TABLE, hold)
    told = shown(fresh, 5)
    assert "&HilbertSpace; &nope;" in told["text"]
    assert told["text"].endswith("&ouml; **open")
    assert not told["isWaiting"]
    held[0].fulfill(body="", content_type="text/javascript")


def test_what_is_closed_meanwhile_shows_nothing_more(fresh: Page) -> None:
    told = shown(fresh, 7, isClosed=True)
    assert told["text"] == told["first"]
    assert not told["isWaiting"]


def test_common_names_need_no_table(fresh: Page) -> None:
    asked: list[str] = []
    fresh.on("request", lambda request: asked.append(request.url))
    text = fresh.evaluate(
        """async () => {
            const { stream } = await import('/static/render/index.js');
            const root = document.createElement('div');
            const view = stream(root);
            view.write('&lt;b&gt; &nbsp;&mdash; &#x41; & x; `a;` R&D, x');
            return root.textContent;
        }"""
    )
    assert text.startswith("<b> \u00a0— A & x; a; R&D, x")
    assert any("references.js" in url for url in asked)
    assert not any("entities.js" in url for url in asked)
