"""Ask the package index for wheels of every run-time dependency, for each platform and Python: `make check-platforms`.

The server runs on Linux and macOS, x86-64 and Arm; the client, the terminal and the notebook on Windows too. The index is the one
that pip is configured for. Prints a table; the exit code is 1 where a wheel is missing.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What only a server needs.
SERVER_ONLY = frozenset(
    {"alembic", "flask-sock", "gevent", "gunicorn", "mako", "psycopg", "psycopg-binary", "sqlalchemy"}
    | {"greenlet", "simple-websocket", "whitenoise", "wsproto", "zope-event", "zope-interface"}
    | {"tdewolff-minify", "limits", "deprecated", "wrapt"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A kind of machine: pip's tags for its wheels, newest first, and the values of the markers in requirements."""

    name: str
    tags: tuple[str, ...]
    markers: dict[str, str]
    server: bool = True


def _linux(machine: str) -> Platform:
    tags = [f"manylinux_2_{minor}_{machine}" for minor in (34, 28, 27, 26, 24, 17)]
    tags += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    markers = {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "os_name": "posix",
    }
    return Platform(name=f"Linux {machine}", tags=tuple(tags), markers=markers)


def _macos(machine: str) -> Platform:
    versions = [f"{major}_0" for major in range(15, 10, -1)] + [f"10_{minor}" for minor in range(15, 8, -1)]
    tags = [f"macosx_{version}_{kind}" for version in versions for kind in (machine, "universal2")]
    markers = {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "platform_machine": machine,
        "os_name": "posix",
    }
    return Platform(name=f"macOS {machine}", tags=tuple(tags), markers=markers)


PLATFORMS = (
    _linux("x86_64"),
    _linux("aarch64"),
    _macos("x86_64"),
    _macos("arm64"),
    Platform(
        name="Windows",
        tags=("win_amd64",),
        markers={
            "sys_platform": "win32",
            "platform_system": "Windows",
            "platform_machine": "AMD64",
            "os_name": "nt",
        },
        server=False,
    ),
)

Find = Callable[[Sequence[str], Platform, str], bool]


def pins() -> list[str]:
    """Return the pinned run-time dependencies, `name==version`."""
    lines = (ROOT / "requirements.txt").read_text().split()
    return [line for line in lines if "==" in line]


def conditions(lines: Iterable[str]) -> dict[str, Requirement]:
    """Return the direct dependencies that hold under a condition only, by name."""
    found = [Requirement(line) for line in lines]
    return {requirement.name: requirement for requirement in found if requirement.marker is not None}


def needed(platform: Platform, python: str, conditional: dict[str, Requirement]) -> list[str]:
    """Return the pins that a platform needs."""
    environment = {**default_environment(), **platform.markers, "python_version": python}
    environment["python_full_version"] = f"{python}.0"
    names = []
    for pin in pins():
        name = re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower()
        if not platform.server and name in SERVER_ONLY:
            continue
        marker = conditional[name].marker if name in conditional else None
        if marker is None or marker.evaluate(environment):
            names.append(pin)
    return names


def missing(platform: Platform, python: str, names: Sequence[str], find: Find) -> list[str]:
    """Return those of `names` for which the index has no wheel."""
    if find(names, platform, python):
        return []
    return [name for name in names if not find([name], platform, python)]


def has_wheels(names: Sequence[str], platform: Platform, python: str) -> bool:
    """Ask the index of pip for wheels of all `names`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--quiet",
            "--no-deps",
            "--target",
            folder,
        ]
        command += ["--ignore-installed", "--only-binary=:all:", "--disable-pip-version-check"]
        command += [
            "--implementation",
            "cp",
            "--python-version",
            python,
            "--abi",
            f"cp{python.replace('.', '')}",
        ]
        command += ["--abi", "abi3", "--abi", "none"]
        for tag in (*platform.tags, "any"):
            command += ["--platform", tag]
        return subprocess.run([*command, *names], capture_output=True, timeout=600).returncode == 0


def main(find: Find = has_wheels) -> int:
    """Print what is missing; return 1 where something is."""
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conditional = conditions(project["dependencies"])
    code = 0
    for platform in PLATFORMS:
        for python in PYTHONS:
            lacking = missing(platform, python, needed(platform, python, conditional), find)
            code |= bool(lacking)
            print(f"{platform.name:14} {python}  {', '.join(lacking) or 'all there'}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
