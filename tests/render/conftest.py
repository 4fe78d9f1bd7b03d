"""A bare page under the strictest content security policy, with the renderer and the programs of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.support.bare import ORIGIN, bare

ROOT = Path(__file__).resolve().parents[2]


def serve(route: Route) -> None:
    """Serve a module of the tests."""
    path = route.request.url.removeprefix(ORIGIN)
    route.fulfill(
        body=(ROOT / path.removeprefix("/")).read_text(), content_type="text/javascript; charset=utf-8"
    )


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Open the page; an error on its console fails the test."""
    with bare(browser) as opened:
        opened.set_default_timeout(60_000)
        opened.route("**/tests/**", serve)
        yield opened


@pytest.fixture(scope="module")
def run(page: Page) -> Callable[..., Any]:
    """Return a function that calls what a program of this folder exports."""

    def call(program: str, name: str, *arguments: Any) -> Any:
        return page.evaluate(
            """async ([program, name, args]) => (await import(`/tests/render/${program}`))[name](...args)""",
            [program, name, list(arguments)],
        )

    return call
