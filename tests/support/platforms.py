"""Ask the package index for wheels of every run-time dependency, for each platform and Python: `make check-platforms`.

The server runs on Linux and macOS, x86-64 and Arm; the client, the terminal and the notebook on Windows too. The index is the one
that pip is configured for. Prints a table; the exit code is 1 where a wheel is missing.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Dependencies that only a server needs.
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

# Their C extension is optional: without a compiler pip installs them as plain Python.
FROM_SOURCE = frozenset({"rjsmin", "rcssmin"})

Find = Callable[[Sequence[str], Platform, str], bool]


def pins() -> list[str]:
    """Return the pinned run-time dependencies, direct and indirect: `name==version`."""
    lines = (ROOT / "requirements.txt").read_text().split()
    return [line for line in lines if "==" in line]


def needed(platform: Platform, python: str, direct: Sequence[Requirement]) -> list[str]:
    """Return what a platform needs: pins, or a direct dependency's range where that excludes its pin."""
    environment = {**default_environment(), **platform.markers, "python_version": python}
    environment["python_full_version"] = f"{python}.0"
    versions = dict(pin.split("==") for pin in pins())
    versions = {canonicalize_name(name): version for name, version in versions.items()}
    ranges: dict[str, str] = {}
    for requirement in direct:
        name = canonicalize_name(requirement.name)
        versions.setdefault(name, "")
        if requirement.marker is None or requirement.marker.evaluate(environment):
            ranges[name] = str(requirement.specifier)
    conditional = {canonicalize_name(requirement.name) for requirement in direct}
    names = []
    for name, version in versions.items():
        if name in FROM_SOURCE or (not platform.server and name in SERVER_ONLY):
            continue
        if name not in conditional:
            names.append(f"{name}=={version}")
        elif name in ranges:
            fits = bool(version) and version in SpecifierSet(ranges[name])
            names.append(f"{name}=={version}" if fits else f"{name}{ranges[name]}")
    return names


def missing(platform: Platform, python: str, names: Sequence[str], find: Find) -> list[str]:
    """Return those of `names` for which the index has no wheel."""
    if find(names, platform, python):
        return []
    return [name for name in names if not find([name], platform, python)]


def has_wheels(names: Sequence[str], platform: Platform, python: str) -> bool:
    """Ask the index of pip for wheels of all `names`. Raises `RuntimeError` when the index cannot be asked."""
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
        done = subprocess.run([*command, *names], capture_output=True, text=True, timeout=600)
    if done.returncode and "No matching distribution" not in done.stderr:
        raise RuntimeError(f"pip failed: {done.stderr[-500:]}")
    return done.returncode == 0


def main(find: Find = has_wheels) -> int:
    """Print the missing wheels; return 1 if there are any."""
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = [Requirement(line) for line in project["dependencies"]]
    code = 0
    for platform in PLATFORMS:
        for python in PYTHONS:
            lacking = missing(platform, python, needed(platform, python, direct), find)
            code |= bool(lacking)
            print(f"{platform.name:14} {python}  {', '.join(lacking) or 'all there'}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
