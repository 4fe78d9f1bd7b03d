"""`make faults`: all faults of docs/faults.md, in each journal and with one worker and two, with a table of the results at the end.

    python -m tests.support.fault_suite --parts faults kills --journals redis --workers 2

Everything is drawn from one seed, which is printed: FRESHET_TEST_SEED repeats it. What a part prints goes to a file, and of a
part that fails to the terminal, too. Exits with 1 if anything has failed.
"""

import argparse
import os
import random
import subprocess
import sys
import time
import xml.etree.ElementTree as Xml
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests.support.journals import JOURNALS
from tests.support.server import ROOT

PARTS = ("faults", "kills", "storm", "survival", "journal", "managed")
_PYTEST = ("-m", "pytest", "--dist", "loadfile", "-n", "2")
_SUITES = ("survival", "journal", "managed")  # which choose their journals themselves
_KILLS, _STORM_S = 5, 30
_PART_S = 3_600.0
_TAIL_CHARS = 20_000


@dataclass(frozen=True, kw_only=True)
class Part:
    """One program of the suite: arguments for Python, and variables. `folder` is what must exist for it."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_pytest: bool = False
    folder: str = "tests"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a part."""

    part: Part
    passed: int
    failed: int
    skipped: int
    seconds: float


def list_parts(names: Sequence[str], journals: Sequence[str], workers: Sequence[int]) -> Iterator[Part]:
    """Yield the parts that were chosen."""
    if "faults" in names:
        for journal in journals:
            for count in workers:
                yield Part(
                    name=f"faults, {journal}, {count} worker{'s' if count > 1 else ''}",
                    arguments=(*_PYTEST, "tests/faults"),
                    env={"FRESHET_TEST_JOURNAL": journal, "FRESHET_TEST_WORKERS": str(count)},
                    is_pytest=True,
                )
    for journal in journals:
        if "kills" in names:
            yield Part(
                name=f"kills, {journal}",
                arguments=("-m", "tests.survival.kills", "--journal", journal, "--times", str(_KILLS)),
            )
        if "storm" in names:
            yield Part(
                name=f"storm, {journal}",
                arguments=("-m", "tests.survival.storm", "--journal", journal, "--seconds", str(_STORM_S)),
            )
    for suite in _SUITES:
        if suite in names:
            folder = f"tests/{suite}"
            yield Part(name=suite, arguments=(*_PYTEST, folder), is_pytest=True, folder=folder)


def run_part(part: Part, seed: int, folder: Path) -> Result:
    """Run a part, and show what it has printed if it fails."""
    name = part.name.replace(", ", "-").replace(" ", "-")
    output, report = folder / f"{name}.txt", folder / f"{name}.xml"
    options = (f"--junit-xml={report}",) if part.is_pytest else ("--seed", str(seed))
    env = os.environ | {"FRESHET_TEST_SEED": str(seed)} | part.env
    began = time.monotonic()
    with output.open("wb") as file:
        try:
            code = subprocess.run(
                [sys.executable, *part.arguments, *options],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_PART_S,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 1
    seconds = time.monotonic() - began
    text = output.read_text(errors="replace")
    if code or not part.is_pytest:  # the programs print what they have measured
        print(text[-_TAIL_CHARS:], flush=True)
    passed, failed, skipped = count_tests(report) if part.is_pytest else (int(not code), int(bool(code)), 0)
    return Result(
        part=part, passed=passed, failed=failed or int(bool(code)), skipped=skipped, seconds=seconds
    )


def count_tests(report: Path) -> tuple[int, int, int]:
    """Return how many tests have passed, failed and were skipped, by a report in JUnit's form."""
    if not report.exists():
        return 0, 1, 0
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in Xml.parse(report).getroot().iter("testsuite"):
        for name in counts:
            counts[name] += int(suite.get(name, "0"))
    failed = counts["failures"] + counts["errors"]
    return counts["tests"] - failed - counts["skipped"], failed, counts["skipped"]


def table(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for each part."""
    width = max(len(result.part.name) for result in results)
    yield f"{'':{width}}  passed  failed  skipped  minutes"
    for result in results:
        yield (
            f"{result.part.name:{width}}  {result.passed:6}  {result.failed:6}  {result.skipped:7}"
            f"  {result.seconds / 60:7.1f}"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the suite by the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="make faults ARGS=…", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--journals", nargs="+", choices=JOURNALS, default=JOURNALS)
    parser.add_argument("--workers", nargs="+", type=int, choices=(1, 2), default=(1, 2))
    chosen = parser.parse_args(arguments)
    seed = int(os.environ.get("FRESHET_TEST_SEED") or random.SystemRandom().randrange(2**32))
    folder = Path(mkdtemp(prefix="freshet-faults-"))
    print(f"FRESHET_TEST_SEED={seed}; all output is in {folder}", flush=True)
    results: list[Result] = []
    for part in list_parts(chosen.parts, chosen.journals, chosen.workers):
        if not (ROOT / part.folder).is_dir():
            continue
        print(f"— {part.name}", flush=True)
        results.append(run_part(part, seed, folder))
    print(*table(results), sep="\n")
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
