"""Finds or installs the Firefox of the tests: `python -m tests.support.firefox`.

One already on the machine, else Debian's package when run as root on such a system. Playwright's own Firefox is
another program than people have; this one speaks WebDriver BiDi by itself (https://w3c.github.io/webdriver-bidi/).
"""

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.bidi import Session
from tests.support.debian import install

NAMES = ("firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox")
START_S = 60.0
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class FirefoxMissingError(RuntimeError):
    """There is no Firefox; the message says how to install one."""


def executable() -> str:
    """Return the path of the Firefox to drive.

    Raises:
        FirefoxMissingError: none is installed.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FirefoxMissingError("no Firefox on this machine: install firefox-esr, or Firefox")
    return found


@contextlib.contextmanager
def opened(*names: str) -> Iterator[Session]:
    """Start it with a fresh profile, and end it. `names` are hosts that it shall take for this machine."""
    with tempfile.TemporaryDirectory(prefix="freshet-firefox-", ignore_cleanup_errors=True) as profile:
        preferences = {"network.dns.localDomains": ",".join(names), "intl.locale.requested": "en-US"}
        lines = [f'user_pref("{name}", "{value}");' for name, value in preferences.items()]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        log = Path(profile) / "log"
        command = [executable(), "--headless", "--no-remote", "--profile", profile]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--remote-debugging-port", "0"], stdout=out, stderr=subprocess.STDOUT
            )
        try:
            with Session(f"{_address(log, process)}/session") as session:
                yield session
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := _LISTENING.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"Firefox did not start:\n{log.read_text(errors='replace')[-2000:]}")


def main() -> int:
    """Find or install Firefox, and print its path."""
    try:
        path = executable()
    except FirefoxMissingError as error:
        if not install("firefox-esr"):
            print(error, file=sys.stderr)
            return 1
        path = executable()
    print(f"Firefox: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
