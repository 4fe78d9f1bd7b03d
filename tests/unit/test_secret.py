"""The secret that signs cookies where no setting says it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.access import secret
from webapp.access.secret import Secret, kept_secret
from webapp.errors import Unavailable


def test_it_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    first = kept_secret(str(folder))
    assert len(first) > 40
    assert kept_secret(str(folder)) == first
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").stat().st_mode & 0o077 == 0


def test_many_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(kept_secret, [str(tmp_path)] * 32))) == 1


def test_where_nothing_can_be_written_it_ends_with_the_process() -> None:
    assert kept_secret("/proc/nowhere") != kept_secret("/proc/nowhere")


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    assert len(kept_secret(str(tmp_path))) > 40


# Where servers share one.


class Shared:
    """A database that keeps the secret, and can be away."""

    def __init__(self) -> None:
        self.kept: str | None = None
        self.away = False
        self.asked = 0

    def secret(self, offered: str) -> str:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        self.kept = self.kept or offered
        return self.kept


def test_the_setting_beats_all(tmp_path: Path) -> None:
    shared = Shared()
    assert Secret("given", str(tmp_path), shared).get() == "given"
    assert (shared.asked, list(tmp_path.iterdir())) == (0, [])


def test_without_a_database_it_is_the_file_s(tmp_path: Path) -> None:
    assert Secret(None, str(tmp_path)).get() == kept_secret(str(tmp_path))


def test_servers_of_one_database_agree_whatever_their_disks(tmp_path: Path) -> None:
    shared = Shared()
    found = {Secret(None, str(tmp_path / name), shared).get() for name in ("a", "b")}
    assert found == {shared.kept}
    assert list(tmp_path.iterdir()) == [], "nothing of it is on a disk"


def test_what_an_earlier_version_kept_is_offered(tmp_path: Path) -> None:
    before, shared = kept_secret(str(tmp_path)), Shared()
    assert Secret(None, str(tmp_path), shared).get() == before
    assert Secret(None, str(tmp_path / "other"), shared).get() == before


def test_while_the_database_is_away_nobody_waits_for_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(secret.time, "monotonic", lambda: now[0])
    shared = Shared()
    shared.away = True
    kept = Secret(None, str(tmp_path), shared)
    for _ in range(5):
        with pytest.raises(Unavailable):
            kept.get()
    assert shared.asked == 1
    now[0] += 5
    shared.away = False
    assert kept.get() == shared.kept
    shared.away = True
    assert kept.get() == shared.kept, "what is known stays known"


def test_a_digest_needs_the_secret_and_its_purpose(tmp_path: Path) -> None:
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
