"""The renderer is warmed up where nobody sees, reads or finds it, and nothing of it is left."""

from collections.abc import Callable
from typing import Any


def test_the_sample_is_found_by_nobody_and_leaves_nothing(run: Callable[..., Any]) -> None:
    warmed = run("warm-up.mjs", "warm")
    assert warmed["steps"] > 100
    assert warmed["during"] == 1, "its box alone"
    assert warmed["isInert"], "neither read aloud nor reached with Tab"
    assert warmed["after"] == 0
