"""What the page's modules weigh as they are served: joined, made small, and compressed by gzip."""

import atexit
import gzip
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.typescript import STATIC
from webapp.assets.assets import Assets
from webapp.assets.bundle import Modules, join
from webapp.assets.minifier import minified


@cache
def modules() -> Modules:
    """Join the modules of the page."""
    return join(STATIC)


@cache
def folder() -> Path:
    """Write the files as the server does, once a run."""
    made = Path(tempfile.mkdtemp(prefix="freshet-served-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    Assets(STATIC).write(made)
    return made


def weight(name: str) -> int:
    """Return the bytes of a file on its way."""
    return (folder() / f"{name}.gz").stat().st_size


def alone(name: str) -> int:
    """Return the bytes that a module would be if it were served by itself."""
    text = minified({name: (STATIC / name).read_text("utf-8")})[name]
    return len(gzip.compress(text.encode(), 9))


def renderer() -> dict[str, int]:
    """Weigh what shows Markdown: each file that holds any of the parser or the renderer, and the style of answers."""
    shows = ("render/index.js", "render/", "markdown/")
    # Loaded when an answer names a rare character, as the modules for code and mathematics are for theirs.
    later = ("markdown/entities.js",)
    files = [file for file, held in modules().holds.items() if any(name.startswith(shows) for name in held)]
    sizes = {file: weight(file) for file in files if file not in later}
    return sizes | {"styles/answer.js": alone("styles/answer.js")}
