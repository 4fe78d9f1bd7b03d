"""A SQLite journal that is locked, full, read-only, damaged, removed or of another version (docs/faults.md, S12, N14, N30)."""

import os
import pwd
import resource
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.journal.away import READS, WRITES, check_recovered, check_unavailable
from tests.journal.backends import SqliteBackend
from tests.journal.samples import TTL_S, entry, group, read_one, started, texts
from tests.support.server import wait_for
from webapp.errors import JournalUnavailable
from webapp.journal.database import TIMEOUT_S, DatabaseJournal
from webapp.sql import file_lock

WAIT_S = 10.0


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[SqliteBackend]:
    created = SqliteBackend(tmp_path / "data", TIMEOUT_S)
    yield created
    created.close()


@contextmanager
def locked(backend: SqliteBackend) -> Iterator[None]:
    """Hold the file's write lock, as another process would."""
    connection = sqlite3.connect(backend.file, isolation_level=None, timeout=5)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full(backend: SqliteBackend) -> Iterator[None]:
    """Limit the size of this process's files, as on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (backend.file.stat().st_size + 4_096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def read_only(backend: SqliteBackend) -> Iterator[None]:
    """Take the right to write from file and folder; root gives its own rights up too."""
    paths = [*backend.folder.iterdir(), backend.folder]
    for path in paths:
        path.chmod(0o444 if path.is_file() else 0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(user)
        for path in reversed(paths):
            if path.exists():
                path.chmod(0o666 if path.is_file() else 0o777)


def test_a_locked_file_holds_up_no_reader_and_no_writer_for_long(backend: SqliteBackend) -> None:
    journal, waiting = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 2))
    with locked(backend):
        assert "locked" in check_unavailable(journal, WRITES)
        for call in READS.values():
            call(journal)
        with pytest.raises(JournalUnavailable):  # opened while it is locked
            waiting.append("a", [group("run", 1, 3, 3)])
        assert read_one(waiting, "run").last_seq == 2
    check_recovered(journal)
    check_recovered(waiting)
    assert read_one(journal, "run").frames == list(texts(1, 2))


def test_a_full_disk_is_survived_without_loss(backend: SqliteBackend) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 3))
    large = entry("large", frames=texts(1, 20_000))
    with full(backend):
        with pytest.raises(JournalUnavailable) as caught:
            journal.begin(large)
        assert caught.value.detail
        assert journal.condition == "away"
    assert journal.find("large") is None
    assert journal.begin(large) is None
    check_recovered(journal)
    assert read_one(journal, "run").frames == list(texts(1, 3))


def test_a_file_that_becomes_read_only() -> None:
    folder = Path(tempfile.mkdtemp(prefix="freshet-journal-"))  # whose parents everybody may enter
    folder.chmod(0o755)
    backend = SqliteBackend(folder / "data", TIMEOUT_S)
    try:
        journal = backend.connect()
        started(journal, frames=texts(1, 3))
        backend.disconnect()
        journal = backend.connect()
        with read_only(backend):
            check_unavailable(journal, WRITES)
        check_recovered(journal)
        assert read_one(journal, "run").frames == list(texts(1, 3))
    finally:
        backend.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("content", [b"garbage " * 2_000, b"SQLite format 3\0" + b"\xff" * 8_000])
def test_a_garbage_file_is_refused_and_left_alone(backend: SqliteBackend, content: bytes) -> None:
    backend.folder.mkdir()
    backend.file.write_bytes(content)
    journal = backend.connect()
    check_unavailable(journal, READS | WRITES)
    assert backend.file.read_bytes() == content
    backend.file.unlink()
    check_recovered(journal)


def test_a_file_that_is_damaged_while_it_is_open(backend: SqliteBackend) -> None:
    journal = backend.connect()
    started(journal, frames=texts(1, 500))
    backend.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = backend.file.stat().st_size
    with backend.file.open("r+b") as file:
        file.write(b"\xff" * size)
    check_unavailable(journal, READS | WRITES)
    backend.file.unlink()
    check_recovered(journal)


def test_a_removed_file_is_an_empty_journal_for_all(backend: SqliteBackend) -> None:
    journal, other = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    assert read_one(other, "run").last_seq == 3
    backend.file.unlink()
    assert journal.append("a", [group("run", 1, 4, 4)]) == {"run": "unknown"}
    assert other.find("run") is None
    started(journal, frames=texts(1, 4))
    assert read_one(other, "run").frames == list(texts(1, 4))
    check_recovered(other)
    check_recovered(journal)


def test_files_that_are_removed_one_after_the_other(backend: SqliteBackend) -> None:
    """In between a worker has created the file again: the log that is removed then is the new one's."""
    journal, other = backend.connect(), backend.connect()
    started(journal, frames=texts(1, 3))
    assert read_one(other, "run").last_seq == 3
    backend.file.unlink()
    assert journal.append("a", [group("run", 1, 4, 4)]) == {"run": "unknown"}
    started(journal, "lost with the log")
    for suffix in ("-wal", "-shm", ".lock"):
        Path(f"{backend.file}{suffix}").unlink()
    started(journal, frames=texts(1, 4))
    assert read_one(other, "run").frames == list(texts(1, 4))
    assert other.find("lost with the log") is None
    check_recovered(other)
    check_recovered(journal)


