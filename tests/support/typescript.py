"""Check the types of the page's modules: `python -m tests.support.typescript`.

The modules are plain JavaScript with JSDoc; the TypeScript compiler only reads them. It is installed
by npm, in one exact version, into `.cache/`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.node import Node, NodeMissingError, find, install

VERSION = "5.9.3"
ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
HOME = ROOT / ".cache" / f"typescript-{VERSION}"

# The rules of tsconfig.json, for files anywhere: the compiler takes either a project or files.
_RULES = json.loads((ROOT / "tsconfig.json").read_text())["compilerOptions"]
OPTIONS = [
    word
    for name, value in _RULES.items()
    for word in (f"--{name}", ",".join(value) if isinstance(value, list) else str(value).lower())
]


def compiler(node: Node) -> list[str]:
    """Return the compiler's command line, installing it first where it is missing."""
    script = HOME / "node_modules" / "typescript" / "bin" / "tsc"
    if not script.is_file():
        install(node, HOME, f"typescript@{VERSION}")
    return [*node.node, str(script)]


def check(files: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Check files strictly; the result's `returncode` is 0 when there are no errors."""
    command = [*compiler(find()), *OPTIONS, *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def main() -> int:
    """Check all modules of the page; print the errors."""
    files = sorted(STATIC.rglob("*.js"))
    if not files:
        print("no modules in static/", file=sys.stderr)
        return 1
    try:
        result = check(files)
    except (NodeMissingError, subprocess.CalledProcessError) as error:
        print(f"the types of static/ can't be checked: {error}", file=sys.stderr)
        return 1
    print(result.stdout + result.stderr, end="")
    if result.returncode == 0:
        print(f"{len(files)} modules of static/ pass TypeScript {VERSION}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
