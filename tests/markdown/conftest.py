"""The folder in which Node runs the programs of these tests."""

import json
import shutil
from pathlib import Path

import pytest

from tests.markdown import entities
from tests.markdown.reference_parsers import install_packages
from webapp.assets.bundle import bundle_modules
from webapp.assets.minifier import minify_files

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "static" / "markdown"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder of ES modules: the parser, also as it is served, the test programs and the reference parsers."""
    folder = tmp_path_factory.mktemp("markdown")
    shutil.copytree(MODULES, folder / "static" / "markdown")
    for name, text in (
        minify_files(bundle_modules(MODULES.parent, ("markdown/index.js",)).texts) or {}
    ).items():
        served = folder / "served" / name
        served.parent.mkdir(parents=True, exist_ok=True)
        served.write_text(text)
    for program in HERE.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "names.json").write_text(json.dumps(entities.NAMES))
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "node_modules").symlink_to(install_packages())
    return folder
