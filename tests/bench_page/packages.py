"""What the renderer is measured beside: npm packages in exact versions, kept in `.cache/` and never committed."""

import json
import subprocess
from pathlib import Path

from tests.support.node import find

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"dompurify": "3.4.18", "marked": "18.2.1", "streaming-markdown": "0.2.15"}
HOME = ROOT / ".cache" / "bench-page"
INSTALL = "install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --silent --prefix"
FILES = {
    "marked.js": "marked/lib/marked.esm.js",
    "dompurify.js": "dompurify/dist/purify.es.mjs",
    "streaming-markdown.js": "streaming-markdown/smd.js",
}


def installed() -> dict[str, Path]:
    """Return the modules by the name under which the page imports them, installing them where they are not yet."""
    stamp = HOME / "packages.json"
    wanted = json.dumps(PACKAGES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        HOME.mkdir(parents=True, exist_ok=True)
        named = [f"{name}@{version}" for name, version in PACKAGES.items()]
        subprocess.run([*find().npm, *INSTALL.split(), str(HOME), *named], check=True, timeout=300)
        stamp.write_text(wanted)
    return {name: HOME / "node_modules" / path for name, path in FILES.items()}
