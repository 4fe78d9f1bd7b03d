"""The colour tokens meet WCAG 2.2 AA contrast in light and in dark."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "static" / "styles" / "tokens.css"
TEXT, CONTROL = 4.5, 3.0

PAIRS = [
    ("text", "ground", TEXT),
    ("text", "raised", TEXT),
    ("text", "tint", TEXT),
    ("muted", "ground", TEXT),
    ("muted", "raised", TEXT),
    ("muted", "tint", TEXT),
    ("danger", "ground", TEXT),
    ("success", "ground", TEXT),
    ("on-accent", "accent", TEXT),
    ("accent", "ground", CONTROL),
    ("accent", "raised", CONTROL),
    ("control", "ground", CONTROL),
    ("control", "raised", CONTROL),
]


def palettes() -> dict[str, dict[str, str]]:
    """Return the light and the dark colours by token."""
    colour = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
    pairs = {name: (light, dark) for name, light, dark in colour.findall(TOKENS.read_text())}
    return {
        "light": {name: light for name, (light, _) in pairs.items()},
        "dark": {name: dark for name, (_, dark) in pairs.items()},
    }


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_formula() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(scheme: str, front: str, back: str, least: float) -> None:
    palette = palettes()[scheme]
    assert contrast(palette[front], palette[back]) >= least
