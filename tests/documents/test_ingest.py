"""`freshet ingest` and `freshet search` on real files: what goes in, what is refused, and that nothing is half-stored."""

import multiprocessing
import os
from pathlib import Path

import pytest

from webapp.cli import main
from webapp.cli.document_files import DocumentFile, FileError, read_file
from webapp.cli.document_reader import FileReading
from webapp.cli.ingest import Ingestion


@pytest.fixture(autouse=True)
def _data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRESHET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three documents, one of them deeper."""
    made = tmp_path / "handbook"
    (made / "more").mkdir(parents=True)
    (made / "travel.md").write_text("# Travel\n\nTrips by train are paid for in second class.\n")
    (made / "more" / "lunch.txt").write_text("Lunch is served at noon, on Fridays with fish.\n", "latin-1")
    (made / "prices.csv").write_text("thing,price\nbicycle,400\n", "utf-16")
    return made


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    return out.strip(), err.strip()


def test_a_folder_is_searchable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(folder), "--collection", "handbook"]) == 0
    assert said(capsys) == ("handbook: 3 added", "")
    assert main(["search", "Which class do trains have?"]) == 0
    assert "handbook/travel.md" in said(capsys)[0].splitlines()[0]
    assert main(["search", "fish", "--collection", "handbook", "--limit", "1"]) == 0
    assert "handbook/more/lunch.txt" in said(capsys)[0]
    assert main(["search", "bicycle"]) == 0
    assert "handbook/prices.csv" in said(capsys)[0]


def test_what_has_not_changed_is_passed_over_and_sync_removes_what_is_gone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ingest", str(folder), "--collection", "handbook"])
    (folder / "travel.md").write_text("# Travel\n\nNobody travels any more.\n")
    (folder / "prices.csv").unlink()
    said(capsys)
    assert main(["ingest", str(folder), "--collection", "handbook"]) == 0
    assert said(capsys)[0] == "handbook: 1 replaced, 1 unchanged"
    assert main(["search", "bicycle"]) == 0
    said(capsys)
    assert main(["ingest", str(folder), "--collection", "handbook", "--sync"]) == 0
    assert said(capsys)[0] == "handbook: 2 unchanged, 1 removed"
    assert main(["search", "bicycle"]) == 1
    assert "nothing found" in said(capsys)[1]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder with so many documents that processes read them, and one that cannot be read."""
    made = tmp_path / "many"
    made.mkdir()
    for number in range(40):
        (made / f"{number:02}.txt").write_text(f"The number of this document is {number}.\n" * 40)
    (made / "07.txt").write_text(" \n")
    return made


def test_many_files_are_read_in_processes(many: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(many), "--collection", "numbers"]) == 1
    out, err = said(capsys)
    assert out == "numbers: 39 added, 1 refused"
    assert err.startswith("freshet: many/07.txt: The file contains no text.")
    (many / "07.txt").write_text("The seventh speaks of herons.\n")
    (many / "08.txt").write_text("The eighth speaks of storks.\n")
    assert main(["ingest", str(many), "--collection", "numbers"]) == 0
    assert said(capsys) == ("numbers: 1 added, 1 replaced, 38 unchanged", "")
    assert main(["search", "herons"]) == 0
    assert "many/07.txt" in said(capsys)[0]
    assert not multiprocessing.active_children()


def test_a_reading_process_that_is_killed_is_said_and_nothing_is_half_stored(
    many: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Ingestion._take

    def take_and_kill(self: Ingestion, file: DocumentFile, reading: FileReading) -> None:
        for child in multiprocessing.active_children():
            child.kill()
            child.join()
        take(self, file, reading)

    with monkeypatch.context() as patch:
        patch.setattr(Ingestion, "_take", take_and_kill)
        assert main(["ingest", str(many), "--collection", "numbers"]) == 1
    out, err = said(capsys)
    assert (out, err) == (
        "",
        "freshet: a process that reads files was killed: not all of them are stored. Run it again.",
    )
    (many / "07.txt").unlink()
    assert main(["ingest", str(many), "--collection", "numbers"]) == 0
    assert "added" in said(capsys)[0]


def test_what_cannot_be_read_is_named_and_the_rest_goes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "binary.md").write_bytes(bytes(range(256)) * 40)
    (folder / "empty.txt").write_text("")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "loop").symlink_to("loop")
    (folder / "circle").symlink_to(folder)
    (folder / "huge.txt").write_bytes(b"")
    os.truncate(folder / "huge.txt", 200_000_000)
    os.mkfifo(folder / "pipe.txt")
    assert main(["ingest", str(folder), "nowhere.md", "--collection", "handbook"]) == 1
    out, err = said(capsys)
    assert out.startswith("handbook: 3 added")
    for name, reason in (
        ("handbook/empty.txt", "no text"),
        ("handbook/broken.pdf", "damaged"),
        ("handbook/loop", "Too many levels"),
        ("handbook/huge.txt", "too large"),
        ("nowhere.md", "no such file"),
    ):
        assert any(line.startswith(f"freshet: {name}: ") and reason in line for line in err.splitlines()), (
            name,
            err,
        )
    assert "pipe.txt" not in err
    assert "circle" not in err


def test_a_named_file_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert main(["ingest", str(photo), "--collection", "x"]) == 1
    assert "kind that cannot be read" in said(capsys)[1]


def test_an_empty_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["ingest", str(tmp_path / "empty"), "--collection", "x"]) == 1
    assert "The folder is empty." in said(capsys)[1]


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    plain = os.fstat

    def grow(descriptor: int) -> os.stat_result:
        found = plain(descriptor)
        with path.open("a") as file:
            file.write("more\n")
        return found

    monkeypatch.setattr(os, "fstat", grow)
    with pytest.raises(FileError, match="changes while it is read"):
        read_file(path)


@pytest.mark.parametrize("who", ["somebody", "", "Everyone"])
def test_an_unknown_grantee_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], who: str) -> None:
    assert main(["ingest", str(folder), "--collection", "x", "--for", who]) == 2
    assert "everyone or key:ID" in said(capsys)[1]


def test_an_unknown_collection_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "x", "--collection", "nothing"]) == 2
    assert "There is no collection 'nothing'." in said(capsys)[1]


@pytest.mark.parametrize("limit", ["0", "51", "many"])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["search", "x", "--limit", limit])
    assert stopped.value.code == 2
