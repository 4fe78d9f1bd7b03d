"""What every test may ask for."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.certs import Certificates, make_certificates

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A shell's background job is made deaf to Ctrl-C, and so would be every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Files of few tests that take long. Begun last, one of them would be waited for while the other processes have nothing to do.
_SLOW = (
    "test_wheel.py",
    "test_signals.py",
    "test_host.py",
    "test_soak.py",
    "test_kill_points.py",
    "test_storm.py",
    "test_killed_workers.py",
    "test_markdown.py",
    "test_rolling_restart.py",
    "test_runs_at_shutdown.py",
    "test_smoke.py",
    "test_turn_images.py",
    "test_bodies.py",
    "test_upgrade.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: those in `_SLOW`, then those with most tests."""
    counts = Counter(item.path for item in items)
    place = {name: at for at, name in enumerate(_SLOW)}
    items.sort(key=lambda item: (place.get(item.path.name, len(_SLOW)), -counts[item.path], str(item.path)))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority for this run, and certificates good and bad."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """A random generator whose seed is printed, and can be set: FRESHET_TEST_SEED."""
    seed = int(os.environ.get("FRESHET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print(f"\nFRESHET_TEST_SEED={seed} for {request.node.nodeid}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all: a second Playwright can't be started beside the first."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most runs need no browser

    from tests.support.chromium import launch  # noqa: PLC0415

    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()
