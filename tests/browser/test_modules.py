"""Runs the page's module tests under Node's test runner, and checks the type checker."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.node import find
from tests.support.typescript import STATIC, check

HERE = Path(__file__).parent / "modules"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules and their tests, marked as ES modules."""
    folder = tmp_path_factory.mktemp("modules")
    shutil.copytree(STATIC, folder / "static")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    return folder


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_modules(workshop: Path, name: str) -> None:
    command = [*find().node, "--test", "--test-reporter=tap", name]
    result = subprocess.run(command, cwd=workshop, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = dict(line[2:].split(" ", 1) for line in result.stdout.splitlines() if line.startswith("# "))
    assert int(counts["pass"]) > 5
    assert (counts["fail"], counts["skipped"], counts["todo"]) == ("0", "0", "0")


def test_type_check_is_strict(tmp_path: Path) -> None:
    sample = tmp_path / "sample.js"
    sample.write_text("/** @param {string | null} text */\nexport const size = (text) => text.length;\n")
    result = check([sample])
    assert result.returncode != 0
    assert "TS18047" in result.stdout, result.stdout + result.stderr


def test_type_check_accepts_valid_code(tmp_path: Path) -> None:
    sample = tmp_path / "sample.js"
    sample.write_text("/** @param {string} text */\nexport const size = (text) => text.length;\n")
    result = check([sample])
    assert result.returncode == 0, result.stdout + result.stderr
