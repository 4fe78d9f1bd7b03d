"""What the page's files weigh as they are served."""

import gzip
from pathlib import Path

import rjsmin


def weight(path: Path) -> int:
    """Return the bytes of a file, without comments where it is a module, compressed by gzip at its best."""
    content = path.read_bytes()
    if path.suffix == ".js":
        content = rjsmin.jsmin(content.decode()).encode()
    return len(gzip.compress(content, 9))