def open_files(path: Path) -> int:
    """Return how often this process has a file open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and link.resolve() == path.resolve() for link in links)


def test_the_lock_of_a_removed_file_keeps_nobody_out_and_lets_nobody_in(tmp_path: Path) -> None:
    path, entered = tmp_path / "lock", threading.Event()

    def enter() -> None:
        with file_lock(path):
            entered.set()

    waiting = threading.Thread(target=enter)
    with ExitStack() as later:
        with file_lock(path):
            waiting.start()
            wait_for(lambda: open_files(path) == 2, WAIT_S, "the other waits for the lock")
            path.unlink()
            later.enter_context(file_lock(path))  # the file that is there now
        assert not entered.wait(0.2)
    waiting.join(WAIT_S)
    assert entered.is_set()


def test_a_replaced_file_is_used_by_all(backend: SqliteBackend, tmp_path: Path) -> None:
    elsewhere = SqliteBackend(tmp_path / "elsewhere")
    started(elsewhere.connect(), "another")
    elsewhere.close()
    journal, other = backend.connect(), backend.connect()
    started(journal)
    assert other.find("run")
    for suffix in ("-wal", "-shm"):
        Path(f"{backend.file}{suffix}").unlink(missing_ok=True)
    elsewhere.file.replace(backend.file)
    assert journal.find("another")
    assert other.find("run") is None
    assert other.renew("b", TTL_S)


def test_a_removed_folder_is_made_again(backend: SqliteBackend) -> None:
    journal = backend.connect()
    started(journal)
    shutil.rmtree(backend.folder)
    check_recovered(journal)


def test_a_folder_that_cannot_be_made(backend: SqliteBackend) -> None:
    backend.folder.write_text("a file")
    journal = backend.connect()
    check_unavailable(journal, READS | WRITES)
    backend.folder.unlink()
    check_recovered(journal)


def test_a_journal_of_another_version_is_never_written_to(backend: SqliteBackend) -> None:
    started(backend.connect())
    backend.execute("UPDATE journal_version SET version = 2")
    backend.disconnect()
    content = backend.file.read_bytes()
    journal = backend.connect()
    assert "version" in check_unavailable(journal, READS | WRITES, "outdated")
    assert backend.file.read_bytes() == content
    backend.execute("UPDATE journal_version SET version = 1")
    assert journal.find("run")
    check_recovered(journal)


def test_a_closed_journal_lets_go_of_its_file(backend: SqliteBackend) -> None:
    journal = backend.connect()
    started(journal)
    journal.close()
    links = Path("/proc/self/fd").iterdir()
    assert not [link for link in links if link.is_symlink() and str(backend.folder) in str(link.resolve())]
    assert journal.condition == "closed"


def test_a_lock_that_another_process_keeps_is_not_waited_for_without_end(tmp_path: Path) -> None:
    """A frozen process keeps its locks: the journal is away until it goes on."""
    with closing(DatabaseJournal(None, str(tmp_path), timeout_s=0.5)) as journal:
        with file_lock(tmp_path / "journal.db.lock"):
            for _ in range(2):  # the second finds no thread that still waits
                with pytest.raises(JournalUnavailable) as away:
                    journal.now()
                assert "lock" in away.value.detail
        check_recovered(journal)
