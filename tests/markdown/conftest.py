"""The folder in which the programs of these tests run."""

import json
import shutil
from pathlib import Path

import pytest

from tests.markdown import entities
from tests.markdown.witnesses import installed

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "static" / "markdown"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules, the programs and the witnesses in one folder that says it holds ES modules."""
    folder = tmp_path_factory.mktemp("markdown")
    shutil.copytree(MODULES, folder / "static" / "markdown")
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "names.json").write_text(json.dumps(entities.NAMES))
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "node_modules").symlink_to(installed())
    return folder
