"""Quirks of Postgres as hosts offer it (docs/faults.md, S11, S20)."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.faults.answers import answered, at_once, new_run
from tests.faults.conversations import SAVED_S, Gated, Person, notices
from tests.managed.conftest import KINDS, Start
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.hosted import CONNECTIONS, HostedPostgres
from tests.support.pgbouncer import PgBouncer
from tests.support.script import Answer
from tests.support.server import Server, wait_for
from tests.support.sse import SseReader
from tests.survival.workers import migrate

ANSWERS = 50
AWAY = "database is unavailable"
TOO_MANY = "too many connections"
CLOSED = ("idle-session", "terminating connection", "closed the connection")
SEARCH = "/conversations?search=about"


@pytest.fixture(scope="module", params=KINDS)
def postgres(request: pytest.FixtureRequest) -> Iterator[HostedPostgres]:
    with HostedPostgres(debian=request.param == "debian") as server:
        yield server


@pytest.fixture
def url(postgres: HostedPostgres) -> str:
    created = postgres.new_url()
    migrate(created)
    return created


@pytest.fixture(scope="module")
def debian() -> Iterator[HostedPostgres]:
    """Debian's Postgres, which accepts only TLS."""
    with HostedPostgres(debian=True) as server:
        yield server


@pytest.fixture
def debian_url(debian: HostedPostgres) -> str:
    created = debian.new_url()
    migrate(created)
    return created


def say(*texts: str) -> Answer:
    return Answer(steps=openai(texts))


def test_twenty_connections_are_enough_for_two_workers(
    url: str, start: Start, provider: FakeProvider
) -> None:
    server = start(DATABASE_URL=url)
    provider.play(lambda call: say(f"Re: {call.json['messages'][-1]['content']}"))
    anna, names = Person(server), [new_run() for _ in range(ANSWERS)]
    refused: list[tuple[str, str]] = []

    def look(path: str) -> None:
        status, _, body = server.request("GET", path, **anna.headers)
        if status != 200:
            refused.append((path, json.loads(body)["error"]["code"]))

    anna.ask(names[0], names[0])
    tasks = [
        *(lambda name=name: anna.ask(name, f"About {name}") for name in names[1:]),
        *(lambda: look("/conversations") for _ in range(20)),
        *(lambda: look(f"/conversations/{names[0]}") for _ in range(20)),
        *(lambda: look(SEARCH) for _ in range(10)),
        *(lambda: look("/changes?wait_s=1") for _ in range(10)),
    ]
    answers = [answer for answer in at_once(*tasks) if answer is not None]
    # Searches have a limit of their own, and of time: they wait for no connection.
    assert set(refused) <= {(SEARCH, "store_busy"), (SEARCH, "store_slow")}
    assert [answer.text for answer in answers] == [f"Re: About {name}" for name in names[1:]]
    for name in names[1:]:
        anna.wait_kept(name, f"About {name}", f"Re: About {name}")
    assert TOO_MANY not in server.log


@contextmanager
def all_taken(postgres: HostedPostgres, url: str) -> Iterator[None]:
    """Close the server's connections, and hold all that the user may have."""
    with ExitStack() as taken:
        count = 0
        while count < CONNECTIONS:
            try:
                taken.enter_context(psycopg.connect(url, connect_timeout=5, application_name="other"))
                count += 1
            except psycopg.OperationalError:
                postgres.close_sessions("freshet")
        yield


def test_another_client_takes_all_connections(
    url: str, postgres: HostedPostgres, start: Start, provider: FakeProvider
) -> None:
    server = start(DATABASE_URL=url)
    anna, before, meanwhile = Person(server), new_run(), new_run()
    provider.play(say("Hello."))
    anna.ask(before, "Before")
    anna.wait_kept(before, "Before", "Hello.")
    with all_taken(postgres, url):
        answer = anna.ask(meanwhile, "Meanwhile", parent=None)
        assert (answer.text, -2 in notices(answer)) == ("Hello.", True)
        wait_for(lambda: AWAY in server.log, SAVED_S, "a line in the log")
    anna.wait_kept(meanwhile, "Meanwhile", "Hello.")
    wait_for(lambda: both_ready(server), SAVED_S, "both workers")
    anna.wait_kept(before, "Before", "Hello.")
    anna.ask(before, "After")
    anna.wait_kept(before, "Before", "Hello.", "After", "Hello.")


def test_idle_connections_are_closed_by_the_server(
    url: str, postgres: HostedPostgres, start: Start, provider: FakeProvider
) -> None:
    """Hosts close them after a minute or so; here after a second, twice."""
    postgres.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET idle_session_timeout = '1s'")
    server = start(DATABASE_URL=url)
    anna, name, texts = Person(server), new_run(), list[str]()
    provider.play(say("Hello."))
    for number in range(2):
        anna.ask(name, f"Question {number}")
        texts += [f"Question {number}", "Hello."]
        anna.wait_kept(name, *texts)
        wait_for(
            lambda: len(postgres.sessions()) <= 2,
            20.0,
            "the end of all idle sessions but those of the leases",
        )
    assert anna.texts(name) == texts
    assert not [line for line in server.log.splitlines() if any(word in line for word in CLOSED)]


