"""Lint the page's modules and the tests' programs by eslint.config.mjs: `python -m tests.support.eslint`.

ESLint is installed by npm, in one exact version, into `.cache/`.
"""

import subprocess
import sys
from pathlib import Path

from tests.support.node import Node, NodeMissingError, find, install

VERSION = "9.39.5"
ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".cache" / f"eslint-{VERSION}"
FOLDERS = ("static", "tests")


def linter(node: Node) -> list[str]:
    """Return the linter's command line, installing it first where it is missing."""
    script = HOME / "node_modules" / "eslint" / "bin" / "eslint.js"
    if not script.is_file():
        install(node, HOME, f"eslint@{VERSION}")
    return [*node.node, str(script)]


def lint(*paths: str) -> subprocess.CompletedProcess[str]:
    """Lint files or folders below the project's root; `returncode` is 0 when nothing is found."""
    command = [*linter(find()), "--max-warnings", "0", *paths]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def lint_text(text: str, name: str) -> subprocess.CompletedProcess[str]:
    """Lint a text by the rules for a file of this name, below the project's root."""
    command = [*linter(find()), "--max-warnings", "0", "--stdin", "--stdin-filename", name]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=300)


def main() -> int:
    """Lint everything; print what is found."""
    try:
        result = lint(*FOLDERS)
    except (NodeMissingError, subprocess.CalledProcessError) as error:
        print(f"JavaScript can't be linted: {error}", file=sys.stderr)
        return 1
    print(result.stdout + result.stderr, end="")
    if result.returncode == 0:
        print(f"JavaScript passes ESLint {VERSION}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
