"""`make soak`: lead 10,000 answers through one server with two workers; exits with 1 if it holds more afterwards.

    python -m tests.soak --runs 10000 --journal sqlite --seed 7

The answers are read, left and resumed, stopped, never read, joined, read over WebSocket, cut off by the provider, or belong to nobody.
The memory of each worker is measured after every 200 of them, and the growth is the slope of a line through what was measured after a
warm-up: with 95 % confidence it must be at most 20 KiB per 1,000 answers, for each worker and for both. What is judged is what the code
has allocated and not freed. Anonymous memory also has the gaps between that and SQLite's copies of pages, which come and go by a megabyte;
its growth is printed. Greenlets, descriptors, records of answers and rows of the journal must be back to where they were.
"""

import argparse
import random
import sys
import time

from tests.soak.soak import Findings, running_soak
from tests.soak.verdict import MAX_GROWTH, check, check_growth

_EVERY = 200
_LEAST_RUNS = 20 * _EVERY  # for a line with some certainty


def main() -> int:
    """Run a soak by the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--journal", choices=("sqlite", "postgres", "redis"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}, journal {asked.journal}, {asked.runs} runs", flush=True)
    began = time.monotonic()
    with running_soak(asked.journal, asked.seed, lambda line: print(line, flush=True)) as soak:
        findings = soak.run(asked.runs, _EVERY)
    wrong = check(findings) + _report(findings)
    print(f"{time.monotonic() - began:.0f} s")
    for sentence in wrong:
        print(f"WRONG  {sentence}")
    return 1 if wrong else 0


def _report(findings: Findings) -> list[str]:
    """Print what was found; return what is wrong with the growth of memory."""
    print(", ".join(f"{count} {kind}" for kind, count in sorted(findings.kinds.items())))
    for name, now in {"before": findings.before, "at most": findings.most, "after": findings.after}.items():
        print(f"{name:8} {now.describe()}")
    print(f"rows in the journal: at most {findings.most_rows}, afterwards {findings.rows_left}")
    if findings.samples[-1].lives < _LEAST_RUNS:
        print(f"too few runs to say how memory grows: {_LEAST_RUNS} are needed")
        return []
    wrong = []
    for name, growth, is_judged in check_growth(findings.samples):
        kib = f"{growth.slope / 1024:+.1f} KiB per 1,000 runs, at most {growth.upper / 1024:.1f} (95 %)"
        print(f"{name}: {kib}, {growth.samples} samples")
        if is_judged and growth.upper > MAX_GROWTH:
            wrong.append(f"the memory of {name} may grow by {growth.upper / 1024:.1f} KiB per 1,000 runs")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
