"""Postgres stopped, restarted, frozen, slow, or out of connections (docs/faults.md, S11)."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.faults.answers import answered, new_run
from tests.faults.conversations import Gated, Person, at_once, notices, state_of, warm
from tests.support.combination import remembers
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import Server
from webapp.store.database import Database

TIMELY_S = 1.6
FIRST_FRAME_S = 1.3  # a second for all that is waited for together, and the rest for the work


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def database_url(postgres: Postgres) -> str:
    url = postgres.new_url()
    Database(url, "unused").migrate()
    return url


@pytest.fixture(scope="module")
def settings(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url}


@pytest.fixture(scope="module")
def server(server: Server, provider: FakeProvider) -> Server:
    provider.play(Answer(steps=openai(["warm"])))
    warm(server)
    return server


@pytest.fixture
def anna(server: Server) -> Person:
    return Person(server)


def contents(provider: FakeProvider) -> list[str]:
    return [message["content"] for message in provider.calls[-1].json["messages"]]


@remembers
def test_s11_stopped_in_the_middle_of_an_answer_and_started_again(
    server: Server, provider: FakeProvider, postgres: Postgres, anna: Person
) -> None:
    name = new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with anna.start(name, "Still there?") as reader:
            gated.open(1)
            reader.read_text(1)
            postgres.stop()
            try:
                gated.open()
                watch = server.stopwatch()
                answer = answered(reader, reader.read_to_end())
                assert watch.busy_s < TIMELY_S
                assert notices(answer) == [-2]
                status, headers, body = anna.do("GET", f"/conversations/{name}")
                assert (status, body["error"]["code"]) == (503, "store_away")
                assert int(headers["retry-after"]) > 0
                provider.play(Answer(steps=openai(["Yes."])))
                second = anna.ask(name, "And now?")
                assert contents(provider) == ["Still there?", "It goes on.", "And now?"]
                assert -2 in notices(second)
                assert state_of(server)["waiting"] == 3
            finally:
                postgres.start()
    anna.wait_kept(name, "Still there?", "It goes on.", "And now?", "Yes.")
    assert state_of(server) == {"kind": "postgres", "state": "ready"}
    server.wait_log("the postgres database is available again")


def test_s11_when_down_a_new_conversation_starts_and_an_unknown_one_is_refused(
    server: Server, provider: FakeProvider, postgres: Postgres, anna: Person
) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["Hello."])))
    postgres.stop()
    try:
        answer = anna.ask(name, "Hello?", parent=None)
        assert (answer.text, -2 in notices(answer)) == ("Hello.", True)
        body = {"conversation": new_run(), "query": "And then?", "parent": new_run()}
        status, headers, refused = anna.do("POST", "/stream", body)
        assert (status, refused["error"]["code"]) == (503, "store_away")
        assert int(headers["retry-after"]) > 0
        assert len(provider.calls) == 1, "what cannot be asked well is not paid for"
    finally:
        postgres.start()
    anna.wait_kept(name, "Hello?", "Hello.")


@remembers
def test_s11_when_frozen_it_delays_nobody(
    server: Server, provider: FakeProvider, postgres: Postgres, anna: Person
) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["Hello."])))
    anna.ask(name, "Hello?")
    postgres.freeze()
    try:
        watch = server.stopwatch()
        with anna.start(name, "Are you there?") as reader:
            reader.read_frames(1)
            print(f"first frame after {watch.busy_s:.2f} s")
            assert watch.busy_s < FIRST_FRAME_S
            answer = answered(reader, reader.read_to_end())
        assert watch.busy_s < 3 * TIMELY_S
        assert contents(provider) == ["Hello?", "Hello.", "Are you there?"]
        assert -2 in notices(answer)
    finally:
        postgres.thaw()
    anna.wait_kept(name, "Hello?", "Hello.", "Are you there?", "Hello.")


def test_s11_a_table_that_is_locked_for_two_seconds(
    server: Server, provider: FakeProvider, database_url: str, anna: Person
) -> None:
    name = new_run()
    provider.play(Answer(steps=openai(["Hello."])))
    anna.ask(name, "Hello?")
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        until = time.monotonic() + 2.0
        with anna.start(name, "Well?") as reader:
            answer = answered(reader, reader.read_to_end())
        assert -2 in notices(answer)
        time.sleep(max(0.0, until - time.monotonic()))
    anna.wait_kept(name, "Hello?", "Hello.", "Well?", "Hello.")


def test_s11_more_questions_at_once_than_connections(
    server: Server, provider: FakeProvider, postgres: Postgres, database_url: str, anna: Person
) -> None:
    provider.play(lambda call: Answer(steps=openai([f"Re: {call.json['messages'][-1]['content']}"])))
    names = [new_run() for _ in range(40)]
    most, done = [0], threading.Event()

    def watch() -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            while not done.wait(0.02):
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'freshet'"
                ).fetchone()
                assert row is not None
                most[0] = max(most[0], row[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answers = at_once([lambda name=name: anna.ask(name, name) for name in names])
    finally:
        done.set()
        watcher.join()
    assert {answer.text for answer in answers} == {f"Re: {name}" for name in names}
    assert 1 <= most[0] <= 8, "the smallest plans have twenty for all, here for two workers and a migration"
    for name in names:
        anna.wait_kept(name, name, f"Re: {name}")


def test_s11_no_connection_is_held_during_a_stream(
    server: Server, provider: FakeProvider, postgres: Postgres, anna: Person
) -> None:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'freshet' AND state <> 'idle'"
    readers = []
    with Gated("Begun ", "ended") as gated:
        provider.play(gated.answer)
        gated.open(1)
        try:
            for _ in range(8):
                readers.append(anna.start(new_run(), "Well?"))
                readers[-1].read_text(1)
            assert postgres.execute(busy) == [(0,)]
            assert anna.do("GET", "/conversations")[0] == 200
            gated.open()
            for reader in readers:
                assert not notices(answered(reader, reader.read_to_end()))
        finally:
            for reader in readers:
                reader.drop()


def test_s11_a_pooled_connection_that_was_cut_is_replaced(
    server: Server, provider: FakeProvider, postgres: Postgres, anna: Person
) -> None:
    provider.play(Answer(steps=openai(["Hello."])))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'freshet'"
    assert postgres.execute(cut)
    assert anna.do("GET", "/conversations")[0] == 200
    assert postgres.execute(cut)
    answer = anna.ask(new_run(), "Hello?")
    assert notices(answer) == []
