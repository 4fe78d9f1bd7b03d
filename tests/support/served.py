"""Sizes of the page's modules as they are served: bundled, minified and compressed by gzip."""

import atexit
import gzip
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.typescript import STATIC
from webapp.assets.assets import Assets
from webapp.assets.bundle import Bundles, bundle_modules
from webapp.assets.minifier import minify_files


@cache
def modules() -> Bundles:
    """Return the bundles of the page."""
    return bundle_modules(STATIC)


@cache
def folder() -> Path:
    """Write the files as the server does, once a run."""
    made = Path(tempfile.mkdtemp(prefix="freshet-served-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    Assets(STATIC).write(made)
    return made


def weight(name: str) -> int:
    """Return the size of a file as it is sent."""
    return (folder() / f"{name}.gz").stat().st_size


def alone(name: str) -> int:
    """Return the compressed size of a module that is served by itself."""
    text = minify_files({name: (STATIC / name).read_text("utf-8")})[name]
    return len(gzip.compress(text.encode(), 9))


def renderer() -> dict[str, int]:
    """Return the sizes of the files that show Markdown: the parser, the renderer, and the style of answers."""
    shows = ("render/index.js", "render/", "markdown/")
    # Loaded only for answers with rare named characters, as the modules for code and formulas are for theirs.
    # And what a reader does with an answer, copying above all, is not needed to show it.
    later = ("markdown/entities.js", "render/clicks.js")
    files = [file for file, held in modules().modules.items() if any(name.startswith(shows) for name in held)]
    sizes = {file: weight(file) for file in files if file not in later}
    return sizes | {"styles/answer.js": alone("styles/answer.js")}
