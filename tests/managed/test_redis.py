"""Quirks of Redis as hosts offer it (docs/faults.md, S9, S20)."""

import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis as driver

from tests.faults.answers import answered, new_run
from tests.faults.conversations import Gated, Person
from tests.managed.conftest import KINDS, Start
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.hosted import HostedRedis, accept_any
from tests.support.script import Answer
from tests.support.server import Server, wait_for
from webapp.journal.redis_scripts import PREFIX

CLIENTS = 20
RECOVERED_S = 20.0
AWAY = "the redis journal is away"
TOO_FULL_BYTES = 64 * 1024


@pytest.fixture(scope="module", params=KINDS)
def redis(request: pytest.FixtureRequest) -> Iterator[HostedRedis]:
    with HostedRedis(debian=request.param == "debian") as server:
        yield server


@pytest.fixture(scope="module")
def debian() -> Iterator[HostedRedis]:
    """Debian's Redis, which accepts only TLS."""
    with HostedRedis(debian=True) as server:
        yield server


def say(*texts: str) -> Answer:
    return Answer(steps=openai(texts))


def journal_states(server: Server) -> set[str]:
    """Return the journal's states, as the workers see it; each request may reach either of them."""
    return {json.loads(server.request("GET", "/readyz")[2])["journal"]["state"] for _ in range(12)}


def ask_across_workers(server: Server, provider: FakeProvider) -> None:
    """Ask, and read the answer through both workers."""
    anna, name = Person(server), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        gated.open(1)
        with ExitStack() as stack:
            reader = stack.enter_context(anna.start(name, "Well?", run=new_run()))
            reader.read_text(3)
            others = [stack.enter_context(anna.start(name, "Well?", run=reader.run)) for _ in range(6)]
            gated.open()
            assert {answered(one, one.read_to_end()).text for one in (reader, *others)} == {"It goes on."}
    anna.wait_kept(name, "Well?", "It goes on.")


def test_a_password_and_a_limit_of_clients(redis: HostedRedis, start: Start, provider: FakeProvider) -> None:
    """When others take all connections, the chat goes on, and the journal is used again when there are some."""
    server = start(REDIS_URL=accept_any(redis.new_url()))
    ask_across_workers(server, provider)
    with others_take_all(redis):
        anna, name = Person(server), new_run()
        provider.play(say("Hello."))
        assert anna.ask(name, "Meanwhile").text == "Hello."
        anna.wait_kept(name, "Meanwhile", "Hello.")
        wait_for(lambda: AWAY in server.log, RECOVERED_S, "the reason in the log")
        assert redis.has_tls or "max number of clients" in server.log  # with TLS it closes without a word
    # Several looks: a call that began before may still fail after others have succeeded.
    looks: deque[set[str]] = deque(maxlen=5)
    wait_for(
        lambda: looks.append(journal_states(server)) or list(looks) == [{"ready"}] * 5,
        RECOVERED_S,
        "the journal",
    )
    ask_across_workers(server, provider)


@contextlib.contextmanager
def others_take_all(redis: HostedRedis) -> Iterator[None]:
    """Hold as many connections as there may be from then on, and close the server's: none is left for it to come back to."""
    with ExitStack() as taken:
        others = [taken.enter_context(contextlib.closing(connect(redis))) for _ in range(CLIENTS)]
        ids = {other.client_id() for other in others}
        before = others[0].config_get("maxclients")["maxclients"]
        others[0].config_set("maxclients", CLIENTS)
        taken.callback(others[0].config_set, "maxclients", before)
        for client in others[0].client_list():
            if int(client["id"]) not in ids:
                others[0].client_kill_filter(_id=client["id"])
        yield


def connect(redis: HostedRedis) -> driver.Redis:
    return driver.Redis.from_url(accept_any(redis.url()), single_connection_client=True)


def test_idle_clients_are_closed_by_the_server(
    redis: HostedRedis, start: Start, provider: FakeProvider
) -> None:
    """Hosts close them after minutes; here after a second, twice."""
    with redis.configured("timeout", "1"):
        server = start(REDIS_URL=accept_any(redis.new_url()))
        for _ in range(2):
            ask_across_workers(server, provider)
            wait_for(lambda: idle_clients(redis) == 0, RECOVERED_S, "the end of idle clients")
        ask_across_workers(server, provider)
        assert AWAY not in server.log


def idle_clients(redis: HostedRedis) -> int:
    """Return how many clients have been idle for half a second and more; leases are renewed more often."""
    listed: bytes | str = redis.execute("CLIENT", "LIST")
    return str(listed).count(" idle=1 ")


FULL: dict[str, Callable[[Server], bool]] = {
    "noeviction": lambda server: journal_states(server) == {"away"},
    "allkeys-lru": lambda server: True,
}


@pytest.mark.parametrize("policy", FULL)
def test_its_memory_is_full(redis: HostedRedis, start: Start, provider: FakeProvider, policy: str) -> None:
    """Where nothing may be evicted, writes fail; else answers are evicted, also those in progress."""
    server = start(REDIS_URL=accept_any(redis.new_url()))
    anna, name = Person(server), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        gated.open(1)
        with anna.start(name, "Well?") as reader:
            reader.read_text(3)
            with (
                redis.configured("maxmemory-policy", policy),
                redis.configured("maxmemory", str(TOO_FULL_BYTES)),
            ):
                wait_for(lambda: FULL[policy](server), RECOVERED_S, "the fault")
                if policy != "noeviction":
                    wait_for(lambda: is_evicted(redis, reader.run), RECOVERED_S, "the end of the run's keys")
                gated.open()
                assert answered(reader, reader.read_to_end()).text == "It goes on."
                provider.play(say("Hello."))
                assert anna.ask(new_run(), "Meanwhile").text == "Hello."
    anna.wait_kept(name, "Well?", "It goes on.")
    wait_for(lambda: journal_states(server) == {"ready"}, RECOVERED_S, "the journal")
    ask_across_workers(server, provider)


def is_evicted(redis: HostedRedis, run: str) -> bool:
    """Return whether a run is gone; a write makes Redis evict."""
    with contextlib.suppress(driver.ResponseError):
        redis.execute("SET", "other", "x")
    return not redis.execute("EXISTS", f"{PREFIX}run:{run}")


@pytest.mark.managed
def test_a_self_signed_certificate_is_accepted_on_heroku(
    debian: HostedRedis, start: Start, provider: FakeProvider
) -> None:
    server = start(REDIS_URL=debian.new_url(), DYNO="web.1")
    ask_across_workers(server, provider)
    assert journal_states(server) == {"ready"}


@pytest.mark.managed
def test_elsewhere_it_is_refused_and_the_log_names_what_accepts_it(
    debian: HostedRedis, start: Start, provider: FakeProvider
) -> None:
    server = start(REDIS_URL=debian.new_url())
    anna, name = Person(server), new_run()
    provider.play(say("Hello."))
    assert anna.ask(name, "Well?").text == "Hello."
    wait_for(lambda: AWAY in server.log, RECOVERED_S, "the reason in the log")
    line = next(line for line in server.log.splitlines() if AWAY in line)
    assert "certificate" in line
    assert "?ssl_cert_reqs=none at the end of REDIS_URL" in line
