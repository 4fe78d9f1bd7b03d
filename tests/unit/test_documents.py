"""The documents, requirements.txt and the package's metadata agree with the code."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import webapp
from tests.support.configuration import document
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Where the pins are installed: a Heroku-style host.
HOST = {
    "python_version": "3.11",
    "python_full_version": "3.11.9",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
}


def tracked() -> list[Path]:
    """Every file that belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# README.


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_table_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == document(), "run `make docs`"


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_tests_that_the_documents_name_exist() -> None:
    named = re.findall(r"`((?:tests/\w+/)?test_\w+\.py)`", (ROOT / "docs" / "faults.md").read_text())
    paths = [ROOT / name if "/" in name else ROOT / "tests" / "faults" / name for name in named]
    assert paths
    assert [path.name for path in paths if not path.is_file()] == []


def test_the_numbers_in_the_names_of_fault_tests_are_explained() -> None:
    text = (ROOT / "docs" / "faults.md").read_text()
    explained = set(re.findall(r"\b[UCSNI]\d+\b", "\n".join(re.findall(r"^\| ([^|]+) \|", text, re.M))))
    files = [path for path in tracked() if path.is_relative_to(ROOT / "tests") and path.suffix == ".py"]
    named = {
        number.upper()
        for path in files
        for number in re.findall(r"^ *(?:async )?def test_([ucsn]\d+)_", path.read_text(), re.M)
    }
    assert len(named) > 30
    assert named - explained == set()


def test_the_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`((?:webapp|static|tests)/[\w/.-]+)`", text)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_path_of_a_delta_names_functions_of_its_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(
        r"^\| [^|]+ \| (`.*`) \|$", text.split("## The path of a delta")[1].split("##")[0], re.M
    )
    assert len(rows) > 8
    for row in rows:
        named = re.findall(r"`([\w./-]+)`", row)
        files = [find_module(name) for name in named if "/" in name or name.endswith((".py", ".js"))]
        sources = [path.read_text() for path in files if path.is_file()]
        for name in named:
            if "/" not in name and not name.endswith((".py", ".js")):
                function = name.rpartition(".")[2]
                assert any(re.search(rf"\b{function}\b", source) for source in sources), (row, name)


def find_module(name: str) -> Path:
    """Find what a row calls by the end of its path."""
    places = [ROOT / name, ROOT / "webapp" / name, ROOT / "static" / "stream" / name]
    return next(path for path in places if path.exists())


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_the_readme_names_the_two_commands(command: str) -> None:
    assert command in (ROOT / "README.md").read_text()


# The pins.


def pins() -> dict[str, str]:
    *lines, last = (ROOT / "requirements.txt").read_text().splitlines()
    assert last == ".", "the package itself comes last"
    found = {}
    for line in lines:
        name, _, version = line.partition("==")
        assert version, f"{line!r} is not an exact pin"
        assert set(version) <= set("0123456789."), f"{line!r}: one plain version"
        assert canonicalize_name(name) not in found, f"{name} is pinned twice"
        found[canonicalize_name(name)] = version
    return found


def needed(lines: list[str], extras: set[str]) -> Iterator[Requirement]:
    """The requirements that hold on the host, with any of `extras`."""
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate(HOST | {"extra": extra}) for extra in (extras or {""})):
            yield requirement


def closure() -> dict[str, list[Requirement]]:
    """Every package that runs, and what is asked of it."""
    found: dict[str, list[Requirement]] = {}
    waiting = list(needed(PROJECT["dependencies"], set()))
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        place = (name, frozenset(requirement.extras))
        if place not in seen:
            seen.add(place)
            lines = metadata.distribution(name).requires or []
            waiting += needed(lines, {"", *requirement.extras})
    return found


def test_the_pins_are_the_whole_run_time_set_and_no_more() -> None:
    assert sorted(pins()) == sorted(closure())


def test_each_pin_is_one_that_everybody_can_live_with() -> None:
    pinned = pins()
    for name, requirements in closure().items():
        for requirement in requirements:
            assert requirement.specifier.contains(pinned[name]), f"{name}=={pinned[name]}: {requirement}"


def test_the_pins_are_in_order() -> None:
    lines = (ROOT / "requirements.txt").read_text().lower().split()[:-1]
    assert lines == sorted(lines)


# For the host.


def test_the_procfile_s_lines() -> None:
    assert (ROOT / "Procfile").read_text().splitlines() == [
        "release: freshet migrate",
        "web: gunicorn -c python:webapp.server 'webapp:create_app()'",
    ]


def test_the_python_version() -> None:
    assert (ROOT / ".python-version").read_text().strip() == "3.11"
    assert PROJECT["requires-python"] == ">=3.11"


def test_app_json_generates_the_secrets_and_offers_the_keys() -> None:
    app = json.loads((ROOT / "app.json").read_text())
    for name in ("SECRET_KEY", "FRESHET_ACCESS_PASSWORD"):
        assert app["env"][name]["generator"] == "secret"
        assert "value" not in app["env"][name]
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST"):
        assert app["env"][name]["required"] is False
    assert set(app["env"]) <= {name for name, *_ in Settings().describe()}
    assert all(entry["description"] for entry in app["env"].values())


def test_the_version_is_told_once() -> None:
    assert PROJECT["version"] == webapp.__version__


def test_there_is_one_list_of_packages_for_the_host() -> None:
    """A host that finds two of these refuses the build."""
    others = ("uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "setup.py", "environment.yml")
    assert [name for name in others if (ROOT / name).exists()] == []


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is the machine's affair."""
    signs = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js", "--index" + "-url"]
    signs += [
        "--extra-index" + "-url",
        "--find" + "-links",
        "--trusted" + "-host",
        "PIP_" + "INDEX",
        "UV_" + "INDEX",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {sign}"
        for path in tracked()
        for sign in signs
        if sign in path.read_text(errors="replace")
    ]
    assert found == []
