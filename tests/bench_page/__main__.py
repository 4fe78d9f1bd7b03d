"""`make bench-page`: measure, print tables of figures and verdicts, write JSON and a chart; exits with 1 if a target is missed."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.bench_page.measure import SIZES_KB, measure
from tests.bench_page.packages import PACKAGES
from tests.bench_page.report import chart, judge, table
from tests.support.chromium import launch


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sizes", type=int, nargs="+", choices=SIZES_KB, default=list(SIZES_KB), help="in kB"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(".cache/bench-page/results"), help="folder of the results"
    )
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        results = measure(browser, asked.rounds, tuple(asked.sizes))
        version = browser.version
        browser.close()
    verdicts = judge(results)
    print(
        f"\nChromium {version}, {asked.rounds} rounds, the least of each; beside {PACKAGES}\n\n{table(results)}\n"
    )
    for verdict in verdicts:
        print(f"{'met   ' if verdict.is_met else 'MISSED'}  {verdict.target}: {verdict.figure}")
    asked.out.mkdir(parents=True, exist_ok=True)
    said = {
        "chromium": version,
        "packages": PACKAGES,
        "results": asdict(results),
        "verdicts": [asdict(one) for one in verdicts],
    }
    (asked.out / "page.json").write_text(json.dumps(said, indent=1))
    (asked.out / "page.svg").write_text(chart(results))
    print(f"\nresults in {asked.out}/")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
