"""A Redis journal that is down, restarted, frozen, flushed, read-only, full, busy, slow or of another version (docs/faults.md, S9)."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as client

from tests.journal.away import READS, WRITES, check_recovered, check_unavailable
from tests.journal.backends import RedisBackend
from tests.journal.gate import Gate, Habit, closing, dripping, passing, replying, slow
from tests.journal.samples import LONG_S, TTL_S, ending, entry, group, read_one, reset, started, texts
from tests.support.certs import Certificates, make_certificates
from tests.support.redis import Redis
from tests.support.server import wait_for
from webapp.errors import JournalUnavailable
from webapp.journal.calls import TIMEOUT_S
from webapp.journal.redis import RedisJournal
from webapp.journal.redis_scripts import PREFIX
from webapp.journal_records import JournalCursor
from webapp.settings import Settings
from webapp.wiring import make_journal

CANARY = "canary-7d1f"
# Calls on each of the journal's connections: where each takes a second, all of them would take long.
SOME = {name: (READS | WRITES)[name] for name in ("find", "read, waiting", "begin", "append", "renew")}
# What asks for memory; the others free some.
GROWING = {name: WRITES[name] for name in WRITES if name not in ("release", "expire")}


@pytest.fixture
def server() -> Iterator[Redis]:
    """A Redis of its own, which a test may stop."""
    with Redis() as created:
        yield created


@pytest.fixture
def backend(server: Redis) -> Iterator[RedisBackend]:
    created = RedisBackend(server, TIMEOUT_S)
    yield created
    created.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def test_a_server_that_is_down_at_the_start_is_used_as_soon_as_it_is_there(
    backend: RedisBackend, server: Redis
) -> None:
    server.stop()
    journal = backend.connect()
    assert "refused" in check_unavailable(journal, READS | WRITES)
    server.start()
    check_recovered(journal)


def test_a_server_that_dies_comes_back_with_its_runs(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    server.stop()
    check_unavailable(journal, READS | WRITES)
    server.start()
    assert read_one(journal, "run").frames == list(texts(1, 3))
    check_recovered(journal)


def test_each_change_is_logged_once_whichever_call_finds_it(
    backend: RedisBackend, server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    journal = backend.connect()
    journal.now()
    caplog.set_level("INFO", "freshet.journal")
    for found_by in (lambda: journal.renew("a", TTL_S), journal.now):
        caplog.clear()
        server.stop()
        for _ in range(2):
            for call in (found_by, journal.now):
                with pytest.raises(JournalUnavailable):
                    call()
        server.start()
        for _ in range(2):
            for call in (found_by, journal.now):
                call()
        words = [record.getMessage() for record in caplog.records]
        assert len(words) == 2, words
        assert "is away: " in words[0]
        assert "available again" in words[1]


def test_a_restart_that_nobody_noticed_fails_no_call(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    journal.read({"run": JournalCursor(1, 3)}, 1_000, wait_s=0.05)
    server.stop()
    server.start()
    assert journal.renew("a", TTL_S)
    assert journal.append("a", [group("run", 1, 4, 4)]) == {}
    assert read_one(journal, "run").last_seq == 4
    journal.read({"run": JournalCursor(1, 4)}, 1_000, wait_s=0.05)


def test_a_frozen_server_holds_up_no_call_for_long(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    server.freeze()
    try:
        assert "Timeout" in check_unavailable(journal, SOME)
        check_unavailable(backend.connect(), {"find": READS["find"]})  # which has no connection yet
    finally:
        server.thaw()
    check_recovered(journal)
    assert read_one(journal, "run").frames[:3] == list(texts(1, 3))


def test_a_flushed_server_has_lost_the_runs_and_takes_them_again(
    backend: RedisBackend, server: Redis
) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    server.flush()
    assert journal.append("a", [group("run", 1, 4, 4)]) == {"run": "unknown"}
    assert journal.end("a", ending("run", 1, 4, 4)) == "unknown"
    assert journal.find("run") is None
    assert journal.condition == "ready"
    started(journal, epoch=2, frames=reset("1-3"))
    assert journal.append("a", [group("run", 2, 1, 1)]) == {}
    assert list(read_one(journal, "run", JournalCursor(1, 3)).reset) == list(reset("1-3"))
    check_recovered(journal)


@pytest.mark.parametrize("key", ["run:run", "frames:run"])
def test_a_run_of_which_a_part_was_evicted_is_lost_and_taken_again(backend: RedisBackend, key: str) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    backend.execute("DEL", PREFIX + key)
    assert journal.find("run") is None
    assert journal.read({"run": JournalCursor()}, 1_000) == {}
    assert journal.append("a", [group("run", 1, 4, 4)]) == {"run": "unknown"}
    assert not journal.request_stop("run", "user")
    started(journal, owner="ben", epoch=2, frames=reset("1-3"))
    assert read_one(journal, "run").frames == []
    assert [run.run for run in journal.list_running("ben")] == ["run"]
    assert journal.list_running("anna") == []


def test_nothing_of_an_evicted_run_is_left_to_the_next_of_its_name(backend: RedisBackend) -> None:
    journal = backend.connect()
    started(journal, "stopped")
    started(journal, "ended")
    journal.request_stop("stopped", "user")
    journal.end("a", ending("ended", 1, 1, 1))
    for name in ("stopped", "ended"):
        backend.execute("DEL", f"{PREFIX}run:{name}")
        started(journal, name)
    assert journal.find_stops("a") == {}
    backend.advance(LONG_S)
    assert journal.expire(1.0) == 0
    assert journal.find("ended") is not None


def test_a_replica_is_read_and_refuses_writes(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    server.execute("REPLICAOF", "127.0.0.1", "1")
    backend.execute("PING")
    for call in READS.values():
        call(journal)
    assert "read only" in check_unavailable(journal, GROWING)
    server.execute("REPLICAOF", "NO", "ONE")
    assert read_one(journal, "run").frames == list(texts(1, 3))
    check_recovered(journal)


def test_a_full_server_does_nothing_by_halves(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    started(journal, "taken", "dead", frames=texts(1, 1))
    backend.advance(LONG_S)
    journal.reclaim("a", LONG_S)
    before = stored(backend)
    seizing = {"seize": lambda journal: journal.seize("taken", 1, 1, "a", reset("x"))}
    with server.configured("maxmemory", "1"):
        assert "maxmemory" in check_unavailable(journal, GROWING | seizing)
        for call in READS.values():
            call(journal)
        assert stored(backend) == before
    assert journal.seize("taken", 1, 1, "a", reset("x")) == 2
    assert backend.execute("XLEN", f"{PREFIX}frames:taken") == 1
    assert read_one(journal, "run").frames == list(texts(1, 3))
    check_recovered(journal)


def test_a_server_that_is_busy_with_a_script(backend: RedisBackend, server: Redis) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))

    def run_script() -> None:
        with contextlib.suppress(client.ResponseError):
            server.execute("EVAL", "while true do end", 0)

    with server.configured("lua-time-limit", "50"):
        thread = threading.Thread(target=run_script, daemon=True)
        thread.start()
        try:
            wait_for(lambda: is_busy(server), 10, "the script")
            assert "BUSY" in check_unavailable(journal, READS | WRITES)
        finally:
            server.execute("SCRIPT", "KILL")
            thread.join(10)
        assert read_one(journal, "run").frames == list(texts(1, 3))
        check_recovered(journal)


@pytest.mark.parametrize(
    "content",
    [
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
        b"-MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        b"-NOPERM this user has no permissions to run the 'evalsha' command\r\n",
        b"-ERR max number of clients reached\r\n",
        b"-ERR unknown command `AUTH`, with args beginning with: `" + CANARY.encode() + b"`, \r\n",
        b"-MOVED 1234 10.0.0.1:6379\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"*1000000000\r\n",
        b"\x00\xff\r\n",
    ],
    ids=lambda content: content[:12].decode("latin-1").strip(),
)
def test_a_server_that_answers_something_else(backend: RedisBackend, content: bytes) -> None:
    check_gate(backend, replying(content), SOME)


@pytest.mark.parametrize("habit", [closing, dripping, slow(2.0)], ids=["closing", "dripping", "slow"])
def test_a_server_that_does_not_answer_in_time_or_at_all(backend: RedisBackend, habit: Habit) -> None:
    check_gate(backend, habit, SOME)


def check_gate(backend: RedisBackend, habit: Habit, calls: dict[str, object]) -> None:
    """Check that a journal behind a gate is away while the gate behaves like this, from the start and later."""
    backend.execute("ACL", "SETUSER", "anna", "on", f">{CANARY}", "~*", "+@all")
    with Gate(backend.server.port, habit) as gate:
        journal = RedisJournal(f"redis://anna:{CANARY}@127.0.0.1:{gate.port}/1")
        try:
            assert CANARY not in check_unavailable(journal, SOME)
            gate.behave(passing)
            check_recovered(journal)
            gate.behave(habit)
            assert CANARY not in check_unavailable(journal, SOME)
            gate.behave(passing)
            check_recovered(journal)
        finally:
            journal.close()


def test_the_password_may_have_any_characters(backend: RedisBackend) -> None:
    backend.execute("ACL", "SETUSER", "anna", "on", ">p@s/s:%", "~*", "+@all")
    for password, works in (("p%40s%2Fs%3A%25", True), ("wrong", False)):
        journal = RedisJournal(f"redis://anna:{password}@127.0.0.1:{backend.server.port}/1")
        if works:
            check_recovered(journal)
        else:
            assert "wrong" not in check_unavailable(journal, SOME).lower().replace("wrongpass", "")
        journal.close()


def test_a_self_signed_certificate_is_accepted_only_where_that_is_said(
    backend: RedisBackend, certificates: Certificates
) -> None:
    with Gate(backend.server.port, tls=certificates.untrusted) as gate:
        url = f"rediss://127.0.0.1:{gate.port}/1"
        strict = RedisJournal(url)
        assert "certificate" in check_unavailable(strict, SOME)
        strict.close()
        for lenient in (RedisJournal(url, verify=False), RedisJournal(f"{url}?ssl_cert_reqs=none")):
            check_recovered(lenient)
            lenient.close()


def test_on_heroku_its_self_signed_certificate_is_accepted(
    backend: RedisBackend, certificates: Certificates
) -> None:
    with Gate(backend.server.port, tls=certificates.untrusted) as gate:
        environ = {
            "REDIS_URL": f"rediss://:{CANARY}@127.0.0.1:{gate.port}/1",
            "DATABASE_URL": "postgres://h/db",
        }
        backend.execute("ACL", "SETUSER", "default", "on", f">{CANARY}")
        for platform, condition in (({}, "away"), ({"DYNO": "web.1"}, "ready")):
            journal = make_journal(Settings.read(environ | platform))
            with contextlib.suppress(JournalUnavailable):
                journal.now()
            assert (journal.kind, journal.condition) == ("redis", condition)
            journal.close()


def test_a_trusted_certificate_must_have_the_servers_name(
    backend: RedisBackend, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    for context, works in ((certificates.good, True), (certificates.wrong_name, False)):
        with Gate(backend.server.port, tls=context) as gate:
            journal = RedisJournal(f"rediss://localhost:{gate.port}/1")
            if works:
                check_recovered(journal)
            else:
                check_unavailable(journal, SOME)
            journal.close()


def test_a_journal_of_another_version_is_never_written_to(backend: RedisBackend) -> None:
    journal = backend.connect()
    started(journal)
    backend.execute("SET", f"{PREFIX}version", "2")
    before = stored(backend)
    assert "version" in check_unavailable(journal, READS | WRITES, "outdated")
    assert "version" in check_unavailable(backend.connect(), READS | WRITES, "outdated")
    assert stored(backend) == before
    backend.execute("SET", f"{PREFIX}version", "1")
    assert journal.find("run")
    check_recovered(journal)


def test_nothing_is_kept_for_ever(backend: RedisBackend) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    for key in ("run:run", "frames:run"):
        assert backend.execute("TTL", PREFIX + key) == -1
    journal.end("a", ending("run", 1, 4, 4))
    for key in ("run:run", "frames:run"):
        ttl = backend.execute("TTL", PREFIX + key)
        assert isinstance(ttl, int)
        assert ttl > 86_400  # the longest FRESHET_EXPIRY_S
    backend.advance(LONG_S)
    assert journal.expire(1.0) == 1
    assert list(stored(backend)) == [f"{PREFIX}version"]


def test_one_waiting_read_costs_two_commands(backend: RedisBackend) -> None:
    journal, other = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    backend.server.execute("CONFIG", "RESETSTAT")
    assert not journal.read({"run": JournalCursor(1, 9)}, 1_000, wait_s=0.5)["run"].frames
    statistics = backend.server.execute("INFO", "commandstats")
    assert statistics["cmdstat_xread"]["calls"] == 1
    assert statistics["cmdstat_evalsha"]["calls"] <= 3
    found: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(journal.read({"run": JournalCursor(1, 3)}, 1_000, wait_s=60.0)["run"])
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    other.append("a", [group("run", 1, 4, 4)])
    for thread in threads:
        thread.join(30)
    assert [update.frames for update in found] == [list(texts(4, 4))] * 3  # type: ignore[attr-defined]


def test_a_closed_journal_lets_go_of_its_connections(backend: RedisBackend) -> None:
    journal = backend.connect()
    started(journal)
    journal.read({"run": JournalCursor(1, 9)}, 1_000, wait_s=0.05)
    assert connections(backend) == 4
    journal.close()
    wait_for(lambda: connections(backend) == 0, 10, "the end of the connections")
    assert journal.condition == "closed"


def test_calls_from_several_threads(backend: RedisBackend) -> None:
    """A lease is renewed by whichever thread has the turn; gevent's sockets belong to one."""
    journal = backend.connect()
    renewed: list[bool] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: renewed.append(journal.renew("a", TTL_S)))
        thread.start()
        thread.join(10)
    assert renewed == [True, True, True]
    assert journal.begin(entry()) is None


def connections(backend: RedisBackend) -> int:
    """Return how many connections there are to the journal's database."""
    clients: bytes = backend.server.execute("CLIENT", "LIST")
    number = backend.url.rpartition("/")[2]
    return clients.count(f" db={number} ".encode())


def stored(backend: RedisBackend) -> dict[str, object]:
    """Return everything that is stored, by key."""
    with contextlib.closing(client.Redis.from_url(backend.url)) as connection:
        return {key.decode(): connection.dump(key) for key in sorted(connection.keys("*"))}  # type: ignore[union-attr]


def is_busy(server: Redis) -> bool:
    try:
        server.execute("PING")
    except (client.ResponseError, client.ConnectionError) as error:
        return "BUSY" in str(error)
    return False


def test_a_journal_that_is_away_is_named_without_its_password(backend: RedisBackend) -> None:
    backend.server.stop()
    journal = RedisJournal(f"redis://anna:{CANARY}@127.0.0.1:{backend.server.port}/1")
    with pytest.raises(JournalUnavailable) as caught:
        journal.now()
    assert CANARY not in caught.value.detail
    assert str(backend.server.port) in caught.value.detail
    journal.close()
