"""Print how much of the code the tests run, in one line for each language: `python -m tests.support.coverage`.

Python is what the tests of one process run of `webapp/`, as `make test` has just measured it; what a real server runs in a process
of its own is not counted. JavaScript is what Node's test runner runs of `static/`; what a browser runs is not counted.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.node import NodeMissingError, find

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
PROGRAMS = (
    "tests/browser/modules/*.test.mjs",
    "tests/highlight/lexer.test.mjs",
    "tests/markdown/math.test.mjs",
    "tests/markdown/characters.test.mjs",
    "tests/mathml/parser.test.mjs",
)


def of_python() -> str:
    """Return the percentage that coverage.py has measured."""
    command = [sys.executable, "-m", "coverage", "report", "--format=total"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return f"{result.stdout.strip()} %" if result.returncode == 0 else "not measured"


def of_scripts() -> str:
    """Run the page's modules under Node, and return the percentage of their lines that ran."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = Path(folder)
        shutil.copytree(STATIC, workshop / "static")
        for pattern in PROGRAMS:
            for path in ROOT.glob(pattern):
                shutil.copy(path, workshop)
        (workshop / "package.json").write_text(json.dumps({"type": "module"}))
        command = [*find().node, "--test", "--experimental-test-coverage", "--test-reporter=tap"]
        names = sorted(path.name for path in workshop.glob("*.test.mjs"))
        result = subprocess.run([*command, *names], cwd=workshop, capture_output=True, text=True, timeout=300)
    ran = {name: float(percent) for name, percent in rows(result.stdout).items()}
    lines = {
        path.relative_to(STATIC).as_posix(): len(path.read_text().splitlines())
        for path in STATIC.rglob("*.js")
    }
    covered = sum(lines[name] * ran[name] / 100 for name in ran.keys() & lines.keys())
    return f"{100 * covered / sum(lines.values()):.0f} %" if ran else "not measured"


def rows(report: str) -> dict[str, str]:
    """Return the percentages of lines in Node's report, by module of `static/`. Deeper folders are indented lines."""
    found: dict[str, str] = {}
    folder: list[str] = []
    for line in report.splitlines():
        row = re.match(r"^# (\s*)(\S[^|]*?)\s*\|\s*([\d.]*)\s*\|", line)
        if row is None:
            continue
        depth, name, percent = len(row[1]), row[2], row[3]
        folder = [*folder[:depth], name]
        path = "/".join(folder)
        if percent and name.endswith(".js") and "static/" in path:
            found[path.partition("static/")[2]] = percent
    return found


def main() -> None:
    """Print both."""
    try:
        scripts = of_scripts()
    except NodeMissingError:
        scripts = "not measured"
    print(f"Coverage: {of_python()} of webapp/ in the tests' own process, {scripts} of static/ under Node.")


if __name__ == "__main__":
    main()
