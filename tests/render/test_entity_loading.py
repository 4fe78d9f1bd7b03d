"""Uncommon entities: their table is loaded when one occurs, and the answer waits for it without losing text."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.render.conftest import serve
from tests.support.bare import bare

TABLE = "**/markdown/entities.js"


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Page]:
    """Open a page that has loaded nothing yet."""
    with bare(browser) as opened:
        opened.route("**/tests/**", serve)
        yield opened


def render(page: Page, size: int, **options: bool) -> dict[str, Any]:
    """Render the text in pieces of this size."""
    rendered: dict[str, Any] = page.evaluate(
        "async ([size, options]) => (await import('/tests/render/entity-loading.mjs')).render(size, options)",
        [size, options],
    )
    return rendered


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_answer_waits_for_the_table_and_continues(fresh: Page, size: int) -> None:
    requested: list[str] = []
    fresh.on("request", lambda request: requested.append(request.url) if "entities" in request.url else None)
    rendered = render(fresh, size)
    assert rendered["first"] == "First & then ", "shown up to the uncommon entity"
    assert rendered["text"].split() == [
        "First",
        "&",
        "then",
        "ℋ",
        "&nope;",
        "a",
        "and",
        "last",
        "ö",
        "**open",
    ]
    assert 'title="≧̸"' in rendered["html"]
    assert len(requested) == 1
    again = render(fresh, size)
    assert again["first"] == again["text"] == rendered["text"], "the table is loaded, nothing waits"
    assert len(requested) == 1


def test_the_result_does_not_depend_on_the_pieces(fresh: Page, browser: Browser) -> None:
    one = render(fresh, 1)["html"]
    with bare(browser) as other:
        other.route("**/tests/**", serve)
        assert render(other, 1_000)["html"] == one


def test_entities_stay_as_written_if_the_table_is_broken(fresh: Page) -> None:
    fresh.route(
        TABLE, lambda route: route.fulfill(body="export const broken;", content_type="text/javascript")
    )
    rendered = render(fresh, 5)
    assert rendered["text"].split() == [
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


def test_a_table_that_never_arrives_does_not_hold_the_answer_back(fresh: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    fresh.route(TABLE, hold)
    rendered = render(fresh, 5)
    assert "&HilbertSpace; &nope;" in rendered["text"]
    assert rendered["text"].endswith("&ouml; **open")
    assert not rendered["isWaiting"]
    held[0].fulfill(body="", content_type="text/javascript")


def test_a_closed_stream_shows_no_more_text(fresh: Page) -> None:
    rendered = render(fresh, 7, isClosed=True)
    assert rendered["text"] == rendered["first"]
    assert not rendered["isWaiting"]


def test_common_entities_need_no_table(fresh: Page) -> None:
    requested: list[str] = []
    fresh.on("request", lambda request: requested.append(request.url))
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
    assert any("references.js" in url for url in requested)
    assert not any("entities.js" in url for url in requested)
