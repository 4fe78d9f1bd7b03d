"""What is off the screen of a long answer costs nothing any more, and nothing moves for it."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
ALL_DRAWN = ".blocks.settled { content-visibility: visible }"


@pytest.fixture(scope="module")
def followed(run: Run) -> dict[str, Any]:
    said: dict[str, Any] = run("settling.mjs", "played", "")
    return said


def test_complete_groups_are_not_drawn_while_nobody_sees_them(followed: dict[str, Any]) -> None:
    assert followed["groups"] >= 10
    assert followed["settled"] == followed["groups"]
    # At the end of a scroller of 500 pixels a browser looks a little further than what is seen.
    assert followed["skipped"] > followed["groups"] * 0.6


def test_the_answer_is_as_high_as_if_all_were_drawn(run: Run, followed: dict[str, Any]) -> None:
    drawn = run("settling.mjs", "played", ALL_DRAWN)
    assert drawn["skipped"] == 0
    assert abs(drawn["height"] - followed["height"]) <= 1


def test_nothing_moves_for_a_reader_who_went_up(run: Run) -> None:
    read = run("settling.mjs", "played", "", {"isUp": True})
    assert read["watched"] > 2
    assert read["moved"] <= 1


def test_a_long_list_goes_on_in_a_second_one(run: Run) -> None:
    lists = run(
        "settling.mjs", "lists", "".join(f"{number}. item\n" for number in range(3, 253)) + "\n\nend\n"
    )
    assert [(part["tag"], part["start"], part["items"]) for part in lists] == [
        ("ol", "3", 100),
        ("ol", "103", 100),
        ("ol", "203", 50),
    ]
    assert [part["gap"] for part in lists] == [0, 4, 4], "as far apart as its items"
    assert [part["isSettled"] for part in lists] == [True, True, False]
    assert {part["dir"] for part in lists} == {"auto"}


def test_a_loose_list_is_loose_in_all_its_parts(run: Run) -> None:
    lists = run("settling.mjs", "lists", "- item\n" * 120 + "\n- apart\n")
    assert [(part["tag"], part["items"], part["isLoose"]) for part in lists] == [
        ("ul", 100, True),
        ("ul", 21, True),
    ]
