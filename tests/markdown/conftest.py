"""The folder in which the programs of these tests run."""

import json
import shutil
from pathlib import Path

import pytest

from tests.markdown import entities
from tests.markdown.references import installed
from webapp.assets.bundle import join
from webapp.assets.minifier import minified

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "static" / "markdown"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules, also as they are served, the programs and the witnesses in one folder that says it holds ES modules."""
    folder = tmp_path_factory.mktemp("markdown")
    shutil.copytree(MODULES, folder / "static" / "markdown")
    for name, text in minified(join(MODULES.parent, ("markdown/index.js",)).texts).items():
        served = folder / "served" / name
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_text(text)
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "names.json").write_text(json.dumps(entities.NAMES))
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "node_modules").symlink_to(installed())
    return folder
