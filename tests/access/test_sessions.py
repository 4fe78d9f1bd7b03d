"""Sign-in sessions: several devices, ending, two servers, and an unreachable database."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.access.conftest import Start, make_server
from tests.access.device import PASSWORD, SECRET_KEY, Device, error_of, wait_within
from tests.faults.answers import new_run
from tests.faults.conversations import Gated
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.rawhttp import Cut
from tests.support.script import Answer
from tests.support.server import Server
from webapp.store.database import Database

CLOSED_S = 2.0


@pytest.fixture(scope="module")
def server(provider: FakeProvider) -> Iterator[Server]:
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD) as running:
        yield running


@pytest.fixture(autouse=True)
def hello(provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))


def signed_in(server: Server) -> Device:
    device = Device(server.address)
    assert device.sign_in() == 303
    return device


def test_two_devices_are_one_user(server: Server) -> None:
    desk, phone = signed_in(server), signed_in(server)
    name = desk.create_conversation()
    assert name in phone.conversation_ids()
    assert phone.messages(name)[1]["content"][0]["text"] == "Hello"
    program = Device(server.address, {"Authorization": f"Bearer {PASSWORD}"})
    assert name in program.conversation_ids()


def test_signing_out_ends_the_session_and_keeps_the_conversations(server: Server) -> None:
    person = signed_in(server)
    name, old = person.create_conversation(), dict(person.cookies)
    assert person.sign_out() == 303
    assert "freshet-session" not in person.cookies
    replayed = Device(server.address)
    replayed.cookies = old
    status, _, raw = replayed.request("GET", "/conversations")
    assert (status, error_of(raw)["code"]) == (401, "not_signed_in")
    assert person.request("GET", "/conversations")[0] == 401
    assert person.sign_in() == 303
    assert name in person.conversation_ids()


def test_signing_in_again_rotates_the_session(server: Server) -> None:
    person = signed_in(server)
    before = dict(person.cookies)
    assert person.sign_in() == 303
    assert person.cookies["freshet-session"] != before["freshet-session"]
    assert person.cookies["freshet-browser"].split(".")[0] == before["freshet-browser"].split(".")[0]
    replayed = Device(server.address)
    replayed.cookies = before
    assert replayed.request("GET", "/conversations")[0] == 401


def test_a_chosen_session_token_is_not_accepted(server: Server) -> None:
    """Session fixation: signing in always sets a new token."""
    victim = Device(server.address)
    victim.cookies["freshet-session"] = "chosen-by-somebody-else-0123456789abcdefghij"
    assert victim.sign_in() == 303
    assert victim.cookies["freshet-session"] != "chosen-by-somebody-else-0123456789abcdefghij"
    attacker = Device(server.address)
    attacker.cookies["freshet-session"] = "chosen-by-somebody-else-0123456789abcdefghij"
    assert attacker.request("GET", "/conversations")[0] == 401


def test_a_session_expires_after_thirty_days_without_use(server: Server) -> None:
    person = signed_in(server)
    session = next(one["id"] for one in person.sessions() if one["current"])

    def status(days: int) -> int:
        seen_at = int((time.time() - days * 86_400) * 1000)
        with sqlite3.connect(server.folder / "data" / "freshet.db", timeout=5) as connection:
            connection.execute("UPDATE sessions SET seen_at = ? WHERE id = ?", (seen_at, session))
        connection.close()
        return person.request("GET", "/conversations")[0]

    assert status(29) == 200
    wait_within(lambda: status(31) == 401, 5, "the cached session to be looked up again")
    assert signed_in(server).request("GET", "/conversations")[0] == 200


def test_sessions_are_listed_by_device_and_can_be_ended(server: Server) -> None:
    for device in [signed_in(server) for _ in range(2)]:
        device.request("DELETE", "/sessions")
    here = signed_in(server)
    here.request("DELETE", "/sessions")
    there = Device(server.address, {"User-Agent": "Mozilla/5.0 (iPhone) Version/18 Mobile Safari/604.1"})
    assert there.sign_in() == 303
    listed = here.sessions()
    assert sorted((one["device"], one["current"]) for one in listed) == [
        ("Firefox, Linux", True),
        ("Safari, iPhone", False),
    ]
    now_ms = time.time() * 1000
    for one in listed:
        assert abs(now_ms - one["seen_at"]) < 60_000
        assert abs(now_ms - one["created_at"]) < 60_000
    assert there.cookies["freshet-session"] not in str(listed)
    mine = next(one["id"] for one in there.sessions() if one["current"])
    assert here.json("DELETE", f"/sessions/{mine}") == {"ended": [mine]}
    assert there.request("GET", "/conversations")[0] == 401
    assert here.request("DELETE", f"/sessions/{mine}")[0] == 404
    assert here.request("GET", "/conversations")[0] == 200


def test_all_other_sessions_can_be_ended(server: Server) -> None:
    here, others = signed_in(server), [signed_in(server) for _ in range(3)]
    assert len(here.json("DELETE", "/sessions")["ended"]) >= 3
    assert [one["current"] for one in here.sessions()] == [True]
    assert {other.request("GET", "/conversations")[0] for other in others} == {401}


def test_an_ended_sessions_connections_close_and_its_answers_continue(
    server: Server, provider: FakeProvider
) -> None:
    here, there = signed_in(server), signed_in(server)
    session = next(one["id"] for one in there.sessions() if one["current"])
    conversation, run = new_run(), new_run()
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with there.start(conversation=conversation, run=run) as reader, there.socket() as socket:
            gated.open(1)
            reader.read_text(1)
            socket.send_json(type="resume", ref="1", run=run)
            socket.read_until(lambda: any("text" in body for _, body in socket.jsons), 5)
            started_at = time.monotonic()
            here.json("DELETE", f"/sessions/{session}")
            assert socket.read_close(CLOSED_S) == 4401
            assert is_cut(reader, CLOSED_S)
            assert time.monotonic() - started_at < CLOSED_S
            assert there.request("GET", f"/stream/{run}")[0] == 401
            gated.open()
            wait_within(lambda: here.messages(conversation)[-1]["state"] == "done", 5, "the answer's end")
        assert here.messages(conversation)[-1]["content"][0]["text"] == "It goes on."


def is_cut(reader: object, timeout_s: float) -> bool:
    """Return whether the connection ends without a terminal frame."""
    try:
        received = reader.read_to_end(timeout_s)  # type: ignore[attr-defined]
    except (Cut, AssertionError):
        return True
    return not any("done" in one.frame or "error" in one.frame for one in received)


# Two servers, one database.


@pytest.fixture(params=["postgres", "sqlite"])
def pair(
    request: pytest.FixtureRequest,
    start: Start,
    new_migrated_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Server, Server]:
    if request.param == "postgres":  # each server has its own folder
        url = new_migrated_url()
        return (
            start(FRESHET_ACCESS_PASSWORD=PASSWORD, DATABASE_URL=url),
            start(FRESHET_ACCESS_PASSWORD=PASSWORD, DATABASE_URL=url),
        )
    folder = str(tmp_path_factory.mktemp("shared"))
    return (
        start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder),
        start(FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_DATA_DIR=folder),
    )


def test_a_session_is_valid_and_ends_at_both_servers(
    pair: tuple[Server, Server], provider: FakeProvider
) -> None:
    one, other = pair
    person = signed_in(one)
    name = person.create_conversation()
    elsewhere = Device(other.address)
    elsewhere.cookies = person.cookies
    assert elsewhere.conversation_ids() == {name}
    admin = signed_in(other)
    session = next(one["id"] for one in person.sessions() if one["current"])
    with Gated("It ", "goes on.") as gated:
        provider.play(gated.answer)
        with person.socket() as socket:
            socket.send_json(type="start", ref="1", query="Hi", run=new_run())
            gated.open(1)
            socket.read_until(lambda: any("text" in body for _, body in socket.jsons), 5)
            admin.json("DELETE", f"/sessions/{session}")  # at the other server
            assert socket.read_close(CLOSED_S + 0.5) == 4401
        assert person.request("GET", "/conversations")[0] == 401
        gated.open()


def test_visitors_stay_known_after_the_disk_is_wiped(
    start: Start, new_migrated_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = new_migrated_url()
    server = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor = Device(server.address)
    visitor.open()
    name = visitor.create_conversation()
    assert not (server.folder / "data" / "secret").exists()
    server.stop()
    fresh = start(
        FRESHET_PUBLIC="true", DATABASE_URL=url, FRESHET_DATA_DIR=str(tmp_path_factory.mktemp("fresh"))
    )
    visitor.address = fresh.address
    assert visitor.conversation_ids() == {name}
    assert visitor.open() == 200
    assert visitor.conversation_ids() == {name}


def test_the_setting_has_precedence_over_the_databases_secret(
    start: Start, new_migrated_url: Callable[[], str]
) -> None:
    url = new_migrated_url()
    first = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor = Device(first.address)
    visitor.open()
    visitor.create_conversation()
    second = start(FRESHET_PUBLIC="true", DATABASE_URL=url, SECRET_KEY=SECRET_KEY)
    visitor.address = second.address
    assert visitor.request("GET", "/conversations")[0] == 401


def test_a_secret_file_is_moved_to_the_database(
    start: Start, new_migrated_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An earlier version stored it in a file even with a database."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "secret").write_text("earlier-secret-canary")
    url = new_migrated_url()
    first = start(FRESHET_PUBLIC="true", DATABASE_URL=url, FRESHET_DATA_DIR=str(folder))
    visitor = Device(first.address)
    visitor.open()
    name = visitor.create_conversation()
    second = start(FRESHET_PUBLIC="true", DATABASE_URL=url, SECRET_KEY="earlier-secret-canary")
    visitor.address = second.address
    assert visitor.conversation_ids() == {name}


# The database is unreachable.


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def test_without_the_database_cached_sessions_work_and_nobody_signs_in(
    start: Start, own_postgres: Postgres
) -> None:
    url = own_postgres.new_url()
    Database(url, "unused").migrate()
    server = start(FRESHET_ACCESS_PASSWORD=PASSWORD, DATABASE_URL=url)
    person, other = signed_in(server), signed_in(server)
    name = person.create_conversation()
    assert person.conversation_ids() == {name}
    own_postgres.stop()
    assert person.ask() == "Hello"
    with person.socket() as socket:
        run = new_run()
        socket.send_json(type="start", ref="1", query="Hi", run=run)
        socket.read_to_end(run)
    status, headers, raw = other.request("POST", "/stream", {"query": "Hi"})
    assert status == 503, "this worker has never verified the session"
    assert error_of(raw)["code"] == "store_away"
    assert int(headers["retry-after"]) > 0
    status, headers, raw = Device(server.address).request(
        "POST", "/signin", f"password={PASSWORD}".encode(), Content_Type="application/x-www-form-urlencoded"
    )
    assert status == 503
    assert "retry-after" in headers
    assert person.sign_out() == 503, "signing out must not seem to have worked"
    assert "freshet-session" in person.cookies
    assert Device(server.address, {"Authorization": f"Bearer {PASSWORD}"}).ask() == "Hello"
    own_postgres.start()
    wait_within(lambda: other.request("GET", "/conversations")[0] == 200, 10, "the database")
    assert person.conversation_ids() == {name}


def test_a_hanging_database_does_not_block_the_server(
    start: Start, own_postgres: Postgres, provider: FakeProvider
) -> None:
    """It accepts connections and does not answer; the secret that signs cookies is in it."""
    url = own_postgres.new_url()
    Database(url, "unused").migrate()
    first = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
    visitor = Device(first.address)
    assert visitor.open() == 200
    name = visitor.create_conversation()
    own_postgres.freeze()
    try:
        second = start(FRESHET_PUBLIC="true", DATABASE_URL=url)
        visitor.address = second.address

        def timed_start(_: int) -> tuple[int, float]:
            started_at = time.monotonic()
            status = visitor.request("POST", "/stream", {"query": "Hi"})[0]
            return status, time.monotonic() - started_at

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(timed_start, range(20)))
        assert {status for status, _ in answers} <= {200, 429}, "chatting without a name works"
        assert max(took_s for _, took_s in answers) < 6
        status, _, raw = visitor.request("GET", f"/conversations/{name}")
        assert (status, error_of(raw)["code"]) == (503, "store_away")
        cookies = dict(visitor.cookies)
        assert visitor.open() == 200
        assert visitor.cookies == cookies, "the visitor keeps its cookie"
        assert Device(second.address).open() == 503
    finally:
        own_postgres.thaw()
    wait_within(lambda: visitor.request("GET", "/conversations")[0] == 200, 15, "the database")
    assert visitor.conversation_ids() == {name}
