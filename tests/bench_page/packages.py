"""The packages that the renderer is compared with: from npm in exact versions, kept in `.cache/`, never committed."""

import json
from pathlib import Path

from tests.support.node import find, install

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"dompurify": "3.4.18", "marked": "18.2.1", "streaming-markdown": "0.2.15"}
HOME = ROOT / ".cache" / "bench-page"
FILES = {
    "marked.js": "marked/lib/marked.esm.js",
    "dompurify.js": "dompurify/dist/purify.es.mjs",
    "streaming-markdown.js": "streaming-markdown/smd.js",
}


def installed() -> dict[str, Path]:
    """Return the packages' modules by the names that the page imports; installs the packages if needed."""
    stamp = HOME / "packages.json"
    wanted = json.dumps(PACKAGES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        install(find(), HOME, *(f"{name}@{version}" for name, version in PACKAGES.items()))
        stamp.write_text(wanted)
    return {name: HOME / "node_modules" / path for name, path in FILES.items()}