@pytest.mark.managed
@pytest.mark.parametrize("query", ["", "?sslmode=require", "?sslmode=prefer&channel_binding=require"])
def test_tls_is_required(
    debian_url: str, debian: HostedPostgres, start: Start, provider: FakeProvider, query: str
) -> None:
    server = start(DATABASE_URL=debian_url + query)
    anna, name = Person(server), new_run()
    provider.play(say("Hello."))
    anna.ask(name, "Well?")
    anna.wait_kept(name, "Well?", "Hello.")
    assert {has_tls for _, has_tls in debian.sessions()} == {True}


@pytest.mark.managed
@pytest.mark.parametrize(
    ("query", "reason"), [("?sslmode=disable", "no encryption"), ("?sslmode=verify-full", "certificate")]
)
def test_a_connection_that_cannot_be_made_secure_is_named(
    debian_url: str, start: Start, provider: FakeProvider, query: str, reason: str
) -> None:
    server = start(DATABASE_URL=debian_url + query)
    provider.play(say("Hello."))
    answer = Person(server).ask(new_run(), "Well?", parent=None)
    assert (answer.text, -2 in notices(answer)) == ("Hello.", True)
    line = next(line for line in server.log.splitlines() if AWAY in line)
    assert reason in line


@pytest.mark.managed
def test_behind_a_pooler_that_gives_each_transaction_another_session(
    debian_url: str, debian: HostedPostgres, start: Start, provider: FakeProvider
) -> None:
    with PgBouncer(debian, sessions=5) as pooler:
        url = pooler.url(debian_url).replace("//app:", "//postgres:")
        server = start(DATABASE_URL=url)
        provider.play(lambda call: say(f"Re: {call.json['messages'][-1]['content']}"))
        anna, names = Person(server), [new_run() for _ in range(20)]
        at_once(*(lambda name=name: anna.ask(name, name) for name in names))
        for name in names:
            anna.wait_kept(name, name, f"Re: {name}")
        with Gated("It ", "goes on.") as gated:
            provider.play(gated.answer)
            gated.open(1)
            with ExitStack() as stack:
                reader = stack.enter_context(anna.start(names[0], "Go on"))
                reader.read_text(3)
                others = [
                    stack.enter_context(follow(anna, server, reader.run))
                    for _ in range(6)  # through either worker
                ]
                gated.open()
                assert {answered(one, one.read_to_end()).text for one in (reader, *others)} == {"It goes on."}
        assert not [line for line in server.log.splitlines() if "Error:" in line]
        # What a transaction has set must not stay with the session, which the pooler gives to others.
        for setting in (
            "statement_timeout",
            "lock_timeout",
            "idle_in_transaction_session_timeout",
            "enable_hashjoin",
        ):
            found = {debian.execute(f"SHOW {setting}", url)[0][0] for _ in range(10)}
            assert found == {debian.execute(f"SHOW {setting}")[0][0]}, setting


def follow(person: Person, server: Server, run: str) -> SseReader:
    """Join an answer."""
    reader = SseReader(server.address, f"/stream/{run}", headers=person.headers)
    assert reader.status == 200, reader.response.read_all()
    return reader


@pytest.mark.managed
def test_a_standby_takes_over(
    debian_url: str, debian: HostedPostgres, start: Start, provider: FakeProvider
) -> None:
    """The server dies in the middle of an answer; the next one is there, and refuses connections until it takes over."""
    server = start(DATABASE_URL=debian_url)
    anna, name = Person(server), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        gated.open(1)
        with anna.start(name, "Still there?") as reader:
            reader.read_text(3)
            debian.stop()
            debian.start_as_standby()
            try:
                gated.open()
                answer = answered(reader, reader.read_to_end())
                assert (answer.text, notices(answer)) == ("It goes on.", [-2])
                provider.play(say("Hello."))
                assert anna.ask(new_run(), "Meanwhile", parent=None).text == "Hello."
                wait_for(lambda: "the database system is" in server.log, SAVED_S, "the reason in the log")
            finally:
                debian.promote()
    anna.wait_kept(name, "Still there?", "It goes on.")
    wait_for(lambda: both_ready(server), SAVED_S, "both workers")
    anna.ask(name, "After")
    anna.wait_kept(name, "Still there?", "It goes on.", "After", "Hello.")


def both_ready(server: Server) -> bool:
    """Return whether both workers can use the database and the journal; each request may reach either of them."""
    for _ in range(12):
        told = json.loads(server.request("GET", "/readyz")[2])
        if (told["store"]["state"], told["journal"]["state"]) != ("ready", "ready"):
            return False
    return True
