"""The wheel, installed elsewhere, serves the page."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.deploy.conftest import Installed
from tests.deploy.installation import Hosted, pip, run
from tests.support.server import wait_for
from webapp.assets.assets import Assets

pytestmark = pytest.mark.timeout(300)

STATIC = ("static", "templates")


def test_the_wheel_holds_the_package_the_page_and_nothing_else(from_wheel: Installed, checkout: Path) -> None:
    inside = set(zipfile.ZipFile(from_wheel.source).namelist())
    package = {f"webapp/{path.relative_to(checkout / 'webapp')}" for path in files_of(checkout / "webapp")}
    page = {
        f"webapp/{name}/{path.relative_to(checkout / name)}"
        for name in STATIC
        for path in files_of(checkout / name)
    }
    assert {name for name in inside if ".dist-info/" not in name} == package | page
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_what_it_asks_for_is_all_it_needs(from_wheel: Installed, tmp_path: Path) -> None:
    pip(from_wheel.bin, "check", cwd=tmp_path)
    script = "import webapp; print(webapp.create_provider('mock', delay_ms=0).model_name)"
    assert run([str(from_wheel.bin / "python"), "-c", script], cwd=tmp_path).strip() == "mock-standard"


def test_it_serves_the_page_and_its_files_from_an_empty_folder(
    from_wheel: Installed, checkout: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with Hosted(from_wheel.bin, empty, tmp_path, {"FRESHET_HOST": "127.0.0.1"}) as server:
        status, page = server.request("GET", "/")
        assert status == 200
        root = re.search(rb'src="\.(/static/[0-9a-f]{16}/)page\.js"', page)
        assert root is not None
        expected = tmp_path / "expected"
        expected.mkdir()
        Assets(checkout / "static").write(expected)
        for path in files_of(expected):
            if path.suffix != ".gz":
                served = server.request("GET", f"{root[1].decode()}{path.relative_to(expected)}")
                assert served == (200, path.read_bytes()), path
    assert {path.relative_to(empty).parts[0] for path in files_of(empty)} == {"data"}


def test_it_answers_without_any_setting(from_wheel: Installed, tmp_path: Path) -> None:
    with Hosted(from_wheel.bin, tmp_path, tmp_path, {"FRESHET_HOST": "127.0.0.1"}) as server:
        status, body = server.request("POST", "/chat/completions", {"prompt": "Hi", "max_tokens": 20})
        assert status == 200
        assert json.loads(body)["choices"][0]["message"]["content"].startswith("You asked: “Hi”")
        assert "demo answers" in server.log
        wait_for(
            lambda: json.loads(server.request("GET", "/readyz")[1])["store"]["state"] == "ready",
            10.0,
            "the database, made by the migrations in the wheel",
        )
    assert "DATABASE_URL is not set" in run([str(from_wheel.bin / "freshet"), "migrate"], cwd=tmp_path)
