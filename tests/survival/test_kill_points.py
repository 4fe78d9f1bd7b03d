"""A worker is killed at each of the named points of an answer's way, once; `make faults` does it more often, and in all journals."""

import importlib
import os
import random
from collections.abc import Iterator

import pytest

from tests.support.probe.killing import POINTS
from tests.survival.kill_cases import CASES
from tests.survival.kills import KillSeries

SERIES_S = 100.0


@pytest.fixture(scope="module")
def series() -> Iterator[KillSeries]:
    """Kill at all points, on several servers at once; the tests wait for their own."""
    seed = int(os.environ.get("FRESHET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print(f"\nFRESHET_TEST_SEED={seed} python -m tests.survival.kills --times 1")
    running = KillSeries("sqlite", [(case, 0) for case in CASES], seed)
    yield running
    running.join(SERIES_S)


@pytest.mark.parametrize("point", [case.point for case in CASES])
def test_a_worker_that_dies_loses_no_answer(series: KillSeries, point: str) -> None:
    outcome = series.wait(point, 0, SERIES_S)
    print(*outcome.evidence, sep="\n")
    assert not outcome.faults


def test_there_is_a_case_for_each_point() -> None:
    assert sorted(case.point for case in CASES) == sorted(point.name for point in POINTS)
    names = {point.name for point in POINTS}
    assert all(earlier in names for case in CASES for earlier in case.earlier)


@pytest.mark.parametrize("place", sorted({(t.module, t.function) for p in POINTS for t in p.targets}))
def test_each_point_is_a_function_of_the_product(place: tuple[str, str]) -> None:
    module, function = place
    found = importlib.import_module(module)
    for part in function.split("."):
        found = getattr(found, part)
    assert callable(found)
    assert found.__module__ == module
