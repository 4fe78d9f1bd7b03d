"""Nothing flickers: at no prefix of the corpus does a character leave an element and return to it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

Run = Callable[..., Any]


def test_no_character_returns_to_an_element_that_it_left(run: Run) -> None:
    found = run("stability.mjs", "corpus")
    assert len(found) == 11
    assert {name: returned for name, returned in found.items() if returned} == {}


def test_the_check_notices_a_return(run: Run) -> None:
    # The code span that opened at the first backtick was none after all, then is one again.
    assert run("stability.mjs", "returns", "*foo [bar* baz]\n") != []


def test_a_marker_is_held_back_until_it_is_decided_or_time_passes(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            const { stream, SHOW_PENDING_MS } = await import('/static/render/index.js');
            const root = document.createElement('div');
            let due = null;
            const clock = { after: (run, ms) => { due = { run, ms }; return 1; }, cancel: () => { due = null; } };
            const view = stream(root, { clock });
            const steps = [];
            view.write('Here is what to do:\\n-');
            steps.push(root.textContent);
            steps.push(due.ms === SHOW_PENDING_MS);
            due.run();
            steps.push(root.textContent);
            view.write(' first');
            steps.push(root.querySelector('li').textContent);
            steps.push(root.querySelector('.held') === null && due === null);
            view.write('\\n\\n[a]: /b');
            steps.push(due === null && !root.textContent.includes('/b'));
            return steps;
        }"""
    )
    assert shown == ["Here is what to do:", True, "Here is what to do:-", "first", True, True]
