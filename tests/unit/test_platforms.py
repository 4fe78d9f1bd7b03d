"""Which wheels a platform needs, and how what is missing is found; the index is a fake one."""

import subprocess
from collections.abc import Sequence

import pytest
from packaging.requirements import Requirement

from tests.support import platforms
from tests.support.platforms import PLATFORMS, Platform, has_wheels, main, missing, needed

LINUX, _, _, MAC_ARM, WINDOWS = PLATFORMS
PINS = ["Flask==3.1.0", "gevent==26.9.0", "tdewolff-minify==2.24.12", "requests==2.32.5", "idna==3.20"]
DIRECT = [
    Requirement(line)
    for line in (
        "flask>=3",
        "gevent>=25.9; sys_platform != 'darwin' or python_version >= '3.12'",
        "gevent>=25.5,<25.6; sys_platform == 'darwin' and python_version < '3.12'",
        "requests",
        "rjsmin>=1.2; platform_machine == 'arm64'",
        "tdewolff-minify>=2; platform_machine != 'arm64'",
    )
]


@pytest.fixture(autouse=True)
def _pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "pins", lambda: PINS)


@pytest.mark.parametrize(
    ("platform", "python", "expected"),
    [
        (
            LINUX,
            "3.11",
            ["flask==3.1.0", "gevent==26.9.0", "tdewolff-minify==2.24.12", "requests==2.32.5", "idna==3.20"],
        ),
        (MAC_ARM, "3.12", ["flask==3.1.0", "gevent==26.9.0", "requests==2.32.5", "idna==3.20"]),
        (MAC_ARM, "3.11", ["flask==3.1.0", "gevent<25.6,>=25.5", "requests==2.32.5", "idna==3.20"]),
        (WINDOWS, "3.11", ["flask==3.1.0", "requests==2.32.5", "idna==3.20"]),
    ],
    ids=lambda value: getattr(value, "name", None) or (value if isinstance(value, str) else ""),
)
def test_a_platform_needs_what_runs_there(platform: Platform, python: str, expected: list[str]) -> None:
    assert needed(platform, python, DIRECT) == expected


def test_a_failure_of_pip_is_no_missing_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: object, **_options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "ERROR: the network is away")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RuntimeError, match="the network is away"):
        has_wheels(PINS, LINUX, "3.11")


def test_what_is_missing_is_named() -> None:
    calls = []

    def find(names: Sequence[str], platform: Platform, python: str) -> bool:
        calls.append((tuple(names), platform.name, python))
        return not any("gevent" in name for name in names)

    assert missing(LINUX, "3.14", PINS, find) == ["gevent==26.9.0"]
    assert calls[0] == (tuple(PINS), "Linux x86_64", "3.14")
    assert missing(LINUX, "3.14", PINS[:1], find) == []


def test_the_exit_code_says_whether_anything_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(lambda *_: True) == 0
    assert "Windows        3.14  all there" in capsys.readouterr().out
    assert main(lambda names, _, python: python != "3.14" or "gevent==26.9.0" not in names) == 1
    assert "Linux aarch64  3.14  gevent==26.9.0" in capsys.readouterr().out
