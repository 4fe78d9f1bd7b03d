"""What is served of the page's modules: joined, the same program as what is written; then made small."""

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.test import Client

from tests.support.node import find
from tests.support.typescript import HOME, STATIC, check, compiler
from webapp.assets import minifier
from webapp.assets.assets import Assets
from webapp.assets.bundle import bundle_modules
from webapp.assets.cache import AssetCache, Build
from webapp.assets.minifier import minify_files

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
    modules = bundle_modules(STATIC)
    assert len(modules.modules) > 10
    assert sum(map(len, modules.modules.values())) > 100
    pairs = [
        (file, "".join((STATIC / name).read_text("utf-8") for name in names), modules.texts[file])
        for file, names in modules.modules.items()
    ]
    assert different(pairs) == []


def test_every_name_in_what_is_served_means_something(served: Path) -> None:
    """No mistakes of syntax (1…), and no names, modules or things given by them that are nowhere."""
    said = check([served / file for file in bundle_modules(STATIC).modules]).stdout
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
    assert (
        len((served / "render/index.js").read_text())
        < len(bundle_modules(STATIC).texts["render/index.js"]) / 2
    )


def test_without_a_minifier_there_are_no_minified_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a.js": "const  a = 1;", "a.css": "a  { }"}
    assert minify_files(texts) == {"a.js": "const a=1", "a.css": ""}
    assert minify_files(texts | {"b.js": "const"}) is None
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert minify_files(texts) is None


def test_a_style_sheet_in_a_module_is_minified() -> None:
    sheet = "/* why */\n.a {\n  margin: 0;\n}\n"
    texts = {
        "a.js": f"\nconst logCss = `{sheet}`;\nexport {{ logCss }};\n",
        "b.js": f"\nconst text = `{sheet}`;\ntext;\n",
    }
    small = minify_files(texts) or {}
    assert "`.a{margin:0}`" in small["a.js"]
    assert f"`{sheet}`" in small["b.js"]


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
    texts = bundle_modules(STATIC).texts
    small = {name: minifier._minify_plainly("js", text) for name, text in texts.items()}
    assert different([(name, texts[name], small[name]) for name in texts]) == []
    sizes = [
        sum(len(gzip.compress(text.encode())) for text in some.values())
        for some in (small, minify_files(texts) or {})
    ]
    assert sizes[0] <= 1.15 * sizes[1], sizes


# Builds are kept.


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def names_in(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {".lock"}


def served_by(cache: Path) -> Assets:
    assets = Assets(STATIC, cache)
    assets.serve(NotFound())
    return assets


def test_a_second_start_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = served_by(tmp_path)
    built = files_in(tmp_path / first.digest)
    for name in ("minifier.minify_files", "bundle.bundle_modules"):
        monkeypatch.setattr(f"webapp.assets.{name}", None)
    second = served_by(tmp_path)
    assert files_in(tmp_path / second.digest) == built
    assert (second.first, second.beside, second.shared) == (first.first, first.beside, first.shared)
    assert names_in(tmp_path) == {first.digest}


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


def test_servers_that_start_together_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, builds = Assets.write, []

    def counted(self: Assets, folder: Path) -> Build:
        builds.append(folder)
        return write(self, folder)

    monkeypatch.setattr(Assets, "write", counted)
    with ThreadPoolExecutor(4) as pool:
        servers = [start.result() for start in [pool.submit(served_by, tmp_path) for _ in range(4)]]
    assert len(builds) == 1
    assert names_in(tmp_path) == {servers[0].digest}


def test_an_unminified_build_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")
        first = served_by(tmp_path)
        assert first.digest not in names_in(tmp_path)
    assert served_by(tmp_path).digest in names_in(tmp_path)


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_assets: Assets, folder: Path) -> Build:
        (folder / "page.js").write_bytes(b"half")
        raise ValueError("broken module")

    monkeypatch.setattr(Assets, "write", broken)
    with pytest.raises(ValueError, match="broken module"):
        served_by(tmp_path)
    assert names_in(tmp_path) == set()


def aged(folder: Path, days: float) -> None:
    os.utime(folder, (time.time() - days * 86_400 - 60,) * 2)


def test_old_builds_are_removed_but_no_young_one(tmp_path: Path) -> None:
    for days in range(1, 7):
        old = tmp_path / f"old{days}"
        old.mkdir()
        aged(old, days)
    (tmp_path / "young").mkdir()
    digest = served_by(tmp_path).digest
    assert names_in(tmp_path) == {digest, "young", "old1"}


def test_a_running_server_keeps_its_build(tmp_path: Path) -> None:
    running = AssetCache(tmp_path)
    build = Build(files={}, first=[], beside=[], shared=[])
    for name in ("running", "ended"):
        AssetCache(tmp_path).get(name, lambda _folder: build)
    running.get("running", lambda _folder: build)
    for number, name in enumerate(["running", "ended", "other", "another"]):
        (tmp_path / name).mkdir(exist_ok=True)
        aged(tmp_path / name, 9 - number)
    served_by(tmp_path)
    assert names_in(tmp_path) >= {"running", "another", "other"}
    assert "ended" not in names_in(tmp_path)


def test_other_compressors_make_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = Assets(STATIC).digest
    monkeypatch.setattr("webapp.assets.assets._compressors", lambda: "whitenoise=99")
    assert Assets(STATIC).digest != digest


def test_where_the_data_folder_cannot_be_written_a_build_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assets = Assets(STATIC, tmp_path / "file" / "assets")
    client = Client(assets.serve(NotFound()))
    with client.get(assets.url("page.js")) as response:
        assert response.get_data() != (STATIC / "page.js").read_bytes()
        assert response.status_code == 200
