"""Makes scripts and styles small, in a process of its own.

The library's code brings threads and handlers of signals, which a server that forks and is patched had better be
without. As a program this file reads `{name: text}` in JSON and writes the same, made smaller.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping

log_ = logging.getLogger("freshet")

_PATIENCE_S = 30
_TYPES = {"js": "application/javascript", "css": "text/css"}
# What the oldest browsers that the page is made for understand.
_LANGUAGE = 2022


def minified(texts: Mapping[str, str]) -> dict[str, str]:
    """Make the files small whose names end in `.js` or `.css`; they stay as they are where that can't be done."""
    # Not `-m`, which would bring the whole package; `-P`: the modules beside this one are not for everybody.
    command = [sys.executable or "python3", "-P", __file__]
    try:
        done = subprocess.run(  # noqa: S603  (our own file, by the interpreter that runs)
            command,
            input=json.dumps(dict(texts)).encode(),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
        )
        small: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log_.info("the page's files are served with their comments: %s", type(error).__name__)
        return dict(texts)
    return small


def main() -> None:
    """Be the program."""
    import minify  # noqa: PLC0415  (only here: see above)

    minify.config({"js-version": _LANGUAGE})
    texts = json.load(sys.stdin)
    small = {name: minify.string(_TYPES[name.rpartition(".")[2]], text) for name, text in texts.items()}
    json.dump(small, sys.stdout)


if __name__ == "__main__":
    main()
