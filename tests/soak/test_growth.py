"""The line through samples of memory, and the bound of its slope."""

import random

import pytest

from tests.soak.growth import measure_growth, student_quantile

RUNS = range(250, 10_001, 250)


def test_a_line_without_noise_is_found() -> None:
    growth = measure_growth(RUNS, [50_000_000 + 7 * at for at in RUNS])
    assert growth.slope == pytest.approx(7_000)
    assert growth.upper == pytest.approx(7_000)


def test_the_bound_is_above_the_true_slope_in_about_19_of_20_cases() -> None:
    dice = random.Random(5)
    upper = [
        measure_growth(RUNS, [round(3 * at + dice.gauss(0, 200_000)) for at in RUNS]).upper
        for _ in range(1_000)
    ]
    assert 930 <= sum(bound > 3_000 for bound in upper) <= 970


def test_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        measure_growth([1, 2, 3], [1, 2, 3])


@pytest.mark.parametrize(("freedom", "expected"), [(6, 1.9432), (10, 1.8125), (30, 1.6973), (1_000, 1.6464)])
def test_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert student_quantile(0.95, freedom) == pytest.approx(expected, abs=0.002)
