"""Complete groups of a long answer are not rendered while they are off the screen, and nothing moves because of it."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
ALL_RENDERED = ".blocks.settled { content-visibility: visible }"


@pytest.fixture(scope="module")
def followed(run: Run) -> dict[str, Any]:
    result: dict[str, Any] = run("settled-groups.mjs", "play", "")
    return result


def test_complete_groups_off_the_screen_are_not_rendered(followed: dict[str, Any]) -> None:
    assert followed["groups"] >= 10
    assert followed["settled"] == followed["groups"]
    # The scroller is 500 pixels high; a browser also renders a margin around it.
    assert followed["skipped"] > followed["groups"] * 0.6


def test_groups_of_groups_are_skipped_as_one(followed: dict[str, Any]) -> None:
    """A browser checks each settled element in every frame, unless it is in one that it skips."""
    outer = followed["outer"]
    assert sum(group["isSettled"] for group in outer) >= 1
    assert all(group["isSettled"] != group["isLast"] for group in outer), (
        "the last of each level may still grow"
    )


def test_the_answer_is_as_high_as_if_everything_were_rendered(run: Run, followed: dict[str, Any]) -> None:
    rendered = run("settled-groups.mjs", "play", ALL_RENDERED)
    assert rendered["skipped"] == 0
    assert abs(rendered["height"] - followed["height"]) <= 1


def test_nothing_moves_for_a_reader_who_scrolled_up(run: Run) -> None:
    read = run("settled-groups.mjs", "play", "", {"isUp": True})
    assert read["watched"] > 2
    assert read["moved"] <= 1


def test_a_long_list_is_rendered_as_several(run: Run) -> None:
    lists = run(
        "settled-groups.mjs", "lists", "".join(f"{number}. item\n" for number in range(3, 253)) + "\n\nend\n"
    )
    assert [(part["tag"], part["start"], part["items"]) for part in lists] == [
        ("ol", "3", 100),
        ("ol", "103", 100),
        ("ol", "203", 50),
    ]
    assert [part["gap"] for part in lists] == [0, 4, 4], "as far apart as its items"
    assert [part["isSettled"] for part in lists] == [True, True, False]
    assert {part["dir"] for part in lists} == {"auto"}


def test_all_parts_of_a_loose_list_are_loose(run: Run) -> None:
    lists = run("settled-groups.mjs", "lists", "- item\n" * 120 + "\n- apart\n")
    assert [(part["tag"], part["items"], part["isLoose"]) for part in lists] == [
        ("ul", 100, True),
        ("ul", 21, True),
    ]
