"""Minifies scripts and styles, by `tdewolff-minify` where it is installed, else by `rjsmin` and `rcssmin`.

The first is a compiled library without a build for macOS and Windows on Arm; it brings threads and signal handlers, which
a server that forks and is patched had better be without, so it runs in a process of its own: as a program this file reads
`{name: text}` in JSON and writes the same, minified. The other two also run as plain Python, and leave about an eighth more.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata

log_ = logging.getLogger("freshet")

_TIMEOUT_S = 30
_TYPES = {"js": "application/javascript", "css": "text/css"}
# What the oldest browsers that the page is made for understand.
_LANGUAGE = 2022
_LIBRARIES = ("tdewolff-minify", "rjsmin", "rcssmin")


def version() -> str:
    """Return what minifies, with its version: other versions may write other files."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name}={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ",".join(found)


def minified(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts minified whose names end in `.js` or `.css`; as they are where that is not possible."""
    # Not `-m`, which would import the whole package; `-P`, because the modules beside this one are not its own.
    command = [sys.executable or "python3", "-P", __file__]
    try:
        done = subprocess.run(  # noqa: S603  (our own file, by the interpreter that runs)
            command,
            input=json.dumps(dict(texts)).encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        small: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log_.info("the page's files are served with their comments: %s", type(error).__name__)
        return dict(texts)
    return small


def main() -> None:
    """Minify what comes on standard input."""
    texts = json.load(sys.stdin)
    json.dump({name: _minify(name.rpartition(".")[2], text) for name, text in texts.items()}, sys.stdout)


def _minify(kind: str, text: str) -> str:
    try:
        import minify  # noqa: PLC0415  (only here: see above)
    except ImportError:
        return _minify_plainly(kind, text)
    minify.config({"js-version": _LANGUAGE})
    small: str = minify.string(_TYPES[kind], text)
    return small


def _minify_plainly(kind: str, text: str) -> str:
    if kind == "css":
        from rcssmin import cssmin  # noqa: PLC0415

        return str(cssmin(text))
    from rjsmin import jsmin  # noqa: PLC0415

    return str(jsmin(text))


if __name__ == "__main__":
    main()
