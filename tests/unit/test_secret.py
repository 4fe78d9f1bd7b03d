"""The secret that signs cookies, when no setting has one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.access import secret
from webapp.access.secret import Secret, load_secret_file
from webapp.errors import Unavailable


def test_it_is_created_once_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    first = load_secret_file(str(folder))
    assert len(first) > 40
    assert load_secret_file(str(folder)) == first
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").stat().st_mode & 0o077 == 0


def test_concurrent_callers_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(load_secret_file, [str(tmp_path)] * 32))) == 1


def test_without_a_writable_folder_it_is_not_stored() -> None:
    assert load_secret_file("/proc/nowhere") != load_secret_file("/proc/nowhere")


def test_an_empty_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    assert len(load_secret_file(str(tmp_path))) > 40


# Shared by servers in a database.


class FakeStore:
    """A database with the secret; while `is_down`, it raises `Unavailable`."""

    def __init__(self) -> None:
        self.secret: str | None = None
        self.is_down = False
        self.calls = 0

    def get_or_create(self, candidate: str) -> str:
        self.calls += 1
        if self.is_down:
            raise Unavailable("down")
        self.secret = self.secret or candidate
        return self.secret


def test_the_setting_has_precedence(tmp_path: Path) -> None:
    shared = FakeStore()
    assert Secret("given", str(tmp_path), shared).get() == "given"
    assert (shared.calls, list(tmp_path.iterdir())) == (0, [])


def test_without_a_database_it_is_in_a_file(tmp_path: Path) -> None:
    assert Secret(None, str(tmp_path)).get() == load_secret_file(str(tmp_path))


def test_servers_with_one_database_share_the_secret(tmp_path: Path) -> None:
    shared = FakeStore()
    found = {Secret(None, str(tmp_path / name), shared).get() for name in ("a", "b")}
    assert found == {shared.secret}
    assert list(tmp_path.iterdir()) == [], "no file is written"


def test_the_secret_file_of_an_earlier_version_is_moved_to_the_database(tmp_path: Path) -> None:
    before, shared = load_secret_file(str(tmp_path)), FakeStore()
    assert Secret(None, str(tmp_path), shared).get() == before
    assert Secret(None, str(tmp_path / "other"), shared).get() == before


def test_after_a_failure_the_database_is_not_asked_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(secret.time, "monotonic", lambda: now[0])
    shared = FakeStore()
    shared.is_down = True
    server_secret = Secret(None, str(tmp_path), shared)
    for _ in range(5):
        with pytest.raises(Unavailable):
            server_secret.get()
    assert shared.calls == 1
    now[0] += 5
    shared.is_down = False
    assert server_secret.get() == shared.secret
    shared.is_down = True
    assert server_secret.get() == shared.secret, "a loaded secret is not read again"


def test_a_digest_depends_on_secret_purpose_and_text(tmp_path: Path) -> None:
    one, other = Secret("one", str(tmp_path)), Secret("other", str(tmp_path))
    found = {
        one.digest("a", "text"),
        one.digest("b", "text"),
        one.digest("a", "texts"),
        other.digest("a", "text"),
    }
    assert len(found) == 4
    assert one.digest("a", "text") == one.digest("a", "text")
    assert all(len(digest) == 32 for digest in found)
