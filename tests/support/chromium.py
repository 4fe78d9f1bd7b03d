"""Finds or installs the Chromium of the browser tests and screenshots: `python -m tests.support.chromium`.

In this order: Chromium's headless shell, for which a page costs a fifth of what it costs a whole Chromium (as Debian's package, installed
when run as root on such a system), another Chromium that is on the machine or comes as a package, Playwright's own.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support.debian import install, succeeds

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BY_PLAYWRIGHT = [sys.executable, "-m", "playwright", "install", "chromium"]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-default-apps",
]


class ChromiumMissingError(RuntimeError):
    """There is no Chromium; the message says how to install one."""


def executable() -> str:
    """Return the path of the Chromium to drive.

    Raises:
        ChromiumMissingError: none is installed.
    """
    found = _on_machine() or _of_playwright()
    if found is None:
        raise ChromiumMissingError(
            "no Chromium on this machine: run `python -m tests.support.chromium` (make test does), "
            "or install the package chromium"
        )
    return found


def launch(playwright: Playwright) -> Browser:
    """Start it with a fresh profile, which is deleted when it is closed."""
    return playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)


def ensure() -> tuple[str, str]:
    """Return the Chromium to drive and where it is from, installing one if there is none.

    Raises:
        ChromiumMissingError: none is installed and none could be.
    """
    if found := shutil.which(SHELL):
        return found, "already on this machine"
    if install(SHELL) and (found := _on_machine()):
        return found, "Debian's package, just installed"
    if found := _on_machine():
        return found, "already on this machine"
    if install("chromium") and (found := _on_machine()):
        return found, "Debian's package, just installed"
    if found := _of_playwright():
        return found, "Playwright's own"
    if succeeds(BY_PLAYWRIGHT, dict(os.environ)) and (found := _of_playwright()):
        return found, "Playwright's own, just installed"
    raise ChromiumMissingError(
        "no Chromium: neither `apt-get install chromium` (as root on Debian) nor "
        "`playwright install chromium` brought one; install Chromium or Chrome"
    )


def _on_machine() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def main() -> int:
    """Find or install Chromium, and print its path."""
    try:
        path, origin = ensure()
    except ChromiumMissingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Chromium: {path} ({origin})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
