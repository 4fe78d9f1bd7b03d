"""What is served of the page's modules: joined, the same program as what is written; then made small."""

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.test import Client

from tests.support.node import find
from tests.support.typescript import HOME, STATIC, check, compiler
from webapp.assets import minifier
from webapp.assets.assets import Assets
from webapp.assets.bundle import join
from webapp.assets.cache import Build
from webapp.assets.minifier import minified

COMPARE = Path(__file__).with_name("same_program.cjs")


def different(pairs: list[tuple[str, str, str]]) -> list[str]:
    """Name the pairs whose two texts are not the same program."""
    node = find()
    compiler(node)  # brings the parser
    command = [*node.node, str(COMPARE), str(HOME / "node_modules" / "typescript")]
    result = subprocess.run(
        command, input=json.dumps(pairs), capture_output=True, text=True, timeout=120, check=True
    )
    names: list[str] = json.loads(result.stdout)
    return names


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    Assets(STATIC).write(folder)
    return folder


def test_what_is_joined_is_the_program_that_is_written() -> None:
    modules = join(STATIC)
    assert len(modules.holds) > 10
    assert sum(map(len, modules.holds.values())) > 100
    pairs = [
        (file, "".join((STATIC / name).read_text("utf-8") for name in names), modules.texts[file])
        for file, names in modules.holds.items()
    ]
    assert different(pairs) == []


def test_every_name_in_what_is_served_means_something(served: Path) -> None:
    """No mistakes of syntax (1…), and no names, modules or things given by them that are nowhere."""
    said = check([served / file for file in join(STATIC).holds]).stdout
    assert "error TS" in said  # without the comments there are no types
    wrong = re.compile(r"error TS(?:1\d{3}|2304|2305|2307|2451|2459|2552|2614|2724):")
    assert [line for line in said.splitlines() if wrong.search(line)] == []


def test_the_comparison_sees_a_difference() -> None:
    one = "const a = /x y/; // said\nlet b = `p  ${a} q`;"
    assert different([("same", one, one.replace("// said", ""))]) == []
    for name, other in {
        "pattern": one.replace("/x y/", "/xy/"),
        "template": one.replace("  ", " "),
        "operator": one.replace("let", "const"),
        "broken": one.replace("/x y/", "/x y"),
        "more": f"{one} c();",
        "later": f'{one} import("./other.js");',
    }.items():
        assert different([(name, one, other)]) == [name]


def test_scripts_and_styles_are_made_small_and_compressed(served: Path) -> None:
    for name in ("page.js", "sidebar/list.js", "styles/page.css"):
        text = (served / name).read_text("utf-8")
        assert not re.search(r"/\*\*|/\* \w", text)
        assert gzip.decompress((served / f"{name}.gz").read_bytes()).decode() == text
    assert len((served / "render/index.js").read_text()) < len(join(STATIC).texts["render/index.js"]) / 2


def test_where_they_can_not_be_made_small_they_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a.js": "const  a = 1;", "a.css": "a  { }"}
    assert minified(texts) == {"a.js": "const a=1", "a.css": ""}
    broken = texts | {"b.js": "const"}
    assert minified(broken) == broken
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert minified(texts) == texts


def test_what_is_not_joined_is_served_as_it_is(served: Path) -> None:
    for name in ("icon.svg", "icons/192.png", "markdown/index.js", "markdown/inline.js"):
        assert (served / name).read_bytes() == (STATIC / name).read_bytes()


def test_where_nothing_can_be_written_the_files_are_served_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_options: str) -> str:
        raise FileNotFoundError("no usable folder for temporary files")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    assets = Assets(STATIC)
    client = Client(assets.serve(NotFound()))
    assert "chat/chat.js" in assets.first
    for name in [*assets.first, *assets.beside, *assets.shared]:
        with client.get(assets.url(name)) as response:
            assert response.get_data() == (STATIC / name).read_bytes(), name


def test_without_the_compiled_library_the_same_program_is_served() -> None:
    """Where it has no build for the platform, a plain Python one only takes comments and white space away."""
    texts = join(STATIC).texts
    small = {name: minifier._minify_plainly("js", text) for name, text in texts.items()}
    assert different([(name, texts[name], small[name]) for name in texts]) == []
    sizes = [
        sum(len(gzip.compress(text.encode())) for text in some.values()) for some in (small, minified(texts))
    ]
    assert sizes[0] <= 1.15 * sizes[1], sizes


# What was built is kept.


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def served_by(cache: Path) -> Assets:
    assets = Assets(STATIC, cache)
    assets.serve(NotFound())
    return assets


def test_a_second_start_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = served_by(tmp_path)
    built = files_in(tmp_path / first.digest)
    for name in ("minifier.minified", "bundle.join"):
        monkeypatch.setattr(f"webapp.assets.{name}", None)
    second = served_by(tmp_path)
    assert files_in(tmp_path / second.digest) == built
    assert (second.first, second.beside, second.shared) == (first.first, first.beside, first.shared)
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.digest]


@pytest.mark.parametrize("damage", ["missing", "cut", "manifest"])
def test_a_damaged_build_is_replaced(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / served_by(tmp_path).digest
    built = files_in(folder)
    if damage == "missing":
        (folder / "page.js").unlink()
    elif damage == "cut":
        (folder / "page.js").write_bytes(b"const")
    else:
        (folder / "manifest.json").write_bytes(b"{")
    assert files_in(tmp_path / served_by(tmp_path).digest) == built


def test_another_server_may_build_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Assets.write

    def overtaken(self: Assets, folder: Path) -> Build:
        monkeypatch.setattr(Assets, "write", write)
        served_by(tmp_path)  # the other one is complete before this one
        return write(self, folder)

    monkeypatch.setattr(Assets, "write", overtaken)
    digest = served_by(tmp_path).digest
    assert [path.name for path in tmp_path.iterdir()] == [digest]


def test_old_builds_are_removed_but_no_young_one(tmp_path: Path) -> None:
    for age_days in range(1, 7):
        old = tmp_path / f"old{age_days}"
        old.mkdir()
        os.utime(old, (time.time() - age_days * 86_400 - 60,) * 2)
    (tmp_path / "young").mkdir()
    digest = served_by(tmp_path).digest
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([digest, "young", "old1"])


def test_where_the_data_folder_cannot_be_written_a_build_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assets = Assets(STATIC, tmp_path / "file" / "assets")
    client = Client(assets.serve(NotFound()))
    with client.get(assets.url("page.js")) as response:
        assert response.get_data() != (STATIC / "page.js").read_bytes()
        assert response.status_code == 200
