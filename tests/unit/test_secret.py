"""The secret that signs cookies where no setting says it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webapp.access.secret import kept_secret


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
