"""Fixtures: one server, one scripted provider and one companion per file; I3 to I5 are checked around every test.

The servers have the journal and the number of workers of `tests.support.combination`; what is counted is the sum over the workers.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.answers import BODY, KEY, SECRET_KEY
from tests.faults.workers import known_callers, warm_workers
from tests.support.combination import combined_servers
from tests.support.companion import Companion
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server, wait_for

FREED_S = 6.0


@pytest.fixture(scope="session", autouse=True)
def combination() -> Iterator[None]:
    """Give all servers the chosen journal and number of workers."""
    with combined_servers():
        yield


@pytest.fixture(scope="session")
def companion() -> Iterator[Companion]:
    """Start the companion: another stream, in a process of its own."""
    with Companion() as process:
        yield process


@pytest.fixture(scope="module")
def companion_provider() -> str:
    """Return the provider that the companion uses; a file that needs it overrides this."""
    return "ollama"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Return the settings of this file's server; a file overrides this."""
    return {}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    """Start the provider behind `openai`, and behind all others that the companion does not use."""
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def server(
    provider: FakeProvider, companion: Companion, companion_provider: str, settings: dict[str, str]
) -> Iterator[Server]:
    """Start a server and let it answer once, so that its permanent memory is allocated."""
    hosts = {"ollama": provider.url, "anthropic": provider.url} | {companion_provider: companion.url}
    env = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": hosts["anthropic"],
        "OLLAMA_HOST": hosts["ollama"],
        "FRESHET_PROVIDER": "openai",
        "SECRET_KEY": SECRET_KEY,
    }
    with Server(env | settings, secrets=(KEY, SECRET_KEY)) as running, known_callers(running):
        warm_workers(running, provider)
        yield running


@pytest.fixture(scope="module")
def baseline(server: Server, companion: Companion, companion_provider: str) -> Iterator[dict[str, int]]:
    """Start the companion, and count the server's resources while it is otherwise idle."""
    companion.start(server, companion_provider)
    counts = {"greenlets": 10**6, "descriptors": 10**6}

    def settled() -> bool:
        before = dict(counts)
        counts.update(holdings(server))
        return before == counts

    wait_for(settled, FREED_S, "an idle server")
    yield counts
    companion.leave()


def holdings(server: Server) -> dict[str, int]:
    """Return counts of the resources that must be released after every fault."""
    return {"greenlets": server.probe()["greenlets"], "descriptors": server.descriptors()}


@pytest.fixture(autouse=True)
def unharmed(
    server: Server,
    provider: FakeProvider,
    companion: Companion,
    companion_provider: str,
    baseline: dict[str, int],
) -> Iterator[None]:
    """Check I3, I4 and I5: another stream keeps its pace, resources are released, no canary is in the log."""
    companion.mark()
    with ExitStack() as stack:
        stack.callback(provider.hang_up)
        yield
        pace = companion.pace()
        if pace.ended:  # for the tests that follow
            companion.leave()
            companion.start(server, companion_provider)
        pace.check()
        provider.wait_closed(FREED_S)
        wait_for(lambda: _within(holdings(server), baseline), FREED_S, f"what is held, back to {baseline}")
        log = server.log
        for canary in (KEY, BODY, SECRET_KEY):
            assert canary not in log, log[max(0, log.index(canary) - 500) :][:1000]
        assert not provider.failures


def _within(counts: dict[str, int], baseline: dict[str, int]) -> bool:
    return all(counts[name] <= baseline[name] for name in baseline)
