"""Nothing flickers: no character of the corpus leaves what it stands in and comes back, at no prefix."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

Run = Callable[..., Any]


def test_no_character_comes_back_to_what_it_left(run: Run) -> None:
    found = run("stability.mjs", "corpus")
    assert len(found) == 10
    assert {name: returned for name, returned in found.items() if returned} == {}


def test_a_return_is_seen(run: Run) -> None:
    # The code span that opened at the first backtick was none after all, then is one again.
    assert run("stability.mjs", "returns", "*foo [bar* baz]\n") != []


def test_a_marker_is_held_until_something_decides_or_time_passes(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            const { stream, RELEASE_MS } = await import('/static/render/index.js');
            const root = document.createElement('div');
            let due = null;
            const clock = { after: (run, ms) => { due = { run, ms }; return 1; }, cancel: () => { due = null; } };
            const view = stream(root, { clock });
            const steps = [];
            view.write('Here is what to do:\\n-');
            steps.push(root.textContent);
            steps.push(due.ms === RELEASE_MS);
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
