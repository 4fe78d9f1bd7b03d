"""Minifies scripts and styles, by `tdewolff-minify` where it is installed, else by `rjsmin` and `rcssmin`.

The first is a compiled library without a build for macOS and Windows on Arm. Its threads and signal handlers
would disturb a server that forks and is patched, so it runs in a process of its own: as a program this file reads
`{name: text}` in JSON and writes the same, minified. The other two also run as plain Python; their output is about an eighth
larger.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata

log_ = logging.getLogger("freshet")

_TIMEOUT_S = 30
_TYPES = {"js": "application/javascript", "css": "text/css"}
_ECMASCRIPT = 2022  # the version that the oldest supported browsers run
# A style sheet in a module: `const logCss = `…`;`. Literals with an escape or a substitution are no plain CSS: skip them.
_SHEET = re.compile(r"\n((?:export )?const \w+Css = `)([^`$\\]*)`")
_LIBRARIES = ("tdewolff-minify", "rjsmin", "rcssmin")


def versions() -> str:
    """Return the installed minifiers with their versions: other versions may write other files."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name}={metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ",".join(found)


def minify_files(texts: Mapping[str, str]) -> dict[str, str] | None:
    """Return the texts minified, by file name (`.js` or `.css`); None where no minifier can run or one text is broken."""
    # Not `-m`, which would import the whole package; `-P`, so that it does not find the modules beside this file.
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
        log_.info("the page's files are not minified: %s", type(error).__name__)
        return None
    return small


def main() -> None:
    """Read `{name: text}` in JSON from standard input and write the same, minified, to standard output."""
    texts = json.load(sys.stdin)
    json.dump({name: _minify(name.rpartition(".")[2], text) for name, text in texts.items()}, sys.stdout)


def _minify(kind: str, text: str) -> str:
    if kind == "js":
        text = _SHEET.sub(lambda found: f"\n{found[1]}{_minify_one('css', found[2])}`", text)
    return _minify_one(kind, text)


def _minify_one(kind: str, text: str) -> str:
    try:
        import minify  # noqa: PLC0415  (only here: see above)
    except ImportError:
        return _minify_plainly(kind, text)
    minify.config({"js-version": _ECMASCRIPT})
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
