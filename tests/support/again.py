"""Runs again the tests that failed in the runs before, one after the other; exits with 1 if one fails, or if there are too many.

A test that holds an answer to a time fails on a machine that stands still for a second. Such a test passes here, and its name is
printed; a fault fails here too.
"""

import json
import subprocess
import sys
from pathlib import Path

FAILED = Path(".cache/pytest/v/cache/lastfailed")
MAX_FAILED = 12
"""More are no coincidence."""


def main() -> int:
    """Run the tests again and return the exit code."""
    failed = sorted(json.loads(FAILED.read_text())) if FAILED.is_file() else []
    print(f"\nFailed: {len(failed)}", *failed, sep="\n  ", flush=True)
    if not 0 < len(failed) <= MAX_FAILED:
        return 1
    command = [sys.executable, "-m", "pytest", *failed]
    return subprocess.run(command).returncode and 1


if __name__ == "__main__":
    sys.exit(main())
