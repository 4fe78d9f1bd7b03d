"""The reference parsers: npm packages in exact versions, cached in `.cache/`."""

import json
from pathlib import Path

from tests.support.node import find, install

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "commonmark-spec": "0.31.2",
    "mdast-util-find-and-replace": "3.0.4",
    "mdast-util-from-markdown": "2.0.3",
    "mdast-util-gfm": "3.1.0",
    "mdast-util-gfm-autolink-literal": "2.1.0",
    "mdast-util-gfm-footnote": "2.1.0",
    "mdast-util-gfm-strikethrough": "2.0.1",
    "mdast-util-gfm-table": "2.0.1",
    "mdast-util-gfm-task-list-item": "2.0.1",
    "micromark": "4.0.3",
    "micromark-core-commonmark": "2.0.4",
    "micromark-extension-gfm": "3.0.0",
    "micromark-extension-gfm-autolink-literal": "2.1.0",
    "micromark-extension-gfm-footnote": "2.1.0",
    "micromark-extension-gfm-strikethrough": "2.1.0",
    "micromark-extension-gfm-table": "2.1.2",
    "micromark-extension-gfm-task-list-item": "2.1.0",
}
HOME = ROOT / ".cache" / f"markdown-{PACKAGES['micromark']}"


def install_packages() -> Path:
    """Return the folder of the packages, installing them if they are missing."""
    stamp = HOME / "packages.json"
    wanted = json.dumps(PACKAGES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        install(find(), HOME, *(f"{name}@{version}" for name, version in PACKAGES.items()))
        stamp.write_text(wanted)
    return HOME / "node_modules"
