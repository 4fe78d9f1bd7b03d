"""Which wheels a platform needs, and how what is missing is found; the index is a fake one."""

from collections.abc import Sequence

import pytest
from packaging.requirements import Requirement

from tests.support import platforms
from tests.support.platforms import PLATFORMS, Platform, conditions, main, missing, needed

LINUX, _, _, MAC_ARM, WINDOWS = PLATFORMS
PINS = ["Flask==3.1.0", "gevent==25.9.1", "tdewolff-minify==2.24.12", "requests==2.32.5"]
CONDITIONS = conditions(["flask>=3", "tdewolff-minify>=2; platform_machine != 'arm64'"])


@pytest.fixture(autouse=True)
def _pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "pins", lambda: PINS)


def test_only_conditions_are_kept() -> None:
    assert {"tdewolff-minify": Requirement("tdewolff-minify>=2; platform_machine != 'arm64'")} == CONDITIONS


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (LINUX, PINS),
        (MAC_ARM, [pin for pin in PINS if "minify" not in pin]),
        (WINDOWS, ["Flask==3.1.0", "requests==2.32.5"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_platform_needs_what_runs_there(platform: Platform, expected: list[str]) -> None:
    assert needed(platform, "3.12", CONDITIONS) == expected


def test_what_is_missing_is_named() -> None:
    calls = []

    def find(names: Sequence[str], platform: Platform, python: str) -> bool:
        calls.append((tuple(names), platform.name, python))
        return not any("gevent" in name for name in names)

    assert missing(LINUX, "3.14", PINS, find) == ["gevent==25.9.1"]
    assert calls[0] == (tuple(PINS), "Linux x86_64", "3.14")
    assert missing(LINUX, "3.14", PINS[:1], find) == []


def test_the_exit_code_says_whether_anything_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(lambda *_: True) == 0
    assert "Windows        3.14  all there" in capsys.readouterr().out
    assert main(lambda names, _, python: python != "3.14" or "gevent==25.9.1" not in names) == 1
    assert "Linux aarch64  3.14  gevent==25.9.1" in capsys.readouterr().out
